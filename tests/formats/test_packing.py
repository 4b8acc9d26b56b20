from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from viner.document import Document
from viner.errors import FormatError, MissingExtraError
from viner.formats import Source, detect, read, write
from viner.formats.packing import unpacked_name

DOCUMENTS = [Document(f"văn bản {number} " + "x" * (number % 97), id=f"{number}") for number in range(5_000)]


@pytest.fixture
def zstandard():
    return pytest.importorskip("zstandard", reason="the extra 'files' is not installed")


@pytest.mark.parametrize("ending", [".gz", ".zst", ".GZ"])
def test_packed_files_are_written_and_read(zstandard, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    write(DOCUMENTS, path)
    assert path.stat().st_size < 200_000
    assert detect(path) == "jsonl"
    assert list(read(path)) == DOCUMENTS
    first = path.read_bytes()
    write(DOCUMENTS, path)
    assert path.read_bytes() == first, "the same documents give the same bytes"


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_packed_files_name_documents_without_their_ending(zstandard, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"notes.txt{ending}"
    write([Document("a")], path)
    assert [document.id for document in read(path)] == ["notes:1"]
    assert unpacked_name(f"x/notes.txt{ending}") == "x/notes.txt"


def test_frames_that_follow_each_other_are_one_file(zstandard, tmp_path: Path) -> None:
    pack = zstandard.ZstdCompressor().compress
    path = tmp_path / "a.txt.zst"
    path.write_bytes(pack(b"a\nb") + pack(b"") + pack(b"c\n"))
    assert [document.text for document in read(path)] == ["a", "bc"]


@pytest.mark.parametrize("cut", [1, 3, 100, 1_500])
def test_a_file_that_was_cut_off_is_damaged(zstandard, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "a.jsonl.zst"
    write(DOCUMENTS, path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(FormatError, match="damaged Zstandard file") as caught:
        list(read(path))
    assert (caught.value.where or "").startswith(f"{path}:")


def test_a_file_that_is_not_packed_is_damaged(zstandard, tmp_path: Path) -> None:
    for ending in (".gz", ".zst"):
        path = tmp_path / f"a.txt{ending}"
        path.write_bytes(b"not packed at all\n")
        with pytest.raises(FormatError, match="damaged"):
            list(read(path))


def test_the_position_goes_through_the_packed_file(zstandard, tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst"):
        write(DOCUMENTS, tmp_path / name)
        source = Source(tmp_path / name)
        assert source.size == (tmp_path / name).stat().st_size
        positions = [source.position for _ in source.lines()]
        assert positions == sorted(positions)
        assert 0 < positions[0] < source.size
        assert source.position == source.size


def test_a_bomb_is_unpacked_by_and_by(zstandard, tmp_path: Path) -> None:
    path = tmp_path / "a.txt.zst"
    path.write_bytes(zstandard.ZstdCompressor(level=19).compress(b"\n" * (64 << 20)))
    assert path.stat().st_size < 10_000
    with Source(path)._open() as content:
        content.read(10)
        assert len(content.raw._ready) <= 33 << 20


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    (tmp_path / "a.txt.zst").write_bytes(b"x")
    with pytest.raises(MissingExtraError, match="viner\\[files\\]"):
        list(read(tmp_path / "a.txt.zst"))
    with pytest.raises(MissingExtraError, match="viner\\[files\\]"):
        write([], tmp_path / "b.txt.zst")
    assert not (tmp_path / "b.txt.zst").exists()


def test_gzip_of_others_with_names_and_members_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))
    assert [document.text for document in read(path)] == ["a", "b"]


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_packed_file_of_no_bytes_is_no_empty_one(zstandard, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="it is empty"):
        list(read(path))
    write([], path)
    assert list(read(path)) == []
