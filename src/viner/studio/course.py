"""The course of a training, as its events tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Events = Sequence[Mapping[str, Any]]

_TRAINING_SHARE = 0.9
"""Share of a run's time that the epochs take; export, comparison of the engines and evaluation take the rest."""


@dataclass(frozen=True, slots=True)
class Course:
    """How far a training has come.

    Args:
        progress: How much is done, in [0, 1).
        seconds_left: Time that the rest will take, in seconds, if it goes on as before; None when nothing can be said yet.
        stage: What it does, such as "Training" or "Evaluating"; None before the first step.
        epoch: Epoch that it is in, from 1.
        epochs: Epochs at most.
        loss: Loss of the last step.
        best_f1: Best dev F1 so far, in [0, 1].
    """

    progress: float = 0.0
    seconds_left: float | None = None
    stage: str | None = None
    epoch: int | None = None
    epochs: int | None = None
    loss: float | None = None
    best_f1: float | None = None

    @classmethod
    def of(cls, events: Events) -> Course:
        """The course of a training with these events, oldest first."""
        last = next((event for event in reversed(events) if event["event"] == "step"), None)
        start = next((event for event in reversed(events) if event["event"] == "start"), None)
        stages = [event["name"] for event in events if event["event"] == "stage"]
        progress = _progress(len(stages), last)
        return cls(
            progress=progress,
            seconds_left=_seconds_left(events, progress),
            stage=stages[-1] if stages else "Training" if last else None,
            epoch=None if last is None else last["epoch"],
            epochs=None if start is None else start["epochs"],
            loss=None if last is None else last["loss"],
            best_f1=max((event["dev"]["f1"] for event in events if event["event"] == "epoch"), default=None),
        )


def _progress(stages: int, last: Mapping[str, Any] | None) -> float:
    if stages:  # export, comparison of the engines, evaluation, comparison with the model in service
        return min(0.99, _TRAINING_SHARE + (1 - _TRAINING_SHARE) * (stages - 1) / 4)
    return 0.0 if last is None else _TRAINING_SHARE * _share(last)


def _share(step: Mapping[str, Any]) -> float:
    return float((step["epoch"] - 1 + step["step"] / step["steps"]) / step["epochs"])


def _seconds_left(events: Events, progress: float) -> float | None:
    """From the speed since the training last began or went on."""
    begun = max((index for index, event in enumerate(events) if event["event"] in ("start", "resume")), default=0)
    steps = [event for event in events[begun:] if event["event"] == "step"]
    if len(steps) < 2 or progress >= _TRAINING_SHARE:
        return None
    first, last = steps[0], steps[-1]
    done = _TRAINING_SHARE * (_share(last) - _share(first))
    return (last["time"] - first["time"]) * (1 - progress) / done if done > 0 else None
