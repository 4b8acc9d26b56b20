"""The models of a project: what they are, which one serves, how they compare, and which may go."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from viner.annotation.label_map import label_map, schema_history
from viner.bundle import BundleInfo, read_bundle
from viner.bundle.info import GRAPH, MEASURED_WITH
from viner.errors import InputError, UsageError, VinerError
from viner.evaluation.comparison import Comparison, Tally, compare_tallies
from viner.project import Project
from viner.runtime import Recognizer
from viner.schema import ENTITIES, Schema
from viner.store import Store
from viner.studio.dev_set import DevSet
from viner.studio.mapped import MappedRecognizer
from viner.workflow.fingerprint import REFIT


class NothingToCompareError(InputError):
    """A dev set that cannot tell which of two versions is better."""

    code = "nothing_to_compare"


class DevLearnedError(InputError):
    """A version has learned dev, on which versions are compared."""

    code = "dev_learned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One model of a project.

    Args:
        name: Its name, such as "003".
        path: Its folder.
        active: Whether it serves.
        created: When it was written, ISO 8601 in UTC.
        metrics: Micro F1 by split, as measured when it was trained.
        documents: Documents it learned from.
        entities: Entities it learned from.
        fingerprint: SHA-256 of what it learned from.
        base: The encoder that it started from.
        engine: "int8", "fp32" or "cascade".
        measured_with: The engine that ``metrics`` were measured with, where it is another one (``viner engine``).
        size: Bytes on disk.
        missing: Labels of today's schema that it cannot answer with.
        lost: Labels of its own that it can no longer be asked for, and why.
        error: Why it cannot be used; None where it can.
    """

    name: str
    path: Path
    active: bool
    size: int
    created: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    documents: int | None = None
    entities: int | None = None
    fingerprint: str | None = None
    base: str | None = None
    engine: str | None = None
    measured_with: str | None = None
    missing: tuple[str, ...] = ()
    lost: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, str | None] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: every field under its name, but the path, and "fits": whether its labels are today's."""
        return {
            "name": self.name,
            "active": self.active,
            "created": self.created,
            "metrics": dict(self.metrics),
            "documents": self.documents,
            "entities": self.entities,
            "fingerprint": self.fingerprint,
            "base": self.base,
            "engine": self.engine,
            "measured_with": self.measured_with,
            "size": self.size,
            "fits": not (self.missing or self.lost or self.error),
            "missing": list(self.missing),
            "lost": dict(self.lost),
            "error": None if self.error is None else dict(self.error),
        }


