from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import viner
from viner.bulk import Job, Redactor
from viner.bulk.pseudonyms import LETTERS, Pseudonyms
from viner.document import Document, Entity, Relation
from viner.errors import UsageError

KEY = b"0123456789abcdef"
TEXT = "Lan gặp Minh ở Hà Nội, rồi Lan về."
FOUND = [Entity(0, 3, "PERSON", "e1", 0.9, "model"), Entity(8, 12, "PERSON", "e2"), Entity(15, 21, "LOCATION", "e3")]


def surfaces(document: Document) -> list[tuple[str, str]]:
    return [(document.text[e.start : e.end], e.label) for e in document.entities or ()]


def test_labels_take_the_place_and_all_offsets_are_exact() -> None:
    document = Redactor(["PERSON"])(Document(TEXT, id="n", entities=FOUND))
    assert document.text == "[PERSON] gặp [PERSON] ở Hà Nội, rồi Lan về."
    assert surfaces(document) == [("[PERSON]", "PERSON"), ("[PERSON]", "PERSON"), ("Hà Nội", "LOCATION")]
    assert document.entities[0] == Entity(0, 8, "PERSON", "e1", 0.9, "model")
    assert document.id == "n"


def test_characters_change_no_offset() -> None:
    document = Redactor(by="characters", character="*")(Document(TEXT, entities=FOUND))
    assert document.text == "*** gặp **** ở ******, rồi Lan về."
    assert [(e.start, e.end) for e in document.entities] == [(0, 3), (8, 12), (15, 21)]


def test_pseudonyms_are_the_same_for_the_same_surface_and_label_and_key() -> None:
    one, other = Redactor(by="pseudonym", key=KEY), Redactor(by="pseudonym", key=KEY)
    first = one(Document("Lan ở Huế", entities=[Entity(0, 3, "PERSON"), Entity(6, 9, "LOCATION")]))
    second = other(Document("Minh, Lan", entities=[Entity(0, 4, "PERSON"), Entity(6, 9, "PERSON")]))
    names = re.findall(rf"[A-Z]+_[A-Z2-7]{{{LETTERS}}}", first.text + " " + second.text)
    assert len(names) == 4
    assert names[0] == names[3]
    assert len(set(names)) == 3
    assert Redactor(by="pseudonym", key=KEY[::-1])(Document("Lan", entities=[Entity(0, 3, "PERSON")])).text != names[0]
    assert Pseudonyms(KEY).of("PERSON", "Lan") != Pseudonyms(KEY).of("LOCATION", "Lan").replace("LOCATION", "PERSON")


def test_without_a_key_each_run_has_its_own_and_goes_on_with_it() -> None:
    lan = Document("Lan", entities=[Entity(0, 3, "PERSON")])
    one, other = Redactor(by="pseudonym"), Redactor(by="pseudonym")
    assert one(lan).text != other(lan).text
    other.restore(one.state())
    assert one(lan).text == other(lan).text
    assert "key" not in Redactor(by="pseudonym", key=KEY).state()
    assert KEY.hex() not in str(Redactor(by="pseudonym", key=KEY).settings)


def test_spellings_of_the_same_characters_are_the_same_person() -> None:
    names = Pseudonyms(KEY)
    assert names.of("P", "Nguyễn Văn") == names.of("P", "Nguye\u0302\u0303n Văn") == names.of("P", "Nguyễn\n Văn")


def test_the_place_of_a_tone_mark_makes_no_other_person() -> None:
    names = Pseudonyms(KEY)
    assert names.of("P", "Lê Thị Hoà") == names.of("P", "Lê Thị Hòa") == names.of("P", "Lê Thị Ho\u0300a")
    assert names.of("P", "Hoà") != names.of("P", "Hoá")
    redacted = Redactor(everywhere=True)(Document("Hoà gặp Hòa ở Huế.", entities=[Entity(0, 3, "PERSON")]))
    assert redacted.text == "[PERSON] gặp [PERSON] ở Huế."


