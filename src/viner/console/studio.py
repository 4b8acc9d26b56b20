"""What the pages of a project need from a project at work: protocols, so that the console can be tested without a training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from viner.console.recognizer import RecognizerLike
from viner.project import Project, ProjectSettings
from viner.store import Store
from viner.studio import Run


class RunsLike(Protocol):
    """The trainings of a project."""

    def start(self, **options: Any) -> Run:
        """Starts one; options are ``minutes``, ``epochs``, ``smaller`` and ``self_train``."""
        ...

    def current(self) -> Run | None:
        """The training that is at work, or that was last; None before the first."""
        ...

    def stop(self, name: str) -> Any:
        """Asks a run to stop after its step."""
        ...

    def resume(self, name: str) -> Any:
        """Goes on with a stopped or failed run."""
        ...

    def events(self, name: str, after: int = 0) -> Sequence[Mapping[str, Any]]:
        """The events of its log from a position on, as the trainer makes them (:mod:`viner.training.trainer`)."""
        ...


class VersionsLike(Protocol):
    """The models of a project."""

    def list(self) -> Sequence[Any]:
        """All versions, oldest first; each has a ``to_dict()``."""
        ...

    def compare(self, a: str, b: str) -> Any:
        """Two versions on today's dev documents; the answer has a ``to_dict()``."""
        ...

    def activate(self, name: str) -> Any:
        """Puts a version into service."""
        ...

    def roll_back(self) -> Any:
        """Puts the version before the one in service into service."""
        ...

    def prunable(self, *, keep: int) -> Sequence[Any]:
        """The versions that pruning would delete."""
        ...

    def prune(self, *, keep: int) -> Sequence[str]:
        """Deletes old versions; their names."""
        ...


class ServingLike(RecognizerLike, Protocol):
    """A recognizer whose model can change while it is at work."""

    @property
    def name(self) -> str | None:
        """Name of the version in service; None while there is no model."""
        ...


class StudioLike(Protocol):
    """A project at work (:class:`viner.studio.Studio`)."""

    @property
    def project(self) -> Project:
        """The folder."""
        ...

    @property
    def settings(self) -> ProjectSettings:
        """Its settings."""
        ...

    @property
    def store(self) -> Store:
        """The documents."""
        ...

    @property
    def recognizer(self) -> ServingLike:
        """What answers; raises an error of code ``no_model`` while there is no model."""
        ...

    @property
    def runs(self) -> Any:
        """The trainings (:class:`RunsLike`)."""
        ...

    @property
    def versions(self) -> Any:
        """The models (:class:`VersionsLike`)."""
        ...

    def schema_changed(self) -> Any:
        """Lets the models and the queue follow a changed schema."""
        ...

    def erase(self, ids: Iterable[str], *, who: str) -> Any:
        """Erases documents for good; the answer has ``documents``, how many."""
        ...

    def set_retrain_after(self, count: int) -> Any:
        """How many newly done documents start a training by themselves; 0 never."""
        ...
