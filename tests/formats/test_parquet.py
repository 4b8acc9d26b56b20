from __future__ import annotations

import datetime
import decimal
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity, Relation
from viner.errors import FormatError, InputError, MissingExtraError
from viner.formats import Source, read, read_source, write
from viner.formats import parquet as room

arrow = pytest.importorskip("pyarrow", reason="the extra 'files' is not installed")
from pyarrow import parquet  # noqa: E402

FULL = Document(
    "Bệnh nhân 91 ở Hà Nội 😷.",
    id="n1",
    meta={"lang": "vi", "nested": {"a": [1, None, "ệ"]}},
    words=[(0, 4), (5, 9), (10, 12)],
    entities=[Entity(10, 12, "PATIENT_ID", id="e1", score=0.9812, source="model"), Entity(15, 21, "LOCATION", id="e2")],
    tags={"pos": ["N", "N", "M"]},
    labels={"topic": ["Case"]},
    relations=[Relation("e1", "e2", "in")],
    suggestions=[Entity(0, 9, "PERSON", source="rule")],
)


def test_a_file_of_viner_says_everything(tmp_path: Path) -> None:
    documents = [FULL, Document(""), Document("nichts", entities=[], words=[])]
    report = write(documents, tmp_path / "a.parquet")
    assert (report.documents, report.entities, dict(report.lost)) == (3, 2, {})
    assert list(read(tmp_path / "a.parquet")) == documents


texts = st.text(st.characters(codec="utf-8"), max_size=30)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = draw(texts)
    spans = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).filter(lambda span: span[0] < span[1])
    entity = st.builds(
        lambda span, label, name, score: Entity(*span, label, name, score),
        spans,
        st.sampled_from(["A", "Ệ\n"]),
        st.none() | texts,
        st.none() | st.floats(0, 1),
    )
    meta = st.dictionaries(texts, texts | st.integers() | st.none() | st.lists(st.booleans()), max_size=3)
    return Document(
        text,
        id=draw(st.none() | texts),
        meta=draw(meta),
        entities=draw(st.none() | (st.lists(entity, max_size=3) if text else st.just([]))),
        labels=draw(st.none() | st.dictionaries(texts, st.lists(texts, max_size=2), max_size=2)),
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(documents(), max_size=5))
def test_any_documents_come_back(tmp_path_factory: pytest.TempPathFactory, given_documents: list[Document]) -> None:
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    write(given_documents, path)
    assert list(read(path)) == given_documents


def test_columns_are_typed_for_those_who_query_the_file(tmp_path: Path) -> None:
    write([FULL], tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == ["id", "text", "meta", "words", "entities", "more"]
    assert arrow.types.is_list(table.schema.field("entities").type)
    (entities,) = table["entities"].to_pylist()
    assert entities[0] == {
        "id": "e1", "start": 10, "end": 12, "label": "PATIENT_ID", "score": 0.9812, "source": "model", "text": "91",
    }  # fmt: skip


def test_memory_holds_one_row_group_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "GROUP_ROWS", 10)
    write((Document(f"{number}") for number in range(25)), tmp_path / "a.parquet")
    monkeypatch.setattr(room, "GROUP_CHARACTERS", 4)
    write((Document("ab") for _ in range(6)), tmp_path / "b.parquet")
    for name, groups in (("a", [10, 10, 5]), ("b", [2, 2, 2])):
        metadata = parquet.ParquetFile(tmp_path / f"{name}.parquet").metadata
        assert [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)] == groups


def foreign(path: Path, **columns: list[object]) -> Path:
    parquet.write_table(arrow.table(columns), path)
    return path


def test_of_other_files_one_column_is_the_text_and_all_others_are_meta(tmp_path: Path) -> None:
    path = foreign(
        tmp_path / "a.parquet",
        body=["Lan", "Huế"],
        id=[7, 8],
        day=[datetime.date(2021, 5, 1), None],
        price=[decimal.Decimal("1.50"), None],
        score=[0.5, float("nan")],
        raw=[b"\xff", b"a"],
        list=[[{"a": 1}], []],
    )
    first, second = read(path, text_column="body")
    assert first == Document(
        "Lan",
        id="7",
        meta={"day": "2021-05-01", "price": "1.50", "score": 0.5, "raw": "\\xff", "list": [{"a": 1}]},
    )
    assert second.meta["score"] is None
    write([first, second], tmp_path / "b.jsonl")
    assert list(read(tmp_path / "b.jsonl")) == [first, second]


