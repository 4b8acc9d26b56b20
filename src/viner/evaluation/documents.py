"""How each document did: numbers and ids alone, so that a corpus never has to be in memory."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from viner.document import Document
from viner.metrics.counts import Counts


def named(documents: Iterable[Document]) -> Iterator[Document]:
    """The documents, those without an id called after their place among all, such as ``#5``."""
    for number, document in enumerate(documents, 1):
        yield document.with_(id=f"#{number}") if document.id is None else document


class DocumentScore(NamedTuple):
    """Strict counts of one document.

    Args:
        number: Its place among those that were scored, from 1.
        id: Its id, or what it is called without one.
        support: Annotated entities.
        predicted: Predicted entities.
        correct: Entities that are in both.
    """

    number: int
    id: str | None
    support: int
    predicted: int
    correct: int

    @property
    def f1(self) -> float | None:
        """In [0, 1]; None where nothing is annotated and nothing predicted, which is right but no number."""
        return 2 * self.correct / (self.support + self.predicted) if self.support + self.predicted else None

    @property
    def errors(self) -> int:
        """Missed and spurious entities."""
        return self.support + self.predicted - 2 * self.correct

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the five fields by name, and F1."""
        return {**self._asdict(), "f1": self.f1}


class DocumentScores:
    """The scores of all documents, in their order."""

    def __init__(self) -> None:
        self._ids: list[str | None] = []
        self._counts = array("q")

    def add(self, id: str | None, support: int, predicted: int, correct: int) -> None:  # noqa: A002
        """Takes the counts of the next document."""
        self._ids.append(id)
        self._counts.extend((support, predicted, correct))

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[DocumentScore]:
        for index, name in enumerate(self._ids):
            yield DocumentScore(index + 1, name, *self._counts[3 * index : 3 * index + 3])

    def counts(self) -> Counts:
        """Support, predicted and correct entities. *Shape:* (documents, 3)."""
        return np.array(self._counts, dtype=np.int64).reshape(-1, 3)

    def without_error(self) -> int:
        """Number of documents in which everything is right."""
        return sum(not document.errors for document in self)

    def worst(self, count: int) -> list[DocumentScore]:
        """Up to so many documents that have errors, those with most of them first."""
        return heapq.nlargest(count, (document for document in self if document.errors), key=lambda d: (d.errors, -d.number))
