from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.document import Document
from viner.errors import FormatError, InputError, UsageError
from viner.formats import Source, read, read_source
from viner.formats.csv import DELIMITERS, find_delimiter


def table(folder: Path, content: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_the_text_is_one_column_and_the_others_are_meta(tmp_path: Path) -> None:
    path = table(tmp_path, "id,text,source\nn1,ở Huế,web\n,ở nhà,\n")
    assert list(read(path)) == [
        Document("ở Huế", id="n1", meta={"source": "web"}),
        Document("ở nhà", id="a:3", meta={"source": ""}),
    ]


def test_fields_over_several_lines_keep_their_line_ends_and_are_named_by_their_first_line(tmp_path: Path) -> None:
    path = table(tmp_path, 'text,n\r\n"một\r\nhai ""ba"", bốn",1\r\nnăm,2\r\n')
    first, second = read(path)
    assert (first.text, first.id) == ('một\r\nhai "ba", bốn', "a:2")
    assert (second.text, second.id) == ("năm", "a:4")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    path = table(tmp_path, delimiter.join(("text", "n")) + "\n" + delimiter.join(("a. b", "1")) + "\n")
    assert list(read(path)) == [Document("a. b", id="a:2", meta={"n": "1"})]


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=5), st.sampled_from(DELIMITERS))
def test_what_a_writer_of_csv_writes_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows, delimiter: str) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerows([("id", "text", "n"), *rows])
    path = table(tmp_path_factory.mktemp("csv"), stream.getvalue())
    documents = list(read(path, delimiter=delimiter))
    assert [(document.text, document.meta["n"]) for document in documents] == [(text, n) for _, text, n in rows]
    assert [document.id for document in documents if not (document.id or "").startswith("a:")] == [
        name for name, _, _ in rows if name and not name.startswith("a:")
    ]


def test_columns_are_named_or_counted_from_one(tmp_path: Path) -> None:
    path = table(tmp_path, "note;body\nx;Lan\n")
    assert next(read(path, text_column="body", id_column="note")) == Document("Lan", id="x")
    assert next(read(path, text_column=2)).text == "Lan"
    assert [d.text for d in read(path, text_column=2, header=False)] == ["body", "Lan"]


def test_quotes_may_be_characters_like_others(tmp_path: Path) -> None:
    path = table(tmp_path, 'text\tn\n"Lan" ở Huế\t1\n"mở\t2\n')
    assert [document.text for document in read(path, quotes=False)] == ['"Lan" ở Huế', '"mở']
    with pytest.raises(FormatError, match="not CSV") as caught:
        list(read(path))
    assert caught.value.where == f"{path}:2"
    assert "quotes=false" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("content", "options", "line", "message"),
    [
        ("a,b\n1,2\n", {}, 1, "which column holds the text"),
        ("a,b\n1,2\n", {"text_column": "c"}, 1, "no column 'c'"),
        ("a,b\n1,2\n", {"text_column": 3}, 1, "no column 3"),
        ("text,text\n1,2\n", {}, 1, "two columns are called 'text'"),
        ("text,b\n1,2\n\n1,2,3\n", {}, 4, "the row has 3 fields, the table 2 columns"),
        ('text,b\n1,2\n"a,b\nc,d\n', {}, 3, "unexpected end of data, which goes on to line 4"),
    ],
)
def test_tables_that_cannot_be_read_say_where_and_why(tmp_path: Path, content, options, line, message) -> None:
    path = table(tmp_path, content)
    with pytest.raises(InputError, match=message) as caught:
        list(read(path, **options))
    assert caught.value.where == f"{path}:{line}"
    assert caught.value.hint


def test_bad_rows_are_refused_one_by_one_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('text,n\ngut,1\nzu,viel,e\n"mit\nfalschem \xff'.encode("latin-1") + b'\nbyte",2\n"a"b,3\nLan,4\n')
    refused: list[FormatError] = []
    documents = list(read_source(Source(path, refused=refused.append)))
    assert [document.text for document in documents] == ["gut", "Lan"]
    assert [error.where for error in refused] == [f"{path}:{line}" for line in (3, 5, 7)]


def test_a_delimiter_is_one_character(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one character"):
        list(read(table(tmp_path, "text\n"), delimiter="ab"))


def test_one_column_has_no_delimiter() -> None:
    assert find_delimiter("text\nein Satz, mit Komma\nund keiner\n") == ","
    assert find_delimiter('id;note;ward\nv1;"Lan, Minh";3\nv2;Nam;4\nv3;too;many;fields\nv4;ở Huế;5\n') == ";"
    assert find_delimiter("id;note\nv1;a, b\nv2;c, d\nv3;e, f\n") == ";", "where all rows agree, it is that"
    assert find_delimiter("one\ntwo; three\nfour; five\nsix; seven\n") == ",", "the first row is the measure"


def test_fields_of_open_data_run_over_several_lines(data_sets: Path) -> None:
    documents = list(read(data_sets / "cls" / "banking77" / "train.csv"))
    assert len(documents) == 10_003
    assert sum("\n" in document.text for document in documents) == 10
    assert len({document.meta["category"] for document in documents}) == 77
    tabs = data_sets / "cls" / "sib200_vi_en" / "vie_Latn" / "train.tsv"
    assert len(list(read(tabs, format="csv", quotes=False))) == 701


@pytest.mark.parametrize("bad", [b"\xff", b"\0"])
def test_a_field_over_several_lines_with_a_line_that_is_no_text_is_refused_as_a_whole(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'id,text\nv1,"one ' + bad + b'\nLan, called at 5\nmore"\nv2,fine\n'.replace(b'\\"', b'"'))
    refused: list[FormatError] = []
    documents = list(read_source(Source(path, refused=refused.append)))
    assert documents == [Document("fine", id="v2")]
    assert [error.where for error in refused] == [f"{path}:2"]
