from __future__ import annotations

import gzip
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.errors import FormatError, UsageError
from viner.formats import detect, read, write
from viner.text import split_words

DATA = Path(os.environ.get("VINER_DATA", "/nonexistent"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="VINER_DATA names no folder of data sets")

LARGE = 2_000_000  # bytes

# What the files themselves count: (documents, sentences, tokens, entities by conlleval's rules).
COUNTS = {
    "ner_en/wikigold/all.conll": (145, 1696, 39007, 3558),
    "ner_en/sec_filings/train.txt": (5, 1164, 41010, 1168),
    "ner_en/sec_filings/test.txt": (3, 303, 13246, 318),
    "ner_en/wnut17/train.conll": (3394, 3394, 62730, 1975),
    "ner_en/wnut17/dev.conll": (1009, 1009, 15733, 836),
    "ner_en/wnut17/test.conll": (1287, 1287, 23394, 1079),
    "ner_en/bc5cdr/test.tsv": (4797, 4797, 124750, 9809),
    "ner_en/ncbi_disease/test.tsv": (940, 940, 24497, 960),
    "ner_en/uner_en_ewt/test.iob2": (316, 2077, 25097, 1088),
    "ner_en/uner_en_ewt/train.prerelease.iob2": (540, 12543, 204579, 8433),
    "ner_en/crossner/ai/train.txt": (100, 100, 3782, 532),
    "ner_multi/germeval2014/dev.tsv": (2200, 2200, 41653, 2674),
    "ner_multi/uner_zh_gsdsimp/test.iob2": (17, 500, 12012, 763),
    "ner_multi/uner_sv_talbanken/test.iob2": (15, 1219, 20377, 196),
}

Read = Callable[..., list[Document]]


@pytest.fixture
def read_lines(tmp_path: Path) -> Read:
    def read_text(text: str, name: str = "a.conll", **options: Any) -> list[Document]:
        path = tmp_path / name
        path.write_bytes(text.encode())
        documents = list(read(path, **options))
        again = tmp_path / "again.conll"
        write(documents, again)
        if not options.get("drop_labels"):
            assert again.read_bytes() == path.read_bytes(), "the same file must come back"
        return documents

    return read_text


def found(document: Document) -> list[tuple[str | None, str]]:
    return [(entity.text, entity.label) for entity in document.entities or ()]


def tokens(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.words or ()]


def conll_files() -> list[Any]:
    skipped = ("README", "LICENSE", "PROVENANCE")
    found = sorted(path for folder in ("ner_en", "ner_multi") for path in (DATA / folder).rglob("*") if path.is_file())
    wanted = [path for path in found if path.suffix != ".json" and not path.name.startswith(skipped)]
    return [
        pytest.param(str(path.relative_to(DATA)), marks=[pytest.mark.slow] if path.stat().st_size > LARGE else [])
        for path in wanted
    ]


@needs_data
@pytest.mark.parametrize("name", conll_files() or ["none"])
def test_every_data_set_comes_back_byte_for_byte_with_its_own_counts(name: str, tmp_path: Path) -> None:
    path = DATA / name
    assert detect(path) == "conll"
    documents = list(read(path))
    report = write(documents, tmp_path / "again.conll")
    assert (tmp_path / "again.conll").read_bytes() == path.read_bytes()
    assert not report.lost
    sentences = sum(len(document.meta["conll"].get("sentences", [0])) for document in documents)
    words = sum(len(document.words or ()) for document in documents)
    entities = sum(len(document.entities or ()) for document in documents)
    assert report.entities == entities
    if name in COUNTS:
        assert (len(documents), sentences, words, entities) == COUNTS[name]
    if len(documents) == sentences > 1:
        joined = list(read(path, sentences=7))
        assert len(joined) == -(-sentences // 7)
        assert sum(len(document.entities or ()) for document in joined) == entities
        write(joined, tmp_path / "again.conll")
        assert (tmp_path / "again.conll").read_bytes() == path.read_bytes()


@needs_data
@pytest.mark.parametrize("name", ["ner_en/wnut17/dev.conll", "ner_en/sec_filings/test.txt", "ner_multi/germeval2014/dev.tsv"])
def test_the_way_through_jsonl_loses_no_byte(name: str, tmp_path: Path) -> None:
    write(read(DATA / name), tmp_path / "a.jsonl")
    write(read(tmp_path / "a.jsonl"), tmp_path / "a.conll")
    assert (tmp_path / "a.conll").read_bytes() == (DATA / name).read_bytes()


@needs_data
def test_tokens_that_begin_with_a_hash_are_kept() -> None:
    documents = read(DATA / "ner_en/wnut17/train.conll")
    assert sum(token.startswith("#") for document in documents for token in tokens(document)) > 500


@needs_data
def test_uner_keeps_its_original_text() -> None:
    path = DATA / "ner_en/uner_en_pud/test.iob2"
    given = [line.removeprefix("# text = ") for line in path.read_text().split("\n") if line.startswith("# text = ")]
    assert "\n".join(document.text for document in read(path)) == "\n".join(given)
    assert next(read(path)).id == "n01001"


@needs_data
def test_nested_germeval_entities_are_read_from_both_columns(tmp_path: Path) -> None:
    path = DATA / "ner_multi/germeval2014/dev.tsv"
    documents = list(read(path, tag_columns=(2, 3)))
    labels = Counter(entity.label for document in documents for entity in document.entities or ())
    outer = Counter(entity.label for document in read(path) for entity in document.entities or ())
    assert labels.total() - outer.total() == 212
    write(documents, tmp_path / "again.tsv")
    assert (tmp_path / "again.tsv").read_bytes() == path.read_bytes()


@needs_data
@pytest.mark.slow
def test_junk_labels_are_kept_and_reported_or_dropped_when_asked() -> None:
    path = DATA / "ner_en/uner_en_ewt/train.prerelease.iob2"
    odd = [item for document in read(path) for item in document.meta["conll"].get("odd", [])]
    assert len(odd) == 540
    assert {(tag, what) for _, tag, what in odd} == {("B-O", "has the label O")}
    dropped: Counter[str] = Counter()
    labels: set[str] = set()
    for document in read(path, drop_labels=("OTH", "O")):
        dropped.update(document.meta["conll"].get("dropped", {}))
        labels.update(entity.label for entity in document.entities or ())
    assert labels == {"LOC", "ORG", "PER"}
    assert dropped == {"OTH": 888 + 227, "O": 540}


def test_without_marks_each_sentence_is_a_document(read_lines: Read) -> None:
    first, second = read_lines("Hà\tB-LOC\nNội\tI-LOC\n.\tO\n\nHết\tO\n\n")
    assert (first.id, first.text, found(first)) == ("a:1", "Hà Nội.", [("Hà Nội", "LOC")])
    assert (second.id, second.text, second.entities) == ("a:2", "Hết", ())
    assert first.words == ((0, 2), (3, 6), (6, 7))
    assert first.meta["conll"]["scheme"] == "IOB2"


def test_sentences_in_a_row_become_one_document_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("\n# sent_id = 1\nA\tB-X\n\n\n# sent_id = 2\nB\tO\n.\tO\n\nC\tI-X\n\n# the end\n")
    first, second = read(path, sentences=2)
    assert (first.id, first.text, found(first)) == ("a:1", "A\nB.", [("A", "X")])
    assert first.meta["conll"]["sentences"] == [[0, 1], [2, 4]]
    assert (second.id, second.text, found(second)) == ("a:2", "C", [("C", "X")])
    write([first, second], tmp_path / "again.conll")
    assert (tmp_path / "again.conll").read_bytes() == path.read_bytes()
    (whole,) = read(path, sentences=3)
    assert (whole.text, found(whole)) == ("A\nB.\nC", [("A", "X"), ("C", "X")])


def test_a_text_that_is_told_as_a_whole_is_not_joined_with_others(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text('A\tO\n\n# viner.text = "B  C"\nB\tO\nC\tO\n\nD\tO\n\nE\tO\n')
    assert [document.text for document in read(path, sentences=3)] == ["A", "B  C", "D\nE"]


def test_sentences_are_not_counted_off_where_documents_are_marked(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- O\n\na O\n\nb B-X\n")
    with pytest.raises(FormatError, match="marks its documents") as caught:
        list(read(path, sentences=2))
    assert (caught.value.where, caught.value.hint) == (str(path), "Leave out --option sentences")


def test_docstart_begins_a_document_of_several_sentences(read_lines: Read) -> None:
    first, second = read_lines(
        "-DOCSTART- -X- O O\n\nA NN - O\n\nB NN - I-PER\n. . - O\n\n-DOCSTART- -X- O O\n\nC NN - I-PER\n\n"
    )
    assert (first.id, first.text) == ("a:1", "A\nB.")
    assert first.meta["conll"]["sentences"] == [[0, 1], [2, 4]]
    assert first.meta["conll"]["spare"][0] == ["NN", "-"]
    assert first.meta["conll"]["scheme"] == "IOB1"
    assert found(second) == [("C", "PER")]


def test_a_lone_tab_parts_sentences(read_lines: Read) -> None:
    assert [document.text for document in read_lines("A\tO\n\t\nB\tO\n\n\nC\tO\n")] == ["A", "B", "C"]


def test_tokens_may_hold_spaces_be_a_space_or_begin_with_a_hash(read_lines: Read) -> None:
    (document,) = read_lines("#tag\tO\nNew York\tB-LOC\n \tO\n#\tO\n")
    assert tokens(document) == ["#tag", "New York", " ", "#"]


def test_comments_are_told_from_tokens_by_their_tags(read_lines: Read) -> None:
    text = "# newdoc id = d1\n# text = #1 is here!\n1\t#1\tB-X\t-\n2\tis\tO\t-\n3\there\tO\t-\n4\t!\tO\t-\n\n"
    (document,) = read_lines(text)
    assert (document.id, document.text, found(document)) == ("d1", "#1 is here!", [("#1", "X")])


@pytest.mark.parametrize(
    ("tags", "scheme", "entities"),
    [
        ("B-A I-A O B-A", "IOB2", [(0, 2, "A"), (3, 4, "A")]),
        ("I-A I-A O I-B", "IOB1", [(0, 2, "A"), (3, 4, "B")]),
        ("I-A B-A O I-B", "IOB1", [(0, 1, "A"), (1, 2, "A"), (3, 4, "B")]),
        ("B-A E-A O S-B", "IOBES", [(0, 2, "A"), (3, 4, "B")]),
        ("B-A L-A O U-B", "BILOU", [(0, 2, "A"), (3, 4, "B")]),
        ("O O O O", "IOB2", []),
    ],
)
def test_the_scheme_is_found_out(read_lines: Read, tags: str, scheme: str, entities: list[tuple[int, int, str]]) -> None:
    (document,) = read_lines("".join(f"w{index} {tag}\n" for index, tag in enumerate(tags.split())))
    assert document.meta["conll"]["scheme"] == scheme
    words = document.words or ()
    spans = [(words.index(next(w for w in words if w[0] == e.start)), e) for e in document.entities or ()]
    assert [(first, next(i + 1 for i, w in enumerate(words) if w[1] == e.end), e.label) for first, e in spans] == entities
    assert "odd" not in document.meta["conll"]


def test_bare_labels_are_read_when_asked(read_lines: Read) -> None:
    (document,) = read_lines("Hà LOC\nNội LOC\nlà O\n", tag_column=1, scheme="IO")
    assert found(document) == [("Hà Nội", "LOC")]


def test_tags_that_break_the_scheme_are_read_and_reported(read_lines: Read) -> None:
    text = "a\tB-X\nb\tI-X\nc\tO\nd\tI-X\ne\tB-\nf\tB-Y\ng\tO\nh\tB-Y\n"
    (document,) = read_lines(text)
    assert found(document) == [("a b", "X"), ("d", "X"), ("f", "Y"), ("h", "Y")]
    assert document.meta["conll"]["odd"] == [
        [4, "I-X", "continues no entity, begins one"],
        [5, "B-", "is no tag, read as O"],
    ]


def test_changed_entities_change_the_tags_of_their_sentence_only(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- O\n\na x O\nb x I-A\n\nc  x  B-A\nd x O\n\n")
    (document,) = read(path)
    entities = [Entity(0, 3, "B"), *(entity for entity in document.entities or () if entity.text == "c")]
    report = write([document.with_(entities=entities)], tmp_path / "b.conll")
    assert (tmp_path / "b.conll").read_text().splitlines() == [
        "-DOCSTART- O", "", "a x B-B", "b x I-B", "", "c  x  B-A", "d x O", "",
    ]  # fmt: skip
    assert report.entities == 2


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffa\tO\r\nb\tB-X\r\n\r\n\r\nc\tO",
        "\n\n\na O\n",
        "a  B-X\nb   O\n\n \n",
        "# sent_id = 1\n# text = a\n1\ta\tO\n\n# sent_id = 2\n1\tb\tB-X\n\n# the end\n",
        "-DOCSTART- O\n\n-DOCSTART- O\na O\n\n-DOCSTART- O\n",
        "a\tO\nb\tO\r\nc\tB-X\n",
        "a\tB-A\rB\nb\tO\n",
        "a\tx\tO\nb\tO\tO\tO\nc\tx\tB-X\n",
    ],
)
def test_odd_files_come_back_byte_for_byte(read_lines: Read, text: str) -> None:
    assert read_lines(text)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a\tO\nb\tB-X\nbroken\nc\tO\n", 3, "the line has 1 column, but tags are in column 2: 'broken'"),
        ("a O\nb B-X\nNew York B-X\n" + "c O\n" * 300, None, ""),
        ("a O\nb B-X\nNew York City B-X\n" + "c O\n" * 300, 3, "4 columns, others have 2, and 'York' is no tag"),
        ("just some words\nand more of them\n", 1, "no column holds entity tags"),
        ("a\tO\n# odd\nb\tO\n", 2, "the line has 1 column"),
        ("a O\nbroken\n", 2, "no column 2, which holds the tags of other lines: 'broken'"),
        ("a LOC\nb O\n", 1, "no column holds entity tags such as O and B-PER (columns a line: 2): 'a LOC'"),
        ("broken\na x O\n", 1, "no column 3"),
        ("a B-X\nb Q-Y\n\nc O\nd O\n", 2, "no tag: 'Q-Y' in column 2"),
        ("a O\nb b-per\nc i-per\n", 2, "the tag 'b-per' is written otherwise than B-PER"),
        ("a N B_PER\nb V O\n", 1, "the tag 'B_PER' is written otherwise than B-PER"),
        ("a PER-B\nb PER-I\nc o\n", 1, "the tag 'PER-B' is written otherwise than B-PER"),
        ("a Sub_I\nb O\n", 1, "no column holds entity tags"),
        ("a b-per\nb LOC\nc O\n", 1, "no column holds entity tags"),
    ],
)
def test_broken_lines_are_named(tmp_path: Path, text: str, where: int | None, message: str) -> None:
    path = tmp_path / "a.conll"
    path.write_text(text)
    with pytest.raises(FormatError) as caught:
        list(read(path))
    assert message in caught.value.message
    if where:
        assert caught.value.where == f"{path}:{where}"


def test_options_that_mean_nothing_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("a O\n")
    meaningless: list[dict[str, Any]] = [
        {"scheme": "IOB9"},
        {"separator": ";"},
        {"tag_column": 0},
        {"tag_column": "ner"},
        {"tag_columns": 1},
        {"token_column": True},
        {"comments": "yes"},
        {"segments": "yes"},
        {"sentences": 0},
        {"sentences": True},
        {"sentences": "all"},
    ]
    for options in meaningless:
        with pytest.raises(UsageError):
            list(read(path, **options))


def test_underscores_of_segmented_text_become_spaces(read_lines: Read) -> None:
    (document,) = read_lines("Bệnh_viện\tB-ORG\nChợ_Rẫy\tI-ORG\nđóng_cửa\tO\n.\tO\n")
    assert document.text == "Bệnh viện Chợ Rẫy đóng cửa."
    assert tokens(document) == ["Bệnh viện", "Chợ Rẫy", "đóng cửa", "."]
    assert document.meta["conll"]["segments"] == "underscore"


def test_segmented_text_can_be_read_as_the_raw_text_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "word.conll"
    path.write_text("Bệnh_viện B-ORG\nChợ_Rẫy I-ORG\nở O\nHà_Nội B-LOC\n", encoding="utf-8")
    (document,) = read(path, segments="syllables")
    assert document.text == "Bệnh viện Chợ Rẫy ở Hà Nội"
    assert document.words is None
    assert [(entity.label, entity.text) for entity in document.entities or ()] == [
        ("ORG", "Bệnh viện Chợ Rẫy"),
        ("LOC", "Hà Nội"),
    ]
    write([document], tmp_path / "syllable.conll", comments=False)
    assert (tmp_path / "syllable.conll").read_text(encoding="utf-8").split("\n")[:3] == [
        "Bệnh\tB-ORG",
        "viện\tI-ORG",
        "Chợ\tI-ORG",
    ]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('He said , " I do n\'t ( not ) . "', 'He said, "I don\'t (not)."'),
        ("Tính từ 27 - 7 , có 10 ca / ngày", "Tính từ 27 - 7, có 10 ca / ngày"),
        ("“ Vâng ” , anh nói : ok !", "“Vâng”, anh nói: ok!"),
        ("在 2008 年 北京 举办 。", "在2008年北京举办。"),
        ("It 's 5 % .", "It's 5%."),
    ],
)
def test_text_is_rebuilt_by_the_rules_of_typography(read_lines: Read, line: str, text: str) -> None:
    (document,) = read_lines("".join(f"{token}\tO\n" for token in line.split()))
    assert document.text == text
    assert tokens(document) == line.split()