def test_a_million_surfaces_have_a_million_pseudonyms() -> None:
    names = Pseudonyms(KEY)
    assert len({names.of("P", str(number)) for number in range(100_000)}) == 100_000


@pytest.mark.parametrize(
    ("labels", "entities", "text", "left"),
    [
        (["A"], [(0, 8, "A"), (0, 3, "A")], "[A] Hue.", [("[A]", "A")]),
        (["A"], [(0, 5, "A"), (4, 8, "A")], "[A] Hue.", [("[A]", "A")]),
        (["A"], [(0, 8, "A"), (4, 8, "B")], "[A] Hue.", [("[A]", "A")]),
        (["B"], [(0, 8, "A"), (4, 8, "B")], "Lan [B] Hue.", [("Lan [B]", "A"), ("[B]", "B")]),
        (["A"], [(0, 5, "A"), (4, 12, "B")], "[A]inh Hue.", [("[A]", "A"), ("[A]inh Hue", "B")]),
        (["B"], [(0, 5, "A"), (4, 8, "B")], "Lan [B] Hue.", [("Lan [B]", "A"), ("[B]", "B")]),
        (["A"], [(0, 3, "A"), (3, 4, "A")], "[A][A]Minh Hue.", [("[A]", "A"), ("[A]", "A")]),
        (["A"], [(0, 3, "B")], "Lan Minh Hue.", [("Lan", "B")]),
    ],
)
def test_entities_that_overlap(labels, entities, text, left) -> None:
    document = Redactor(labels)(Document("Lan Minh Hue.", entities=[Entity(*span) for span in entities]))
    assert document.text == text
    assert surfaces(document) == left


def test_words_and_their_tags_follow() -> None:
    words = [(0, 2), (2, 3), (4, 7), (8, 12)]
    document = Document(
        "Lan gặp Minh", words=words, tags={"pos": ["A", "B", "C", "D"]}, entities=[Entity(1, 3, "P"), Entity(8, 12, "P")]
    )
    redacted = Redactor()(document)
    assert redacted.text == "L[P] gặp [P]"
    assert [redacted.text[start:end] for start, end in redacted.words] == ["L", "[P]", "gặp", "[P]"]
    assert redacted.tags == {"pos": ["A", "A", "C", "D"]}


def test_relations_go_with_the_entities_that_went() -> None:
    entities = [Entity(0, 8, "A", "e1"), Entity(4, 8, "B", "e2"), Entity(9, 12, "B", "e3")]
    relations = [Relation("e1", "e3", "in"), Relation("e2", "e3", "in")]
    assert Redactor(["A"])(Document("Lan Minh Hue.", entities=entities, relations=relations)).relations == (relations[0],)


def test_meta_is_left_out_unless_kept_and_clean() -> None:
    redactor = Redactor(["PERSON"], keep_meta=["lang", "note"])
    meta = {"lang": "vi", "note": {"by": ['the "Lan" of n1']}, "author": "Lan"}
    assert redactor(Document(TEXT, meta=meta, entities=FOUND)).meta == {"lang": "vi"}
    assert redactor.left_out == {"note": 1, "author": 1}
    with pytest.raises(UsageError, match="holds the lines"):
        Redactor(keep_meta=["conll"])


@pytest.mark.parametrize("value", ["nguyen_van_an.docx", ["Nguyễn_Văn_An.docx"], {"mail": "nguyen-van.an@bv.vn"}])
def test_meta_that_names_somebody_as_a_file_or_address_does_is_left_out(value) -> None:
    document = Document("Nguyễn Văn An", meta={"file": value, "ward": "An Giang"}, entities=[Entity(0, 13, "PERSON")])
    assert Redactor(keep_meta=["file", "ward"])(document).meta == {"ward": "An Giang"}


