"""Files as streams of lines in, and as all-or-nothing writings out."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from viner.errors import FormatError, InputError, VinerError
from viner.formats.descriptors import FileId, descriptor_of, standard_output
from viner.formats.names import speakable
from viner.formats.packing import DamagedError, packed, packing, unpacked, unpacked_name
from viner.paths import umask

STDIN = "-"
BOM = "\ufeff"
"""The byte order mark. Readers take one off a file that begins with it, so a text that begins with it is written with two."""
_HEAD = 16_384
_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class LineError(FormatError):
    """A line that is no text.

    Args:
        raw: Its bytes.
        message: What is wrong.
        where: ``file:line``.
        hint: What to do.
    """

    def __init__(self, raw: bytes, message: str, *, where: str, hint: str) -> None:
        super().__init__(message, where=where, hint=hint)
        self._raw = raw

    @property
    def readable(self) -> str:
        """The line with its line ending, what is no text replaced: for what goes on over several lines."""
        return self._raw.decode("utf-8", errors="replace").replace("\0", "\ufffd")


class Source:
    r"""A file that a format reads, plain, ``.gz`` or ``.zst``; ``-`` is standard input.

    Lines end at ``\n`` only. A byte order mark is taken off the first line and remembered in ``bom``.

    Args:
        path: The file, or ``-``.
        stem: What ids of its documents begin with; None takes the file's name without folder and endings.
        refused: Called with the error of a line or row that is of no use, whose reader then goes on; None makes it end the
            reading. Only formats whose lines stand for themselves ask.

    Raises:
        InputError: If there is no such file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        stem: str | None = None,
        refused: Callable[[FormatError], None] | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.is_stdin = self.path == STDIN
        self.name = "<stdin>" if self.is_stdin else speakable(self.path)
        self.bom = False
        self.size: int | None = None
        """Bytes of the file as it lies on the disk; None for a stream."""
        self.line: int | None = None
        """Line (of a table without lines, row) with which the document begins that was read last, where the reader says so."""
        own = "stdin" if self.is_stdin else Path(unpacked_name(Path(self.path).name)).stem
        self.stem = speakable(own if stem is None else stem)
        self._refused = refused
        self._position: BinaryIO | int = 0
        self._spool: BinaryIO | None = None
        self._stream: BinaryIO | None = None
        self._begun = b""  # what head() took from the stream, for those who read it
        if self.is_stdin:
            self._stream = cast(BinaryIO, getattr(sys.stdin, "buffer", sys.stdin))
            return
        try:
            status = Path(self.path).stat()
        except FileNotFoundError:
            raise InputError("there is no such file", where=self.path, hint=f"The current folder is {Path.cwd()}") from None
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or error}", where=self.path) from None
        if stat.S_ISDIR(status.st_mode):
            raise InputError("this is a folder, not a file", where=self.path)
        if stat.S_ISREG(status.st_mode):
            self.size = status.st_size
        else:
            # A pipe, such as the shell's <(…), can be read only once.
            self._stream = Path(self.path).open("rb")  # noqa: SIM115  (lives as long as the source)
            weakref.finalize(self, self._stream.close)

    @property
    def suffix(self) -> str:
        """The ending in lower case with the dot, below a ``.gz`` or ``.zst``; empty for standard input."""
        return "" if self.is_stdin else Path(unpacked_name(self.path)).suffix.lower()

    @property
    def position(self) -> int:
        """How many of the file's bytes have been read, packed ones where it is packed; 0 for a stream."""
        if isinstance(self._position, int):
            return self._position
        return self.size or 0 if self._position.closed else self._position.tell()

    def advance(self, share: float) -> None:
        """For readers that do not read from the beginning to the end: says what share of the file is behind them."""
        self._position = int((self.size or 0) * share)

    def refuse(self, error: FormatError) -> None:
        """For readers: a line or row is of no use. Raises the error, unless somebody keeps the errors."""
        if self._refused is None:
            raise error
        self._refused(error)

    def where(self, line: int) -> str:
        """``file:line`` for errors."""
        return f"{self.name}:{line}"

    def head(self) -> str:
        """The beginning of the text, without consuming it; undecodable bytes are replaced.

        A pipe is waited for until it gave 16 KiB or ended, so that the answer does not depend on how it was filled.
        """
        if self._stream is not None and self._spool is None:
            with self._open() as file:
                self._begun += file.read(_HEAD - len(self._begun))
            head = self._begun
        else:
            with self._open() as file:
                try:
                    head = file.read(_HEAD)
                except DamagedError:
                    head = b""  # lines() will say so, with the place
        return head.decode("utf-8", errors="replace").removeprefix("\ufeff")

    def rewindable(self) -> Source:
        """Makes :meth:`lines` callable several times, by copying a stream to a temporary file if need be."""
        if self._stream is not None and self._spool is None:
            with self._open() as file:
                self._spool = _copied(file, self._begun)
            self._begun = b""
            weakref.finalize(self, self._spool.close)
        return self

    @contextlib.contextmanager
    def binary(self) -> Iterator[BinaryIO]:
        """The content as a file in which one can seek; a stream, or what is packed, is copied to a temporary file first.

        Raises:
            FormatError: If it is packed and damaged.
        """
        with self.rewindable()._open() as file:
            if self._spool is not None or packing(self.path) is None:
                yield file
                return
            try:
                copy = _copied(file)
            except DamagedError as error:
                raise self._damaged(error, 1) from None
            with copy:
                yield copy

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yields ``(number from 1, line with its line ending)``.

        Raises:
            FormatError: If the file is not UTF-8 text (binary, another encoding, damaged); ``where`` is ``file:line``.
        """
        for number, line in self.each_line():
            if isinstance(line, FormatError):
                raise line
            yield number, line

    def each_line(self) -> Iterator[tuple[int, str | LineError]]:
        """As :meth:`lines`, but yields the error of a line that is no UTF-8 text instead of raising it, and goes on.

        Raises:
            FormatError: If the file is packed and damaged, so that nothing comes behind.
        """
        number = offset = 0
        with self._open() as file:
            try:
                for number, raw in enumerate(self._raw_lines(file), 1):
                    # Nearly all lines are ASCII without a zero byte, and need no further look.
                    plain = number > 1 and raw.isascii() and b"\0" not in raw
                    yield number, raw.decode("ascii") if plain else self._decode(raw, number, offset)
                    offset += len(raw)
            except DamagedError as error:
                raise self._damaged(error, number + 1) from None

    def _damaged(self, error: DamagedError, line: int) -> FormatError:
        return FormatError(f"damaged {error}", where=self.where(line), hint="Fetch or pack the file again")

    def _raw_lines(self, file: BinaryIO) -> Iterator[bytes]:
        whole, line_end, rest = self._begun.rpartition(b"\n")
        self._begun = b""
        yield from io.BytesIO(whole + line_end)
        if rest:
            yield rest + file.readline()
        yield from file

    @contextlib.contextmanager
    def _open(self) -> Iterator[BinaryIO]:
        try:
            if self._spool is not None:
                self._spool.seek(0)
                yield self._spool
            elif self._stream is not None:
                yield self._stream
            else:
                with Path(self.path).open("rb") as file:
                    self._position = file
                    yield unpacked(file, packing(self.path))
        except OSError as error:
            # Whoever writes meanwhile would take it for an error of his own.
            raise InputError(f"cannot be read: {error.strerror or error}", where=self.name) from None

    def _decode(self, raw: bytes, number: int, offset: int) -> str | LineError:
        if number == 1:
            if raw[:2] in _BOMS:
                return LineError(
                    raw,
                    f"the file is {_BOMS[raw[:2]]}, not UTF-8",
                    where=self.where(1),
                    hint="Save it as UTF-8: iconv -f UTF-16 -t UTF-8",
                )
            self.bom = raw.startswith(b"\xef\xbb\xbf")
            if self.bom:
                raw, offset = raw[3:], 3
        if b"\0" in raw:
            return LineError(
                raw,
                f"binary data (a zero byte at byte {offset + raw.index(0)})",
                where=self.where(number),
                hint="viner reads text files in UTF-8; extract the text first",
            )
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError as error:
            surrogate = raw[error.start : error.start + 1] == b"\xed"
            return LineError(
                raw,
                f"byte 0x{raw[error.start]:02X} at byte {offset + error.start} is not UTF-8"
                + (" (an encoded lone surrogate)" if surrogate else ""),
                where=self.where(number),
                hint="The file is in another encoding, or mixes several; convert it, as in: iconv -f WINDOWS-1258 -t UTF-8",
            )


def _copied(file: BinaryIO, begun: bytes = b"") -> BinaryIO:
    """A temporary file, which begins with some bytes that were read already and goes on with the rest of a file."""
    spool = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=8 << 20))  # noqa: SIM115  (the caller closes it)

    def write(block: bytes) -> None:
        try:
            spool.write(block)
        except OSError as error:
            raise VinerError(
                f"cannot be written to: {error.strerror or error}",
                where=tempfile.gettempdir(),
                hint="Streams are copied there; make room, or name another folder with TMPDIR",
            ) from None

    try:
        write(begun)
        while block := file.read(1 << 20):
            write(block)
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool


def strip_line_end(line: str) -> str:
    r"""The line without its final ``\n`` or ``\r\n``."""
    return line[:-1].removesuffix("\r") if line.endswith("\n") else line.removesuffix("\r")


Sink = Callable[[str | bytes], None]
"""Takes the next part of a file: text, or bytes where the format is a binary one."""


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, pack: bool = True) -> Iterator[Sink]:
    """Yields a function that takes text or bytes for a file, which appears only when the block ends without an error.

    It goes to a temporary file beside the target, which then takes its place; ``.gz`` and ``.zst`` are packed. ``-``, special
    files, and what the process has open already (``/dev/stderr``) are written directly.

    Args:
        path: The file.
        pack: Whether the ending says how it is packed; False for what is packed already.

    Raises:
        VinerError: If the file cannot be written, such as for want of space. What was there before stays.
    """
    target = os.fspath(path)
    try:
        if target == STDIN:
            yield _encoder(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        elif (descriptor := descriptor_of(target)) is not None:
            with os.fdopen(os.dup(descriptor), "wb") as file:  # goes on where it stands, whatever it leads to
                yield _encoder(file)
        elif is_special(target):
            with Path(target).open("wb") as file:
                yield _encoder(file)
        else:
            # A link stays a link: what it points to is replaced.
            yield from _replacing_regular(real_path(target), pack)
    except BrokenPipeError:
        raise
    except OSError as error:
        hint = "Nothing was changed; check the folder and the space left"
        raise VinerError(
            f"cannot be written: {error.strerror or error}",
            where="<stdout>" if target == STDIN else target,
            hint="Standard output is closed or its disk full; name a file instead" if target == STDIN else hint,
        ) from error


def real_path(path: str | os.PathLike[str]) -> Path:
    """Where a path leads, through all links; up to a link that leads to itself, at which ``Path.resolve`` fails."""
    return Path(os.path.realpath(path))


def is_special(path: str | os.PathLike[str]) -> bool:
    """Whether something is there that is no regular file, such as ``/dev/stdout`` or a pipe."""
    return Path(path).exists() and not stat.S_ISREG(Path(path).stat().st_mode)


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether what is written goes straight through: to a special file, or to what this process has open already."""
    return is_special(path) or descriptor_of(path) is not None


def written_straight(path: str | os.PathLike[str]) -> FileId | None:
    """The ordinary file that a stream is sent to, as by ``> file``; None where there is none, or ``path`` is no stream.

    Args:
        path: ``-`` for standard output, or a name.
    """
    descriptor = standard_output() if os.fspath(path) == STDIN else descriptor_of(path)
    return None if descriptor is None else FileId.of(descriptor)


def _replacing_regular(target: Path, pack: bool) -> Iterator[Sink]:
    handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".part", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, packed(file, packing(target.name) if pack else None) as content:
            yield _encoder(content)
        temporary.chmod(permissions(target))
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _encoder(file: BinaryIO) -> Sink:
    def write(part: str | bytes) -> None:
        file.write(part if isinstance(part, bytes) else part.encode("utf-8"))

    return write


def permissions(target: Path) -> int:
    """Those of a file that is to be replaced, or what the umask leaves to any new file."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    return 0o666 & ~umask()
