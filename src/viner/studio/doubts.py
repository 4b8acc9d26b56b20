"""Doubts that cross-validation had about a project's annotations, held against the documents as they are now.

``viner doubts --project`` works in ``runs/doubts/`` and leaves what it found in ``runs/doubts.json``: ids, offsets and labels,
no text. A doubt is settled as soon as the annotation that it is about is another one; a label that was renamed or merged is the
same. One that proves to be none is put aside, in ``runs/doubts_aside.json``, where later searches leave it as long as the
annotation stands.
"""

from __future__ import annotations

import hashlib
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
from viner.studio.run_records import RunError
from viner.text import words_of


@dataclass(frozen=True, slots=True)
class OpenDoubts:
    """What is left of the doubts that were found.

    Args:
        doubts: The first of those that are not settled, the most doubtful first.
        open: How many are not settled.
        found: How many were found.
        when: When they were found.
        aside: The last of those that were put aside, by whichever search they were found.
        put: How many were put aside and stand.
    """

    doubts: tuple[Doubt, ...]
    open: int
    found: int
    when: datetime
    aside: tuple[Doubt, ...] = ()
    put: int = 0


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
        with _changing(project):
            shutil.rmtree(_working(project), ignore_errors=True)
            for path in (doubts_file(project), _aside_file(project)):
                _drop(path, ids)
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
    with _changing(project):
        _write(doubts_file(project), {"found": now, "schema": version, "doubts": kept})


def open_doubts(project: Project, store: Store, *, most: int = MOST) -> OpenDoubts | None:
    """The doubts of a project that are neither settled nor put aside; None where none were ever looked for.

    Args:
        project: The project.
        store: Its store.
        most: How many come with their text, and how many of those that were put aside.

    Raises:
        InputError: If a file holds something else.
    """
    _, aside = _aside(project, store)
    with _reading(_aside_file(project), _ASIDE_HINT):
        shown = _shown(aside[::-1][:most])
    with _reading(doubts_file(project), _HINT):
        try:
            when, found = _found(project)
        except FileNotFoundError:
            return None
        left = [doubt for doubt in _standing(store, found) if not _is_aside(doubt.about, aside)]
        return OpenDoubts(_shown(left[:most]), len(left), len(found), when, shown, len(aside))


def doubt_key(doubt: Doubt) -> str:
    """Names a doubt by the annotation that it is about, under its label of now, whatever should be there instead."""
    return _key(_about(doubt.excerpt.document or doubt.excerpt.name, doubt.pair))


def put_aside(project: Project, store: Store, key: str) -> bool:
    """Takes a doubt from the list, since the annotation is right: no search brings it back while that stands.

    Args:
        project: The project.
        store: Its store.
        key: What :func:`doubt_key` says of it.

    Returns:
        Whether it stood in the list.

    Raises:
        RunError: If somebody holds the files.
        InputError: If a file holds something else.
        VinerError: If it cannot be written.
    """
    with _changing(project):
        kept, aside = _aside(project, store)
        with _reading(doubts_file(project), _HINT):
            try:
                found = _found(project)[1]
            except FileNotFoundError:
                return False
            chosen = next((doubt for doubt in _standing(store, found) if _key(doubt.about) == key), None)
        if chosen is None or _is_aside(chosen.about, aside):
            return False
        _write(_aside_file(project), {"doubts": [*kept, chosen.item]})
    return True


def take_back(project: Project, store: Store, key: str) -> bool:
    """Puts a doubt that was put aside back into the list, whichever search it is of; all else as of :func:`put_aside`."""
    with _changing(project):
        kept, aside = _aside(project, store)
        taken = [doubt.item for doubt in aside if _key(doubt.about) == key]
        if not taken:
            return False
        with _reading(doubts_file(project), _HINT):
            data = json.loads(doubts_file(project).read_text(encoding="utf-8"))
            listed = {_key(doubt.about) for doubt in _standing(store, _found(project)[1])}
        if key not in listed:
            _write(doubts_file(project), {**data, "doubts": [*data["doubts"], taken[0]]})
        _write(_aside_file(project), {"doubts": [item for item in kept if item not in taken]})
    return True


def without_aside(project: Project, store: Store, doubts: Iterable[Doubt], version: int) -> list[Doubt]:
    """The doubts of a search that nobody has put aside before.

    Args:
        project: The project.
        store: Its store.
        doubts: The doubts.
        version: Version of the schema whose labels they have.

    Raises:
        InputError: If the file of those that were holds something else.
    """
    _, aside = _aside(project, store)
    labels = mapping_since(store, version)
    left = []
    for doubt in doubts:
        document, start, end, label = _about(doubt.excerpt.document or doubt.excerpt.name, doubt.pair)
        if not _is_aside((document, start, end, label and labels.get(label, label)), aside):
            left.append(doubt)
    return left


