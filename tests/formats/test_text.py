from __future__ import annotations

from pathlib import Path

from viner.document import Document, Entity
from viner.formats import read, write


def test_each_line_is_a_document_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes("một\r\n\n  hai \u2028 ba\n".encode())
    assert [(document.id, document.text) for document in read(path)] == [("in:1", "một"), ("in:3", "  hai \u2028 ba")]
    assert next(read(path)).entities is None


def test_the_whole_file_may_be_one_document(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes("một\r\n\nhai\n".encode())
    (document,) = read(path, whole=True)
    assert (document.id, document.text) == ("in", "một\r\n\nhai\n")


def test_annotations_and_line_breaks_that_text_cannot_hold_are_reported(tmp_path: Path) -> None:
    report = write([Document("a\r\nb", entities=[Entity(0, 1, "X")])], tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "a b\n"
    assert dict(report.lost) == {"line breaks became spaces": 1, "the format has no place for entities": 1}


def test_ten_megabytes_without_a_line_end_are_one_document(tmp_path: Path) -> None:
    path = tmp_path / "in.txt"
    path.write_text("a" * 10_000_000)
    (document,) = read(path)
    assert len(document.text) == 10_000_000
