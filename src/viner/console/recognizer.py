"""What the console and the server need from a model: a protocol, so that neither knows how recognition works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from viner.document import Document
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


def entity_types(schema: Schema) -> dict[str, str]:
    """Name and color (``#rrggbb``) of every entity type of a schema, in display order."""
    return {name: layer.color(name) for layer in schema if layer.kind == "entities" for name in layer.names}