class Versions:
    """The models of a project.

    Args:
        project: The project.
        store: Its store.
        switch: Puts a model folder into service; raises a VinerError, and changes nothing, if it cannot be loaded.
    """

    def __init__(self, project: Project, store: Store, switch: Callable[[Path], None] = lambda path: None) -> None:
        self._project = project
        self._store = store
        self._switch = switch
        self._dev = DevSet(store, project.path / "runs" / "comparisons")

    def active(self) -> str | None:
        """Name of the version that serves; None where there is none."""
        if not self._project.models():
            return None
        try:
            return self._project.active_model().name
        except InputError:  # models/active names one that is gone
            return None

    def list(self) -> list[Version]:
        """All versions, oldest first. One that is damaged is there, with its error."""
        active = self.active()
        history = schema_history(self._store)
        schema = self._store.schema()[0]
        return [_version(path, path.name == active, schema, history) for path in self._project.models()]

    def compare(self, a: str, b: str) -> Comparison:
        """Two versions on today's dev set, in today's labels.

        Raises:
            InputError: If there is no such version.
            NothingToCompareError: If dev has no done document with an entity.
            DevLearnedError: If one has learned dev (``viner train --refit``).
            BundleError: If one cannot be loaded.
        """
        for name in (a, b):
            if read_bundle(self._path(name)).info.data.get(REFIT):
                raise DevLearnedError(
                    f"{name} has learned dev, so nothing can be compared on it",
                    hint="Compare them on documents that neither has learned: viner compare",
                )
        comparison = compare_tallies(a, b, self._tallies(a), self._tallies(b))
        if not comparison.overall[0].support:
            raise NothingToCompareError(
                f"the {comparison.documents} done documents of dev have no entity to compare on",
                hint="Annotate some: the queue serves documents of dev among the others",
            )
        return comparison

    def activate(self, name: str) -> Version:
        """Puts a version into service, once it is loaded, and remembers it.

        Raises:
            InputError: If there is no such version.
            BundleError: If it cannot be loaded; the one before goes on serving.
        """
        self._switch(self._path(name))
        self._project.activate(name)
        return next(version for version in self.list() if version.name == name)

    def roll_back(self) -> Version:
        """Puts the version before the active one into service.

        Raises:
            InputError: If there is none.
        """
        names = [path.name for path in self._project.models()]
        active = self.active()
        place = names.index(active) if active is not None else 0
        if place == 0:
            raise InputError("there is no version before the one in service", where=self._project.path)
        return self.activate(names[place - 1])

    def prunable(self, *, keep: int) -> builtins.list[Version]:
        """The versions that are neither among the newest nor active, oldest first.

        Args:
            keep: How many of the newest stay, at least 1.
        """
        if keep < 1:
            raise UsageError(f"at least one version must be kept, not {keep}")
        doomed = {path.name for path in self._project.prunable(keep)}
        return [version for version in self.list() if version.name in doomed]

    def prune(self, *, keep: int) -> builtins.list[str]:
        """Removes the versions that :meth:`prunable` names, and what is kept of their trainings.

        Returns:
            Their names.
        """
        doomed = self.prunable(keep=keep)
        for version in doomed:
            self._project.remove_model(version.name)
        return [version.name for version in doomed]

    def _path(self, name: str) -> Path:
        for path in self._project.models():
            if path.name == name:
                return path
        raise InputError(f"the project has no model {name!r}", where=self._project.path)

    def _tallies(self, name: str) -> builtins.list[Tally]:
        path = self._path(name)
        model = Recognizer.load(path)
        schema, labels = current_labels(self._store, model.info.schema)
        version = f"{_identity(model.info)} {sorted(labels.items(), key=str)}"
        return self._dev.tallies(name, version, MappedRecognizer(model, schema, labels))


def current_labels(store: Store, schema: Schema) -> tuple[Schema, dict[str, str | None]]:
    """Today's schema, and for each label of a model's schema what it is called there; None where it is gone."""
    found = label_map(schema, schema_history(store))
    return store.schema()[0], {label: follower.label for label, follower in found.items()}


def _version(path: Path, active: bool, schema: Schema, history: Any) -> Version:
    size = _size(path)
    try:
        info = read_bundle(path, weights=False).info
    except VinerError as error:
        return Version(name=path.name, path=path, active=active, size=size, error=error.to_dict())
    found = label_map(info.schema, history)
    answered = {follower.label for follower in found.values()}
    train = info.data.get("train", {})
    return Version(
        name=path.name,
        path=path,
        active=active,
        size=size,
        created=datetime.fromtimestamp((path / "viner.json").stat().st_mtime, UTC).isoformat(timespec="seconds"),
        metrics={split: scores["micro"]["f1"] for split, scores in info.metrics.items() if "micro" in scores},
        documents=train.get("documents"),
        entities=train.get("entities"),
        fingerprint=train.get("sha256"),
        base=info.base.get("name"),
        engine=info.engine,
        measured_with=info.evidence.get(MEASURED_WITH),
        missing=tuple(name for name in _labels(schema) if name not in answered),
        lost={name: follower.reason or "" for name, follower in found.items() if follower.label is None},
    )


def _labels(schema: Schema) -> tuple[str, ...]:
    return next((layer.names for layer in schema if layer.name == ENTITIES), ())


def _identity(info: BundleInfo) -> str:
    graphs = " ".join(info.files[name].sha256 for name in sorted(info.files) if name.startswith(GRAPH))
    return f"{graphs} {info.engine} {info.least_estimate}"


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.is_dir() else 0