def test_everywhere_also_takes_what_was_not_recognized() -> None:
    document = Redactor(["PERSON"], everywhere=True)(Document(TEXT + " Lanh.", entities=FOUND))
    assert document.text == "[PERSON] gặp [PERSON] ở Hà Nội, rồi [PERSON] về. Lanh."
    assert surfaces(document).count(("[PERSON]", "PERSON")) == 3


def test_everywhere_leaves_no_part_of_names_that_overlap() -> None:
    text = "Nguyễn Văn gặp Văn An. Sau đó Nguyễn Văn An về."
    names = [Entity(0, 10, "PERSON"), Entity(15, 21, "PERSON")]
    redacted = Redactor(everywhere=True)(Document(text, entities=names))
    assert redacted.text == "[PERSON] gặp [PERSON]. Sau đó [PERSON] về."
    assert surfaces(redacted) == [("[PERSON]", "PERSON")] * 3


def test_ids_stay_unless_told_otherwise() -> None:
    assert Redactor(drop_ids=True)(Document("a", id="Lan")).id is None


def test_a_text_in_brackets_is_no_mask() -> None:
    assert Redactor()(Document("[Lan]", entities=[Entity(1, 4, "PERSON")])).text == "[[PERSON]]"


def test_counts_are_by_label() -> None:
    redactor = Redactor()
    redactor(Document(TEXT, entities=FOUND))
    assert redactor.redacted == {"PERSON": 2, "LOCATION": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "magic"}, "unknown way"),
        ({"by": "pseudonym", "key": b"short"}, "at least 16 bytes"),
        ({"by": "pseudonym", "key": b""}, "at least 16 bytes, not 0"),
        ({"key": KEY}, "for pseudonyms"),
        ({"by": "characters", "character": "ab"}, "one visible character"),
        ({"by": "characters", "character": " "}, "one visible character"),
    ],
)
def test_options_that_make_no_sense(options, message) -> None:
    with pytest.raises(UsageError, match=message):
        Redactor(**options)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(st.text(st.sampled_from("abcệ 😷\n[]_█"), min_size=1, max_size=40))
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).filter(lambda span: span[0] < span[1])
    entities = [Entity(*span, label) for span, label in draw(st.lists(st.tuples(spans, st.sampled_from("PQ")), max_size=6))]
    borders = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    words = list(zip(borders[::2], borders[1::2], strict=False))
    tags = {"t": [str(number) for number in range(len(words))]}
    return Document(text, entities=entities, words=words, tags=tags, suggestions=draw(st.sampled_from([None, entities])))


