"""The documents of a run's files, one after the other, from any place on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from viner.bulk.inputs import Input
from viner.document import Document
from viner.errors import FormatError, VinerError
from viner.formats import Source, detect_source, format_of_ending, options_of_reading, read_source

TEXT = "text"
MARKED = "inline"
COLUMNS = "conll"


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two documents of a run.

    Args:
        file: Position of the file among the run's.
        documents: How many of its documents are behind.
        digest: BLAKE2b of their ids and texts.
    """

    file: int = 0
    documents: int = 0
    digest: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


class ChangedInputError(VinerError):
    """A file is not the one that an earlier run began to read."""

    code = "input_changed"


class Reader:
    """Reads documents in order and always knows its place.

    Args:
        files: The files.
        format: Name of their format; None finds it out for each.
        options: Options of that format; where it is found out for each of several files, each takes those that it knows.
        whole: Take a file as one document, unless its ending says that it is another format than text.
        refused: Called with the error of each line that is of no use; None makes it end the reading.
        tell: Called with a sentence about the first file that is called a text and holds marked text, whose documents are
            others than its lines.
    """

    def __init__(
        self,
        files: Sequence[Input],
        format: str | None = None,
        options: Mapping[str, Any] | None = None,
        whole: bool = False,
        refused: Callable[[FormatError, Input], None] | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._files = files
        self._format = format
        self._options = dict(options or {})
        self._whole = whole
        self._refused = refused
        self._tell = tell
        self._known = self._known_somewhere() if format is None else frozenset()
        self._sizes = [file.status().get("size") for file in files]
        self._source: Source | None = None
        self._index = self._documents = 0
        self._hash = hashlib.blake2b(digest_size=16)

    @property
    def position(self) -> Position:
        """The place behind the last document that was read."""
        return Position(self._index, self._documents, self._hash.hexdigest() if self._documents else "")

    @property
    def size(self) -> int | None:
        """Bytes of all files as they lie on the disk; None if there is a stream among them."""
        return None if None in self._sizes else sum(size or 0 for size in self._sizes)

    @property
    def bytes_read(self) -> int:
        """How many of these bytes are behind."""
        return sum(size or 0 for size in self._sizes[: self._index]) + (self._source.position if self._source else 0)

    def read(self, start: Position = Position()) -> Generator[Document, None, None]:
        """Yields the documents behind a place.

        Raises:
            ChangedInputError: If the documents before it are not those that were there.
            InputError: If a file cannot be read; ``where`` is ``file:line``.
        """
        for index in range(start.file, len(self._files)):
            yield from self._read_file(index, start if index == start.file else Position(index))

    def _read_file(self, index: int, start: Position) -> Iterator[Document]:
        file = self._files[index]

        def refuse(error: FormatError) -> None:
            # Those before the place were told when it was reached.
            if self._refused is not None and self._documents >= start.documents:
                self._refused(error, file)

        self._index, self._documents = index, 0
        self._hash = hashlib.blake2b(digest_size=16)
        self._source = Source(file.path, stem=file.stem, refused=refuse if self._refused is not None else None)
        format, options = self._format, self._options
        if self._whole and (format or format_of_ending(self._source.suffix) or TEXT) == TEXT:
            format, options = TEXT, {**self._of(TEXT), "whole": True}
        elif format is None:
            format = self._found(self._source)
            options = self._of(format)
        for document in read_source(self._source, format, **options):
            self._documents += 1
            for part in (document.id or "", document.text):
                data = part.encode()
                self._hash.update(b"%d:" % len(data) + data)
            if self._documents > start.documents:
                yield document
            elif self._documents == start.documents and self.position != start:
                break
        if self._documents < start.documents or (self._documents == start.documents and self.position != start):
            raise ChangedInputError("is not what it was when the run began", where=file.path)

    def _of(self, format: str) -> dict[str, Any]:
        """The options for a format: not those that it does not know while that of another file does."""
        mine = options_of_reading(format)
        return {name: value for name, value in self._options.items() if name in mine or name not in self._known}

    def _known_somewhere(self) -> frozenset[str]:
        """Names of options that the format of one of the files knows. What can be read but once is not looked into."""
        wanted, known = set(self._options), set[str]()
        for file in self._files:
            if wanted <= known:
                break
            if file.comes_once:
                format = format_of_ending(Path(file.path).suffix)
            else:
                source = Source(file.path, stem=file.stem)
                format = format_of_ending(source.suffix)
                if format in (None, TEXT):
                    with suppress(VinerError):  # it is told when it is read
                        format = detect_source(source)
            known |= wanted & options_of_reading(format or TEXT)
        return frozenset(known)

    def _found(self, source: Source) -> str:
        """The format of a source, told where its name says another one."""
        format = detect_source(source)
        if format == MARKED and format_of_ending(source.suffix) == TEXT and self._tell is not None:
            self._tell(
                f"{source.name} has [entities](LABEL) marked in place, so its documents are what blank lines part; "
                "with --format text (in Python: format='text') each line is one, as it stands"
            )
            self._tell = None
        if format == COLUMNS and format_of_ending(source.suffix) in (None, TEXT) and self._tell is not None:
            self._tell(
                f"{source.name} has columns, one of them tags, so its lines are words and what blank lines part are its"
                " documents; with --format text (in Python: format='text') each line is one, as it stands"
            )
            self._tell = None
        return format
