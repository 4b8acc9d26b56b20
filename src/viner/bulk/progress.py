"""How far a run is: documents in blocks, counted on their way through a recognizer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from viner.bulk.reader import Reader
from viner.bulk.workplace import Journal
from viner.document import Document


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Args:
        documents: Documents that are done, those of an earlier run included.
        characters: Code points of their texts.
        bytes_read: Bytes of the inputs that are behind, as they lie on the disk.
        bytes_total: All of them; None if there is a stream among the inputs.
        earlier: ``bytes_read`` of the run that this one goes on with; 0 if there was none.
    """

    documents: int
    characters: int
    bytes_read: int
    bytes_total: int | None
    earlier: int = 0


class Block:
    """The next documents of an iterator, until they have some number of code points.

    Attributes:
        last: Whether the iterator had no more.
    """

    def __init__(self, documents: Iterator[Document], size: int) -> None:
        self._documents = documents
        self._size = size
        self.last = False

    def __iter__(self) -> Iterator[Document]:
        left = self._size
        while left > 0:
            document = next(self._documents, None)
            if document is None:
                self.last = True
                return
            # An empty text is a document, too: no block is without end.
            left -= len(document.text) + 1
            yield document


class Meter:
    """Counts documents on their way into a recognizer and out of it, which are not the same at any time.

    Args:
        reader: Where they come from.
        progress: Called with each that is done.
        journal: Of the run that goes on; None where none does.
    """

    def __init__(self, reader: Reader, progress: Callable[[Progress], None] | None, journal: Journal | None = None) -> None:
        self.documents = journal.documents if journal else 0
        self.characters = journal.characters if journal else 0
        self._reader = reader
        self._progress = progress
        self._bytes: deque[int] = deque()
        self._earlier: int | None = None if self.documents else 0

    def read(self, documents: Iterable[Document]) -> Iterator[Document]:
        """The documents, on their way in."""
        for document in documents:
            if self._progress is not None:
                self._bytes.append(self._reader.bytes_read)
                self._earlier = self._bytes[0] if self._earlier is None else self._earlier
            yield document

    def done(self, document: Document) -> Document:
        """A document on its way out."""
        self.documents += 1
        self.characters += len(document.text)
        if self._progress is not None:
            self._progress(
                Progress(self.documents, self.characters, self._bytes.popleft(), self._reader.size, self._earlier or 0)
            )
        return document
