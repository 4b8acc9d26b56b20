"""CSV as viner writes it: documents with rows of entities."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.errors import FormatError
from viner.formats import Source, read, read_source, write

# Quotes, delimiters, line ends of all kinds, formulas, decomposed letters, emoji: all but NUL, which no text file holds.
TEXTS = st.text(st.one_of(st.sampled_from(' ",;\t\r\n=+-@|Huế\u0301😷'), st.characters(exclude_categories=["Cs", "Cc"])))
METAS = st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=5), max_size=2)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(str.strip)


@st.composite
def documents(draw):
    text = draw(TEXTS)
    entities = None
    if draw(st.booleans()):
        spans = st.tuples(st.integers(0, max(len(text) - 1, 0)), st.integers(1, max(len(text), 1))).filter(
            lambda s: s[0] < s[1]
        )
        made = st.builds(
            lambda span, label, score, source: Entity(*span, label, score=score, source=source),
            spans,
            NAMES,
            st.none() | st.floats(0, 1),
            st.none() | st.just("model"),
        )
        entities = draw(st.lists(made, max_size=4)) if text else []
    return Document(text, id=draw(NAMES), entities=entities, meta=draw(METAS))


@given(st.lists(documents(), max_size=4))
def test_what_is_written_is_read_back_to_the_character(tmp_path_factory, given_):
    path = tmp_path_factory.mktemp("csv") / "out.csv"
    report = write(given_, path)
    assert list(read(path)) == given_
    assert (report.documents, report.entities) == (len(given_), sum(len(item.entities or ()) for item in given_))
    assert report.lost == {}


def test_a_spreadsheet_finds_a_row_for_each_entity(tmp_path):
    entities = [Entity(0, 3, "PERSON", score=0.98, source="model"), Entity(6, 9, "LOCATION", source="dictionary")]
    texts = [
        Document("Lan ở Huế, 😷", id="n1", entities=entities),
        Document("=1+1", id="n2", entities=[], meta={"by": "Thảo", "year": 2024}),
        Document("ở", id="n3"),
    ]
    write(texts, tmp_path / "out.csv")
    content = (tmp_path / "out.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfid,text,entities,start,end,label,surface,score,source,meta\r\n")
    assert content.count(b"\r\n") == 6
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [list(row.values()) for row in csv.DictReader(file)] == [
            ["n1", "Lan ở Huế, 😷", "2", "", "", "", "", "", "", ""],
            ["n1", "", "", "0", "3", "PERSON", "Lan", "0.98", "model", ""],
            ["n1", "", "", "6", "9", "LOCATION", "Huế", "", "dictionary", ""],
            ["n2", "=1+1", "0", "", "", "", "", "", "", '{"by": "Thảo", "year": 2024}'],
            ["n3", "ở", "", "", "", "", "", "", "", ""],
        ]


def test_what_has_no_place_is_counted(tmp_path):
    data = {"id": "a", "text": "Lan", "meta": {"day": 1}, "words": [[0, 3]], "labels": {"topic": ["X"]}}
    data["entities"] = [{"id": "e1", "start": 0, "end": 3, "label": "PERSON"}]
    report = write([Document.from_dict(data), Document("b", id="b")], tmp_path / "out.csv")
    assert dict(report.lost) == {
        **{f"the format has no place for {what}": 1 for what in ("words", "labels", "ids of entities")},
    }


GOOD = (
    "id,text,entities,start,end,label,surface,score,source,meta\n"
    'n1,Lan ở Huế,2,,,,,,,"{""day"": 1}"\n'
    "n1,,,0,3,PERSON,Lan,0.98,model,\n"
    "n1,,,6,9,LOCATION,Huế,,,\n"
    "n2,ở nhà,0,,,,,,,\n"
)
FORMER = (
    "id,text,entities,start,end,label,surface,score,source\n"
    "n1,Lan ở Huế,1,,,,,,\n"
    "n1,,,0,3,PERSON,Lan,0.98,model\n"
    "n2,ở nhà,0,,,,,,\n"
)


def test_a_table_of_an_earlier_version_is_read(tmp_path):
    path = tmp_path / "former.csv"
    path.write_text(FORMER, encoding="utf-8")
    lan = Entity(0, 3, "PERSON", score=0.98, source="model")
    assert list(read(path)) == [Document("Lan ở Huế", id="n1", entities=[lan]), Document("ở nhà", id="n2", entities=[])]
    path.write_text(FORMER.replace("n2,ở nhà,0,,,,,,", "n2,ở nhà,0,,,,,,,{}"), encoding="utf-8")
    with pytest.raises(FormatError, match="the row has 10 fields, the table 9 columns"):
        list(read(path))


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("{", "meta is not JSON"),
        ('{""day"": NaN}', "meta is not JSON"),
        ('{""day"": 1e400}', "meta is not JSON"),
        (r'{""day"": ""\ud800""}', "meta is not JSON"),
        ("[" * 100_000, "meta is not JSON"),
        ("[1]", "meta: "),
    ],
)
def test_meta_that_is_none_is_refused_with_its_line(tmp_path, cell, reason):
    path = tmp_path / "edited.csv"
    path.write_text(GOOD.replace('{""day"": 1}', cell), encoding="utf-8")
    refused: list[FormatError] = []
    assert [item.id for item in read_source(Source(path, refused=refused.append), "csv")] == ["n2"]
    (error,) = refused
    assert (reason in error.message, error.where) == (True, f"{path}:2")


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("n1,,,6,9,LOCATION,Huế,,,\n", "", 2, "has 2 entities, and 1 rows of them follow"),
        ("n1,Lan ở Huế,2", "n1,Lan ở Huế,", 2, "has no entities, and 2 rows of them follow"),
        ("n1,,,6,9", "n9,,,6,9", 4, "does not stand below its document"),
        ("6,9,LOCATION,Huế", "5,8,LOCATION,Huế", 2, "entities"),
        ("0,3,PERSON", "zero,3,PERSON", 2, "an entity has invalid literal for int"),
        ("0.98", "0;98", 2, "an entity has could not convert string to float"),
        ("n1,,,0,3,PERSON,Lan,0.98,model,", "n1,,,0,3,PERSON,Lan", 3, "the row has 7 fields, the table 10 columns"),
    ],
)
def test_a_table_that_was_edited_is_refused_with_its_line_and_others_go_on(tmp_path, old, new, line, reason):
    path = tmp_path / "edited.csv"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(FormatError, match=reason) as caught:
        list(read(path))
    assert caught.value.where == f"{path}:{line}"
    refused: list[FormatError] = []
    assert list(read_source(Source(path, refused=refused.append), "csv")) == [Document("ở nhà", id="n2", entities=[])]
    assert refused[0].where == f"{path}:{line}"


def test_another_delimiter_and_a_column_that_is_named_are_as_ever(tmp_path):
    path = tmp_path / "saved.csv"
    path.write_text(GOOD.replace(",", ";"), encoding="utf-8")
    assert [entity.text for entity in next(read(path)).entities] == ["Lan", "Huế"]
    path.write_text(GOOD, encoding="utf-8")
    assert len(list(read(path, text_column="surface"))) == 4


@pytest.mark.parametrize(
    "document",
    [
        Document("a\0b", id="n"),
        Document("ab", id="n\0"),
        Document("ab", id="n", entities=[Entity(0, 1, "A\0")]),
        Document("ab", id="n", entities=[Entity(0, 1, "A", source="m\0")]),
    ],
)
def test_a_document_with_a_zero_byte_is_left_out_and_told(tmp_path, document):
    fine = Document("fine", id="f", entities=[])
    report = write([document, fine], tmp_path / "a.csv")
    assert (report.documents, report.lost.total(), report.losses[0].what) == (1, 1, "the document")
    assert list(read(tmp_path / "a.csv")) == [fine]
