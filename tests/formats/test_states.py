"""What formats do with documents that are annotated in part, and with texts that begin with a byte order mark."""

from __future__ import annotations

from pathlib import Path

import pytest

from viner.document import Document, Entity
from viner.formats import read, write
from viner.text import split_words

PARTIAL = Document("Lan ở Huế", words=split_words("Lan ở Huế"), entities=[Entity(0, 3, "P")], meta={"viner:reviewed": [[0, 3]]})


@pytest.mark.parametrize("name", ["a.conll", "a.txt"])
def test_that_nobody_looked_at_the_rest_is_lost_aloud(tmp_path: Path, name: str) -> None:
    form = {"a.txt": "inline"}.get(name)
    reports = [
        write([document], tmp_path / name, form) for document in (PARTIAL, PARTIAL.with_(meta={}), PARTIAL.with_(entities=None))
    ]
    told = [[reason for reason in report.lost if "will count as" in reason] for report in reports]
    assert ["nobody looked at" in reason for reason in told[0]] == [True]
    assert told[1] == []
    assert not any("nobody looked at" in reason for reason in told[2])


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.csv"])
def test_formats_with_meta_keep_it(tmp_path: Path, name: str) -> None:
    assert write([PARTIAL.with_(words=None)], tmp_path / name).lost == {}
    (found,) = read(tmp_path / name)
    assert found.meta == PARTIAL.meta


@pytest.mark.parametrize("form", ["text", "inline", "conll", "csv", "jsonl"])
@pytest.mark.parametrize("marks", [1, 2])
def test_a_text_that_begins_with_a_byte_order_mark_comes_back(tmp_path: Path, form: str, marks: int) -> None:
    text = "\ufeff" * marks + "Lan Huế"
    words = [(0, marks + 3), (marks + 4, marks + 7)]
    document = Document(text, words=words, entities=[Entity(marks + 4, marks + 7, "P")])
    write([document, document], tmp_path / "a", form)
    found = list(read(tmp_path / "a", form))
    assert [item.text for item in found] == [text, text]
    if form != "text":
        assert [item.entities for item in found] == [document.entities] * 2
