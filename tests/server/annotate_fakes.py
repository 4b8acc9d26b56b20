"""A suggester whose model takes its time."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from viner.annotation.suggest.suggester import Suggester
from viner.document import Document


class _SlowModel:
    labels = ("PERSON",)

    def __init__(self, asked: threading.Event, go: threading.Event) -> None:
        self._asked = asked
        self._go = go

    def __call__(self, item: Document) -> Document:
        self._asked.set()
        assert self._go.wait(60)
        return item.with_(entities=[])

    def judged(self, items: Iterable[Document]) -> Iterator[tuple[Document, float]]:
        return ((self(item), 0.5) for item in items)


class SlowSuggester(Suggester):
    """Answers once ``go`` is set."""

    def __init__(self, schema) -> None:
        self.asked, self.go = threading.Event(), threading.Event()
        super().__init__(schema, _SlowModel(self.asked, self.go), model="001")
