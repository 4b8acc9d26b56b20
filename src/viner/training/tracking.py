"""Experiment trackers (TensorBoard, Weights & Biases, MLflow, …) that watch a training, through accelerate.

They are told the choices, loss and rate by step, dev scores by epoch, and the scores of the finished model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from accelerate import Accelerator
from accelerate import tracking as accelerates

from viner.errors import MissingPackageError, TrainingError, UsageError

PROJECT = "viner"
"""The project, or experiment, that runs belong to where a tracker has such."""


class Tracking:
    """Passes the events of a training on to trackers; use it as a context manager.

    Args:
        names: The trackers, such as "tensorboard".
        folder: Where those that write files write them; those of an earlier training stay there, but are not shown.
        run: What the run is called.
        facts: What else is told of it beside the trainer's choices.
        warn: Called, once, when a tracker fails in mid-training, which goes on without it.

    Raises:
        UsageError: If accelerate knows no tracker of that name.
        MissingPackageError: If its library is not installed.
    """

    def __init__(
        self, names: Sequence[str], folder: Path, run: str, facts: Mapping[str, Any], warn: Callable[[str], None]
    ) -> None:
        self._names = list(dict.fromkeys(names))
        known = sorted(accelerates.LOGGER_TYPE_TO_CLASS)
        there = {str(name) for name in accelerates.get_available_trackers()}
        built_in = {str(name) for name in accelerates.LoggerType.list()}
        for name in self._names:
            if name not in known:
                raise UsageError(f"unknown tracker {name!r}", hint=f"Known: {', '.join(known)}")
            if name in built_in and name not in there:
                raise MissingPackageError(f"tracking with {name}", name.replace("_", "-"))
        self._folder, self._run, self._facts, self._warn = folder, run, dict(facts), warn
        self._accelerator: Accelerator | None = None
        self._step = 0
        self._later: Mapping[str, Any] | None = None

    def __enter__(self) -> Tracking:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._accelerator is not None:
            self._attempt(lambda: [tracker.finish() for tracker in self._accelerator.trackers])  # type: ignore[union-attr]
            self._accelerator = None

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Takes an event of the trainer.

        Raises:
            TrainingError: At "start", or with the first step of a training that goes on, if a tracker cannot be started.
        """
        kind = event["event"]
        if kind == "resume":
            self._step = event["steps"]
        elif kind == "start" and self._names and not event.get("refit"):
            if self._step:
                # Where a training goes on is known for sure with its next step: it may be one that follows the first.
                self._later = event
            else:
                self._begin(event)
        elif kind == "step":
            self._step = event["total"]
            self._log({"train/loss": event["loss"], "train/rate": event["rate"]})
        elif kind == "epoch":
            scores = {f"dev/{name}": event["dev"][name] for name in ("precision", "recall", "f1") if event["dev"]}
            speed = {"train/pieces_per_second": event["pieces_per_second"]}
            self._log({"epoch": event["epoch"], "train/epoch_loss": event["loss"], **speed, **scores})

    def scores(self, split: str, micro: Mapping[str, Any]) -> None:
        """Tells what the finished model reaches.

        Args:
            split: Such as "test".
            micro: Its strict micro figures.
        """
        self._log({f"model/{split}_{name}": micro[name] for name in ("precision", "recall", "f1")})

    def _begin(self, event: Mapping[str, Any]) -> None:
        told = ("documents", "pieces", "epochs", "rate", "batch_pieces", "precision", "device", "weights", "learning")
        choices = {**self._facts, **{name: event[name] for name in told}}
        named: dict[str, dict[str, Any]] = {
            "wandb": {"name": self._run, "dir": str(self._folder)},
            "mlflow": {"run_name": self._run},
            "trackio": {"name": self._run},
        }
        # Of what an earlier or interrupted run wrote, TensorBoard shows what lies before this step.
        board = accelerates.TensorBoardTracker("", self._folder, purge_step=self._step + 1 if self._step else 0)
        chosen = [board if name == "tensorboard" else name for name in self._names]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # It takes device and precision from the trainer's, with which it shares its state.
            self._accelerator = Accelerator(log_with=chosen, project_dir=self._folder)
            self._accelerator.init_trackers(PROJECT, {name: _plain(value) for name, value in choices.items()}, named)
        except Exception as error:  # whatever such a library raises: no network, no login, no space
            self._accelerator = None
            raise TrainingError(
                f"tracking with {', '.join(self._names)} cannot start ({type(error).__name__}: {error})",
                where=self._folder,
                hint="Leave --track out to train without it",
            ) from error

    def _log(self, values: dict[str, float]) -> None:
        if self._later is not None:
            event, self._later = self._later, None
            self._begin(event)
        accelerator = self._accelerator
        if accelerator is not None:
            self._attempt(lambda: accelerator.log(values, step=self._step))

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # an hour of training weighs more than its curve
            self._accelerator = None
            self._warn(f"Tracking has stopped, the training goes on ({type(error).__name__}: {error})")


def _plain(value: Any) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool | None) else ", ".join(map(str, value))
