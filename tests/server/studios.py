"""A project at work with a real store, and stand-ins for what runs beside it: queue, recognizer, trainings."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fakes import FakeRecognizer

from viner.errors import VinerError
from viner.project import Project
from viner.schema import Layer, Schema, Type
from viner.store import Filter, Store, StoredDocument

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
SCHEMA = Schema((Layer("entities", "entities", (Type("PERSON"), Type("LOCATION"), Type("DATE"))),))


class NoModelError(VinerError):
    """Nothing has been trained yet."""

    code = "no_model"


class LeasedError(VinerError):
    """Somebody else works on the document."""

    code = "leased"

    def __init__(self, held_by: str) -> None:
        super().__init__("somebody else works on the document")
        self.held_by = held_by


class GivenQueue:
    """Documents in the order of import, one person each."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.leases: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def next(
        self, who: str, tab: str, *, resume: bool = False, exclude: Sequence[str] = (), splits: Any = None
    ) -> StoredDocument | None:
        with self._lock:
            for row in self.store.find(Filter(statuses=("todo", "started")), limit=1000).rows:
                holder = self.leases.get(row.id)
                if row.id not in exclude and (holder is None or (resume and holder[0] == who)):
                    self.leases[row.id] = (who, tab)
                    return self.store.get(row.id)
        return None

    def until(self, document: str) -> float:
        return time.time() + 1800

    def renew(self, document: str, who: str, tab: str) -> float:
        self.store.get(document)
        with self._lock:
            holder = self.leases.get(document, (who, tab))
            if holder[0] != who:
                raise LeasedError(holder[0])
            self.leases[document] = (who, tab)
        return self.until(document)

    def release(self, document: str, who: str, tab: str) -> None:
        with self._lock:
            if self.leases.get(document) == (who, tab):
                del self.leases[document]


@dataclass
class FakeRun:
    name: str
    state: str = "running"

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "state": self.state}


@dataclass
class FakeRuns:
    runs: list[FakeRun] = field(default_factory=list)

    def start(self) -> FakeRun:
        self.runs.append(FakeRun(f"{len(self.runs) + 1:03d}"))
        return self.runs[-1]

    def current(self) -> FakeRun | None:
        return self.runs[-1] if self.runs else None

    def stop(self, name: str) -> None:
        self.runs[-1].state = "stopped"

    def resume(self, name: str) -> None:
        self.runs[-1].state = "running"


class FakeVersions:
    def active(self) -> str | None:
        return None


class UntrainedRecognizer:
    version = None

    def _no(self, *_: Any) -> Any:
        raise NoModelError("the project has no model yet", hint="Train one")

    schema = property(_no)
    info = property(_no)
    __call__ = stream = _no


class FakeStudio:
    """What the server asks of a studio."""

    def __init__(self, folder: Path, store: Store | None = None, recognizer: FakeRecognizer | None = None) -> None:
        folder.mkdir(exist_ok=True, parents=True)
        if not (folder / "viner.toml").exists():
            (folder / "viner.toml").write_text(TOML, encoding="utf-8")
        self.project = Project(folder)
        self.settings = self.project.settings()
        self.store = store or Store.of_project(self.project)
        self.queue = GivenQueue(self.store)
        self.recognizer: Any = recognizer or UntrainedRecognizer()
        self.runs = FakeRuns()
        self.versions = FakeVersions()
        self.done = 0
        self.refresh_seconds = 0.0

    def note_done(self) -> None:
        self.done += 1

    def done_since(self) -> int:
        return self.done

    def refreshed(self, document: StoredDocument) -> StoredDocument:
        time.sleep(self.refresh_seconds)
        return document
