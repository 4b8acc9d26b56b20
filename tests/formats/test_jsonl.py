from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity, Relation
from viner.errors import FormatError
from viner.formats import read, write


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
        ("[1]", "a document is a JSON object, not list"),
        ('{"txt": "a"}', "txt: unknown key 'txt'"),
        ('{"text": 5}', "text: text must be a string, not int"),
        (r'{"text": "\ud83d"}', "text: the text holds a lone surrogate (U+D83D) at code point 0"),
        ('{"text": "ab", "entities": [{"start": 0, "end": 3, "label": "X"}]}', "entities[0]: span [0, 3] does not fit"),
        ('{"text": "ab", "entities": [{"start": 0, "end": 1, "label": "X", "text": "b"}]}', "entities[0]: the text at [0, 1]"),
        ('{"text": "ab", "entities": [{"start": "0", "end": 1, "label": "X"}]}', "entities[0].start: 'start' must be"),
        ('{"text": "ab", "meta": {"a": NaN}}', "NaN is no JSON number"),
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