_About = tuple[str, int, int, str | None]
"""The annotation that a doubt is about: document, start, end and label; no label where something seems to be missing."""


@dataclass(frozen=True, slots=True)
class _Standing:
    """A doubt whose annotation is as it was.

    Args:
        item: As it is kept, with the version of the schema whose labels it has.
        pair: What it is about, under the labels of now.
        document: The document.
    """

    item: Mapping[str, Any]
    pair: Pair
    document: Document

    @property
    def about(self) -> _About:
        return _about(str(self.item["document"]), self.pair)


def _about(document: str, pair: Pair) -> _About:
    entity, label = (pair.predicted, None) if pair.gold is None else (pair.gold, pair.gold.label)
    assert entity is not None  # a pair has one of them
    return document, entity.start, entity.end, label


def _key(about: _About) -> str:
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]


def _is_aside(about: _About, aside: Sequence[_Standing]) -> bool:
    """Whether a person found it to be right; where nothing is missing, nothing that overlaps is."""
    document, start, end, label = about
    if label is not None:
        return any(doubt.about == about for doubt in aside)
    others = (doubt.about for doubt in aside)
    return any(other[0] == document and other[3] is None and other[1] < end and start < other[2] for other in others)


def _found(project: Project) -> tuple[datetime, list[Mapping[str, Any]]]:
    """When a project's doubts were found, and the doubts, each with its version of the schema."""
    data = json.loads(doubts_file(project).read_text(encoding="utf-8"))
    return datetime.fromisoformat(data["found"]), [{"schema": int(data["schema"]), **item} for item in data["doubts"]]


def _aside(project: Project, store: Store) -> tuple[list[Mapping[str, Any]], list[_Standing]]:
    """The doubts that were put aside, in the order in which they were, and those of which the annotation stands."""
    path = _aside_file(project)
    with _reading(path, _ASIDE_HINT):
        try:
            kept = list(json.loads(path.read_text(encoding="utf-8"))["doubts"])
        except FileNotFoundError:
            return [], []
        return kept, _standing(store, kept, decided=True)


def _standing(store: Store, items: Sequence[Mapping[str, Any]], *, decided: bool = False) -> list[_Standing]:
    """Those whose annotation is as it was, one for each annotation: labels may have been merged."""
    names = dict.fromkeys(str(item["document"]) for item in items)
    documents = {document.id: document for part in batches(names) for document in store.export(Filter(ids=tuple(part)))}
    labels = {version: mapping_since(store, version) for version in {int(item["schema"]) for item in items}}
    standing: dict[_About, _Standing] = {}
    for item in items:
        document = documents.get(str(item["document"]))
        if document is None:
            continue
        pair = pair_as_it_is(item, document, labels[int(item["schema"])], decided=decided)
        if pair is not None:
            doubt = _Standing(item, pair, document)
            standing.setdefault(doubt.about, doubt)
    return list(standing.values())


_HINT = "Remove the file, and look for doubts again: viner doubts --project DIR"
_ASIDE_HINT = "Remove the file; what was said to be right is then doubted again"


@contextmanager
def _reading(path: Path, hint: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"these are no doubts of viner ({error})", where=path, hint=hint) from error


def _shown(standing: Sequence[_Standing]) -> tuple[Doubt, ...]:
    """Doubts in their documents."""
    words = {doubt.document.id: words_of(doubt.document) for doubt in standing}
    return tuple(_in_context(doubt, words[doubt.document.id], number) for number, doubt in enumerate(standing, 1))


def _in_context(doubt: _Standing, words: Sequence[Span], number: int) -> Doubt:
    item, pair, document = doubt.item, doubt.pair, doubt.document
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


def _aside_file(project: Project) -> Path:
    return project.path / "runs" / "doubts_aside.json"


def _drop(path: Path, ids: Collection[str]) -> None:
    """Takes the doubts about documents out of a file; one that cannot be read goes as a whole."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        kept = [item for item in data["doubts"] if item["document"] not in ids]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        path.unlink()
    else:
        if len(kept) < len(data["doubts"]):
            _write(path, {**data, "doubts": kept})


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


@contextmanager
def _changing(project: Project) -> Iterator[None]:
    """Holds the lock of those who put doubts aside, for as long as it takes to write a file."""
    runs = project.path / "runs"
    runs.mkdir(exist_ok=True)
    problem = RunError("somebody else is putting doubts aside", where=runs, hint="Try again")
    with held(runs / "doubts_aside.lock", problem, wait=10):
        yield
