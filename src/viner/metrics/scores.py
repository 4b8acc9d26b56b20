"""Precision, recall and F1 with the counts they stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures for one label, or for all of them together.

    Args:
        precision: Share of the predicted items that are right, in [0, 1]; 0 when nothing was predicted.
        recall: Share of the gold items that were found, in [0, 1]; 0 when there is no gold item.
        f1: Harmonic mean of the two; 0 when both are 0.
        support: Number of gold items.
        predicted: Number of predicted items.
        correct: Number of items that are in both.
    """

    precision: float
    recall: float
    f1: float
    support: int
    predicted: int
    correct: int

    @classmethod
    def from_counts(cls, *, support: int, predicted: int, correct: int) -> Scores:
        """The figures that follow from counts."""
        precision = correct / predicted if predicted else 0.0
        recall = correct / support if support else 0.0
        f1 = 2 * correct / (predicted + support) if correct else 0.0
        return cls(precision, recall, f1, support, predicted, correct)

    @classmethod
    def micro(cls, parts: Sequence[Scores]) -> Scores:
        """The figures of all items thrown together: every item weighs the same."""
        return cls.from_counts(
            support=sum(part.support for part in parts),
            predicted=sum(part.predicted for part in parts),
            correct=sum(part.correct for part in parts),
        )

    @classmethod
    def macro(cls, parts: Sequence[Scores]) -> Scores:
        """The means of the parts' figures: every label weighs the same. All zero without parts.

        F1 is the mean of the labels' F1, as in seqeval and scikit-learn, not the F1 of the mean precision and recall.
        """
        count = len(parts) or 1
        return cls(
            precision=sum(part.precision for part in parts) / count,
            recall=sum(part.recall for part in parts) / count,
            f1=sum(part.f1 for part in parts) / count,
            support=sum(part.support for part in parts),
            predicted=sum(part.predicted for part in parts),
            correct=sum(part.correct for part in parts),
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the six fields by name."""
        return {
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "support": self.support,
            "predicted": self.predicted,
            "correct": self.correct,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scores:
        """Reads the JSON form.

        Raises:
            KeyError: If a field is missing.
        """
        return cls(*(data[field.name] for field in fields(cls)))
