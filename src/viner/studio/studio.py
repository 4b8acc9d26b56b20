"""A project at work: what the pages, the REST API and the annotation page use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import tomlkit

from viner.annotation.queue import Queue
from viner.annotation.suggest.suggester import Suggester
from viner.annotation.sync import sync
from viner.errors import VinerError, outline
from viner.project import Project, ProjectSettings
from viner.project.toml import write_text
from viner.store import Store
from viner.studio.assembly import make_recognition_rules, make_suggester
from viner.studio.erasing import Erased, erase
from viner.studio.refreshing import Refreshing
from viner.studio.runs import Runs
from viner.studio.serving import ServingRecognizer
from viner.studio.versions import Versions, current_labels

_EVERY = 1.0
"""Seconds between two looks at what other processes have changed."""
_log = logging.getLogger("viner")


class Studio:
    """A project at work. Safe to call from several threads.

    Trainings, the command line and people with an editor change a project, too. What they change is on disk, and the studio
    follows it: the active model, ``viner.toml`` and the schema, at the latest a second later.

    Args:
        project: The project.
        store: Its store; :meth:`close` closes it.

    Attributes:
        project: The folder.
        store: Its documents.
        recognizer: The model in service, with the rules that recognize.
        runs: Its trainings.
        versions: Its models.
        refreshing: What brings suggestions up to date in the background.
        settings: What ``viner.toml`` says now.
        queue: Serves documents. There is another one after the settings have changed, so ask for it each time.
        message: What is wrong with ``viner.toml`` or the active model, which are then as they were before, which rule does not
            recognize, or why no training could start by itself; None if nothing.
    """

    def __init__(self, project: Project, store: Store) -> None:
        self.project = project
        self.store = store
        self.recognizer = ServingRecognizer(lambda schema: current_labels(store, schema))
        self.runs = Runs(project, store)
        self.versions = Versions(project, store, self._serve)
        self.refreshing = Refreshing(project)
        self.settings: ProjectSettings = project.settings()
        self.message: str | None = None
        self._following = threading.RLock()
        self._retraining = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen_settings = self._stamp()
        self._seen_schema = store.schema()[1]
        self._refused: Path | None = None
        self._refusal: str | None = None
        self._not_started: str | None = None
        self._left_out: str | None = None
        self._renew_rules(self.settings)
        self.queue = Queue(store, self.settings.annotation, make_suggester(project, store, self.settings, self.recognizer))

    @classmethod
    def open(cls, project: Project | str | Path, *, follow: bool = True) -> Studio:
        """Opens a project: store, schema, settings, rules and the active model, if there is one.

        Args:
            project: The project or its folder.
            follow: Whether to look, in a thread, at what other processes change; else :meth:`follow` does when it is called.

        Raises:
            InputError: If ``viner.toml`` cannot be read or says what cannot be used.
            StoreError: If the database cannot be opened.
            SchemaError: If the schema in ``viner.toml`` lost a label that annotations use.
        """
        project = project if isinstance(project, Project) else Project(Path(project))
        store = Store.of_project(project)
        try:
            sync(project, store)
            studio = cls(project, store)
            studio.follow()
        except BaseException:
            store.close()
            raise
        if follow:
            studio._thread = threading.Thread(target=studio._keep_following, name="viner-studio", daemon=True)
            studio._thread.start()
        return studio

    def close(self) -> None:
        """Lets go of the project. A training at work goes on."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self.store.close()

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def suggester(self) -> Suggester | None:
        """What suggests now: the model in service and the rules."""
        return self.queue.suggester

    def follow(self) -> None:
        """Takes over what has changed on disk since the last time: ``viner.toml``, the schema, the active model."""
        with self._following:
            problems = [self._follow_settings(), self._follow_model(), self._not_started]
            self.schema_changed()
            problems.append(self._left_out)
            self.message = next((problem for problem in problems if problem is not None), None)
            suggester = self.suggester
            if suggester is not None and not suggester.idle:
                try:
                    self.refreshing.start(suggester.mark)
                except (OSError, VinerError) as error:
                    self.message = f"Suggestions are not brought up to date: {error}"

    def schema_changed(self) -> None:
        """Looks the labels up again where the schema has changed. Call it after a change, not to wait for the next look."""
        with self._following:
            version = self.store.schema()[1]
            if version != self._seen_schema:
                self._seen_schema = version
                self._seen_settings = None  # its rules may name labels
                self.recognizer.remap()
                self._reread_rules()
                self._renew_suggester()

    def erase(self, ids: Iterable[str], *, who: str) -> Erased:
        """Erases documents for good, see :func:`viner.studio.erasing.erase`."""
        return erase(self.project, self.store, self.runs, ids, who=who)

    def done_since(self) -> int:
        """How many more documents are done than when the last training began."""
        return self.runs.done_since()

    def note_done(self) -> None:
        """Call it after a document has been done: a training starts by itself after so many as the settings say.

        It returns at once. A training that cannot start is not tried again before as many more documents are done.
        """
        after = self.settings.annotation.retrain_after
        if after and not self._closed.is_set() and self._retraining.acquire(blocking=False):
            threading.Thread(target=self._retrain, args=(after,), name="viner-retrain", daemon=True).start()

    def set_retrain_after(self, count: int) -> None:
        """Writes to ``viner.toml`` after how many newly done documents a training starts by itself; 0 never.

        Raises:
            VinerError: If it cannot be read, as it is now, or written.
        """
        path = self.project.path / "viner.toml"
        with self.store.transaction(exclusive=True):  # in which changes of the schema write that file, too
            self.project.settings()
            document = tomlkit.parse(path.read_bytes().decode("utf-8-sig"))
            document.setdefault("annotation", tomlkit.table())["retrain_after"] = count
            write_text(path, document.as_string())
        self.follow()

    def training(self) -> dict[str, Any]:
        """What to show: ``{"run", "active", "done_since", "retrain_after", "message", "suggestions"}``."""
        run = self.runs.current()
        return {
            "run": None if run is None else run.to_dict(),
            "active": self.versions.active(),
            "done_since": self.done_since(),
            "retrain_after": self.settings.annotation.retrain_after,
            "message": self.message,
            "suggestions": self.refreshing.state(),
        }

    def _retrain(self, after: int) -> None:
        try:
            if self.runs.start_due(after) is not None:
                self._not_started = None
        except VinerError as error:
            self._not_started = f"No training could be started: {error}"
        except Exception as error:
            _log.error("a training could not be started: %s", outline(error))
        finally:
            self._retraining.release()

    def _serve(self, path: Path) -> None:
        with self._following:
            self.recognizer.switch(path)
            self._renew_suggester()

    def _follow_settings(self) -> str | None:
        stamp = self._stamp()
        if stamp == self._seen_settings:
            return None
        try:
            settings = self.project.settings()
            if sync(self.project, self.store) == "written":
                settings = self.project.settings()  # its rules may have followed their labels
            suggester = make_suggester(self.project, self.store, settings, self.recognizer)
            self._renew_rules(settings)
        except VinerError as error:
            return f"{error}. The project goes on with the settings from before"
        self.settings = settings
        self.queue = Queue(self.store, settings.annotation, suggester)
        self._seen_settings = self._stamp()
        return None

    def _follow_model(self) -> str | None:
        if not self.project.models():
            return None
        active = None
        try:
            active = self.project.active_model()
            if active == self.recognizer.path:
                self._refused = self._refusal = None
            elif active != self._refused:
                self._refused = active  # loading it again each second would help nobody
                self._serve(active)
                self._refused = self._refusal = None
        except VinerError as error:
            self._refused = active
            self._refusal = (
                f"{error}. {'The model before goes on serving' if self.recognizer.name else 'No model is in service'}"
            )
        return self._refusal

    def _renew_suggester(self) -> None:
        try:
            self.queue.suggester = make_suggester(self.project, self.store, self.settings, self.recognizer)
        except VinerError as error:
            self.message = str(error)

    def _reread_rules(self) -> None:
        """Takes the rules of ``viner.toml`` as they are under a new schema; those from before where it cannot be used."""
        try:
            settings = self.project.settings()
            self._renew_rules(settings)
        except VinerError:
            self._renew_rules(self.settings)
        else:
            self.settings = settings

    def _renew_rules(self, settings: ProjectSettings) -> None:
        rules, self._left_out = make_recognition_rules(self.project, self.store.schema()[0], settings)
        self.recognizer.use(rules)

    def _stamp(self) -> Any:
        folder = self.project.path
        terms = [rule.file for rule in self.settings.dictionaries if rule.file is not None]
        stamps = []
        for file in (folder / "viner.toml", folder / self.settings.annotation.guideline, *terms):
            try:
                status = file.stat()
                stamps.append((status.st_mtime_ns, status.st_size))
            except OSError:
                stamps.append((0, 0))
        return stamps

    def _keep_following(self) -> None:
        while not self._closed.wait(_EVERY):
            try:
                self.follow()
            except VinerError as error:
                self.message = str(error)
            except Exception as error:
                _log.error("the project cannot be followed: %s", outline(error))
