"""What a run does: train on its snapshot, write the model, and let it take over where it is not worse.

``python -m viner.studio.work RUN_FOLDER`` is the process behind the button; :func:`work` does the same in this one.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from viner.annotation.snapshot import TEXTS
from viner.bundle import Origin, read_bundle
from viner.errors import InputError, TrainingError, VinerError, interruption, outline
from viner.project import Project
from viner.schema import Schema
from viner.studio.background import yield_processor
from viner.studio.course import PREPARING, PROMOTING
from viner.studio.promotion import promote
from viner.studio.run_folder import SELF_TRAIN, RunFolder, process_start
from viner.workflow import Report, train_model


class Stopped(BaseException):
    """SIGTERM came. It passes what catches exceptions, and runs what cleans up."""


class RunReport(Report):
    """Tells a training to the log of its run, and to people.

    Args:
        folder: The run.
        stream: For people.
    """

    def __init__(self, folder: RunFolder, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self._folder = folder

    def stage(self, name: str) -> None:
        """Says what begins now."""
        self._folder.tell({"event": "stage", "name": name})
        super().stage(name)

    def log(self, event: dict[str, Any]) -> None:
        """Takes what a log keeps of the trainer's events."""
        self._folder.tell(event)


def work(folder: RunFolder, *, stream: TextIO | None = None) -> Path:
    """Does a run from its snapshot to its end, and writes how it ended to its state.

    Args:
        folder: The run, with ``run.json`` and snapshot.
        stream: Where progress for people goes; None means stderr.

    Returns:
        The model folder.

    Raises:
        VinerError: If the training fails; the state says why, too.
        Stopped: If SIGTERM came.
    """
    with folder.held():
        (folder.path / "stop").unlink(missing_ok=True)  # it was meant for whoever was at work before
        me = {"pid": os.getpid(), "process": process_start(os.getpid())}
        state = folder.update(state="running", ended=None, error=None, **me)
        try:
            model = _train(folder, state, stream)
        except Exception as error:
            if (stopped := interruption(error)) is not None:
                _end(folder, state="stopped")
                raise stopped from None
            problem = error if isinstance(error, VinerError) else _unexpected(error, folder)
            with suppress(VinerError):  # on a full disk the process just ends, and whoever looks finds it gone
                _end(folder, state="failed", error=problem.to_dict())
            raise
        except BaseException:  # Ctrl-C and SIGTERM, whatever stands for them in this process
            _end(folder, state="stopped")
            raise
        return model


def _train(folder: RunFolder, state: dict[str, Any], stream: TextIO | None) -> Path:
    project = Project(folder.path.parent.parent)
    target = project.path / "models" / folder.name
    _pin(project)
    files: dict[str, Any] = {**folder.snapshot_files()}
    if not (target / "viner.json").is_file():  # else it was stopped after the model stood
        target.parent.mkdir(exist_ok=True)
        if "train" not in files:
            raise InputError("the snapshot of this run is gone", where=folder.path, hint="Start a new training")
        folder.tell({"event": "stage", "name": PREPARING})
        options = {name: value for name, value in state["options"].items() if name != SELF_TRAIN}
        if TEXTS in files:
            files[TEXTS] = [*options.pop(TEXTS, ()), files[TEXTS]]
        train_model(
            **files,
            out=target,
            schema=Schema.from_dict(state["schema"]),
            source=Origin.of_project(project),
            format="jsonl",
            report=RunReport(folder, stream),
            **options,
        )
    folder.tell({"event": "stage", "name": PROMOTING})
    outcome = promote(project, folder.name)
    _end(folder, state="finished", model=folder.name, dev_f1=_dev_f1(target), outcome=outcome)
    folder.remove_snapshot()
    return target


def _pin(project: Project) -> None:
    """Writes down which model is active: otherwise the new one would be, as the newest, before it has shown what it can."""
    if project.models():
        project.activate(project.active_model().name)


def _dev_f1(model: Path) -> float | None:
    metrics = read_bundle(model).info.metrics
    return metrics["dev"]["micro"]["f1"] if "dev" in metrics else None


def _end(folder: RunFolder, **changes: Any) -> None:
    folder.update(ended=round(time.time(), 1), pid=None, process=None, **changes)


def _unexpected(error: Exception, folder: RunFolder) -> VinerError:
    if isinstance(error, OSError):
        return TrainingError(
            error.strerror or str(error),
            where=error.filename,
            hint="Check disk space and permissions, then resume the training",
        )
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return TrainingError(
            "the memory is not enough", hint="Close other programs, or train with smaller batches; then resume"
        )
    # The message could quote a document.
    return TrainingError(f"an unexpected error: {outline(error)}", where=folder.output, hint="The file has the details")


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)
    raise Stopped


def main() -> int:
    """Runs the process behind the button; returns its exit status."""
    signal.signal(signal.SIGTERM, _terminate)
    yield_processor()
    try:
        work(RunFolder(Path(sys.argv[1])))
    except Stopped:
        return 143
    except VinerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
