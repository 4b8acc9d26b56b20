"""A project for tests of its pages: a real folder and store, with a training and versions that only pretend."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from viner.document import Document, Entity
from viner.errors import TrainingError
from viner.evaluation.comparison import Comparison
from viner.metrics import Scores
from viner.project import Project
from viner.store import Store
from viner.studio import NoModelError, Run
from viner.studio.erasing import Erased
from viner.studio.versions import Version

TOML = """name = "Notices"
language = "vi"

[[schema.layers]]
name = "entities"
kind = "entities"
types = [
    {name = "PERSON", description = "Names of people", key = "p"},
    {name = "LOCATION", description = "Places, streets, countries"},
    "DATE",
]
"""
NOTICES = (
    "Lan ở Hà Nội từ 11/3.",
    "Minh đi Huế ngày 2/8.",
    "Nam từ Paris về Hà Nội.",
    "Không có gì mới.",
)


def notices(count: int) -> list[Document]:
    """Texts like real ones; every third is annotated."""
    documents = []
    for number in range(count):
        text = NOTICES[number % len(NOTICES)] + f" ({number})"
        entities = None
        if number % 3 == 0:
            entities = [
                Entity(text.index(surface), text.index(surface) + len(surface), label)
                for surface, label in (("Lan", "PERSON"), ("Hà Nội", "LOCATION"), ("Huế", "LOCATION"), ("Minh", "PERSON"))
                if surface in text
            ]
        documents.append(Document(text, id=f"n-{number:03d}", entities=entities))
    return documents


def events(epochs: int = 3, steps: int = 20) -> list[dict[str, Any]]:
    """What a training would have logged."""
    found: list[dict[str, Any]] = []
    for epoch in range(1, epochs + 1):
        for step in range(1, steps + 1):
            done = (epoch - 1) * steps + step
            found.append(
                {"event": "step", "epoch": epoch, "epochs": epochs, "step": step, "steps": steps, "loss": 2.0 / (1 + done / 8)}
            )
        found.append({"event": "epoch", "epoch": epoch, "loss": 0.4, "dev": {"f1": 0.9 - 0.5 / epoch}})
    return found


class FakeRuns:
    """Trainings that do what a test says."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.log: list[dict[str, Any]] = []
        self.started: list[dict[str, Any]] = []
        self.refusal: TrainingError | None = None

    def start(self, **options: Any) -> Run:
        if self.refusal is not None:
            raise self.refusal
        self.started.append(options)
        self.run = Run(
            name="002", state="running", created=0.0, progress=0.4, seconds_left=95, epoch=2, epochs=3, stage="Training"
        )
        self.log = events()
        return self.run

    def current(self) -> Run | None:
        return self.run

    def stop(self, name: str) -> Run:
        assert self.run is not None
        self.run = replace(self.run, state="stopped", seconds_left=None)
        return self.run

    def resume(self, name: str) -> Run:
        assert self.run is not None
        self.run = replace(self.run, state="running")
        return self.run

    def events(self, name: str, after: int = 0) -> list[dict[str, Any]]:
        return self.log[after:]


class FakeVersions:
    """Models that are names and figures."""

    def __init__(self, *names: str) -> None:
        self._names = list(names)
        self.serving = names[-1] if names else None

    def list(self) -> list[Version]:
        return [
            Version(
                name=name,
                path=Path(name),
                active=name == self.serving,
                size=21_000_000,
                created="2026-03-01T08:30:00+00:00",
                metrics={"dev": 0.7 + index / 10, "test": 0.65 + index / 10},
                documents=100 * (index + 1),
                fingerprint="9f86d081884c7d65",
                engine="int8",
            )
            for index, name in enumerate(self._names)
        ]

    def activate(self, name: str) -> None:
        self.serving = name

    def roll_back(self) -> Version:
        self.serving = self._names[self._names.index(self.serving) - 1]
        return next(version for version in self.list() if version.name == self.serving)

    def compare(self, a: str, b: str) -> Comparison:
        scores = Scores.from_counts
        first = {"PERSON": scores(support=10, predicted=9, correct=8), "LOCATION": scores(support=12, predicted=12, correct=9)}
        second = {
            "PERSON": scores(support=10, predicted=10, correct=7),
            "LOCATION": scores(support=12, predicted=12, correct=12),
        }
        labels = {label: (first[label], second[label]) for label in first}
        return Comparison(a, b, 14, (Scores.micro(list(first.values())), Scores.micro(list(second.values()))), labels, 0.031)

    def prunable(self, *, keep: int) -> list[Version]:
        return [version for version in self.list()[:-keep] if not version.active]

    def prune(self, *, keep: int) -> list[str]:
        doomed = [version.name for version in self.prunable(keep=keep)]
        self._names = [name for name in self._names if name not in doomed]
        return doomed


@dataclass
class FakeStudio:
    """A project at work without its trainings.

    Args:
        project: The folder.
        store: Its documents.
        recognizer: What answers.
        versions: The models.
    """

    project: Project
    store: Store
    recognizer: Any
    versions: Any
    runs: FakeRuns = field(default_factory=FakeRuns)
    retrain_after: int | None = None
    schema_changes: int = 0

    @property
    def settings(self) -> Any:
        return self.project.settings()

    def erase(self, ids: Any, *, who: str) -> Erased:
        return Erased(self.store.erase(ids, who=who), ())

    def schema_changed(self) -> None:
        self.schema_changes += 1

    def set_retrain_after(self, count: int) -> None:
        self.retrain_after = count


class Switchable:
    """A recognizer that a test can give and take."""

    def __init__(self) -> None:
        self.name: str | None = None
        self._model: Any = None

    def switch(self, name: str | None, model: Any) -> None:
        self.name, self._model = name, model

    def _current(self) -> Any:
        if self._model is None:
            raise NoModelError("the project has no model yet", hint="Train one")
        return self._model

    @property
    def schema(self) -> Any:
        return self._current().schema

    @property
    def info(self) -> Any:
        return self._current().info

    def __call__(self, text: Any) -> Document:
        return self._current()(text)

    def stream(self, texts: Any) -> Any:
        return self._current().stream(texts)


def make_project(folder: Path, *, documents: int = 0, toml: str = TOML) -> Project:
    """A project folder whose store holds some notices."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "viner.toml").write_text(toml, encoding="utf-8")
    project = Project(folder)
    with Store.of_project(project) as store:
        if documents:
            store.add(notices(documents), who="import")
    return project
