"""Packed files: ``.gz`` by the standard library, ``.zst`` by the extra "files"."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from viner.errors import MissingExtraError

ENDINGS = (".gz", ".zst")
"""What a packed file's name ends in, in any case."""

_BLOCK = 1024
# A few bytes of Zstandard can stand for 128 KiB, and all that a block of input stands for is in memory at once.


class DamagedError(Exception):
    """A packed file that cannot be unpacked; the message begins with the kind of file."""


def packing(name: str) -> str | None:
    """The ending that says how a file is packed, None if it is not."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in ENDINGS else None


def unpacked_name(name: str) -> str:
    """The name without such an ending: ``a.txt`` for ``a.txt.gz``."""
    ending = packing(name)
    return name[: -len(ending)] if ending else name


def unpacked(file: BinaryIO, ending: str | None) -> BinaryIO:
    """The content of a file.

    Args:
        file: The file as it lies on the disk.
        ending: As :func:`packing` says.

    Raises:
        MissingExtraError: If it takes a package that is not installed.
        DamagedError: While reading.
    """
    if ending is None:
        return file
    raw = _Gzip(file) if ending == ".gz" else _Zstandard(file)
    return cast(BinaryIO, io.BufferedReader(raw, 1 << 16))


@contextlib.contextmanager
def packed(file: BinaryIO, ending: str | None) -> Iterator[BinaryIO]:
    """Yields a file that packs what is written to it. The same content gives the same bytes: neither time nor name is inside.

    Raises:
        MissingExtraError: If it takes a package that is not installed.
    """
    if ending is None:
        yield file
    elif ending == ".gz":
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as target:
            yield cast(BinaryIO, target)
    else:
        with _zstandard("writing .zst files").ZstdCompressor().stream_writer(file, closefd=False) as target:
            yield target


class _Watched:
    """A file that knows whether it was found empty."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.empty = True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.empty = self.empty and not data
        return data


class _Gzip(io.RawIOBase):
    def __init__(self, file: BinaryIO) -> None:
        self._packed = _Watched(file)
        self._file = gzip.GzipFile(fileobj=cast(BinaryIO, self._packed))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            count = self._file.readinto(buffer)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DamagedError(f"gzip file ({error})") from None
        if not count and self._packed.empty:
            raise DamagedError("gzip file (it is empty)")
        return count


class _Zstandard(io.RawIOBase):
    """Unpacks frame by frame. The package's own reader takes a file that was cut off for one that ends."""

    def __init__(self, file: BinaryIO) -> None:
        self._package = _zstandard("reading .zst files")
        self._file = file
        self._frame: Any = None
        self._packed = b""
        self._ready = memoryview(b"")
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            self._packed = self._packed or self._file.read(_BLOCK)
            if not self._packed:
                if self._frame is not None:
                    raise DamagedError("Zstandard file (it ends in mid-frame)")
                if not self._begun:
                    raise DamagedError("Zstandard file (it is empty)")
                return 0
            self._begun = True
            self._frame = self._frame or self._package.ZstdDecompressor().decompressobj()
            try:
                self._ready = memoryview(self._frame.decompress(self._packed))
            except self._package.ZstdError as error:
                raise DamagedError(f"Zstandard file ({error})") from None
            self._packed = b""
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, None
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count


def _zstandard(feature: str) -> Any:
    try:
        import zstandard
    except ImportError:
        raise MissingExtraError(feature, "files") from None
    return zstandard
