"""Reading what was collected, also while it is being written, or after a crash in the middle of a line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from viner.document import Document
from viner.errors import InputError
from viner.feedback.entry import document_id
from viner.formats import Source, read_source

_BEGINNING = json.dumps({"id": document_id("")})[:-2]
"""How every line begins."""
_ERASED = re.compile(rb'\{"id": "[^"]*", "text": "", ')


def is_erased(line: bytes) -> bool:
    """Whether a line is what stayed of a flagged answer that was erased: no other has an empty text."""
    return _ERASED.match(line) is not None


def beginning_of(receipt: str) -> bytes:
    """How the line begins that is kept under a receipt."""
    return json.dumps({"id": document_id(receipt)})[:-1].encode()


def document_of(line: bytes) -> Document:
    """The document of a line.

    Raises:
        InputError: If the line holds something else.
    """
    try:
        return Document.from_dict(json.loads(line))
    except InputError:
        raise
    except (ValueError, RecursionError):
        raise InputError("a line of the flagged answers was changed by hand, and is no JSON") from None


def is_collected(path: str | os.PathLike[str]) -> bool:
    """Whether a file is one of flagged answers."""
    return Path(path).is_file() and Source(path).head().startswith(_BEGINNING)


def read_collected(path: str | os.PathLike[str]) -> Iterator[Document]:
    """The documents of such a file, those that were erased included (:func:`viner.corpus.flag_of` tells them).

    A last line that is not whole is left out: nobody was told that it was kept.

    Raises:
        FormatError: Where another line breaks the format; ``where`` is ``file:line``.
    """
    return read_source(_WholeLines(path), "jsonl")


def collected_source(path: str | os.PathLike[str]) -> Source | None:
    """Such a file, to be read as "jsonl" by somebody who wants to know where its documents stand; None if it is another."""
    return _WholeLines(path) if is_collected(path) else None


class _WholeLines(Source):
    """A file without what a crash, or a program that is writing just now, left at its end."""

    def _raw_lines(self, file: BinaryIO) -> Iterator[bytes]:
        return (raw for raw in super()._raw_lines(file) if raw.endswith(b"\n") or is_whole(raw))


def is_whole(raw: bytes) -> bool:
    """Whether the last line of a file is whole, although nothing ends it."""
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True