def test_a_pipe_is_read_though_it_passes_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("a\tI-X\nb\tO\n\nc\tI-X\n",))
    writer.start()
    documents = list(read(pipe))
    writer.join()
    assert [document.id for document in documents] == ["pipe:1", "pipe:2"]
    assert documents[0].meta["conll"]["scheme"] == "IOB1"


def test_gzip_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "a.conll.gz"
    write([Document("Hà Nội", entities=[Entity(0, 6, "LOC")])], path)
    with gzip.open(path, "rt") as file:
        assert file.read() == "# newdoc\n# text = Hà Nội\nHà\tB-LOC\nNội\tI-LOC\n\n"
    assert found(next(iter(read(path)))) == [("Hà Nội", "LOC")]


def test_entities_that_tags_cannot_say_are_counted_and_listed(tmp_path: Path) -> None:
    text = "Đại học Hà Nội BN91"
    entities = [Entity(0, 14, "ORG"), Entity(8, 14, "LOC"), Entity(12, 19, "X"), Entity(17, 19, "ID")]
    report = write([Document(text, id="d", entities=entities)], tmp_path / "a.conll")
    assert report.entities == 1
    assert dict(report.lost) == {"it begins or ends inside a word": 2, "it lies in or across another entity": 1}
    assert "d: LOC [8, 14] 'Hà Nội': it lies in or across another entity" in map(str, report.losses)


