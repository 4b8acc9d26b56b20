"""The state of a training on disk, so that a killed one goes on where it stopped.

A training owns one folder, guarded by a lock: two trainings into one place would ruin each other. Checkpoints are written
beside and renamed, so the folder always holds a whole one; they load with ``weights_only=True``, which runs no code.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from filelock import FileLock, Timeout

from viner.errors import TrainingError

_FILE = "checkpoint.pt"


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
        if not (self.path / _FILE).is_file():
            # Nothing to go on from: a training that failed before its first epoch leaves nothing behind.
            shutil.rmtree(self.path, ignore_errors=True)

    @property
    def log(self) -> Path:
        """The events of the training, one JSON object a line."""
        return self.path / "metrics.jsonl"

    def save(self, state: dict[str, Any]) -> None:
        """Writes a checkpoint.

        Raises:
            TrainingError: If it cannot be written; the one before is kept.
        """
        temporary = self.path / f"{_FILE}.part"
        try:
            with temporary.open("wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.path / _FILE)
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            raise TrainingError(
                f"the checkpoint cannot be written ({error})",
                where=self.path,
                hint="Free disk space and start the same command again",
            ) from error
        finally:
            temporary.unlink(missing_ok=True)

    def load(self, fingerprint: str) -> dict[str, Any] | None:
        """The last checkpoint, if there is one of a training with the same data and choices.

        Args:
            fingerprint: Identifies data and choices; a checkpoint of another training is not used.
        """
        path = self.path / _FILE
        if not path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # pickle and zip errors of every kind
            raise TrainingError(
                f"the checkpoint cannot be read ({type(error).__name__})", where=path, hint="Delete that folder to start anew"
            ) from error
        return state if state.get("fingerprint") == fingerprint else None

    def discard(self) -> None:
        """Deletes the checkpoint: the next training in this folder starts anew."""
        (self.path / _FILE).unlink(missing_ok=True)

    def remove(self) -> None:
        """Deletes the folder, after the model has been written."""
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)
