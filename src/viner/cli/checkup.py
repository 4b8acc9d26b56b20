"""Whether a project is sound: its settings, its store, its models, its disk."""

from __future__ import annotations

import os
import tempfile
from functools import partial
from pathlib import Path

from viner.cli.checks import Check, check, free_space
from viner.cli.projects import has_store, require_app
from viner.errors import VinerError
from viner.project import Project


def check_project(project: Project) -> list[Check]:
    """Looks at everything that may be wrong with a project, and changes nothing."""
    return [
        check(name, partial(look, project), place=project.path)
        for name, look in (
            ("settings", _settings),
            ("schema", _schema),
            ("store", _store),
            ("folder", _folder),
            ("disk", _disk),
            ("model", _model),
            ("leftovers", _leftovers),
        )
    ]


def _settings(project: Project) -> str:
    settings = project.settings()
    return f"{settings.name}, {settings.language}" + ("" if settings.guideline else "; no guideline")


def _schema(project: Project) -> str:
    schema = project.schema()
    if schema is None:
        raise VinerError("viner.toml has no schema", where=project.path / "viner.toml", hint="Write [[schema.layers]]")
    return f"{sum(len(layer.types) for layer in schema)} types"


def _store(project: Project) -> str:
    if not has_store(project):
        return "none yet; viner import makes it"
    require_app("the store")
    from viner.store import Store

    with Store.of_project(project, create=False) as store:
        counts = store.counts()
        schema, _ = store.schema()
        with store.transaction():
            pass  # Whoever holds the turn to write for long holds up all annotators; asking for it changes nothing.
    edited = "" if schema == project.schema() else "; viner.toml has other types, which count from the next start on"
    return f"{counts.documents:,} documents, {counts.status('done'):,} done; it can be written{edited}"


def _folder(project: Project) -> str:
    with tempfile.TemporaryFile(dir=project.path):
        return "it can be written"


def _disk(project: Project) -> str:
    return free_space(project.path, hint="A training needs about one; free some")


def _model(project: Project) -> str:
    if not project.models():
        return "none yet; viner train makes one"
    from viner.bundle import read_bundle

    path = project.active_model()
    read_bundle(path)
    return f"{path.name} is active, {len(project.models())} in all"


def _leftovers(project: Project) -> str:
    """What an interrupted run may have left; a lock whose owner is gone holds nobody up, and is told apart from a held one."""
    trainings = sorted(path.name for path in (project.path / "models").glob("*.training"))
    held = [name for name in trainings if _is_held(project.path / "models" / name / "lock")]
    loose = sorted(path.name for path in project.path.glob(".viner-init-*"))
    if loose:
        raise VinerError(f"left by an interrupted init: {', '.join(loose)}", where=project.path, hint="Remove it")
    waiting = [name for name in trainings if name not in held]
    parts = [f"running: {', '.join(held)}"] * bool(held)
    parts += [f"interrupted, to be taken up by viner train: {', '.join(waiting)}"] * bool(waiting)
    # Whoever must know where texts are should know of these.
    texts = sorted(file.parent.name for file in (project.path / "runs").glob("*/train.jsonl"))
    parts += [f"trainings that have not finished, with a copy of their documents: {', '.join(texts)}"] * bool(texts)
    if (project.path / "runs" / "doubts").is_dir():
        parts.append("a search for doubts that has not finished, with copies of documents: go on with viner doubts")
    return "; ".join(parts) or "none"


def _is_held(lock: Path) -> bool:
    if not lock.exists() or os.name == "nt":
        return False
    import fcntl

    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.flock(file, fcntl.LOCK_UN)
        return False