redactors = st.builds(
    Redactor,
    st.sampled_from([None, ["P"], ["P", "Q"]]),
    by=st.sampled_from(["label", "characters", "pseudonym"]),
    everywhere=st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(documents(), redactors)
def test_to_redact_twice_is_to_redact_once(document, redactor) -> None:
    once = redactor(document)
    assert redactor(once) == once


@settings(max_examples=300, deadline=None)
@given(documents(), redactors)
def test_what_stays_is_exact_and_what_goes_is_gone(document, redactor) -> None:
    assume("█" not in document.text)
    labels = redactor.settings["labels"] or ["P", "Q"]
    redacted = redactor(document)
    chosen = [e for e in document.entities if e.label in labels]
    hidden = [any(e.start <= k < e.end for e in chosen) for k in range(len(document.text))]
    if not redactor.settings["everywhere"]:
        # What no chosen entity covers is there, in order, with a mask in each gap.
        parts = re.split("\0+", "".join("\0" if gone else letter for gone, letter in zip(hidden, document.text, strict=True)))
        assert re.fullmatch(r"(?:.|\n)+".join(re.escape(part) for part in parts), redacted.text)
        for entity in document.entities:
            if not any(hidden[entity.start : entity.end]):
                surface = document.text[entity.start : entity.end]
                assert surfaces(redacted).count((surface, entity.label)) >= 1
    masks = {text for text, label in surfaces(redacted) if label in labels}
    assert all(re.fullmatch(rf"\[[PQ]\]|█+|[PQ]_[A-Z2-7]{{{LETTERS}}}", mask) for mask in masks)
    if redactor.settings["everywhere"]:
        for entity in chosen:
            surface = re.escape(document.text[entity.start : entity.end])
            assert not re.search(rf"(?<!\w){surface}(?!\w)", re.sub(r"\[[PQ]\]|█+|[PQ]_[A-Z2-7]+", "x", redacted.text)) or (
                not re.search(r"\w", document.text[entity.start : entity.end])
            )


@pytest.mark.parametrize("by", ["label", "pseudonym"])
def test_masks_of_labels_that_the_model_knows_are_not_redacted_again(by) -> None:
    redactor = Redactor(by=by, known=["PERSON", "PLACE"])
    text = redactor(Document("Lan ra Huế", entities=[Entity(0, 3, "PERSON"), Entity(7, 10, "PLACE")])).text
    again = [Entity(0, text.index(" "), "PLACE"), Entity(text.rindex(" ") + 1, len(text), "PLACE")]
    assert redactor(Document(text, entities=again)).text == text


def test_many_entities_take_no_longer_each(monkeypatch) -> None:
    looks = 0

    class Counted(int):
        def __le__(self, other):
            nonlocal looks
            looks += 1
            return int(self) <= other

        def __lt__(self, other):
            nonlocal looks
            looks += 1
            return int(self) < other

        __hash__ = int.__hash__

    counts = []
    for count in (200, 400):
        looks = 0
        entities = [Entity(Counted(4 * at), Counted(4 * at + 3), "PERSON") for at in range(count)]
        Redactor(keep_meta=["kept"])(Document("Lan " * count, entities=entities, meta={"kept": "x"}))
        counts.append(looks)
    assert counts[0] > 0
    assert counts[1] < 3 * counts[0]


@pytest.mark.parametrize("ruled", [False, True], ids=["a model", "a model with rules"])
def test_what_a_model_leaves_out_is_redacted_all_the_same_if_nobody_says_otherwise(silent_model, tmp_path, ruled):
    (tmp_path / "rules.toml").write_text('[[rules.patterns]]\nlabel = "ID"\npattern = "BN\\\\d+"\nrecognize = "over"\n')
    rules = tmp_path / "rules.toml" if ruled else None
    (tmp_path / "in.txt").write_text("Lan BN91\n", encoding="utf-8")

    def redacted(**options):
        recognizer = viner.load(silent_model, rules=rules, **options)
        Job(recognizer, [tmp_path / "in.txt"], tmp_path / "out.txt", to="text", step=Redactor()).run()
        return (tmp_path / "out.txt").read_text(encoding="utf-8")

    number = "[ID]" if ruled else "BN91"
    assert redacted() == f"[PERSON] {number}\n"
    (tmp_path / "out.txt").unlink()
    assert redacted(least_score=1) == f"Lan {number}\n"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"family": "Nguyễn Văn", "given": "A"}, False),
        ({"given": "a", "family": "nguyễn văn"}, False),
        (["Nguyễn", "Văn", "A"], False),
        (["Nguyen Van,", "(A)"], False),
        ("A, Nguyễn Văn", False),
        (["Nguyễn", "Văn"], True),
        ({"ward": "An Giang", "bed": 3}, True),
    ],
)
def test_a_name_in_the_parts_of_a_value_is_not_kept(value, kept):
    document = Document("Nguyễn Văn A khỏe", entities=[Entity(0, 12, "PERSON")], meta={"value": value})
    assert ("value" in Redactor(keep_meta=["value"])(document).meta) is kept


def test_a_name_over_several_values_is_not_kept():
    meta = {"given": "A", "family": "Nguyễn Văn", "ward": "4", "note": "a " + "và rồi " * 20}
    document = Document("Nguyễn Văn A khỏe", entities=[Entity(0, 12, "PERSON")], meta=meta)
    redactor = Redactor(keep_meta=list(meta))
    assert set(redactor(document).meta) == {"ward", "note"}
    assert redactor.left_out == {"given": 1, "family": 1}
