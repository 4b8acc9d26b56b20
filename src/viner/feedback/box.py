"""The folder that flagged answers are kept in: one file of JSON lines, written by any number of processes.

A line is on the disk before anybody hears that it was kept, and gone from the file before anybody hears that it was erased.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from viner.bundle.place import flush
from viner.corpus import flag_of
from viner.document import Document
from viner.errors import InputError
from viner.feedback.entry import erased_entry, receipt_of
from viner.feedback.errors import (
    FeedbackBusyError,
    FeedbackError,
    FeedbackFullError,
    ReceiptUsedError,
    UnknownReceiptError,
)
from viner.feedback.reading import beginning_of, document_of, is_collected, is_erased, is_whole
from viner.paths import expanded

FILE = "feedback.jsonl"
QUOTA = 50 * 1024 * 1024
"""Bytes that the file may have, unless told otherwise."""
RESERVE = 10 * 1024 * 1024
"""Bytes that the disk must have left at the start."""

_LOCK = ".feedback.lock"
_PART = ".feedback.part"
_PATIENCE = 10.0  # seconds
_BINARY = getattr(os, "O_BINARY", 0)  # Windows
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FeedbackBox:
    """Keeps flagged answers. Safe to use from several threads and processes.

    Args:
        folder: A folder that is there; :meth:`open` makes one and checks it.
        quota: Bytes that the file may have.
    """

    def __init__(self, folder: Path, *, quota: int = QUOTA) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._quota = quota

    @classmethod
    def open(cls, folder: str | Path, *, quota: int = QUOTA) -> FeedbackBox:
        """The box of a folder, which is made if it is not there. What a crash left behind is removed.

        Raises:
            InputError: If the folder, or the file in it, is something else.
            FeedbackError: If it cannot be written, or the disk is nearly full; ``where`` is the folder.
        """
        folder = expanded(folder)
        box = cls(folder, quota=quota)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            free = shutil.disk_usage(folder).free
            with box._locked():
                if box.path.exists() and box.path.stat().st_size and not is_collected(box.path):
                    raise InputError(f"its {FILE} holds no flagged answers", where=folder, hint="Choose another folder")
                box._part.unlink(missing_ok=True)  # texts of an erasing that was cut off
                box._try_to_write()
                if box.path.exists():
                    with box._opened() as file:
                        _mend(file)
        except (FileExistsError, NotADirectoryError):
            raise InputError("this is a file, not a folder", where=folder, hint="Choose a folder for flagged answers") from None
        except FeedbackBusyError as error:
            raise FeedbackError(error.message, where=folder, hint="Another program holds its lock; end it first") from None
        except (OSError, NotImplementedError) as error:
            raise FeedbackError(
                f"flagged answers cannot be kept here: {getattr(error, 'strerror', None) or error}",
                where=folder,
                hint="Choose a folder that viner may write, on a disk that is kept (docs/publishing/feedback.md)",
            ) from None
        if free < RESERVE:
            raise FeedbackError(
                f"the disk has {free // 1024:,} kB left, too little to keep flagged answers",
                where=folder,
                hint="Make room, or choose a folder on another disk",
            )
        return box

    def add(self, entry: Document) -> None:
        """Keeps what :func:`viner.feedback.make_entry` made; afterwards it is on the disk. Sent twice, it is kept once.

        Raises:
            FeedbackFullError: If there is no room; nothing was kept.
            ReceiptUsedError: If its receipt belongs to something else, or to what was erased.
            FeedbackBusyError: If others write all the time; nothing was kept.
            FeedbackError: If it cannot be written; nothing was kept.
        """
        line = _line(entry)
        with self._written(), self._locked():
            with self._opened() as file:
                size = _mend(file)
                known = _find(file, receipt_of(entry))
                if known is not None:
                    if is_erased(known) or not _says_the_same(document_of(known), entry):
                        raise ReceiptUsedError
                    os.fsync(file.fileno())  # what wrote it first may have died before it did
                    return
                if size + len(line) > self._quota:
                    raise FeedbackFullError
                try:
                    _append(file, line)
                except OSError as error:
                    with contextlib.suppress(OSError):
                        file.truncate(size)
                    if error.errno in _FULL:
                        raise FeedbackFullError from None
                    raise
            if not size:
                flush(self.folder)

    def erase(self, receipt: str) -> None:
        """Erases what is kept under a receipt: the file is written anew without it. Erased already, it stays so.

        Raises:
            UnknownReceiptError: If nothing is kept under it.
            FeedbackBusyError: If others write all the time; nothing was erased.
            FeedbackError: If the file cannot be written anew; nothing was erased.
        """
        with self._written(), self._locked():
            if not self.path.exists():
                raise UnknownReceiptError
            with self._opened() as file:
                _mend(file)
                known = _find(file, receipt)
            if known is None:
                raise UnknownReceiptError
            if not is_erased(known):
                self._replace(receipt, _line(erased_entry(receipt)))

    def erase_all(self) -> int:
        """Erases everything, and returns how many flagged answers there were.

        Raises:
            FeedbackBusyError: If others write all the time; nothing was erased.
            FeedbackError: If the file cannot be removed.
        """
        with self._written(), self._locked():
            count = len(self)
            self.path.unlink(missing_ok=True)
            flush(self.folder)
        return count

    def __len__(self) -> int:
        """How many flagged answers are kept."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as lines:
            return sum(not is_erased(line) for line in lines)

    @property
    def _part(self) -> Path:
        return self.folder / _PART

    def _opened(self) -> BinaryIO:
        """The file for reading and appending; made for its owner alone."""
        return os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _BINARY, 0o600), "r+b")

    def _replace(self, receipt: str, by: bytes) -> None:
        """Writes the file anew with another line in the place of one."""
        beginning = beginning_of(receipt)
        try:
            with self.path.open("rb") as lines, self._part_opened(self.path.stat().st_mode & 0o777) as part:
                part.writelines(by if line.startswith(beginning) else line for line in lines)
                part.flush()
                os.fsync(part.fileno())
            self._part.replace(self.path)
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        flush(self.folder)

    def _part_opened(self, mode: int) -> BinaryIO:
        return os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, mode), "wb")

    def _try_to_write(self) -> None:
        """Does all that keeping and erasing will do, with a file of no content."""
        with self._part_opened(0o600) as part:
            _append(part, b"\n")
        moved = self._part.replace(self.folder / f"{_PART}.tried")
        moved.unlink()
        flush(self.folder)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.folder / _LOCK, timeout=_PATIENCE, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise FeedbackBusyError from None
        try:
            yield
        finally:
            lock.release()

    @contextlib.contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FeedbackError(
                "the flagged answers cannot be written", hint="Nothing was changed; tell the operator, whose disk it is"
            ) from error


