"""Suggestions and uncertainties of all unfinished documents, brought up to date in a process beside the server.

``python -m viner.studio.refreshing PROJECT`` is that process. How far it is stands in ``runs/suggestions.json``::

    {"state": "running" | "done" | "stopped" | "failed", "mark": str, "model": str | null, "done": n, "total": n,
     "error": {…} | null}
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic
from typing import Any

from viner.annotation.suggest.refresh import rank
from viner.errors import VinerError, outline
from viner.project import Project
from viner.project.toml import write_text
from viner.store import Store
from viner.studio.assembly import make_suggester
from viner.studio.background import spawn, yield_processor
from viner.studio.run_folder import process_start
from viner.studio.serving import ServingRecognizer
from viner.studio.versions import current_labels

_PAUSE, _LONGEST_PAUSE = 10.0, 600.0
"""Seconds before what failed is tried again: twice as long each time."""

_NOTHING: dict[str, Any] = {"state": "none", "mark": None, "model": None, "done": 0, "total": None, "error": None}


class Refreshing:
    """Starts and watches that process; one at a time. Safe to call from several threads.

    Args:
        project: The project.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._folder = project.path / "runs"
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._tried: str | None = None
        self._pause = _PAUSE
        self._not_before = 0.0

    def state(self) -> dict[str, Any]:
        """How far it is: what :mod:`viner.studio.refreshing` says, and state "none" before the first."""
        state = self._read()
        if state["state"] == "running" and not self._at_work(state):
            state = self._read()
            if state["state"] == "running":
                state = {**state, "state": "stopped"}
        return {key: state.get(key) for key in _NOTHING}

    def start(self, mark: str) -> None:
        """Starts it, unless it is at work for the same suggester or has been through with it; another one is ended before.

        Where it failed for the same suggester, it is tried again after 10 seconds, then after 20, and so on up to 10 minutes.

        Args:
            mark: :attr:`Suggester.mark <viner.annotation.suggest.suggester.Suggester.mark>` of what suggests now.

        Raises:
            OSError: If the process cannot be started.
        """
        with self._lock:
            state = self._read()
            running = state["state"] == "running" and self._at_work(state)
            if state["mark"] == mark and (running or state["state"] == "done"):
                return
            if mark == self._tried and not running and monotonic() < self._not_before:
                return
            if running:
                self._end(state)
            self._pause = min(2 * self._pause, _LONGEST_PAUSE) if mark == self._tried else _PAUSE
            self._tried, self._not_before = mark, monotonic() + self._pause
            self._folder.mkdir(exist_ok=True)
            _write(self._folder, {**_NOTHING, "state": "running", "mark": mark})
            self._child = spawn(
                "viner.studio.refreshing", self._project.path.resolve(), output=self._folder / "suggestions.txt"
            )
            _write(self._folder, {**_NOTHING, "state": "running", "mark": mark, **_identity(self._child.pid)})

    def wait(self) -> dict[str, Any]:
        """Waits until the process that this object started has ended."""
        child = self._child
        if child is not None:
            child.wait()
        return self.state()

    def _end(self, state: dict[str, Any]) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait()
        elif state.get("pid") is not None:
            os.kill(state["pid"], signal.SIGTERM)

    def _at_work(self, state: dict[str, Any]) -> bool:
        if self._child is not None and self._child.pid == state.get("pid"):
            return self._child.poll() is None
        pid = state.get("pid")
        return pid is not None and state.get("process") is not None and process_start(pid) == state["process"]

    def _read(self) -> dict[str, Any]:
        try:
            state: dict[str, Any] = json.loads((self._folder / "suggestions.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return dict(_NOTHING)
        return {**_NOTHING, **state}


def _identity(pid: int) -> dict[str, Any]:
    return {"pid": pid, "process": process_start(pid)}


def _write(folder: Path, state: dict[str, Any]) -> None:
    write_text(folder / "suggestions.json", json.dumps(state) + "\n")


def main() -> int:
    """Runs the process; returns its exit status."""
    yield_processor()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    project = Project(Path(sys.argv[1]))
    folder = project.path / "runs"
    state: dict[str, Any] = {**_NOTHING, "state": "running", **_identity(os.getpid())}
    try:
        with Store.of_project(project, create=False) as store:
            serving = ServingRecognizer(lambda schema: current_labels(store, schema))
            if project.models():
                serving.switch(project.active_model())
            suggester = make_suggester(project, store, project.settings(), serving)
            counts = store.counts()
            state |= {"mark": suggester.mark, "model": suggester.model, "total": counts.status("todo")}
            _write(folder, state)

            def told(documents: int) -> None:
                state["done"] += documents
                _write(folder, state)

            ranked = rank(store, suggester, progress=told, stop=stop.is_set)
            state["state"] = "done" if ranked.complete else "stopped"
    except VinerError as error:
        state |= {"state": "failed", "error": error.to_dict()}
    except Exception as error:
        state |= {"state": "failed", "error": VinerError(f"an unexpected error: {outline(error)}").to_dict()}
    if not stop.is_set():  # else another one is already telling how far it is
        _write(folder, state)
    return 0 if state["state"] != "failed" else 1


if __name__ == "__main__":
    sys.exit(main())
