"""Strict entity scores: an entity counts as found when its start, its end and its label are all right.

On flat entities this is the CoNLL measure, and equals seqeval's strict mode with IOB2; nested and crossing entities are scored
by the same rule, which tag sequences cannot do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from viner.metrics.scores import Scores

LabeledSpan = tuple[int, int, str] | tuple[str | int, int, int, str]
"""``(start, end, label)``, or ``(document, start, end, label)`` where spans of several documents come together."""


@dataclass(frozen=True, slots=True)
class EntityScores:
    """Strict scores of entities.

    Args:
        micro: Over all entities, whatever their label.
        macro: Mean over the labels that gold or prediction use.
        labels: The scores of each of these labels, sorted by name.
    """

    micro: Scores
    macro: Scores
    labels: dict[str, Scores]

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"micro": {...}, "macro": {...}, "labels": {label: {...}}}``."""
        return {
            "micro": self.micro.to_dict(),
            "macro": self.macro.to_dict(),
            "labels": {label: scores.to_dict() for label, scores in self.labels.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> EntityScores:
        """Reads the JSON form.

        Raises:
            KeyError: If a field is missing.
        """
        labels = {label: Scores.from_dict(scores) for label, scores in data["labels"].items()}
        return cls(Scores.from_dict(data["micro"]), Scores.from_dict(data["macro"]), labels)


class EntityTally:
    """Counts entities document by document, so that a corpus never has to be in memory at once."""

    def __init__(self) -> None:
        self._support: Counter[str] = Counter()
        self._predicted: Counter[str] = Counter()
        self._correct: Counter[str] = Counter()

    def add(self, gold: Iterable[LabeledSpan], predicted: Iterable[LabeledSpan]) -> int:
        """Counts one document, or several when the spans name theirs.

        The spans are multisets: an entity that is annotated twice must be found twice, and one that is predicted twice is
        right once at most.

        Returns:
            How many are right.
        """
        golds, predictions = Counter(gold), Counter(predicted)
        correct = golds & predictions
        for counts, total in ((golds, self._support), (predictions, self._predicted), (correct, self._correct)):
            for span, count in counts.items():
                total[span[-1]] += count
        return correct.total()

    def scores(self) -> EntityScores:
        """The scores of everything counted so far."""
        labels = {
            label: Scores.from_counts(
                support=self._support[label], predicted=self._predicted[label], correct=self._correct[label]
            )
            for label in sorted(self._support.keys() | self._predicted.keys())
        }
        parts = list(labels.values())
        return EntityScores(Scores.micro(parts), Scores.macro(parts), labels)


def evaluate(gold: Iterable[LabeledSpan], predicted: Iterable[LabeledSpan]) -> EntityScores:
    """Scores predicted entities against gold ones.

    Args:
        gold: The right entities. Where they come from several documents, each span names its document, else equal spans of
            different documents would be taken for each other.
        predicted: What was found, in the same form.
    """
    tally = EntityTally()
    tally.add(gold, predicted)
    return tally.scores()
