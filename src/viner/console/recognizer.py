"""What the console needs from a model and from what collects feedback: protocols, so that it knows how neither works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from viner.document import Document, Span
from viner.schema import Schema


class ModelInfo(Protocol):
    """What a model says about itself."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: name, layers, base, metrics and so on."""
        ...


class RecognizerLike(Protocol):
    """Turns texts into documents. Must be safe to call from several threads at once."""

    @property
    def schema(self) -> Schema:
        """The layers that the model fills in."""
        ...

    @property
    def info(self) -> ModelInfo:
        """What the model says about itself."""
        ...

    def __call__(self, text: str | Document, /) -> Document:
        """The document of one text, with words and scored entities."""
        ...

    def stream(self, texts: Iterable[str | Document], /) -> Iterator[Document]:
        """The documents of many texts, in input order."""
        ...


class FeedbackLike(Protocol):
    """Takes answers that visitors flag as wrong, and erases them again. Must be safe to call from several threads at once."""

    @property
    def note(self) -> str:
        """What the operator says about them; empty if nothing."""
        ...

    def send(self, answer: Document, *, receipt: str, comment: str, wrong: Sequence[Span], address: str) -> None:
        """Keeps an answer under a receipt; sent again under it, the same is kept once."""
        ...

    def erase(self, receipt: str, *, address: str) -> str:
        """Erases what is kept under a receipt as somebody pasted it."""
        ...


def entity_types(schema: Schema) -> dict[str, str]:
    """Name and color (``#rrggbb``) of every entity type of a schema, in display order."""
    return {name: layer.color(name) for layer in schema if layer.kind == "entities" for name in layer.names}