def test_rows_without_text_are_refused_one_by_one(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.parquet", text=["Lan", None, "Huế"])
    refused: list[FormatError] = []
    assert [d.id for d in read_source(Source(path, refused=refused.append))] == ["a:1", "a:3"]
    assert [(error.where, error.message) for error in refused] == [(f"{path}:2", "column 'text' is empty (null)")]
    with pytest.raises(FormatError, match="empty"):
        list(read(path))


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    path = foreign(tmp_path / "a.parquet", a=["x"], b=["y"])
    with pytest.raises(InputError, match="which column") as caught:
        list(read(path))
    assert "Columns: a, b" in (caught.value.hint or "")
    foreign(path, text=[1, 2])
    with pytest.raises(FormatError, match="no text but a value of type int"):
        list(read(path))
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(FormatError, match="cannot be read as Parquet") as caught:
        list(read(path))
    assert caught.value.where == f"{path}:1"


def test_it_can_be_packed_and_piped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write([FULL], tmp_path / "a.parquet.gz")
    assert list(read(tmp_path / "a.parquet.gz")) == [FULL]
    write([FULL], tmp_path / "a.parquet")
    with (tmp_path / "a.parquet").open("rb") as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert list(read("-", format="parquet")) == [FULL]


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"x")
    with pytest.raises(MissingExtraError, match="reading Parquet"):
        list(read(tmp_path / "a.parquet"))
    with pytest.raises(MissingExtraError, match="writing Parquet"):
        write([], tmp_path / "b.parquet")
    assert not (tmp_path / "b.parquet").exists()


def test_ids_that_a_program_made_floats_of_are_whole_numbers_and_missing_ones_are_made(tmp_path):
    file = foreign(tmp_path / "a.parquet", id=[7.0, float("nan"), None, 1.5], text=["a", "b", "c", "d"])
    assert [document.id for document in read(file)] == ["7", "a:2", "a:3", "1.5"]


def test_nanoseconds_are_kept_though_python_has_none(tmp_path):
    moment = [1_700_000_000_123_456_789, None]
    columns = {
        "text": ["a", "b"],
        "at": arrow.array(moment, arrow.timestamp("ns")),
        "there": arrow.array(moment, arrow.timestamp("ns", tz="Asia/Ho_Chi_Minh")),
        "took": arrow.array([1_500_000_000, None], arrow.duration("ns")),
        "clock": arrow.array([1_234_567_891, None], arrow.time64("ns")),
    }
    parquet.write_table(arrow.table(columns), tmp_path / "a.parquet")
    first, second = read(tmp_path / "a.parquet")
    assert first.meta == {
        "at": "2023-11-14T22:13:20.123456789",
        "there": "2023-11-15T05:13:20.123456789+0700",
        "took": 1.5,
        "clock": "00:00:01.234567891",
    }
    assert second.meta == {"at": None, "there": None, "took": None, "clock": None}


def test_a_value_that_python_cannot_hold_is_an_error_of_its_row(tmp_path):
    days = arrow.array([1, 10**7, 3], arrow.int32()).cast(arrow.date32())
    parquet.write_table(arrow.table({"text": ["a", "b", "c"], "day": days}), tmp_path / "a.parquet")
    documents = read(tmp_path / "a.parquet")
    assert next(documents).meta == {"day": "1970-01-02"}
    with pytest.raises(FormatError, match="column 'day' cannot be read") as caught:
        next(documents)
    assert caught.value.where.endswith("a.parquet:2")
    kept: list[FormatError] = []
    source = Source(tmp_path / "a.parquet", refused=kept.append)
    assert [document.text for document in read_source(source)] == ["a", "c"]
    assert [error.where for error in kept] == [f"{source.name}:2"]


def test_text_that_is_no_text_is_an_error_of_its_row(tmp_path):
    content, offsets = arrow.py_buffer(b"a\xff\xfe"), arrow.py_buffer(b"\0\0\0\0\1\0\0\0\3\0\0\0")
    texts = arrow.Array.from_buffers(arrow.string(), 2, [None, offsets, content])
    parquet.write_table(arrow.table({"text": texts}), tmp_path / "a.parquet")
    documents = read(tmp_path / "a.parquet")
    assert next(documents).text == "a"
    with pytest.raises(FormatError, match="column 'text' cannot be read: 'utf-8' codec"):
        next(documents)
