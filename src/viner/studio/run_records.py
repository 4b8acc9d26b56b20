"""The trainings of a project as their folders and processes tell of them."""

from __future__ import annotations

import builtins
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from viner.errors import VinerError
from viner.project import Project
from viner.studio.course import Course
from viner.studio.notes import Note
from viner.studio.run import ACTIVE, RESUMABLE, Run
from viner.studio.run_folder import RunFolder

_KILLED = {
    "code": "training_killed",
    "message": "the training was ended from outside, or the machine was",
    "where": None,
    "hint": "Resume it: it goes on after its last epoch. If it happens again, memory or disk may be too small",
}

STOPPED = {"state": "stopped", "pid": None}
"""What the state of a run that was stopped says."""
_FAILED = {"state": "failed", "pid": None, "error": _KILLED}


class RunError(VinerError):
    """A training that cannot be started, stopped or resumed as things stand."""

    code = "training_refused"


class RunRecords:
    """What is known of the trainings of a project, each in a folder ``runs/NNN``. Safe to call from several threads.

    Nothing is remembered here: whoever looks at the folders sees the same runs.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = project.path / "runs"
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        """Processes of runs that were started here: they are gone only once their end was asked for."""
        self._courses: dict[str, tuple[tuple[int, int, int], Course]] = {}
        self._lock = threading.Lock()

    def list(self) -> list[Run]:
        """All runs, newest first."""
        return [self._read(folder) for folder in reversed(self._folders())]

    def current(self) -> Run | None:
        """The run at work, else the newest; None before the first."""
        runs = self.list()
        return next((run for run in runs if run.active), runs[0] if runs else None)

    def get(self, name: str) -> Run:
        """The run of a name.

        Raises:
            RunError: If there is none.
        """
        return self._read(self._known(name))

    def wait(self, name: str, *, poll: float = 0.05) -> Run:
        """Waits until a run is at work no more, and returns it."""
        while (run := self.get(name)).active:
            time.sleep(poll)
        return run

    def events(self, name: str, after: int = 0) -> builtins.list[dict[str, Any]]:
        """What happened in a training, for plots: what was done again after a stop is there once.

        Args:
            name: Name of the run.
            after: How many events to leave out. A resumed training takes back some, so ask for all then.

        Returns:
            ``{"time", "event": "start" | "step" | "epoch" | "collapse" | "resume" | "end" | "stage", …}`` each, with the loss
            in steps (one a second) and the dev scores in epochs.
        """
        return self._known(name).events()[after:]

    def output(self, name: str) -> str:
        """The last 20,000 characters that the run's process printed."""
        path = self._known(name).output
        return path.read_text(encoding="utf-8", errors="replace")[-20_000:] if path.is_file() else ""

    def has_checkpoint(self, name: str) -> bool:
        """Whether a run has whole epochs to go on from."""
        from viner.training.checkpoint import TrainingFolder

        return TrainingFolder(self._project.path / "models" / f"{name}.training").has_begun

    def _read(self, folder: RunFolder) -> Run:
        with self._lock:
            child = self._children.get(folder.name)
            if child is not None and child.poll() is not None:
                del self._children[folder.name]
        state = folder.read()
        if state["state"] in ACTIVE and not (child is not None and child.poll() is None) and not folder.alive(state):
            state = folder.read()  # it may have ended in this moment, as it should
            if state["state"] in ACTIVE:
                stopped = (folder.path / "stop").exists()
                state = {**state, **(STOPPED if stopped else _FAILED)}
        elif state["state"] in ACTIVE and (folder.path / "stop").exists():
            state = {**state, "state": "stopping"}
        return _run(folder, state, self._course(folder, state.get("options", {}).get("budget_minutes")))

    def _course(self, folder: RunFolder, minutes: float | None) -> Course:
        """What the log says. Logs of trainings that have ended are long and do not change, so they are read once."""
        try:
            status = folder.log.stat()
        except OSError:
            return Course()
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            seen = self._courses.get(folder.name)
        if seen is None or seen[0] != stamp:
            seen = (stamp, Course.of(folder.events(), minutes=minutes))
            with self._lock:
                self._courses[folder.name] = seen
        return seen[1]

    def _known(self, name: str) -> RunFolder:
        for folder in self._folders():
            if folder.name == name:
                return folder
        raise RunError(f"there is no training {name!r}")

    def _folders(self) -> builtins.list[RunFolder]:
        """Oldest first."""
        if not self._folder.is_dir():
            return []
        paths = [path for path in self._folder.iterdir() if path.name.isdecimal() and (path / "run.json").is_file()]
        return [RunFolder(path) for path in sorted(paths, key=lambda path: int(path.name))]

    def _next_name(self) -> str:
        """A name that neither a run nor a model ever had."""
        used = [self._project.next_model().name, *(path.name for path in self._folder.iterdir() if path.name.isdecimal())]
        return f"{max(int(used[0]), *(int(name) + 1 for name in used[1:]), 1):03d}"


def _run(folder: RunFolder, state: Mapping[str, Any], course: Course) -> Run:
    finished = state["state"] == "finished"
    outcome = state.get("outcome")
    notes = [*state.get("notes", ()), *([outcome] if outcome else [])]
    ended: dict[str, Any] = {"progress": 1.0} if finished else {}
    if finished or state["state"] in RESUMABLE:
        ended["seconds_left"] = None
    return Run(
        name=folder.name,
        state=state["state"],
        created=state["created"],
        begun=state.get("begun", state["created"]),
        ended=state.get("ended"),
        pid=state.get("pid"),
        automatic=state.get("automatic", False),
        options=state.get("options", {}),
        counts=state.get("counts", {}),
        fingerprint=state.get("fingerprint"),
        model=state.get("model"),
        dev_f1=state.get("dev_f1"),
        error=state.get("error"),
        outcome=outcome,
        notes=tuple(Note.from_state(note) for note in notes),
        **asdict(replace(course, **ended)),
    )