def test_what_nobody_annotated_is_told(tmp_path: Path) -> None:
    report = write([Document("Lan", id="open"), Document("Huế", id="none", entities=[])], tmp_path / "a.conll")
    assert [str(loss) for loss in report.losses] == [
        "open: what is open: the format cannot say that nobody annotated a document: it will count as one without entities"
    ]


def test_a_word_that_marks_documents_is_written_as_two_and_told(tmp_path: Path) -> None:
    text, words = "Lan -DOCSTART- Huế", [(0, 3), (4, 14), (15, 18)]
    given = [
        Document(text, id="a", words=words, entities=[Entity(0, 3, "PER"), Entity(4, 14, "MISC"), Entity(15, 18, "LOC")]),
        Document("-DOCSTART-", id="b", words=[(0, 10)], entities=[]),
    ]
    report = write(given, tmp_path / "a.conll")
    again = list(read(tmp_path / "a.conll"))
    assert [(document.id, document.text, document.entities) for document in again] == [
        (document.id, document.text, document.entities) for document in given
    ]
    assert set(report.lost.values()) == {2}


def test_entities_that_touch_are_told_where_bare_labels_make_one_of_them(tmp_path: Path, read_lines: Read) -> None:
    (document,) = read_lines("a\tO\nLan\tPER\nNam\tO\nb\tO\n\n", tag_columns=[1], scheme="IO")
    touching = document.with_(entities=[Entity(2, 5, "PER"), Entity(6, 9, "PER"), Entity(10, 11, "LOC")])
    report = write([touching], tmp_path / "b.conll")
    assert (report.entities, dict(report.lost)) == (2, {"bare labels cannot part it from the entity before it": 1})
    (again,) = read(tmp_path / "b.conll", tag_columns=[1], scheme="IO")
    assert found(again) == [("Lan", "PER"), ("b", "LOC")]


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(st.text(max_size=40) | st.text("a1 .#-\n\r\t\0_\"'O=漢😷\u2028\u0301", max_size=40))
    words = split_words(text)
    entities = []
    position = 0
    while words and position < len(words) and draw(st.booleans()):
        first = draw(st.integers(position, len(words) - 1))
        last = draw(st.integers(first, min(len(words) - 1, first + 4)))
        entities.append(Entity(words[first][0], words[last][1], draw(st.sampled_from(["LOC", "creative-work", "O"]))))
        position = last + 1
    return Document(text, id=draw(st.sampled_from(["a", "b:1", None])), entities=entities)


