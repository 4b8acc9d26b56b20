"""Imports and exports: the same documents come back, all of a call or nothing, and groups stay on their side."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.stores import SCHEMA, operation
from viner.document import Document, Entity, Relation
from viner.errors import InputError, UsageError
from viner.formats import read
from viner.store import Filter, Operation, Store, StoredEntity
from viner.store.splits import BLOCK, Shares
from viner.text import split_words

LAN = Entity(3, 6, "PERSON", id="e1")


def texts(store: Store) -> list[str]:
    return [document.text for document in store.export()]


def test_documents_come_back_as_they_came(store: Store) -> None:
    documents = [
        Document("Bà Lan.", id="done", entities=[LAN], meta={"source": {"page": 3}}, words=[(0, 2), (3, 6), (6, 7)]),
        Document("", id="empty"),
        Document("Không có gì.", id="none", entities=[]),
        Document("Bà Lan.", id="suggested", suggestions=[Entity(3, 6, "PERSON", score=0.25, source="model 001")]),
        Document(
            "Bà Lan.", id="labels", labels={"topic": ["health"]}, tags={"pos": ["N", "N", "P"]}, words=[(0, 2), (3, 6), (6, 7)],
        ),
        Document(
            "Bà Lan ở Huế.", id="relations", relations=[Relation("b", "a", "lives_in")],
            entities=[
                Entity(9, 12, "LOCATION", id="a"), Entity(3, 6, "PERSON", id="b", score=1.0, source="x"),
                Entity(0, 6, "PERSON"),
            ],
        ),
        Document("Bà Lan.\r\n😷 \u2028", id="started", entities=[LAN], meta={"viner:reviewed": [[0, 2], [3, 6]]}),
    ]  # fmt: skip
    report = store.add(documents, who="import")
    assert list(store.export()) == documents
    assert (report.added, report.entities, report.suggestions) == (7, 5, 1)
    assert [store.get(document.id or "").status for document in documents] == [
        "done", "todo", "done", "todo", "todo", "done", "started",
    ]  # fmt: skip
    assert store.get("done").words == ((0, 2), (3, 6), (6, 7))


ENTITY = st.builds(
    lambda span, label, name, score: Entity(*span, label, name, score),
    st.tuples(st.integers(0, 5), st.integers(6, 9)),
    st.sampled_from(["PERSON", "LOCATION"]),
    st.none(),
    st.none() | st.floats(0, 1),
)
ENTITIES = st.none() | st.lists(ENTITY, max_size=4)
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
DOCUMENT = st.builds(
    Document,
    st.text(CHARACTERS, min_size=9, max_size=30),
    id=st.uuids().map(str),
    meta=st.dictionaries(st.text(CHARACTERS, max_size=5), st.integers() | st.text(), max_size=2),
    words=st.none() | st.just(((0, 2), (3, 9))),
    entities=ENTITIES,
    labels=st.none() | st.just({"topic": ["health"]}),
)


@st.composite
def documents_with_suggestions(draw: st.DrawFn) -> Document:
    """Suggestions are those that a person can accept: whole words."""
    document = draw(DOCUMENT)
    words = split_words(document.text)
    spans = st.lists(st.sampled_from(words), max_size=4) if words else st.just([])
    suggested = [Entity(*span, "DATE", score=draw(st.none() | st.floats(0, 1))) for span in draw(spans)]
    return document.with_(suggestions=draw(st.none() | st.just(suggested)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=st.lists(documents_with_suggestions(), min_size=1, max_size=5, unique_by=lambda document: document.id))
def test_any_documents_come_back(store: Store, documents: list[Document]) -> None:
    store.add(documents, who="import")
    ids = tuple(document.id or "" for document in documents)
    assert list(store.export(Filter(ids=ids))) == documents
    store.erase(ids, who="import")


@pytest.mark.parametrize(
    "name", ["ner_en/wnut17", "ner_en/wikigold", "ner_multi/germeval2014", "joint_re/re3d", "ner_multi/stockmark_ja"]
)
def test_data_sets_come_back(store: Store, data_sets: Path, name: str) -> None:
    files = [
        path for path in sorted((data_sets / name).rglob("*")) if path.suffix in (".conll", ".jsonl", ".txt", ".iob2", ".bio")
    ]
    if not files:
        pytest.skip(f"no files of known formats in {name}")

    def documents(path: Path) -> Iterator[Document]:
        for number, document in enumerate(read(path), 1):
            yield document.with_(id=f"{path.name}-{number:06d}")

    taken = 0
    for path in files:
        try:
            given_documents = list(documents(path))
        except InputError:
            continue
        store.add(given_documents, who="import", new_labels="add", on_duplicate="skip")
        which = Filter(ids=None)
        kept = [document for document in store.export(which) if (document.id or "").startswith(f"{path.name}-")]
        assert kept == given_documents
        taken += len(kept)
    if not taken:
        pytest.skip(f"no readable files in {name}")


def test_one_bad_document_and_nothing_is_added(store: Store) -> None:
    store.add([Document("Bà Lan.", id="first")], who="import")
    before = store.counts()

    def documents() -> Iterator[Document]:
        for number in range(1000):
            yield Document(f"Bà Lan {number}.", id=f"d{number}", entities=[LAN])
        yield Document("Bà Lan.", id="last", entities=[Entity(0, 2, "PLANET")])

    with pytest.raises(InputError, match="PLANET") as caught:
        store.add(documents(), who="import")
    assert caught.value.where == "last: entities[0]"
    assert store.counts() == before
    assert texts(store) == ["Bà Lan."]


@pytest.mark.parametrize(
    ("document", "match"),
    [
        (Document("x"), "needs an id"),
        (Document("x", id=""), "needs an id"),
        (Document("x", id="i" * 501), "longer than"),
        (Document("x\0y", id="i"), "zero character at code point 1"),
        (Document("Bà Lan.", id="i", entities=[LAN], suggestions=[LAN]), "used twice"),
        (Document("x", id="i", entities=[], meta={"viner:reviewed": [[0, 7]]}), "viner:reviewed"),
        (Document("x", id="i", meta={"viner:status": "done"}), "viner:status"),
        (Document("x", id="i", meta={"note": "\ud800"}), "lone surrogate"),
        (Document("x", id="i", meta={"group": "\ud800"}), "lone surrogate"),
        (Document("x", id="i", meta={"group": "a\0b"}), "zero character"),
        (Document("x", id="i", meta={"group": "ờ" * 501}), "longer than 500"),
        (Document("x", id="i", labels={"topic": ["\ud800"]}), "lone surrogate"),
        (Document("Bà Lan.", id="i", entities=[Entity(0, 2, "PERSON", source="a\0")]), "zero character"),
        (Document("x", id="i", labels={"topic": ["sports"]}), "no class 'sports'"),
        (Document("x", id="i", labels={"theme": ["health"]}), "no label layer 'theme'"),
        (Document("x", id="i", labels={"topic": ["health", "travel"]}), "takes one class"),
        (Document("x", id="i", labels={"mood": ["sad", "sad"]}), "stands there twice"),
        (Document("x", id="i", labels={"entities": ["PERSON"]}), "none of classes"),
    ],
)
def test_what_cannot_be_kept_is_refused(store: Store, document: Document, match: str) -> None:
    with pytest.raises(InputError, match=match):
        store.add([document], who="import")
    assert texts(store) == []


@pytest.mark.parametrize(
    ("text", "suggestion", "where"),
    [
        ("Bà Lan.", Entity(2, 6, "PERSON"), "i: suggestions[1]"),
        ("Bà Lan.", Entity(3, 6, "PERSON", score=5.0), "i: suggestions[1].score"),
        ("Bà Lan.", Entity(3, 6, "PERSON", score=float("nan")), "i: suggestions[1].score"),
        ("Bà Lan.", Entity(3, 6, "PERSON", source="x" * 201), "i: suggestions[1].source"),
        ("Bà Lan.", Entity(3, 6, "PLANET"), "i: suggestions[1]"),
        ("😷 🇻🇳", Entity(2, 3, "LOCATION"), "i: suggestions[1]"),
    ],
)
def test_suggestions_that_nobody_could_accept_are_refused(store: Store, text: str, suggestion: Entity, where: str) -> None:
    good = Entity(0, 1, "PERSON")
    with pytest.raises(InputError) as caught:
        store.add([Document(text, id="i", suggestions=[good, suggestion])], who="import")
    assert caught.value.where == where
    with pytest.raises(InputError):
        store.add([Document(text, id="i", entities=[good, suggestion])], who="import", as_suggestions=True)
    assert texts(store) == []


def test_whatever_comes_in_as_a_suggestion_can_be_accepted_and_rejected(store: Store) -> None:
    text = "Bà Lan 😷"
    suggested = [Entity(start, end, "PERSON", score=0.5, source="x" * 200) for start, end in split_words(text)]
    store.add([Document(text, id="d", suggestions=suggested)], who="import")
    for version, state in enumerate(("rejected", "accepted"), 1):
        puts = [replace(entity, state=state) for entity in store.get("d").entities]
        store.save(Operation.from_dict(operation("d", version, *puts, text=text).to_dict()), who="mai")
        assert {entity.state for entity in store.get("d").entities} == {state}


def test_unknown_classes_come_in_only_when_asked_to(store: Store) -> None:
    labels = [{"topic": ["sports"]}, {"theme": ["a"]}, {"theme": ["a", "b"], "mood": ["sad", "glad"]}]
    documents = [Document("x", id=str(number), labels=item) for number, item in enumerate(labels)]
    assert store.add(documents, who="import", new_labels="add").labels == ("sports", "a", "b", "glad")
    schema, version = store.schema()
    assert version == 2
    assert [(layer.name, layer.names, layer.multiple) for layer in schema][1:] == [
        ("topic", ("health", "travel", "sports"), False),
        ("mood", ("calm", "urgent", "sad", "glad"), True),
        ("theme", ("a", "b"), True),
    ]
    assert list(store.export()) == documents


def test_unknown_labels_come_in_only_when_asked_to(store: Store) -> None:
    report = store.add([Document("Bà Lan.", id="a", entities=[Entity(0, 2, "TITLE")])], who="import", new_labels="add")
    assert report.labels == ("TITLE",)
    schema, version = store.schema()
    assert (schema["entities"].names, version) == (("PERSON", "LOCATION", "DATE", "TITLE"), 2)
    assert schema["topic"] == SCHEMA["topic"]


def test_duplicates_are_refused_or_skipped(store: Store) -> None:
    store.add([Document("Một.", id="a")], who="import")
    with pytest.raises(InputError, match="in the project already"):
        store.add([Document("Hai.", id="b"), Document("Một.", id="a")], who="import")
    with pytest.raises(InputError, match="used twice"):
        store.add([Document("Hai.", id="b"), Document("Ba.", id="b")], who="import")
    report = store.add(
        [Document("Hai.", id="b"), Document("Ba.", id="a"), Document("Tư.", id="b")], who="import", on_duplicate="skip"
    )
    assert (report.added, report.skipped) == (1, 2)
    assert texts(store) == ["Một.", "Hai."]


def test_updates_take_over_annotations_and_can_be_undone(store: Store) -> None:
    store.add([Document("Bà Lan ở Huế.", id="a", entities=[LAN], meta={"v": 1}), Document("Một.", id="b")], who="import")
    store.save(operation("a", 1, StoredEntity("mine", 9, 12, "LOCATION"), text="Bà Lan ở Huế."), who="mai")
    newer = Document("Bà Lan ở Huế.", id="a", entities=[Entity(3, 6, "DATE"), Entity(9, 12, "LOCATION")], meta={"v": 2})
    report = store.add([newer, Document("Hai.", id="c")], who="import", on_duplicate="update")
    assert (report.added, report.updated) == (1, 1)
    document = store.get("a")
    assert {(entity.start, entity.label) for entity in document.entities} == {(3, "DATE"), (9, "LOCATION")}
    assert "mine" in {entity.id for entity in document.entities}
    assert document.meta == {"v": 2}
    [event, _] = store.history("a")
    assert event.kind == "add"
    store.undo(event.operation, new_id="u", who="mai")
    assert {(entity.id, entity.label) for entity in store.get("a").entities} == {("e1", "PERSON"), ("mine", "LOCATION")}
    with pytest.raises(InputError, match="texts never change"):
        store.add([Document("Khác.", id="a")], who="import", on_duplicate="update")


def test_an_update_without_annotations_keeps_what_people_did(store: Store) -> None:
    store.add([Document("Bà Lan.", id="a", entities=[LAN])], who="import")
    before = store.get("a")
    store.add([Document("Bà Lan.", id="a")], who="import", on_duplicate="update")
    assert store.get("a") == before
    store.add(
        [Document("Bà Lan.", id="a", suggestions=[Entity(3, 6, "PERSON"), Entity(0, 2, "DATE")])],
        who="x",
        on_duplicate="update",
    )
    assert {(entity.label, entity.state) for entity in store.get("a").entities} == {
        ("PERSON", "accepted"),
        ("DATE", "suggested"),
    }


def test_an_accepted_entity_and_a_suggestion_of_one_span_both_stay_what_they_are(store: Store) -> None:
    both = Document("Bà Lan.", id="a", entities=[LAN], suggestions=[replace(LAN, id="s1", score=0.5)])
    states = {("e1", "accepted"), ("s1", "suggested")}

    def held() -> set[tuple[str, str]]:
        return {(entity.id, entity.state) for entity in store.get("a").entities}

    store.add([both], who="import")
    assert held() == states
    for _ in range(2):
        store.add([both], who="import", on_duplicate="update")
        assert held() == states
    store.add([replace(both, suggestions=None)], who="import", on_duplicate="update")
    assert held() == states
    store.add([replace(both, entities=None)], who="import", on_duplicate="update")
    assert held() == states
    store.add([replace(both, suggestions=[])], who="import", on_duplicate="update")
    assert held() == {("e1", "accepted")}
    store.add([both], who="import", on_duplicate="update")
    assert held() == states
    store.add([replace(both, entities=[])], who="import", on_duplicate="update")
    assert held() == {("s1", "suggested")}
    store.add([both], who="import", on_duplicate="update")
    assert held() == states


def test_an_update_that_accepts_a_suggestion_keeps_its_id(store: Store) -> None:
    store.add([Document("Bà Lan.", id="a", suggestions=[replace(LAN, id="s1", score=0.5)])], who="import")
    accepted = Document("Bà Lan.", id="a", entities=[replace(LAN, id=None)])
    store.add([accepted], who="import", on_duplicate="update")
    [entity] = store.get("a").entities
    assert (entity.id, entity.state, entity.score) == ("s1", "accepted", None)


@pytest.mark.parametrize("there", [True, False])
def test_an_id_that_comes_twice_in_an_update_is_refused_however_far_apart(store: Store, there: bool) -> None:
    twice = Document("Một.", id="a", labels={"topic": ("health",)})
    if there:
        store.add([Document("Một.", id="a")], who="import")
    others = [Document(f"Số {number}.", id=f"n{number}") for number in range(500)]
    for some in ([twice, twice], [twice, *others, twice]):
        with pytest.raises(InputError, match="the id 'a' is used twice") as caught:
            store.add(some, who="import", on_duplicate="update")
        assert caught.value.where == "a"
    assert len(texts(store)) == int(there)
    with pytest.raises(InputError, match="the id 'n0' is used twice"):
        store.add([*others, others[0]], who="import")


def test_entities_as_suggestions(store: Store) -> None:
    store.add([Document("Bà Lan.", id="a", entities=[LAN])], who="model 001", as_suggestions=True)
    document = store.get("a")
    assert (document.status, document.suggested_by, document.annotator) == ("todo", "model 001", None)
    assert document.entities == (StoredEntity("e1", 3, 6, "PERSON", "suggested", None, "import: model 001"),)


def test_each_block_of_groups_has_its_part_of_dev_and_test(store: Store) -> None:
    store.add((Document(f"Bản tin {number}.", id=str(number)) for number in range(10 * BLOCK)), who="import")
    splits = [store.get(str(number)).split for number in range(10 * BLOCK)]
    for start in range(0, len(splits), BLOCK):
        assert Counter(splits[start : start + BLOCK]) == {"train": 16, "dev": 2, "test": 2}
    assert len({tuple(splits[start : start + BLOCK]) for start in range(0, len(splits), BLOCK)}) > 1


def test_the_drawing_goes_on_where_it_stopped(store: Store) -> None:
    for number in range(3 * BLOCK):
        store.add([Document(f"Bản tin {number}.", id=str(number))], who="import")
    counts = store.counts()
    assert {split: sum(statuses.values()) for split, statuses in counts.splits.items()} == {"train": 48, "dev": 6, "test": 6}


@pytest.mark.parametrize("dev", [0.0, 0.125, 0.33, 1.0])
def test_shares_come_out_whatever_they_are(dev: float) -> None:
    blocks = [Shares(dev, 0.0).block(index) for index in range(100)]
    assert all(len(block) == BLOCK for block in blocks)
    assert sum(block.count("dev") for block in blocks) == round(100 * BLOCK * dev)
    with pytest.raises(UsageError):
        Shares(0.7, 0.7)


def test_a_group_is_never_split(store: Store) -> None:
    grouped = [Document(f"Ngày {number}.", id=f"g{number}", meta={"group": "hospital"}) for number in range(50)]
    twins = [Document("Cùng một câu.", id=f"t{number}") for number in range(50)]
    store.add(itertools.chain(*zip(grouped, twins, strict=True)), who="import")
    for names in (grouped, twins):
        assert len({store.get(document.id or "").split for document in names}) == 1
    store.add([Document("Mới.", id="new", meta={"group": "hospital"})], who="import")
    assert store.get("new").split == store.get("g0").split


def test_a_group_in_test_stays_in_test(store: Store) -> None:
    store.add([Document("Một.", id="a", meta={"group": "g"})], who="import", split="test")
    with pytest.raises(InputError, match="in test already"):
        store.add([Document("Hai.", id="b", meta={"group": "g"})], who="import", split="train")
    store.add([Document("Hai.", id="b", meta={"group": "g"})], who="import")
    assert [store.get(name).split for name in "ab"] == ["test", "test"]
    with pytest.raises(UsageError):
        store.add([], who="import", split="gold")  # type: ignore[arg-type]


TWIN = "Cùng một câu."


@pytest.mark.parametrize("first", [{}, {"group": "g1"}])
@pytest.mark.parametrize("second", [{}, {"group": "g2"}])
def test_one_text_is_never_on_two_sides(store: Store, first: dict[str, Any], second: dict[str, Any]) -> None:
    store.add([Document(TWIN, id="a", meta=first)], who="import", split="test")
    with pytest.raises(InputError, match="in test already"):
        store.add([Document(TWIN, id="b", meta=second)], who="import", split="train")
    more = [Document(f"{number}", id=f"m{number}", meta=second) for number in range(3)]
    store.add([Document(TWIN, id="b", meta=second), *(more if second else [])], who="import")
    assert {store.get(document.id or "").split for document in store.export()} == {"test"}


def test_a_text_by_itself_does_not_come_again_in_a_group_of_another_side(store: Store) -> None:
    store.add([Document("Một.", id="a", meta={"group": "g"})], who="import", split="train")
    store.add([Document(TWIN, id="b")], who="import", split="test")
    with pytest.raises(InputError, match="in train, and a document of the same text in test"):
        store.add([Document(TWIN, id="c", meta={"group": "g"})], who="import")
    store.add([Document(TWIN, id="c")], who="import")
    assert store.get("c").split == "test"


def test_two_known_groups_may_share_a_text(store: Store) -> None:
    store.add([Document("Một.", id="a", meta={"group": "g"})], who="import", split="train")
    store.add([Document("Hai.", id="b", meta={"group": "h"})], who="import", split="test")
    store.add([Document(TWIN, id=f"t{group}", meta={"group": group}) for group in "gh"], who="import")
    assert [store.get(name).split for name in ("tg", "th")] == ["train", "test"]


def test_a_document_never_leaves_its_group(store: Store) -> None:
    store.add([Document("Một.", id="a", meta={"group": "g", "v": 1}), Document("Hai.", id="b")], who="import")
    for name, text, group in (("a", "Một.", "h"), ("b", "Hai.", "g")):
        with pytest.raises(InputError, match="never leaves its group"):
            store.add([Document(text, id=name, meta={"group": group})], who="import", on_duplicate="update")
    store.add([Document("Một.", id="a", meta={"v": 2}), Document("Hai.", id="b")], who="import", on_duplicate="update")
    assert store.get("a").meta == {"group": "g", "v": 2}


def test_exports_are_of_one_moment(store: Store) -> None:
    store.add((Document(f"Bản tin {number}.", id=str(number)) for number in range(3000)), who="import")
    exported = store.export()
    first = next(exported)
    store.add([Document("Sau.", id="late")], who="import")
    store.save(operation("2999", 1, StoredEntity("e", 0, 3, "DATE"), text="Bản tin", status="done"), who="mai")
    rest = list(exported)
    assert first.id == "0"
    assert len(rest) == 2999
    assert rest[-1].entities is None


def test_decisions_in_a_document_that_is_not_done_come_back(store: Store) -> None:
    store.add([Document("Bà Lan ở Huế.", id="a", suggestions=[Entity(9, 12, "LOCATION", id="s")])], who="x", split="train")
    store.save(
        operation(
            "a", 1, StoredEntity("e", 3, 6, "PERSON"), StoredEntity("s", 9, 12, "LOCATION", "rejected"), text="Bà Lan ở Huế."
        ),
        who="mai",
    )
    [document] = store.export()
    assert document.meta == {"viner:reviewed": [[3, 6], [9, 12]]}
    assert document.entities == (Entity(3, 6, "PERSON", id="e"),)
    assert document.suggestions == ()
    store.erase(["a"], who="x")
    store.add([document], who="x")
    assert list(store.export()) == [document]
    store.save(operation("a", store.get("a").version, status="done"), who="mai")
    assert next(iter(store.export())).meta == {}


def test_an_update_with_suggestions_alone_keeps_what_was_looked_at(store: Store) -> None:
    meta = {"viner:reviewed": [[3, 6], [9, 12]], "page": 1}
    store.add([Document("Bà Lan ở Huế.", id="a", entities=[LAN], meta=meta)], who="import")
    told = Document("Bà Lan ở Huế.", id="a", suggestions=[Entity(9, 12, "LOCATION")], meta={"page": 2})
    store.add([told], who="import", on_duplicate="update")
    assert next(iter(store.export())).meta == {**meta, "page": 2}


def test_an_update_with_what_was_exported_keeps_what_people_rejected(store: Store) -> None:
    store.add([Document("Bà Lan ở Huế.", id="a", suggestions=[Entity(9, 12, "LOCATION", id="s")])], who="x")
    store.save(operation("a", 1, StoredEntity("s", 9, 12, "LOCATION", "rejected"), text="Bà Lan ở Huế."), who="mai")
    store.add(list(store.export()), who="x", on_duplicate="update")
    assert [(entity.id, entity.state) for entity in store.get("a").entities] == [("s", "rejected")]


def test_suggestions_come_back_whoever_made_them(store: Store) -> None:
    store.add([Document("Bà Lan.", id="a", entities=[LAN])], who="import", split="train")
    store.save(operation("a", 1, StoredEntity("e1", 3, 6, "PERSON", "suggested"), text="Bà Lan."), who="mai")
    [document] = store.export()
    assert document.suggestions == (LAN,)
    store.add([Document("Bà Lan.", id="a", suggestions=[Entity(0, 2, "DATE")])], who="x", on_duplicate="update")
    assert [entity.label for entity in next(iter(store.export())).suggestions or ()] == ["DATE"]


@pytest.mark.parametrize("entity", [None, StoredEntity("e", 3, 6, "PERSON"), StoredEntity("e", 3, 6, "PERSON", "rejected")])
def test_what_was_skipped_comes_back_skipped(store: Store, entity: StoredEntity | None) -> None:
    store.add([Document("Bà Lan.", id="a")], who="import", split="train")
    sent = operation("a", 1, *([entity] if entity else []), text="Bà Lan.", status="skipped")
    store.save(sent, who="mai")
    [document] = store.export()
    assert document.meta == {"viner:status": "skipped"} | ({"viner:reviewed": [[3, 6]]} if entity else {})
    store.erase(["a"], who="x")
    store.add([document], who="x")
    assert store.get("a").status == "skipped"
    assert list(store.export()) == [document]


def test_what_is_to_do_but_partly_decided_never_comes_back_done(store: Store) -> None:
    store.add([Document("Bà Lan.", id="a", entities=[LAN])], who="import", split="train")
    store.save(operation("a", 1, status="todo"), who="mai")
    [document] = store.export()
    assert document.meta == {"viner:reviewed": [[3, 6]]}
    store.erase(["a"], who="x")
    store.add([document], who="x")
    assert store.get("a").status == "started"


def test_memory_stays_flat(store: Store) -> None:
    process = psutil.Process()
    sizes: list[int] = []

    def documents() -> Iterator[Document]:
        for number in range(40_000):
            yield Document(f"Bà Lan {number} " + "ở Huế " * 20, id=str(number), entities=[LAN])

    def look(_: int) -> None:
        sizes.append(process.memory_info().rss)

    store.add(documents(), who="import", progress=look)
    exported = 0
    for _ in store.export():
        exported += 1
        if exported % 1000 == 0:
            sizes.append(process.memory_info().rss)
    assert exported == 40_000
    assert max(sizes) - sizes[10] < 60 << 20


def test_progress_is_told(store: Store) -> None:
    told: list[Any] = []
    store.add((Document("Một.", id=str(number)) for number in range(1000)), who="import", progress=told.append)
    assert sum(told) == 1000
    assert len(told) > 1
