"""Calibration of a finished model: what makes its scores say how often its entities are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viner.document import Document
from viner.evaluation.confidence import ConfidenceTally
from viner.evaluation.evaluate import Evaluable, evaluate_model
from viner.metrics.calibration import (
    LEAST_ENTITIES,
    Calibration,
    Outcomes,
    expected_calibration_error,
    fit_calibration,
)


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A calibration and what it was fitted to.

    Args:
        calibration: None where the scores stay as they are.
        outcomes: The scores before, and what came of them.
    """

    calibration: Calibration | None
    outcomes: Outcomes

    def summary(self) -> str:
        """One line for people."""
        count = self.outcomes.entities
        if self.calibration is None:
            return (
                f"Scores are not calibrated: {count:,} found entities of dev say too little ({LEAST_ENTITIES} are needed, right"
                " and wrong ones)."
            )
        before = expected_calibration_error(self.outcomes)
        after = expected_calibration_error(self.calibration.applied(self.outcomes))
        return f"Scores are calibrated on {count:,} entities of dev: calibration error {before:.4f} before, {after:.4f} after"


def calibrate(recognizer: Evaluable, dev: Sequence[Document]) -> Calibrated:
    """Fits a calibration to what a model finds in documents that it did not learn from.

    Args:
        recognizer: The model with the graph that it will answer with, and ``IDENTITY`` as its calibration.
        dev: Annotated documents; never those that the finished model is measured on.
    """
    tally = ConfidenceTally()
    evaluate_model(recognizer, dev, observe=tally.add)
    outcomes = tally.outcomes()
    return Calibrated(fit_calibration(outcomes), outcomes)
