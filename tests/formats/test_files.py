from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from viner.document import Document
from viner.errors import FormatError, InputError, VinerError
from viner.formats import read, write
from viner.formats.descriptors import FileId, descriptor_of
from viner.paths import umask


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"fine\nPK\x03\x04\x00\x00", 2, "binary data (a zero byte at byte 9)"),
        ("fine\n".encode("utf-16"), 1, "the file is UTF-16, not UTF-8"),
        ("fine\nHà Nội\n".encode() + "Hà Nội".encode("cp1258", "replace"), 3, "is not UTF-8"),
        (b"fine\n\xed\xa0\x80", 2, "byte 0xED at byte 5 is not UTF-8 (an encoded lone surrogate)"),
        (b"\xef\xbb\xbfa\xff", 1, "byte 0xFF at byte 4 is not UTF-8"),
    ],
)
def test_files_that_are_no_utf8_text_are_refused_with_line_and_byte(
    tmp_path: Path, content: bytes, line: int, message: str
) -> None:
    path = tmp_path / "in.txt"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        list(read(path))
    assert caught.value.where == f"{path}:{line}"
    assert message in caught.value.message
    assert caught.value.hint


def test_missing_files_folders_and_damaged_gzip_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read(tmp_path / "none.txt")
    with pytest.raises(InputError, match="this is a folder"):
        read(tmp_path)
    damaged = tmp_path / "a.txt.gz"
    damaged.write_bytes(gzip.compress(b"a\n" * 10_000)[:-20])
    with pytest.raises(FormatError, match="damaged gzip file"):
        list(read(damaged))


class _Stdin:
    def __init__(self, content: bytes) -> None:
        self.buffer = io.BytesIO(content)


@pytest.mark.parametrize(
    ("content", "texts"),
    [("một\nhai\n", ["một", "hai"]), ('{"text": "a"}\n', ["a"]), ("Hà\tB-X\nNội\tI-X\n\nx\tO\n", ["Hà Nội", "x"])],
)
def test_standard_input_is_looked_at_and_read(monkeypatch: pytest.MonkeyPatch, content: str, texts: list[str]) -> None:
    monkeypatch.setattr(sys, "stdin", _Stdin(content.encode()))
    assert [document.text for document in read("-")] == texts


def test_a_pipe_is_told_by_all_that_comes_and_not_by_its_first_write(tmp_path: Path) -> None:
    content = "-DOCSTART-\n\n" + "Hà\tB-X\nNội\tI-X\n\n" * 3_000
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write_slowly() -> None:
        with pipe.open("wb", buffering=0) as file:
            file.write(b"-DOCSTART-")
            time.sleep(0.2)
            file.write(content.encode().removeprefix(b"-DOCSTART-"))

    writer = threading.Thread(target=write_slowly)
    writer.start()
    (document,) = read(pipe)
    writer.join()
    assert document.text == "\n".join(["Hà Nội"] * 3_000)
    assert document.meta["conll"]["line"] == 3


@pytest.mark.parametrize("length", [16_383, 16_384, 16_385])
def test_no_line_is_cut_where_the_look_at_a_pipe_ends(monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    first = "a" * (length - 1)
    monkeypatch.setattr(sys, "stdin", _Stdin(f"{first}\nb\r\nc".encode()))
    assert [document.text for document in read("-")] == [first, "b", "c"]


def _failing() -> Iterator[Document]:
    yield Document("first")
    raise KeyboardInterrupt


def test_an_interrupted_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write(_failing(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_into_no_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(VinerError, match="cannot be written"):
        write([Document("a")], tmp_path / "none" / "out.jsonl")


@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="this system has no /dev/full to run out of space on")
def test_a_full_disk_gives_a_clear_message() -> None:
    with pytest.raises(VinerError, match="No space left on device"):
        write([Document("a" * 100_000)], "/dev/full", format="jsonl")


def test_new_files_have_usual_permissions_and_links_stay_links(tmp_path: Path) -> None:
    target = tmp_path / "target.jsonl"
    link = tmp_path / "link.jsonl"
    link.symlink_to(target)
    umask = os.umask(0o022)
    try:
        write([Document("a")], link)
    finally:
        os.umask(umask)
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_reading_is_lazy(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"text": "a"}\nbroken\n')
    assert next(read(path)).text == "a"


def test_an_error_of_reading_is_none_of_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object, /) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(Failing())))
    with pytest.raises(InputError, match="<stdin>: cannot be read: Input/output error"):
        write(read("-", "jsonl"), tmp_path / "out.jsonl")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.conll"])
def test_a_file_of_a_byte_order_mark_alone_is_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf")
    assert list(read(tmp_path / name)) == []


def test_names_of_what_is_open_are_told_from_others(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with file.open("w") as opened:
        number = opened.fileno()
        (tmp_path / "link").symlink_to(f"/dev/fd/{number}")
        (tmp_path / "other").symlink_to(file)
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        for name in (f"/dev/fd/{number}", f"/proc/self/fd/{number}", tmp_path / "link"):
            assert descriptor_of(name) == number
        assert descriptor_of("/dev/stderr") == 2
        for name in (file, tmp_path / "other", tmp_path / "loop", tmp_path / "none", f"/proc/1/fd/{number}", "/dev/null", ""):
            assert descriptor_of(name) is None
        assert FileId.of(number) == FileId.of(file) == FileId.of(tmp_path / "other") is not None
        assert FileId.of(tmp_path) is None


def test_the_umask_is_looked_up_and_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = os.umask(0o027)
    try:
        assert umask() == 0o027
        monkeypatch.setattr(Path, "read_text", lambda *_, **__: "no such line")  # as on macOS
        assert umask() == 0o027
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(kept)
