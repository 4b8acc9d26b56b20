"""Where documents stand in their files."""

from __future__ import annotations

from pathlib import Path

import pytest

from viner.document import Document, Entity
from viner.errors import FormatError, InputError
from viner.formats import Source, Trail, read_source, write

FILES = {
    "a.jsonl": ('{"text": "a"}\n\n{"text": "b"}\n', [1, 3]),
    "a.txt": ("a\n\nb\n", [1, 3]),
    "a.inline": ("\n# id: a\n[Lan](PERSON)\n\n\nb\nc\n", [2, 6]),
    "a.csv": ('text,note\n"a\nb",1\n\nc,2\n', [2, 5]),
    "marked.conll": ("-DOCSTART- O\n\nLan B-PERSON\n\nở O\n\n-DOCSTART- O\n\nHuế O\n", [3, 9]),
    "a.conll": ("# text = a\nLan B-PERSON\n\n\nở O\nHuế O\n", [2, 5]),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_says_with_which_line_a_document_begins(name: str, tmp_path: Path) -> None:
    content, lines = FILES[name]
    (tmp_path / name).write_text(content, encoding="utf-8")
    source = Source(tmp_path / name)
    assert source.line is None
    assert [source.line for _ in read_source(source)] == lines


def test_tables_of_viner_say_it_too(tmp_path: Path) -> None:
    documents = [Document("Lan", id="a", entities=[Entity(0, 3, "PERSON")]), Document("b", id="b"), Document("c", id="c")]
    write(documents, tmp_path / "a.csv")
    source = Source(tmp_path / "a.csv")
    assert [source.line for _ in read_source(source)] == [2, 4, 5]


def test_rows_of_parquet_files_are_counted(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra 'files' is not installed")
    write([Document("a"), Document("b")], tmp_path / "a.parquet")
    source = Source(tmp_path / "a.parquet")
    assert [source.line for _ in read_source(source)] == [1, 2]


def test_an_error_about_a_document_gets_its_line_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "n", "text": "a"}\n{"id": "n: 1", "text": "b"}\n', encoding="utf-8")
    source, trail = Source(tmp_path / "a.jsonl"), Trail()
    for number, document in enumerate(read_source(source), 1):
        trail.leave(document.id or "", source, number)

    def where(error: InputError) -> str | None:
        with pytest.raises(InputError) as caught, trail.followed():
            raise error
        return caught.value.where

    assert where(InputError("no", where="n")) == f"{source.name}:1: n"
    assert where(InputError("no", where="n: 1: entities[0]")) == f"{source.name}:2: n: 1: entities[0]"
    assert where(InputError("no", where="other")) == "other"
    assert where(InputError("no")) is None
    assert where(FormatError("no", where="n")) == "n"


def test_a_format_that_does_not_say_the_line_has_its_documents_counted(tmp_path: Path) -> None:
    (tmp_path / "a.xyz").write_text("a\n", encoding="utf-8")
    source, trail = Source(tmp_path / "a.xyz"), Trail()
    trail.leave("n", source, 1_000)
    with pytest.raises(InputError) as caught, trail.followed():
        raise InputError("no", where="n")
    assert caught.value.where == f"{source.name} (document 1,000): n"
