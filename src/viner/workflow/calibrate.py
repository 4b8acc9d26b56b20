"""Calibration of a finished model: what makes its scores say how often its entities are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viner.corpus import fold_numbers
from viner.document import Document
from viner.evaluation.confidence import Confidence, ConfidenceTally
from viner.evaluation.evaluate import Evaluable, evaluate_model
from viner.metrics.calibration import (
    LEAST_ENTITIES,
    Calibration,
    LeastScore,
    Outcomes,
    cross_calibrated,
    fit_calibration,
    least_score_for_f1,
)

ENTITIES_TO_LEAVE_OUT = 300
"""With fewer found entities of dev, none is left out: in simulations with 60, F1 on other documents fell about as often as it
rose, by up to 0.02; with 600, it never fell."""
FOLDS = 5
"""Parts of the documents whose entities are scored, each, by a calibration that is fitted to the other parts."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration, what it was fitted to, and what it is worth.

    Args:
        calibration: None where the scores stay as they are.
        outcomes: The scores before, and what came of them.
        held_out: The same entities with the scores of calibrations that were fitted to other documents; None where there
            are too few.
        support: How many entities are annotated, found or not.
    """

    calibration: Calibration | None
    outcomes: Outcomes
    held_out: Outcomes | None = None
    support: int = 0

    @property
    def least(self) -> LeastScore | None:
        """Which entities are better left out; None where F1 gains nothing by it, or too few were found to tell.

        Measured with the scores of calibrations that were fitted to other documents.
        """
        if self.calibration is None or self.held_out is None or self.outcomes.entities < ENTITIES_TO_LEAVE_OUT:
            return None
        least = least_score_for_f1(self.held_out, self.support)
        return least if least.f1 > least.f1_of_all else None

    @property
    def least_estimate(self) -> float:
        """The estimate that is calibrated to the score of :attr:`least`; 0 where nothing is to be left out."""
        return 0.0 if self.calibration is None or self.least is None else self.calibration.inverse(self.least.score)

    def summary(self) -> str:
        """A line for people, and another one where entities are left out."""
        if self.calibration is None:
            return f"Scores are not calibrated: {self.lack()}."
        told = f"Scores are calibrated on {self.outcomes.entities:,} entities of dev"
        if self.held_out is None:
            return told
        before, after = Confidence.of(self.outcomes), Confidence.of(self.held_out)
        told += f": calibration error {before.ece:.4f} before, {after.ece:.4f} after (cross-validated)"
        if self.least is None:
            return told
        return (
            f"{told}\nEntities with a score below {self.least.score:.2f} are left out: F1 {self.least.f1:.4f},"
            f" {self.least.f1_of_all:.4f} with them"
        )

    def lack(self) -> str:
        """Why there is no calibration."""
        count, right = self.outcomes.entities, int(self.outcomes.correct.sum())
        if count < LEAST_ENTITIES:
            return f"{count:,} found entities say too little ({LEAST_ENTITIES} are needed, right and wrong ones)"
        if right in (0, count):
            return (
                f"all of the {count:,} found entities are {'right' if right else 'wrong'}, so their scores tell nothing apart"
            )
        return f"among {count:,} found entities those with higher scores are not right more often"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of what it is worth: ``{"before", "after"}``, a :class:`~viner.evaluation.confidence.Confidence` each.

        That after is of documents that the calibration was not fitted to, and None where it is not known. ``least`` is there
        where entities are left out.
        """
        after = None if self.calibration is None or self.held_out is None else Confidence.of(self.held_out).to_dict()
        least = {} if self.least is None else {"least": self.least.to_dict()}
        return {"before": Confidence.of(self.outcomes).to_dict(), "after": after, **least}


def calibrate(recognizer: Evaluable, dev: Sequence[Document], *, where: str | Path | None = None) -> Calibrated:
    """Fits a calibration to what a model finds in documents that it did not learn from.

    What it is worth on other documents is found by cross-validation over the documents.

    Args:
        recognizer: The model with the graph that it will answer with, ``IDENTITY`` as its calibration, and nothing left out.
        dev: Annotated documents; never those that the finished model is measured on.
        where: The file that they come from, for messages.

    Raises:
        InputError: As :func:`viner.evaluation.evaluate_model` does.
    """
    scored = [document for document in dev if document.entities is not None]
    texts = len({document.text for document in scored})
    folds = min(FOLDS, texts)
    numbers = iter(fold_numbers(scored, folds) if folds > 1 else [0] * len(scored))
    tallies = [ConfidenceTally() for _ in range(max(folds, 1))]

    def observe(gold: Document, predicted: Document) -> None:
        tallies[next(numbers)].add(gold, predicted)

    evaluate_model(recognizer, scored, where=where, observe=observe)
    parts = [tally.outcomes() for tally in tallies]
    outcomes = Outcomes.merged(parts)
    calibration = fit_calibration(outcomes)
    support = sum(len(document.entities or ()) for document in scored)
    return Calibrated(calibration, outcomes, None if calibration is None else cross_calibrated(parts), support)
