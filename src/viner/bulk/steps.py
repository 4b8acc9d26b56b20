"""What a run puts documents through: a recognizer, and what is done with each of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from viner.document import Document
from viner.schema import Schema


class RecognizerLike(Protocol):
    """Whatever turns a stream of documents into one of annotated documents, in order."""

    @property
    def schema(self) -> Schema:
        """The layers that it fills in."""
        ...

    @property
    def info(self) -> Any:
        """What it says about itself; ``to_dict()`` is its JSON form."""
        ...

    def stream(self, items: Iterable[str | Document], /) -> Iterator[Document]:
        """The documents of many texts, in input order."""
        ...


class Step(Protocol):
    """What is done with a document after it was recognized.

    It may take out what texts say, so errors quote none in their file unless it has an attribute ``hides`` that is False.
    """

    @property
    def settings(self) -> Mapping[str, Any]:
        """What its results depend on, as JSON: a run goes on only with the same. Nothing secret: it is written to the disk."""
        ...

    def __call__(self, document: Document, /) -> Document:
        """The document as it goes into the output."""
        ...

    def state(self) -> dict[str, Any]:
        """What it has to know to go on, as JSON, such as counts."""
        ...

    def restore(self, state: Mapping[str, Any], /) -> None:
        """Goes on from a state."""
        ...
