"""A model whose labels are said in the words of today's schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from viner.bundle import BundleInfo
from viner.document import Document, Span
from viner.schema import ENTITIES, Schema


class Answering(Protocol):
    """What a model must do here: :class:`viner.runtime.Recognizer` does it."""

    info: BundleInfo

    def stream(
        self, items: Iterable[str | Document], *, unanswered: Callable[[Document, Sequence[Span]], None] | None = None
    ) -> Iterator[Document]:
        """The documents of many texts, in input order."""
        ...

    def judged(self, items: Iterable[str | Document]) -> Iterator[tuple[Document, float]]:
        """Documents, each with how unsure of it the model is."""
        ...

    def with_least_score(self, score: float | None) -> Answering:
        """The same model, which leaves out the entities with a lower score."""
        ...


class MappedRecognizer:
    """A recognizer that answers in the labels of a schema other than its own.

    Args:
        recognizer: The model.
        schema: The schema of the answers.
        labels: The label of the schema for each label of the model; a label that is missing or None is left out of answers.
    """

    def __init__(self, recognizer: Answering, schema: Schema, labels: Mapping[str, str | None]) -> None:
        self._recognizer = recognizer
        self._labels = {label: labels.get(label) for label in recognizer.info.schema[ENTITIES].names}
        self._same = all(label == other for label, other in self._labels.items())
        self.schema = schema

    @property
    def info(self) -> BundleInfo:
        """What the model says about itself, in its own labels."""
        return self._recognizer.info

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the schema that the model can answer with."""
        return tuple(dict.fromkeys(label for label in self._labels.values() if label is not None))

    def everything(self) -> MappedRecognizer:
        """The same model, which answers with all that it finds, however unsure it is."""
        return MappedRecognizer(self._recognizer.with_least_score(0), self.schema, self._labels)

    def __call__(self, text: str | Document, /) -> Document:
        """The document of one text."""
        return next(self.stream([text]))

    def stream(self, texts: Iterable[str | Document], /, **options: Any) -> Iterator[Document]:
        """The documents of many texts, in input order, in constant memory."""
        return map(self._mapped, self._recognizer.stream(texts, **options))

    def judged(self, texts: Iterable[str | Document], /) -> Iterator[tuple[Document, float]]:
        """Documents in input order, each with how unsure of it the model is, in [0, 1]."""
        for document, uncertainty in self._recognizer.judged(texts):
            yield self._mapped(document), uncertainty

    def _mapped(self, document: Document) -> Document:
        if self._same:
            return document
        entities = []
        for entity in document.entities or ():
            label = self._labels.get(entity.label)
            if label is not None:
                entities.append(replace(entity, label=label))
        return replace(document, entities=entities)
