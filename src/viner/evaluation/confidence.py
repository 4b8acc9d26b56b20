"""Whether a recognizer's scores can be trusted: of the entities with a score of 0.9, are nine in ten right?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from viner.document import Document
from viner.metrics.calibration import (
    Bin,
    Outcomes,
    Selection,
    brier_score,
    error_by_chance,
    expected_calibration_error,
    reliability_bins,
    select,
)

DIGITS = 4
"""Of the scores that are told apart: those that a recognizer gives."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """How far the scores of found entities say how often these are right.

    Args:
        entities: Found entities that have a score; those of rules have none.
        ece: Expected calibration error, see :func:`viner.metrics.calibration.expected_calibration_error`.
        chance: The error that scores would show here if they were exactly right.
        brier: Brier score.
        bins: The reliability diagram, ascending.
        selective: What is left above each of some thresholds, ascending.
    """

    entities: int
    ece: float
    chance: float
    brier: float
    bins: tuple[Bin, ...]
    selective: tuple[Selection, ...]

    @classmethod
    def of(cls, outcomes: Outcomes) -> Confidence:
        """The figures that follow from scores and what came of them."""
        return cls(
            outcomes.entities,
            expected_calibration_error(outcomes),
            error_by_chance(outcomes),
            brier_score(outcomes),
            tuple(reliability_bins(outcomes)),
            tuple(select(outcomes)),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the fields by name, each bin and each threshold an object."""
        return {
            "entities": self.entities,
            "ece": self.ece,
            "ece_by_chance": self.chance,
            "brier": self.brier,
            "bins": [asdict(item) for item in self.bins],
            "selective": [asdict(item) for item in self.selective],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Confidence:
        """Reads the JSON form.

        Raises:
            KeyError: If a field is missing.
            TypeError: If bins or thresholds have other fields.
        """
        return cls(
            data["entities"],
            data["ece"],
            data["ece_by_chance"],
            data["brier"],
            tuple(Bin(**item) for item in data["bins"]),
            tuple(Selection(**item) for item in data["selective"]),
        )

    def summary(self) -> str:
        """One line: how far off the scores are."""
        return (
            f"Confidence over {self.entities:,} entities: expected calibration error {self.ece:.4f}"
            f" ({self.chance:.4f} by chance alone), Brier score {self.brier:.4f}."
        )

    def to_markdown(self) -> str:
        """The summary, and a table with one row a threshold: how many entities reach it, and how many of these are right."""
        if not self.entities:
            return "Confidence: no entity with a score was found.\n"
        rows = "\n".join(map(_row, self.selective))
        return f"{self.summary()}\n\n| score from |   kept |  right |\n|-----------:|-------:|-------:|\n{rows}\n"


class ConfidenceTally:
    """Counts scored entities document by document, in constant memory.

    Its :meth:`add` observes an evaluation::

        tally = ConfidenceTally()
        evaluate_model(recognizer, documents, observe=tally.add)
        print(tally.confidence().to_markdown())
    """

    def __init__(self) -> None:
        self._found: Counter[tuple[float, bool]] = Counter()

    def add(self, gold: Document, predicted: Document) -> None:
        """Counts the entities of one document.

        An entity is right if start, end and label are; one that was found twice is right once at most. Entities without a score
        are not counted.

        Args:
            gold: As annotated.
            predicted: As answered.
        """
        wanted = Counter(entity.labeled_span for entity in gold.entities or ())
        for entity in predicted.entities or ():
            if entity.score is None:
                continue
            span = entity.labeled_span
            right = wanted[span] > 0
            wanted[span] -= right
            self._found[round(entity.score, DIGITS), right] += 1

    def outcomes(self) -> Outcomes:
        """Everything counted so far, by score."""
        scores = sorted({score for score, _ in self._found})
        right, wrong = (np.array([self._found[score, kind] for score in scores], dtype=np.int64) for kind in (True, False))
        return Outcomes(np.array(scores, dtype=np.float64), right + wrong, right)

    def confidence(self) -> Confidence:
        """The figures of everything counted so far."""
        return Confidence.of(self.outcomes())


def _row(item: Selection) -> str:
    right = "" if item.precision is None else f"{item.precision:.1%}"
    return f"| {item.threshold:>10.2f} | {item.kept:>6.1%} | {right:>6} |"