@settings(max_examples=100, deadline=None)
@given(st.lists(documents(), min_size=1, max_size=4))
def test_any_text_with_entities_on_word_borders_comes_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, originals: list[Document]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.conll"
    report = write(originals, path)
    again = list(read(path))
    assert not report.lost
    assert [document.text for document in again] == [document.text for document in originals]
    assert [document.entities for document in again] == [document.entities for document in originals]
    assert [document.id for document in again if not (document.id or "").startswith("any:")] == [
        document.id for document in originals if document.id
    ]
    write(again, path.with_suffix(".again.conll"))
    assert path.with_suffix(".again.conll").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("words", [[(5, 8), (9, 13), (17, 20)], [(5, 8)], [(0, 3)], []])
def test_words_that_leave_text_out_lose_none_of_it(tmp_path: Path, words: list[tuple[int, int]]) -> None:
    text = "Tel: Lan came to Huế."
    entities = [Entity(5, 8, "PER"), Entity(17, 20, "LOC")]
    report = write([Document(text, id="a", words=words, entities=entities)], tmp_path / "a.conll")
    assert not report.lost
    (back,) = read(tmp_path / "a.conll")
    assert (back.text, back.id) == (text, "a")
    assert found(back) == [("Lan", "PER"), ("Huế", "LOC")]


