"""Which epoch a training keeps: the one that dev chooses or, where it learns dev as well, the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from viner.errors import TrainingError
from viner.metrics import EntityScores
from viner.training.checkpoint import CHECKPOINT, REFIT
from viner.training.config import TrainingConfig

T = TypeVar("T")

_WITHOUT_REFIT = "Without --refit{} the same command writes the model before it, which is there already"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training that dev has chosen from tells one that learns dev as well.

    Args:
        rate: Peak rate that it ended with: that of the last attempt.
        epochs: Passes that it planned, or, where patience ended it, those up to the best one.
        steps: Steps that it took.
        finds: Whether it finds anything in dev.
    """

    rate: float
    epochs: int
    steps: int
    finds: bool


class BestOnDev:
    """Dev chooses: the epoch whose F1 is highest there is kept."""

    checkpoint: str = CHECKPOINT
    """Name of its checkpoint."""
    steps_before: int = 0
    """Steps of the training before it."""
    facts: Mapping[str, Any] = {}
    """What its first event says of it."""
    hint: str = "There may be too few entities to learn from; else try a lower --learning-rate or another --base"
    """What to do if the model learns nothing."""

    def configured(self, config: TrainingConfig) -> TrainingConfig:
        """The choices that it is trained with."""
        return config

    def keeps(self, scores: EntityScores, best_f1: float) -> bool:
        """Whether an epoch takes the place of the one that was kept.

        Args:
            scores: Its dev scores.
            best_f1: Strict micro F1 of the one that was kept. Where that is 0, the later epoch has at least learned for longer.
        """
        return scores.micro.f1 > best_f1 or best_f1 <= 0

    def told(self, value: T) -> T | None:
        """What may be said of the dev scores; None where they say nothing."""
        return value

    def check(self, scores: EntityScores) -> None:
        """Looks at the dev scores of the model that was kept.

        Raises:
            TrainingError: If it cannot be used.
        """


class LastOfRefit(BestOnDev):
    """Dev is learned as well: the last epoch is kept, and dev only tells whether the model has fallen silent.

    Args:
        plan: That of the training that chose.
    """

    checkpoint = REFIT  # that of the training that chose is left alone
    facts: Mapping[str, Any] = {"refit": True}

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.steps_before = plan.steps
        self.hint = _WITHOUT_REFIT.format("")

    def configured(self, config: TrainingConfig) -> TrainingConfig:
        """With the rate and the epochs of the training that chose."""
        if config.budget_minutes is not None:  # half of what was asked for, which the checkpoint before it belongs to
            self.hint = _WITHOUT_REFIT.format(f", and with --budget {_as_option(config.budget_minutes)},")
        return replace(config, learning_rate=self._plan.rate, epochs=self._plan.epochs, patience=None)

    def keeps(self, scores: EntityScores, best_f1: float) -> bool:
        """Always."""
        return True

    def told(self, value: T) -> T | None:
        """None: what a model finds in documents that it has learned says nothing."""
        return None

    def check(self, scores: EntityScores) -> None:
        """Makes sure that it finds something if the model before it did.

        Raises:
            TrainingError: If it finds nothing.
        """
        if self._plan.finds and not scores.micro.predicted:
            raise TrainingError("the model that learned dev as well finds nothing", hint=self.hint)


def _as_option(minutes: float) -> str:
    """A time as an option takes it, such that the same number comes of it, to the last bit if that can be."""
    told = ""
    for whole in (minutes // 0.5 * 0.5, 0.0, minutes):  # halves, since a time in minutes and seconds was halved
        parts = [
            (f"{number:.6f}".rstrip("0").rstrip("."), unit) for number, unit in ((whole, 1.0), (60 * (minutes - whole), 1 / 60))
        ]
        told = "".join(number + ("m" if unit == 1 else "s") for number, unit in parts if float(number))
        if sum(float(number) * unit for number, unit in parts) == minutes:
            break
    return told