def _mend(file: BinaryIO) -> int:
    """Cuts off a last line that a crash left half-written, ends one that is whole, and returns the size."""
    size = file.seek(0, os.SEEK_END)
    end = size
    while end > 0:
        start = max(0, end - 65_536)
        file.seek(start)
        block = file.read(end - start)
        if block.endswith(b"\n"):
            break
        end = start + block.rfind(b"\n") + 1 if b"\n" in block else start
    if end == size:
        return size
    file.seek(end)
    if is_whole(file.read()):
        _append(file, b"\n")
        return size + 1
    file.truncate(end)
    return end


def _append(file: BinaryIO, data: bytes) -> None:
    """Puts something at the end of a file and onto the disk. Not buffered: what failed must not be written on closing."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(file.fileno(), rest) :]
    os.fsync(file.fileno())


def _line(entry: Document) -> bytes:
    return entry.to_json().encode() + b"\n"


def _find(file: BinaryIO, receipt: str) -> bytes | None:
    """The line of a receipt."""
    beginning = beginning_of(receipt)
    file.seek(0)
    return next((line for line in file if line.startswith(beginning)), None)


def _says_the_same(kept: Document, sent: Document) -> bool:
    """Whether an entry was sent twice, at whatever time."""
    one, other = flag_of(kept), flag_of(sent)
    same = one is not None and other is not None and replace(one, at=other.at) == other
    return same and kept.text == sent.text
