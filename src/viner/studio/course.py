"""The course of a training, as its events tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Events = Sequence[Mapping[str, Any]]

PREPARING = "Reading the snapshot and loading the base"
"""Stage before the first step, told by the run."""
PROMOTING = "Comparing with the model in service"
"""Last stage, told by the run."""
_FINISHING = ("Exporting to ONNX", "Comparing int8 with float32", "Evaluating", PROMOTING)
"""Stages after the epochs, in their order."""
_TRAINING_SHARE = 0.9
"""Share of a run's time that the epochs take; export, comparison of the engines and evaluation take the rest."""


@dataclass(frozen=True, slots=True)
class Course:
    """How far a training has come.

    Args:
        progress: How much is done, in [0, 1).
        seconds_left: Time that the rest will take, in seconds, if it goes on as before or its limit ends it; None when
            nothing can be said yet.
        stage: What it does, such as "Training" or "Evaluating"; None before it says so.
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
    def of(cls, events: Events, *, minutes: float | None = None) -> Course:
        """The course of a training with these events, oldest first, that takes so many minutes at most."""
        last = next((event for event in reversed(events) if event["event"] == "step"), None)
        start = next((event for event in reversed(events) if event["event"] == "start"), None)
        stage = None if not events else events[-1]["name"] if events[-1]["event"] == "stage" else "Training"
        progress = _progress(stage, last)
        return cls(
            progress=progress,
            seconds_left=_seconds_left(events, progress, minutes),
            stage=stage,
            epoch=None if last is None else last["epoch"],
            epochs=None if start is None else start["epochs"],
            loss=None if last is None else last["loss"],
            best_f1=max((event["dev"]["f1"] for event in events if event["event"] == "epoch" and event["dev"]), default=None),
        )


def _progress(stage: str | None, last: Mapping[str, Any] | None) -> float:
    if stage in _FINISHING:
        return _TRAINING_SHARE + (1 - _TRAINING_SHARE) * _FINISHING.index(stage) / len(_FINISHING)
    return 0.0 if last is None else _TRAINING_SHARE * _share(last)


def _share(step: Mapping[str, Any]) -> float:
    return float((step["epoch"] - 1 + step["step"] / step["steps"]) / step["epochs"])


def _seconds_left(events: Events, progress: float, minutes: float | None) -> float | None:
    """From the speed since the training last began or went on, and from the limit of its time."""
    begun = max((index for index, event in enumerate(events) if event["event"] in ("start", "resume")), default=0)
    steps = [event for event in events[begun:] if event["event"] == "step"]
    if len(steps) < 2 or progress >= _TRAINING_SHARE:
        return None
    first, last = steps[0], steps[-1]
    done = _TRAINING_SHARE * (_share(last) - _share(first))
    spent: float = last["time"] - first["time"]
    left = spent * (1 - progress) / done if done > 0 else None
    if minutes is None or left is None:
        return left
    # The time before a stop counts, but how much it was stands in the epochs alone.
    epochs = [event for event in events[:begun] if event["event"] == "epoch"]
    used: float = sum(event.get("seconds", 0.0) for event in epochs) + spent
    finishing = (1 - _TRAINING_SHARE) * spent / done
    return min(left, max(0.0, 60 * minutes - used) + finishing)
