"""Files as streams of lines in, and as all-or-nothing writings out."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import stat
import sys
import tempfile
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from viner.errors import FormatError, InputError, VinerError

STDIN = "-"
_HEAD = 16_384
_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Source:
    r"""A file of UTF-8 text that a format reads, plain or ``.gz``; ``-`` is standard input.

    Lines end at ``\n`` only. A byte order mark is taken off the first line and remembered in ``bom``.

    Args:
        path: The file, or ``-``.

    Raises:
        InputError: If there is no such file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        self.is_stdin = self.path == STDIN
        self.name = "<stdin>" if self.is_stdin else self.path
        self.bom = False
        self._spool: BinaryIO | None = None
        self._stream: BinaryIO | None = None
        self._begun = b""  # what head() took from the stream, for those who read it
        if self.is_stdin:
            self._stream = cast(BinaryIO, getattr(sys.stdin, "buffer", sys.stdin))
            return
        try:
            mode = Path(self.path).stat().st_mode
        except FileNotFoundError:
            raise InputError("there is no such file", where=self.path, hint=f"The current folder is {Path.cwd()}") from None
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or error}", where=self.path) from None
        if stat.S_ISDIR(mode):
            raise InputError("this is a folder, not a file", where=self.path)
        if not stat.S_ISREG(mode):
            # A pipe, such as the shell's <(…), can be read only once.
            self._stream = Path(self.path).open("rb")  # noqa: SIM115  (lives as long as the source)
            weakref.finalize(self, self._stream.close)

    @property
    def stem(self) -> str:
        """The file's name without folder and endings, which names documents that have no id."""
        name = "stdin" if self.is_stdin else Path(self.path).name.removesuffix(".gz")
        return Path(name).stem

    @property
    def suffix(self) -> str:
        """The ending in lower case with the dot, below a ``.gz``; empty for standard input."""
        return "" if self.is_stdin else Path(self.path.removesuffix(".gz")).suffix.lower()

    def where(self, line: int) -> str:
        """``file:line`` for errors."""
        return f"{self.name}:{line}"

    def head(self) -> str:
        """The beginning of the text, without consuming it; undecodable bytes are replaced.

        A pipe is waited for until it gave 16 KiB or ended, so that the answer does not depend on how it was filled.
        """
        if self._stream is not None and self._spool is None:
            self._begun += self._stream.read(_HEAD - len(self._begun))
            head = self._begun
        else:
            with self._open() as file:
                try:
                    head = file.read(_HEAD)
                except _DAMAGED:
                    head = b""  # lines() will say so, with the place
        return head.decode("utf-8", errors="replace").removeprefix("\ufeff")

    def rewindable(self) -> Source:
        """Makes :meth:`lines` callable several times, by copying a stream to a temporary file if need be."""
        if self._stream is not None and self._spool is None:
            spool = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=8 << 20))  # noqa: SIM115  (lives as long as the source)
            spool.write(self._begun)
            self._begun = b""
            while block := self._stream.read(1 << 20):
                spool.write(block)
            weakref.finalize(self, spool.close)
            self._spool = spool
        return self

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yields ``(number from 1, line with its line ending)``.

        Raises:
            FormatError: If the file is not UTF-8 text (binary, another encoding, damaged gzip); ``where`` is ``file:line``.
        """
        number = offset = 0
        with self._open() as file:
            try:
                for number, raw in enumerate(self._raw_lines(file), 1):
                    # Nearly all lines are ASCII without a zero byte, and need no further look.
                    plain = number > 1 and raw.isascii() and b"\0" not in raw
                    yield number, raw.decode("ascii") if plain else self._decode(raw, number, offset)
                    offset += len(raw)
            except _DAMAGED as error:
                raise FormatError(
                    f"damaged gzip file ({error})", where=self.where(number + 1), hint="Fetch or pack the file again"
                ) from None

    def _raw_lines(self, file: BinaryIO) -> Iterator[bytes]:
        whole, line_end, rest = self._begun.rpartition(b"\n")
        self._begun = b""
        yield from io.BytesIO(whole + line_end)
        if rest:
            yield rest + file.readline()
        yield from file

    @contextlib.contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        if self._spool is not None:
            self._spool.seek(0)
            yield self._spool
        elif self._stream is not None:
            yield self._stream
        else:
            try:
                file = Path(self.path).open("rb")  # noqa: SIM115  (closed below, outside of what the except clause covers)
            except OSError as error:
                raise InputError(f"cannot be read: {error.strerror or error}", where=self.path) from None
            with file:
                yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if self.path.endswith(".gz") else file

    def _decode(self, raw: bytes, number: int, offset: int) -> str:
        if number == 1:
            if raw[:2] in _BOMS:
                raise FormatError(
                    f"the file is {_BOMS[raw[:2]]}, not UTF-8",
                    where=self.where(1),
                    hint="Save it as UTF-8: iconv -f UTF-16 -t UTF-8",
                )
            self.bom = raw.startswith(b"\xef\xbb\xbf")
            if self.bom:
                raw, offset = raw[3:], 3
        if b"\0" in raw:
            raise FormatError(
                f"binary data (a zero byte at byte {offset + raw.index(0)})",
                where=self.where(number),
                hint="viner reads text files in UTF-8; extract the text first",
            )
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            surrogate = raw[error.start : error.start + 1] == b"\xed"
            raise FormatError(
                f"byte 0x{raw[error.start]:02X} at byte {offset + error.start} is not UTF-8"
                + (" (an encoded lone surrogate)" if surrogate else ""),
                where=self.where(number),
                hint="The file is in another encoding, or mixes several; convert it, as in: iconv -f WINDOWS-1258 -t UTF-8",
            ) from None


def strip_line_end(line: str) -> str:
    r"""The line without its final ``\n`` or ``\r\n``."""
    return line[:-1].removesuffix("\r") if line.endswith("\n") else line.removesuffix("\r")


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Callable[[str], None]]:
    """Yields a function that takes text for a file, which appears only when the block ends without an error.

    The text goes to a temporary file beside the target, which then takes its place; ``.gz`` is packed. ``-`` and special files
    such as ``/dev/stdout`` are written directly.

    Raises:
        VinerError: If the file cannot be written, such as for want of space. What was there before stays.
    """
    target = os.fspath(path)
    try:
        if target == STDIN:
            yield _encoder(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        elif Path(target).exists() and not stat.S_ISREG(Path(target).stat().st_mode):
            with Path(target).open("wb") as file:
                yield _encoder(file)
        else:
            # A link stays a link: what it points to is replaced.
            yield from _replacing_regular(Path(target).resolve())
    except BrokenPipeError:
        raise
    except OSError as error:
        raise VinerError(
            f"cannot be written: {error.strerror or error}",
            where=target,
            hint="Nothing was changed; check the folder and the space left",
        ) from error


def _replacing_regular(target: Path) -> Iterator[Callable[[str], None]]:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            if target.suffix == ".gz":
                # Neither time nor name inside: the same documents give the same bytes.
                with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
                    yield _encoder(cast(BinaryIO, packed))
            else:
                yield _encoder(file)
        temporary.chmod(_permissions(target))
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _encoder(file: BinaryIO) -> Callable[[str], None]:
    def write(text: str) -> None:
        file.write(text.encode("utf-8"))

    return write


def _permissions(target: Path) -> int:
    """Those of the file that is replaced, or what the umask leaves to any new file."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask
