from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from viner.console.exports import EXPORTS, export
from viner.document import Document, Entity
from viner.text import split_words

TEXT = "Chị Lan ở Hà Nội."


def documents() -> list[Document]:
    entities = [Entity(4, 7, "NAME", score=0.91234, source="model"), Entity(10, 16, "LOCATION", score=0.5, source="model")]
    return [Document(TEXT, id="n1", words=split_words(TEXT), entities=entities)]


@pytest.mark.parametrize("kind", EXPORTS)
def test_every_kind_is_written(kind: str, tmp_path: Path) -> None:
    path = export(documents(), kind, tmp_path)
    assert path == tmp_path / f"entities.{kind}"
    assert "Lan" in path.read_text(encoding="utf-8-sig")


def test_jsonl_reads_back_as_the_same_documents(tmp_path: Path) -> None:
    line = export(documents(), "jsonl", tmp_path).read_text(encoding="utf-8")
    assert Document.from_dict(json.loads(line)) == documents()[0]


def test_conll_holds_the_tags(tmp_path: Path) -> None:
    lines = export(documents(), "conll", tmp_path).read_text(encoding="utf-8").splitlines()
    assert any(line.split()[:1] == ["Lan"] and line.split()[-1] == "B-NAME" for line in lines)
    assert any(line.split()[:1] == ["Nội"] and line.split()[-1] == "I-LOCATION" for line in lines)


def test_csv_opens_in_a_spreadsheet_without_running_anything(tmp_path: Path) -> None:
    text = '=HYPERLINK("x"), a\nb'
    found = [Entity(0, 15, "NAME", score=1.0), Entity(17, 20, "LOCATION")]
    path = export([Document(text, entities=found)], "csv", tmp_path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["document", "start", "end", "label", "text", "score"],
        ["1", "0", "15", "NAME", '\'=HYPERLINK("x")', "1.0000"],
        ["1", "17", "20", "LOCATION", "a\nb", ""],
    ]
