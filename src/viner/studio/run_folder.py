"""The folder of a run on disk: its state, its log and its snapshot, for the process that trains and for all that watch it.

::

    run.json              state, replaced at once with each change
    metrics.jsonl         the events of the training, one a line, only ever appended to
    output.txt            what the process printed
    train|dev|test.jsonl  the snapshot, until the run has finished; unlabeled.jsonl has texts that nobody began
    lock                  held by the process that trains
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from viner.annotation.snapshot import TEXTS
from viner.errors import VinerError
from viner.project.toml import write_text
from viner.studio.locks import held
from viner.workflow.progress import write_event

FILES = ("train", "dev", "test", TEXTS)
SELF_TRAIN = "self_train"
"""Option of a run: whether it learns from documents that nobody began, in which a model says what there is."""


class RunFolder:
    """One ``runs/NNN``.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name

    @property
    def log(self) -> Path:
        """The events."""
        return self.path / "metrics.jsonl"

    @property
    def output(self) -> Path:
        """What the process printed."""
        return self.path / "output.txt"

    def read(self) -> dict[str, Any]:
        """The state as it was last written.

        Raises:
            VinerError: If it cannot be read.
        """
        path = self.path / "run.json"
        try:
            state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise VinerError(
                f"the run cannot be read ({error})", where=path, hint="Remove its folder, and train anew"
            ) from error
        return state

    def write(self, state: Mapping[str, Any]) -> None:
        """Replaces the state.

        Raises:
            VinerError: If it cannot be written.
        """
        write_text(self.path / "run.json", json.dumps(state, ensure_ascii=False, indent=1) + "\n")

    def update(self, **changes: Any) -> dict[str, Any]:
        """Changes some keys of the state. Only who holds the lock, or starts the run, may."""
        state = {**self.read(), **changes}
        self.write(state)
        return state

    def tell(self, event: Mapping[str, Any]) -> None:
        """Appends an event to the log.

        Raises:
            TrainingError: If it cannot be written.
        """
        write_event(self.log, event)

    def events(self) -> list[dict[str, Any]]:
        """The events in which the training stands: what was done again after a stop or a collapse is there once."""
        events: list[dict[str, Any]] = []
        last = (0, 0.0)
        try:
            lines = self.log.read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:  # cut off by a kill or a full disk
                continue
            if event["event"] == "step":
                here = _position(event)
                if here <= last:
                    events = [item for item in events if _position(item) < here]
                last = here
            events.append(event)
        return events

    def snapshot_files(self) -> dict[str, Path]:
        """The files of the snapshot, by split and "unlabeled", as far as they are there and hold something."""
        files = {name: self.path / f"{name}.jsonl" for name in FILES}
        return {name: file for name, file in files.items() if file.is_file() and file.stat().st_size}

    def mentions(self, ids: Set[str]) -> bool:
        """Whether one of these documents is in the snapshot."""
        return any(_id(line) in ids for file in self.snapshot_files().values() for line in _lines(file))

    def forget(self, ids: Set[str]) -> None:
        """Takes documents out of the snapshot; it is on disk when this returns."""
        for file in self.snapshot_files().values():
            _drop(file, ids)

    def remove_snapshot(self) -> None:
        """Deletes the texts."""
        for name in FILES:
            for ending in ("jsonl", "part"):  # the second from an erasing that was cut off
                (self.path / f"{name}.{ending}").unlink(missing_ok=True)

    @contextmanager
    def held(self, *, wait: float = 30.0) -> Iterator[None]:
        """Holds the lock, to the end of the block or of the process.

        Raises:
            VinerError: If another process holds it.
        """
        problem = VinerError("another process is at work on this run", where=self.path, hint="Wait until it has finished")
        with held(self.path / "lock", problem, wait=wait):
            yield

    def alive(self, state: Mapping[str, Any]) -> bool:
        """Whether the process that the state names is at work."""
        pid, began = state.get("pid"), state.get("process")
        if pid is not None and began is not None:
            return bool(process_start(pid) == began)
        # Without /proc, only the lock tells. Whoever else looks at this moment holds it just as shortly.
        try:
            with self.held(wait=0.2):
                return False
        except VinerError:
            return True


def _lines(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8") as lines:
        yield from lines


def _id(line: str) -> str | None:
    found: str | None = json.loads(line).get("id")
    return found


def _drop(file: Path, ids: Set[str]) -> None:
    part = file.with_suffix(".part")
    with part.open("w", encoding="utf-8") as kept:
        kept.writelines(line for line in _lines(file) if _id(line) not in ids)
        kept.flush()
        os.fsync(kept.fileno())
    part.replace(file)


def _position(event: Mapping[str, Any]) -> tuple[int, float]:
    if event["event"] == "step":
        return event["epoch"], event["step"]
    return (event["epoch"], math.inf) if event["event"] == "epoch" else (0, 0.0)


def process_start(pid: int) -> str | None:
    """What tells a process from a later one of the same id; None where it is gone, or the system does not say."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    if fields[0] in "ZX":  # it has ended, and its parent has not looked yet
        return None
    return f"{_boot()} {fields[19]}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return str(os.sysconf("SC_CLK_TCK"))
