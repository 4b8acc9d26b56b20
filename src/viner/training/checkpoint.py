"""The state of a training on disk, so that a killed one goes on where it stopped.

A training owns one folder, guarded by a lock: two trainings into one place would ruin each other. Checkpoints are written
beside and renamed, so the folder always holds a whole one; they load with ``weights_only=True``, which runs no code.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from filelock import FileLock, Timeout

from viner.errors import TrainingError, interruption

CHECKPOINT = "checkpoint.pt"
"""Where the training for the task stands."""
REFIT = "refit.pt"
"""Where the training that learns dev as well stands, which comes after it."""
ADAPTATION = "adaptation.pt"
"""Where the adaptation of the base stands, which comes before it."""
_ADAPTED = "adapted-"


class TrainingFolder:
    """The working folder of one training.

    Use it as a context manager: it holds the lock from ``with`` to its end, also when the process is killed.

    Args:
        path: The folder; it is made when missing.

    Raises:
        TrainingError: On entering, if another training holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / "lock")

    def __enter__(self) -> TrainingFolder:
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise TrainingError(
                "another training writes here",
                where=self.path,
                hint="Wait until it has finished, or choose another --out",
            ) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._lock.release()
        if not any((self.path / name).is_file() for name in (CHECKPOINT, ADAPTATION)) and not self._all_adapted():
            # Nothing to go on from: a training that failed before its first epoch leaves nothing behind.
            shutil.rmtree(self.path, ignore_errors=True)

    @property
    def log(self) -> Path:
        """The events of the training, one JSON object a line."""
        return self.path / "metrics.jsonl"

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder for what is only measured."""
        place = self.path / "scratch"
        shutil.rmtree(place, ignore_errors=True)
        try:
            place.mkdir()
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def adapted(self, fingerprint: str) -> Path:
        """Where the base stands once it is adapted: a folder that is there as a whole or not at all.

        Args:
            fingerprint: Identifies base, texts and choices. It is part of the name, so that nothing else is taken for it.
        """
        return self.path / f"{_ADAPTED}{fingerprint[:16]}"

    def remove_adapted(self, *, but: Path | None = None) -> None:
        """Deletes the adapted bases of other texts or choices."""
        for folder in self._all_adapted():
            if folder != but:
                shutil.rmtree(folder, ignore_errors=True)

    def _all_adapted(self) -> list[Path]:
        return [*self.path.glob(f"{_ADAPTED}*")]

    def save(self, state: dict[str, Any], name: str = CHECKPOINT) -> None:
        """Writes a checkpoint.

        Args:
            state: What is to be found again, with its ``"fingerprint"``.
            name: Which one.

        Raises:
            TrainingError: If it cannot be written; the one before is kept.
        """
        temporary = self.path / f"{name}.part"
        try:
            with temporary.open("wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path / name)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            if (stopped := interruption(error)) is not None:
                raise stopped from None
            raise TrainingError(
                f"the checkpoint cannot be written ({error})",
                where=self.path,
                hint="Free disk space and start the same command again",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, fingerprint: str, name: str = CHECKPOINT) -> dict[str, Any] | None:
        """The last checkpoint, if there is one of a training with the same data and choices.

        Args:
            fingerprint: Identifies data and choices; a checkpoint of another training is not used.
            name: Which one.
        """
        path = self.path / name
        if not path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # pickle and zip errors of every kind
            raise TrainingError(
                f"the checkpoint cannot be read ({type(error).__name__})", where=path, hint="Delete that folder to start anew"
            ) from error
        return state if state.get("fingerprint") == fingerprint else None

    def discard(self, name: str = CHECKPOINT) -> None:
        """Deletes a checkpoint: what it is of starts anew next time."""
        (self.path / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Deletes the folder, after the model has been written."""
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)
