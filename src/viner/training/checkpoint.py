"""The state of a training on disk, so that a killed one goes on where it stopped.

A training owns one folder, guarded by a lock: two trainings into one place would ruin each other. Checkpoints are written
beside and renamed, so the folder always holds a whole one; they load with ``weights_only=True``, which runs no code.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
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
_LOCK, _LOG, _SCRATCH = "lock", "metrics.jsonl", "scratch"
_OWN = re.compile(
    rf"{_LOCK}|{re.escape(_LOG)}|{_SCRATCH}|({'|'.join(map(re.escape, (CHECKPOINT, REFIT, ADAPTATION)))})(\.part|\.other)?"
    rf"|{_ADAPTED}[0-9a-f]{{16}}(\.part)?"
)
"""Names of all that a training writes in its folder: nothing else there is deleted."""


class TrainingFolder:
    """The working folder of one training.

    Use it as a context manager: it holds the lock from ``with`` to its end, also when the process is killed.

    Args:
        path: The folder; it is made when missing.

    Raises:
        TrainingError: On entering, if another training holds it, or it holds files of others alone.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(path / _LOCK)
        self._others: set[str] = set()

    def __enter__(self) -> TrainingFolder:
        if self.path.is_dir() and any(self.path.iterdir()) and not self._own():
            raise TrainingError(
                "this folder is where the training keeps its state, and it holds something else",
                where=self.path,
                hint="Move its files elsewhere, or choose another --out",
            )
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
        if not any((self.path / name).is_file() for name in (CHECKPOINT, ADAPTATION)) and not self._all_adapted():
            # Nothing to go on from: a training that failed before its first epoch leaves nothing behind.
            self.remove()
        self._lock.release()

    @property
    def has_begun(self) -> bool:
        """Whether a training has left there what it, or another one, may go on from."""
        return any((self.path / name).is_file() for name in (CHECKPOINT, REFIT))

    @property
    def log(self) -> Path:
        """The events of the training, one JSON object a line."""
        return self.path / _LOG

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder for what is only measured."""
        place = self.path / _SCRATCH
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
        return [path for path in self._own() if path.name.startswith(_ADAPTED)]

    def _own(self) -> list[Path]:
        """What trainings have written there."""
        return [path for path in self.path.iterdir() if _OWN.fullmatch(path.name)] if self.path.is_dir() else []

    def save(self, state: dict[str, Any], name: str = CHECKPOINT) -> None:
        """Writes a checkpoint. One of another training that was there is kept aside, in the place of one that was there before.

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
            if name in self._others:
                (self.path / name).replace(self._aside(name))
                self._others.discard(name)
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
        """The last checkpoint, if there is one of a training with the same data and choices, be it kept aside.

        Args:
            fingerprint: Identifies data and choices; one of another training is not used, and :meth:`has_other` says so.
            name: Which one.
        """
        for path in (self.path / name, self._aside(name)):
            state = _read(path) if path.is_file() else None
            if state is not None and state.get("fingerprint") == fingerprint:
                return state
            if state is not None and path.name == name:
                self._others.add(name)
        return None

    def has_other(self, name: str = CHECKPOINT) -> bool:
        """Whether a checkpoint was found there that is of another training; the next one that is saved takes its place."""
        return name in self._others

    def _aside(self, name: str) -> Path:
        return self.path / f"{name}.other"

    def discard(self, name: str = CHECKPOINT) -> None:
        """Deletes a checkpoint: what it is of starts anew next time. One of another training stays."""
        if name not in self._others:
            (self.path / name).unlink(missing_ok=True)

    def remove(self) -> None:
        """Deletes what the training wrote, after the model has been written, and the folder if nothing else is in it."""
        if not self._lock.is_locked:
            return  # it is gone, or another training's by now
        # The lock goes last, and is let go of once it is gone: whoever comes meanwhile is refused, or has a lock of their own.
        for path in sorted(self._own(), key=lambda path: path.name == _LOCK):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):  # Windows deletes no open file; there the lock goes when it is let go of
                    path.unlink()
        self._lock.release()
        with contextlib.suppress(OSError):  # somebody else's files stay
            self.path.rmdir()


def _read(path: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle and zip errors of every kind
        raise TrainingError(
            f"the checkpoint cannot be read ({type(error).__name__})", where=path, hint="Delete that folder to start anew"
        ) from error
    return state
