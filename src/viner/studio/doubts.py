"""Doubts that cross-validation had about a project's annotations, held against the documents as they are now.

``viner doubts --project`` leaves them in ``runs/doubts.jsonl``: ids, offsets and labels, no text. A doubt is settled as soon as
the annotation that it is about is another one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from viner.errors import InputError
from viner.evaluation.doubts import Doubt
from viner.formats.files import replacing
from viner.project import Project
from viner.store import Filter, Store


@dataclass(frozen=True, slots=True)
class OpenDoubts:
    """What is left of the doubts that were found.

    Args:
        doubts: Those that are not settled, the most doubtful first.
        found: How many were found, those that are settled included.
        when: When they were found.
    """

    doubts: tuple[Doubt, ...]
    found: int
    when: datetime


def doubts_file(project: Project) -> Path:
    """Where a project keeps the doubts that were found last."""
    return project.path / "runs" / "doubts.jsonl"


def write_doubts(path: Path, doubts: Iterable[Doubt]) -> None:
    """Keeps doubts in the place of those that were found before.

    Args:
        path: What :func:`doubts_file` gives.
        doubts: The most doubtful first.

    Raises:
        VinerError: If it cannot be written.
    """
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as sink:
        for doubt in doubts:
            sink(doubt.to_json(surfaces=False) + "\n")


def open_doubts(project: Project, store: Store) -> OpenDoubts | None:
    """The doubts of a project that are not settled; None where none were ever looked for.

    Raises:
        InputError: If the file holds something else; ``where`` is file and line.
    """
    path = doubts_file(project)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path, None, error) from error
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            data = json.loads(line)
            entries.append((number, data, str(data["document"])))
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(path, number, error) from error
    names = tuple(dict.fromkeys(name for _, _, name in entries))
    documents = {document.id: document for document in store.export(Filter(ids=names))} if names else {}
    found = []
    for number, data, name in entries:
        if name not in documents:
            continue  # erased meanwhile
        try:
            doubt = Doubt.in_document(data, documents[name], number)
        except (ValueError, KeyError, TypeError) as error:
            raise _unreadable(path, number, error) from error
        if doubt is not None:
            found.append(doubt)
    return OpenDoubts(tuple(found), len(entries), when)


def forget_doubts(project: Project, ids: Collection[str]) -> None:
    """Drops what is kept about documents that are erased; a file that cannot be read goes as a whole.

    Raises:
        VinerError: If it cannot be written.
    """
    path = doubts_file(project)
    if not path.is_file():
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if json.loads(line)["document"] not in ids]
    except (OSError, ValueError, KeyError, TypeError):
        kept = []
    with replacing(path) as sink:
        sink("".join(kept))


def _unreadable(path: Path, line: int | None, error: Exception) -> InputError:
    return InputError(
        f"these are no doubts of viner ({error})",
        where=path if line is None else f"{path}:{line}",
        hint="Remove the file, and look for doubts again: viner doubts --project DIR",
    )
