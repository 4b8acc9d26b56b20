from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity, Relation
from viner.errors import FormatError
from viner.formats import read, write

DATA = Path(os.environ.get("VINER_DATA", "/nonexistent"))


def test_every_layer_comes_back(tmp_path: Path) -> None:
    document = Document(
        "BN91 ở Hà Nội",
        id="d",
        meta={"lang": "vi", "n": [1, {"a": None}]},
        words=[(0, 4), (5, 6), (7, 9), (10, 13)],
        entities=[Entity(0, 4, "PATIENT_ID", id="e1", score=0.5, source="model"), Entity(7, 13, "LOCATION", id="e2")],
        tags={"pos": ["N", "P", "N", "N"]},
        labels={"topic": ["health"]},
        relations=[Relation("e1", "e2", "lives_in")],
        suggestions=[Entity(5, 6, "X")],
    )
    bare = Document("không")
    report = write([document, bare], tmp_path / "a.jsonl")
    assert list(read(tmp_path / "a.jsonl")) == [document, bare]
    assert (report.documents, report.entities, dict(report.lost)) == (2, 2, {})


@settings(deadline=None)
@given(st.lists(st.text(), max_size=5))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    originals = [Document(text, entities=[Entity(0, len(text), "X")] if text else []) for text in texts]
    write(originals, path)
    assert list(read(path)) == originals


def test_byte_order_mark_crlf_and_blank_lines_are_tolerated(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('\ufeff{"text": "a"}\r\n\r\n{"text": "b"}'.encode())
    assert [document.text for document in read(path)] == ["a", "b"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "a"', "not JSON"),
        ("[1]", "a JSON array, not an object"),
        ('{"txt": "a"}', "txt: unknown key 'txt'"),
        ('{"text": 5}', "text: text must be a string, not int"),
        (r'{"text": "\ud83d"}', "text: the text holds a lone surrogate (U+D83D) at code point 0"),
        ('{"text": "ab", "entities": [{"start": 0, "end": 3, "label": "X"}]}', "entities[0]: span [0, 3] does not fit"),
        ('{"text": "ab", "entities": [{"start": 0, "end": 1, "label": "X", "text": "b"}]}', "entities[0]: the text at [0, 1]"),
        ('{"text": "ab", "entities": [{"start": "0", "end": 1, "label": "X"}]}', "entities[0].start: 'start' must be"),
        ('{"text": "ab", "meta": {"a": NaN}}', "NaN is no JSON number"),
        ('{"text": "ab", "meta": {"a": -1e400}}', "not usable JSON: Out of range float values"),
        ('{"tokens": ["ab"], "tags": ["O"], "a": 1e400}', "not usable JSON: Out of range float values"),
        ('{"text": "ab", "meta": {"a": [%s.0]}}' % ("9" * 400), "not usable JSON: Out of range float values"),
        ('{"text": "ab", "entities": [{"start": 0, "end": 1, "label": "X", "score": 1e400}]}', "score"),
        ('{"text": "ab", "meta": ' + "[" * 100_000 + "}", "not usable JSON"),
    ],
)
def test_errors_name_file_line_and_field(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "fine"}\n' + line + "\n")
    documents = read(path)
    assert next(documents).text == "fine"
    with pytest.raises(FormatError) as caught:
        next(documents)
    assert caught.value.where == f"{path}:2"
    assert message in caught.value.message


@pytest.mark.skipif(not DATA.is_dir(), reason="VINER_DATA names no folder of data sets")
def test_character_offsets_of_text_without_spaces_survive_both_formats(tmp_path: Path) -> None:
    rows = json.loads((DATA / "ner_multi/stockmark_ja/ner.first1200.json").read_text())
    originals = [
        Document(
            row["text"],
            id=row["curid"],
            entities=[Entity(*item["span"], item["type"]) for item in row["entities"]],
        )
        for row in rows
    ]
    assert all(
        entity.text == item["name"]
        for row, document in zip(rows, originals, strict=True)
        for item, entity in zip(row["entities"], document.entities or (), strict=True)
    )
    write(originals, tmp_path / "a.jsonl")
    assert list(read(tmp_path / "a.jsonl")) == originals
    report = write(originals, tmp_path / "a.conll")
    again = list(read(tmp_path / "a.conll"))
    assert [document.text for document in again] == [document.text for document in originals]
    total = sum(len(document.entities or ()) for document in originals)
    assert (len(originals), total) == (1200, report.entities + report.lost.total())
    assert report.lost.total() <= 0.01 * total


def test_what_breaks_off_is_told_where_it_does(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "x",\n', encoding="utf-8")
    with pytest.raises(FormatError, match=r"\(column 14\)"):
        list(read(path))
