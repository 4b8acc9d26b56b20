from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from viner.document import Document
from viner.errors import FormatError
from viner.feedback import is_collected, make_entry, new_receipt, read_collected


def line(text: str) -> str:
    return make_entry(Document(text, entities=[]), receipt=new_receipt()).to_json() + "\n"


def test_a_file_is_known_by_how_it_begins_whatever_it_is_called(tmp_path: Path) -> None:
    mine, other, empty = tmp_path / "home.jsonl", tmp_path / "feedback.jsonl", tmp_path / "empty.jsonl"
    mine.write_text(line("một"), encoding="utf-8")
    other.write_text('{"id": "a", "text": "b"}\n')
    empty.write_text("")
    packed = tmp_path / "home.jsonl.gz"
    packed.write_bytes(gzip.compress(mine.read_bytes()))
    paths = (mine, packed, other, empty, tmp_path, tmp_path / "none")
    assert [is_collected(path) for path in paths] == [True, True, False, False, False, False]
    assert [document.text for document in read_collected(packed)] == ["một"]


@pytest.mark.parametrize("bytes_left", [1, 30, 120])
def test_a_last_line_that_is_being_written_is_left_out(tmp_path: Path, bytes_left: int) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_bytes(line("một").encode() + line("ộ" * 100).encode()[:bytes_left])
    assert [document.text for document in read_collected(path)] == ["một"]


def test_a_line_cut_within_a_character_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    last = line("ộ").encode()
    path.write_bytes(line("một").encode() + last[: last.index("ộ".encode()) + 1])
    assert [document.text for document in read_collected(path)] == ["một"]


def test_a_spoiled_line_before_the_last_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_text(line("một") + "{spoiled\n" + line("ba"), encoding="utf-8")
    with pytest.raises(FormatError) as caught:
        list(read_collected(path))
    assert caught.value.where == f"{path}:2"
    path.write_text(line("một") + json.dumps({"id": "flagged-1", "txt": ""}) + "\n", encoding="utf-8")
    with pytest.raises(FormatError, match="unknown key 'txt'"):
        list(read_collected(path))
