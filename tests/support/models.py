"""Models for tests that need no model."""

from __future__ import annotations

from viner.document import Document, Entity


class WordModel:
    """Suggests every occurrence of some words, and is as unsure of a document as it is told.

    Args:
        labels: For each word its label.
        unsure: For each document id the uncertainty.
        score: The score of all entities.
    """

    def __init__(self, labels, *, unsure=None, score=0.75):
        self.labels = tuple(dict.fromkeys(labels.values()))
        self.asked = []
        self._labels = labels
        self._unsure = unsure or {}
        self._score = score

    def judged(self, items):
        for item in items:
            self.asked.append(item.id)
            found = [
                Entity(at, at + len(word), label, score=self._score, source="model")
                for word, label in self._labels.items()
                for at in range(len(item.text))
                if item.text.startswith(word, at)
            ]
            yield Document(item.text, id=item.id, entities=found), self._unsure.get(item.id, 0.5)
