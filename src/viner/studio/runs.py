"""The trainings of a project: started, stopped and resumed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from viner.annotation.snapshot import snapshot
from viner.errors import MissingExtraError, TrainingError, VinerError
from viner.project import Project
from viner.store import Store
from viner.studio.background import spawn
from viner.studio.locks import held
from viner.studio.notes import Note
from viner.studio.run import Run
from viner.studio.run_folder import SELF_TRAIN, RunFolder, process_start
from viner.studio.run_records import STOPPED, RunError, RunRecords
from viner.studio.serving import NoModelError

_TRIED = "training.tried"
"""Setting of the store: how many documents were done when a training was last started by itself, or could not be."""
_LONGEST_SNAPSHOT = 600.0
"""Seconds that the snapshot of a million documents takes, amply."""
_NO_RECIPE = frozenset(
    "distill_from layers teacher unlabeled self_train imitation temperature closeness track track_dir".split()
)
"""Options of a run that say what it learned from beside the annotations, or who watched."""


class Runs(RunRecords):
    """The trainings of a project, each in a folder ``runs/NNN`` and a process of its own. Safe to call from several threads.

    Another server, or the same one after a restart, sees and steers the same runs.

    Args:
        project: The project.
        store: Its store.
    """

    def __init__(self, project: Project, store: Store) -> None:
        super().__init__(project)
        self._store = store

    def start(self, *, automatic: bool = False, **options: Any) -> Run:
        """Takes a snapshot of what is annotated, and starts a training on it in the background.

        Args:
            automatic: Whether it starts by itself.
            **options: ``base``, ``minutes`` (limit of the time), ``smaller`` (whether the model becomes a smaller one of that
                in service), ``self_train`` (whether that one teaches it what is in documents that nobody began) and the choices
                of :class:`viner.training.config.TrainingConfig`.

        Returns:
            The run, "starting".

        Raises:
            RunError: If a training is at work.
            InputError: If too little is annotated; it says how much is missing.
            NoModelError: If there is no model that could become smaller, or teach.
            MissingExtraError: If the training libraries are missing.
            VinerError: If the run cannot be written.
        """
        with self._starting():
            folder = self.prepare(automatic=automatic, **options)
            self._spawn(folder)
        return self.get(folder.name)

    def start_due(self, after: int) -> Run | None:
        """Starts a training by itself, if none is at work and enough documents are done for it. It tries once for them.

        It has the base and the choices of the model in service (:meth:`recipe`), which it is compared with.

        Args:
            after: How many more documents must be done than when the last training began, or when one was last tried.

        Returns:
            The run; None if there was nothing to start.

        Raises:
            VinerError: As :meth:`start` does, but no RunError.
        """
        if not self._is_due(after):
            return None
        try:
            with self._starting():
                if not self._is_due(after):  # another server was faster
                    return None
                self._store.set_setting(_TRIED, self._store.counts().status("done"))
                folder = self.prepare(automatic=True, **self.recipe())
                self._spawn(folder)
        except RunError:
            return None
        return self.get(folder.name)

    def prepare(self, *, automatic: bool = False, **options: Any) -> RunFolder:
        """Makes the folder of a new run, with a snapshot. The caller sees to it that no other is started meanwhile."""
        _check_libraries()
        chosen = self.in_full(options)
        self._folder.mkdir(exist_ok=True)
        folder = RunFolder(self._folder / self._next_name())
        try:
            folder.path.mkdir()
            taken = snapshot(self._store, folder.path, texts=bool(chosen.get(SELF_TRAIN)))
            folder.write(
                {
                    "state": "starting",
                    "created": round(time.time(), 1),
                    "automatic": automatic,
                    "options": chosen,
                    "counts": taken.to_dict(),
                    "fingerprint": taken.fingerprint,
                    "done": self._store.counts().status("done"),
                    "schema": taken.schema.to_dict(),
                    "schema_version": taken.schema_version,
                }
            )
        except OSError as error:
            _remove(folder.path)
            raise TrainingError(
                f"the documents cannot be copied for the training ({error.strerror or error})",
                where=folder.path,
                hint="Check the project folder's permissions and the space left",
            ) from error
        except BaseException:
            _remove(folder.path)
            raise
        return folder

    def in_full(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a run with the models that they mean today, as :attr:`Run.options` has them.

        Raises:
            NoModelError: If there is none that could become smaller, or teach.
        """
        chosen = dict(options)
        if (minutes := chosen.pop("minutes", None)) is not None:
            chosen["budget_minutes"] = minutes
        if chosen.pop("smaller", False):
            chosen["distill_from"] = self._in_service("could become smaller")
        if chosen.get(SELF_TRAIN) is False:
            del chosen[SELF_TRAIN]
        if SELF_TRAIN in chosen and not chosen.get("distill_from") and not chosen.get("teacher"):
            chosen["teacher"] = [self._in_service("could say what is in documents that nobody began")]
        return chosen

    def _in_service(self, wanted: str) -> str:
        """The folder of the active model."""
        if not self._project.models():
            raise NoModelError(f"there is no model yet that {wanted}", hint="Train one without it first")
        return str(self._project.active_model().resolve())

    def stop(self, name: str) -> Run:
        """Asks a run to stop. What it has learned up to its last whole epoch is kept.

        Raises:
            RunError: If it is not at work.
        """
        folder = self._known(name)
        state = folder.read()
        run = self._read(folder)
        if not run.active:
            raise RunError(f"the training {name} is not at work: it is {run.state}")
        if (pid := state.get("pid")) is not None and folder.alive(state):
            (folder.path / "stop").touch()
            os.kill(pid, signal.SIGTERM)
        return self.get(name)

    def resume(self, name: str) -> Run:
        """Goes on with a stopped or failed run: same snapshot, same choices, from its last whole epoch on.

        Raises:
            RunError: If it is neither stopped nor failed, or its snapshot is gone, or another is at work.
            MissingExtraError: If the training libraries are missing.
        """
        folder = self._known(name)
        with self._starting():
            run = self._read(folder)
            if not run.resumable:
                raise RunError(f"the training {name} cannot be resumed: it is {run.state}", hint="Start a new one")
            if "train" not in folder.snapshot_files():
                raise RunError(f"what the training {name} learned from is gone", hint="Start a new one")
            _check_libraries()
            folder.update(state="starting", begun=round(time.time(), 1), ended=None, error=None, pid=None, process=None)
            self._spawn(folder)
        return self.get(name)

    def recipe(self) -> dict[str, Any]:
        """The options by which the model in service was trained, as far as they are a recipe: its base and its choices.

        What it learned from beside the annotations, a teacher or texts, is left to who asks for it. Empty where none is known.
        """
        if not self._project.models():
            return {}
        try:
            options = RunFolder(self._folder / self._project.active_model().name).read().get("options", {})
        except VinerError:  # a model that came from elsewhere
            return {}
        return {name: value for name, value in options.items() if not name.startswith("adapt") and name not in _NO_RECIPE}

    def done_since(self) -> int:
        """How many more documents are done than when the last run began; all, before the first."""
        folders = self._folders()
        done = self._store.counts().status("done")
        return max(0, done - (folders[-1].read().get("done", 0) if folders else 0))

    @contextmanager
    def without(self, ids: Iterable[str]) -> Iterator[list[str]]:
        """Takes documents out of the snapshots of runs that have not finished. Erase them in the store within the block.

        Until the block ends no new snapshot is taken. What those runs have learned is thrown away, for they learned it from the
        documents, too; a run at work stops, and starts anew after the block. A process that is killed before the documents have
        gone from the store has erased nothing, and doing it again does the rest.

        Yields:
            The names of the runs that lost documents.

        Raises:
            RunError: If a training is being started all the time.
            TrainingError: If a snapshot cannot be written.
        """
        gone = set(ids)
        changed: list[str] = []
        interrupted: list[str] = []
        try:
            with self._alone(wait=_LONGEST_SNAPSHOT):
                for folder in self._folders():
                    if folder.mentions(gone) and self._lose(folder, gone, interrupted):
                        changed.append(folder.name)
                yield changed
        finally:
            for name in interrupted:
                with suppress(VinerError):  # it has finished, or nothing is left to learn from; else it can be resumed later
                    self.resume(name)

    def _lose(self, folder: RunFolder, gone: set[str], interrupted: list[str]) -> bool:
        """Takes documents out of a run's snapshot, and stops it before; whether the run goes on without them."""
        run = self._read(folder)
        if run.active:
            interrupted.append(run.name)
            with suppress(RunError):  # it has just ended
                self.stop(run.name)
            run = self.wait(run.name)
        if run.state == "finished":
            folder.remove_snapshot()  # it does so itself, unless it was killed before
            return False
        # The snapshot is last: as long as a document stands there, erasing it again comes here again.
        _remove(self._project.path / "models" / f"{folder.name}.training")
        folder.log.unlink(missing_ok=True)
        note = Note.of("documents_erased", count=len(gone))
        if note not in run.notes[-1:]:  # from an erasing that was cut off
            folder.update(notes=[known.to_dict() for known in (*run.notes, note)])
        folder.forget(gone)
        return True

    def _is_due(self, after: int) -> bool:
        tried = self._store.setting(_TRIED) or 0
        return self.done_since() >= after and self._store.counts().status("done") >= tried + after

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """Keeps others from starting a run at the same time.

        Raises:
            RunError: If a run is at work, or being started.
        """
        with self._alone(wait=10):
            busy = next((run for run in self.list() if run.active), None)
            if busy is not None:
                raise RunError(
                    f"a training is at work: {busy.name}", where=self._folder / busy.name, hint="Wait for it, or stop it"
                )
            yield

    @contextmanager
    def _alone(self, *, wait: float) -> Iterator[None]:
        """Holds the lock of those who start runs or erase, and clears away what one who was killed over a snapshot left.

        Raises:
            RunError: If somebody else holds it for longer than ``wait`` seconds.
        """
        self._make_folder()
        problem = RunError(
            "another training is being started, or documents are being erased",
            where=self._folder,
            hint="Look again in a moment",
        )
        with held(self._folder / "starting", problem, wait=wait):
            for path in self._folder.iterdir():
                if path.name.isdecimal() and not (path / "run.json").is_file():
                    _remove(path)
            yield

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise TrainingError(
                f"the folder of the trainings cannot be made ({error.strerror})",
                where=self._folder,
                hint="Check the project folder's permissions and the space left",
            ) from error

    @contextmanager
    def foreground(self, **options: Any) -> Iterator[RunFolder]:
        """A new run for this process to do, see :func:`viner.studio.work.work`; raises what :meth:`start` raises."""
        with self._starting():
            folder = self.prepare(**options)
            folder.update(pid=os.getpid(), process=process_start(os.getpid()))
        try:
            yield folder
        finally:
            if folder.read()["state"] == "starting":
                folder.update(**STOPPED)

    def _spawn(self, folder: RunFolder) -> None:
        """Starts the process and waits until it holds the run's lock, so that nobody takes the run for dead."""
        (folder.path / "stop").unlink(missing_ok=True)
        try:
            child = spawn("viner.studio.work", folder.path.resolve(), output=folder.output)
        except OSError as error:
            problem = TrainingError(
                f"the training cannot be started ({error.strerror or error})",
                where=folder.path,
                hint="Check memory and disk space",
            )
            folder.update(state="failed", ended=round(time.time(), 1), error=problem.to_dict())
            raise problem from error
        with self._lock:
            self._children[folder.name] = child
        while child.poll() is None and folder.read()["state"] == "starting":
            time.sleep(0.02)


def _check_libraries() -> None:
    for name in ("torch", "transformers", "accelerate", "safetensors", "onnx"):
        if find_spec(name) is None:
            raise MissingExtraError("training a model", "train")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
