"""Doubts that cross-validation had about a project's annotations, held against the documents as they are now.

``viner doubts --project`` works in ``runs/doubts/`` and leaves what it found in ``runs/doubts.json``: ids, offsets and labels,
no text. A doubt is settled as soon as the annotation that it is about is another one; a label that was renamed or merged is the
same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from viner.annotation.label_map import mapping_since
from viner.document import Document, Span
from viner.errors import InputError
from viner.evaluation.doubts import MOST, Doubt, pair_as_it_is
from viner.evaluation.errors import Pair
from viner.evaluation.excerpts import Excerpts
from viner.formats.files import replacing
from viner.project import Project
from viner.store import Filter, Store
from viner.store.transaction import batches
from viner.studio.locks import held
from viner.studio.runs import RunError
from viner.text import words_of


@dataclass(frozen=True, slots=True)
class OpenDoubts:
    """What is left of the doubts that were found.

    Args:
        doubts: The first of those that are not settled, the most doubtful first.
        open: How many are not settled.
        found: How many were found.
        when: When they were found.
    """

    doubts: tuple[Doubt, ...]
    open: int
    found: int
    when: datetime


@contextmanager
def doubting(project: Project) -> Iterator[Path]:
    """The folder in which doubts are looked for, with copies of the documents: only one at a time, and nobody erases meanwhile.

    Raises:
        RunError: If somebody does.
    """
    with _alone(project, "doubts are looked for already, or documents are being erased", "Look again when that is done"):
        yield _working(project)


@contextmanager
def forgetting(project: Project, ids: Collection[str]) -> Iterator[None]:
    """Drops what doubts keep of documents, copies included; erase these within the block.

    A file that cannot be read goes as a whole.

    Raises:
        RunError: If doubts are being looked for; nothing was dropped then.
        VinerError: If the file cannot be written.
    """
    if not (project.path / "runs").is_dir():
        yield
        return
    told = "viner doubts is at work, which has copies of the documents"
    with _alone(project, told, "Stop it, or wait until it is done, and erase then"):
        shutil.rmtree(_working(project), ignore_errors=True)
        path = doubts_file(project)
        if path.is_file():
            try:
                data = json.loads(path.read_text(encoding="utf-8"))
                kept = [item for item in data["doubts"] if item["document"] not in ids]
            except (OSError, ValueError, KeyError, TypeError):
                path.unlink()
            else:
                if len(kept) < len(data["doubts"]):
                    _write(path, {**data, "doubts": kept})
        yield


def doubts_file(project: Project) -> Path:
    """Where a project keeps the doubts that were found last."""
    return project.path / "runs" / "doubts.json"


def write_doubts(project: Project, doubts: Iterable[Doubt], version: int) -> None:
    """Keeps doubts in the place of those that were found before.

    Args:
        project: The project.
        doubts: The most doubtful first.
        version: Version of the schema whose labels they have.

    Raises:
        VinerError: If they cannot be written.
    """
    kept = [{**doubt.to_dict(surfaces=False), "beside": _beside(doubt)} for doubt in doubts]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    _write(doubts_file(project), {"found": now, "schema": version, "doubts": kept})


def open_doubts(project: Project, store: Store, *, most: int = MOST) -> OpenDoubts | None:
    """The doubts of a project that are not settled; None where none were ever looked for.

    Args:
        project: The project.
        store: Its store.
        most: How many come with their text.

    Raises:
        InputError: If the file holds something else.
    """
    path = doubts_file(project)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        when, version, items = datetime.fromisoformat(data["found"]), int(data["schema"]), list(data["doubts"])
        names = dict.fromkeys(str(item["document"]) for item in items)
        documents = {document.id: document for part in batches(names) for document in store.export(Filter(ids=tuple(part)))}
        labels = mapping_since(store, version)
        pairs = [
            (item, pair)
            for item in items
            if (document := documents.get(str(item["document"]))) is not None
            and (pair := pair_as_it_is(item, document, labels)) is not None
        ]
        first = [(str(item["document"]), item, pair) for item, pair in pairs[:most]]
        words = {name: words_of(documents[name]) for name in {name for name, _, _ in first}}
        doubts = [
            _shown(item, pair, documents[name], words[name], number) for number, (name, item, pair) in enumerate(first, 1)
        ]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"these are no doubts of viner ({error})",
            where=path,
            hint="Remove the file, and look for doubts again: viner doubts --project DIR",
        ) from error
    return OpenDoubts(tuple(doubts), len(pairs), len(items), when)


def _shown(item: Mapping[str, Any], pair: Pair, document: Document, words: Sequence[Span], number: int) -> Doubt:
    """A doubt in its document."""
    answer = document.with_(entities=() if pair.predicted is None else (pair.predicted,), words=words)
    excerpt = Excerpts(document, answer, number).cut(pair.start, pair.end)
    elsewhere = {str(label): int(count) for label, count in item["elsewhere"].items()}
    return Doubt(pair, excerpt, float(item["confidence"]), elsewhere)


def _beside(doubt: Doubt) -> list[Span]:
    """Spans of annotated entities that overlap what seems to be missing, and were there when it was doubted."""
    pair = doubt.pair
    return [(entity.start, entity.end) for entity in doubt.excerpt.gold if entity.start < pair.end and pair.start < entity.end]


def _working(project: Project) -> Path:
    return project.path / "runs" / "doubts"


def _write(path: Path, data: Mapping[str, Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as sink:
        sink(json.dumps(data, ensure_ascii=False, indent=1) + "\n")


@contextmanager
def _alone(project: Project, told: str, hint: str) -> Iterator[None]:
    """Holds the lock of those who look for doubts or erase."""
    runs = project.path / "runs"
    runs.mkdir(exist_ok=True)
    with held(runs / "doubting", RunError(told, where=runs, hint=hint)):
        yield
