"""A project at work with a real store and queue, and stand-ins for what runs beside it: trainings and versions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viner.annotation.queue import Queue
from viner.project import Project
from viner.store import Store
from viner.studio.serving import ServingRecognizer

TOML = """
name = "Notices"
language = "vi"
[[schema.layers]]
name = "entities"
kind = "entities"
types = ["PERSON", "LOCATION", "DATE"]
[annotation]
order = "given"
"""


@dataclass
class FakeRun:
    name: str
    state: str = "running"

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state}


@dataclass
class FakeRuns:
    runs: list[FakeRun] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def recipe(self) -> dict[str, Any]:
        return {"epochs": 3}

    def start(self, **options: Any) -> FakeRun:
        self.asked.append(options)
        self.runs.append(FakeRun(f"{len(self.runs) + 1:03d}"))
        return self.runs[-1]

    def current(self) -> FakeRun | None:
        return self.runs[-1] if self.runs else None

    def stop(self, name: str) -> None:
        self.runs[-1].state = "stopped"

    def resume(self, name: str) -> None:
        self.runs[-1].state = "running"


class FakeStudio:
    """What the server asks of a studio."""

    def __init__(self, folder: Path, store: Store | None = None, recognizer: Any = None, suggester: Any = None) -> None:
        folder.mkdir(exist_ok=True, parents=True)
        if not (folder / "viner.toml").exists():
            (folder / "viner.toml").write_text(TOML, encoding="utf-8")
        self.project = Project(folder)
        self.settings = self.project.settings()
        self.store = store or Store.of_project(self.project)
        self.suggester = suggester
        self.queue = Queue(self.store, self.settings.annotation, suggester)
        self.recognizer = ServingRecognizer(lambda schema: (schema, {}), load=lambda path: recognizer)
        if recognizer is not None:
            self.recognizer.switch(Path("001"))
        self.runs = FakeRuns()
        self.done = 0
        self.schema_changes = 0

    def note_done(self) -> None:
        self.done += 1

    def training(self) -> dict[str, Any]:
        run = self.runs.current()
        return {"run": None if run is None else run.to_dict(), "active": None, "done_since": self.done, "retrain_after": 0}

    def schema_changed(self) -> None:
        self.schema_changes += 1