@pytest.mark.parametrize("label", ["A\tB", "A\nB", "A\r", "A\0B"])
def test_a_label_that_would_part_columns_or_lines_is_left_out_and_told(tmp_path: Path, label: str) -> None:
    given = Document("Lan Minh", entities=[Entity(0, 3, label), Entity(4, 8, "PERSON NAME")])
    report = write([given], tmp_path / "a.conll")
    assert (report.entities, list(report.lost)) == (1, ["its label holds what parts columns or lines"])
    (found,) = read(tmp_path / "a.conll")
    assert found.entities == (Entity(4, 8, "PERSON NAME", text="Minh"),)


def test_a_label_with_a_space_is_left_out_of_a_file_whose_columns_are_parted_by_spaces(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("Lan O\nMinh B-PERSON\n")
    (document,) = read(path)
    report = write([document.with_(entities=[Entity(0, 3, "A B"), *document.entities])], path)
    assert report.lost.total() == 1
    assert path.read_text() == "Lan O\nMinh B-PERSON\n"


def test_a_carriage_return_within_a_line_is_refused(tmp_path):
    path = tmp_path / "mac.conll"
    path.write_bytes(b"Anna B-PER\r\rwent O\r")
    with pytest.raises(FormatError, match="a carriage return with another row behind it") as caught:
        list(read(path))
    assert caught.value.where == f"{path}:1"
    path.write_bytes(b"Anna B-PER\r\nwent O\r\n")
    assert [document.text for document in read(path)] == ["Anna went"]


@pytest.mark.parametrize("line", ["# text = Anna\rwent O", "foo\rbar O", "foo\rbar\tO"])
def test_a_carriage_return_within_a_cell_is_a_part_of_it(read_lines: Read, line: str) -> None:
    assert read_lines(f"{line}\nAnna B-PER\nwent O\n".replace(" ", "\t" if "\t" in line else " "))


def mixed(tmp_path: Path, *contents: str | Document) -> list[Document]:
    """Documents of several files one after the other, texts among them."""
    documents: list[Document] = []
    for number, content in enumerate(contents):
        if isinstance(content, Document):
            documents.append(content)
        else:
            path = tmp_path / f"{'abcd'[number]}.conll"
            path.write_text(content, encoding="utf-8")
            documents += read(path)
    return documents


SPACED, TABBED, WIDE = "Lan B-PER\nin O\n\nHue B-LOC\n", "Minh\tB-PER\n\nX\tO\n", "EU NNP I-NP I-ORG\nsaid VBD I-VP O\n"
MARKED = "-DOCSTART- O\n\nLan B-PER\n"
NOTE = Document("Lan ở Huế.\nHết.", id="note", entities=[Entity(0, 3, "PER"), Entity(6, 9, "LOC")])


@pytest.mark.parametrize(
    "contents",
    [
        (SPACED, NOTE),
        (TABBED, NOTE),
        (MARKED, NOTE),
        (SPACED, TABBED),
        (SPACED, WIDE),
        (SPACED, MARKED, SPACED),
        (WIDE, NOTE, SPACED),
    ],
)
def test_documents_of_unlike_files_come_back_from_one(tmp_path: Path, contents: tuple[str | Document, ...]) -> None:
    documents = mixed(tmp_path, *contents)
    report = write(documents, tmp_path / "all.conll")
    again = list(read(tmp_path / "all.conll"))
    assert [(document.text, document.id) for document in again] == [(document.text, document.id) for document in documents]
    assert [[entity.labeled_span for entity in document.entities or ()] for document in again] == [
        [entity.labeled_span for entity in document.entities or ()] for document in documents
    ]
    assert report.documents == len(documents)
    assert any("unlike files" in reason for reason in report.lost) == (WIDE in contents)


@pytest.mark.parametrize("contents", [(SPACED, SPACED), (TABBED, TABBED), (WIDE, WIDE)])
def test_documents_of_files_that_are_alike_keep_their_lines(tmp_path: Path, contents: tuple[str, ...]) -> None:
    report = write(mixed(tmp_path, *contents), tmp_path / "all.conll")
    assert (tmp_path / "all.conll").read_text(encoding="utf-8") == "\n".join(contents)
    assert not report.lost
    write(mixed(tmp_path, MARKED, MARKED), tmp_path / "marked.conll")
    assert (tmp_path / "marked.conll").read_text(encoding="utf-8") == MARKED + MARKED


def test_what_stands_before_the_first_mark_keeps_its_lines(tmp_path: Path) -> None:
    content = "Hue B-LOC\n\n" + MARKED + "\n" + MARKED
    write(mixed(tmp_path, content), tmp_path / "all.conll")
    assert (tmp_path / "all.conll").read_text(encoding="utf-8") == content


def test_columns_of_tags_that_are_not_read_are_told(tmp_path: Path) -> None:
    nested = "1\tLan\tB-PER\tO\n2\tHue\tB-LOC\tB-LOCderiv\n3\t.\tO\tO\n"
    (document,) = mixed(tmp_path, nested)
    assert document.meta["conll"]["tag_columns"] == [2]
    assert document.meta["conll"]["unread_tag_columns"] == [3]
    (both,) = read(tmp_path / "a.conll", tag_columns=(2, 3))
    assert "unread_tag_columns" not in both.meta["conll"]
    assert [entity.label for entity in both.entities or ()] == ["PER", "LOC", "LOCderiv"]
    (plain,) = mixed(tmp_path, "1\tLan\tB-PER\tO\n2\tHue\tB-LOC\tO\n")
    assert "unread_tag_columns" not in plain.meta["conll"], "they name nothing"
