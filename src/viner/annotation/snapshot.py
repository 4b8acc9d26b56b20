"""What a training learns from: files of one moment, so that people can go on while it runs."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from viner.corpus import REVIEWED
from viner.document import Document
from viner.errors import InputError
from viner.formats import write
from viner.schema import Schema
from viner.store import Filter, Store
from viner.store.exporting import export
from viner.store.reading import read_counts
from viner.store.transaction import read_schema
from viner.store.values import Status

FEWEST_TO_LEARN = 2
"""Documents with entities that a training needs."""
FEWEST_TO_CHOOSE = 3
"""Documents below which dev says nothing."""
TEXTS = "unlabeled"
"""Name of the file of texts that nobody began."""
_TIMES, _LEAST_CHARACTERS = 4, 200_000
"""How many times as much text as is annotated such texts have at most; a training may have so many characters in any case."""


class NoTextsError(InputError):
    """No document of train that nobody began."""

    code = "no_texts"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files of one training.

    Args:
        files: "train", and "dev" and "test" where they are used; "unlabeled" where texts were asked for that nobody began.
        documents: ``{split: {"done": n, "started": n}}`` of what was written.
        entities: Accepted entities written, by split.
        left_out: What was not written, and why, in sentences.
        fingerprint: SHA-256 of all files: equal where everything learned and scored is.
        schema: The types that the files use.
        schema_version: Their version.
        texts: How many texts of train are there that nobody began.
    """

    files: dict[str, Path]
    documents: dict[str, dict[str, int]]
    entities: dict[str, int]
    left_out: tuple[str, ...]
    fingerprint: str
    schema: Schema
    schema_version: int
    texts: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without the places of the files and the types; "texts" where there are any."""
        return {
            **({"texts": self.texts} if self.texts else {}),
            "documents": self.documents,
            "entities": self.entities,
            "left_out": list(self.left_out),
            "fingerprint": self.fingerprint,
        }


@dataclass(slots=True)
class _Tally:
    """What went into a file."""

    statuses: Counter[str] = field(default_factory=Counter)
    entities: int = 0
    characters: int = 0
    with_entities: int = 0
    whole_texts: set[int] = field(default_factory=set)
    """Hashes, as many as matter."""

    def add(self, document: Document) -> None:
        status = "started" if REVIEWED in document.meta else "done"
        self.statuses[status] += 1
        self.entities += len(document.entities or ())
        self.characters += len(document.text)
        self.with_entities += bool(document.entities)
        if status == "done" and len(self.whole_texts) < FEWEST_TO_LEARN:
            self.whole_texts.add(_hash(document.text))


def snapshot(store: Store, folder: Path, *, texts: bool = False) -> Snapshot:
    """Writes ``train.jsonl`` and, where they are good for something, ``dev.jsonl`` and ``test.jsonl``.

    Train gets the documents that are done or started; a started one teaches only what a person decided, which
    ``meta["viner:reviewed"]`` says. Dev and test get those that are done. Suggestions stay out. All files are of one moment and
    have the same types: people may go on, and rename labels, meanwhile.

    Args:
        store: The store.
        folder: Where the files go; it must exist.
        texts: Whether to write ``unlabeled.jsonl``, too: the bare texts of train that nobody began, drawn by chance where they
            have more than four times the characters of what is annotated, and more than 200,000.

    Raises:
        InputError: If there is nothing to learn from; it says how much is missing. No file is left then.
        NoTextsError: If texts were asked for, and there is none.
    """
    files = {split: folder / f"{split}.jsonl" for split in ("train", "dev", "test", TEXTS)}
    known: set[int] | None = set() if texts else None
    try:
        with store.reading() as moment:
            tallies = {
                "train": _write(moment, "train", ("done", "started"), files["train"], known),
                "dev": _write(moment, "dev", ("done",), files["dev"], known),
                "test": _write(moment, "test", ("done",), files["test"], known),
            }
            left_out = _useless(tallies)
            _check_enough(tallies["train"], chosen_on_train="dev" in left_out)
            most = max(_LEAST_CHARACTERS, _TIMES * tallies["train"].characters)
            drawn = 0 if known is None else _write_texts(moment, files[TEXTS], most, known)
            waiting = read_counts(moment).splits["train"]
            schema, version = read_schema(moment)
    except BaseException:
        for file in files.values():
            file.unlink(missing_ok=True)
        raise
    for split in left_out:
        files.pop(split).unlink()
    if not texts:
        del files[TEXTS]
    used = {split: tally for split, tally in tallies.items() if split in files}
    notes = [*left_out.values()]
    if (todo := waiting["todo"] - drawn) > 0 or waiting["skipped"]:
        notes.append(f"train: {max(0, todo):,} documents that nobody began and {waiting['skipped']:,} skipped ones")
    return Snapshot(
        files,
        {split: {status: used[split].statuses[status] for status in ("done", "started")} for split in used},
        {split: used[split].entities for split in used},
        tuple(notes),
        _fingerprint(files.values()),
        schema,
        version,
        drawn,
    )


def _write(moment: Connection, split: Any, statuses: tuple[Status, ...], file: Path, known: set[int] | None) -> _Tally:
    tally = _Tally()

    def documents() -> Iterator[Document]:
        for document in export(moment, Filter(splits=(split,), statuses=statuses)):
            taught = _taught(document)
            tally.add(taught)
            if known is not None:
                known.add(_hash(document.text))
            yield taught

    write(documents(), file, "jsonl")
    return tally


def _write_texts(moment: Connection, file: Path, most: int, known: set[int]) -> int:
    """Writes the bare texts of train that nobody began, each once; how many.

    Args:
        moment: What is read.
        file: The file.
        most: Characters of all of them, unless the first one has more. Those with the smallest hashes are drawn, so nothing but
            the texts says which.
        known: Hashes of the texts that are left out, since they are annotated; those that were looked at come to them.

    Raises:
        NoTextsError: If there is none.
    """
    drawn: list[tuple[int, Document]] = []  # the largest hash first
    characters, limit = 0, None
    for document in export(moment, Filter(splits=("train",), statuses=("todo",))):
        order = _hash(document.text)
        if order in known or (limit is not None and order > limit) or not document.text.strip():
            continue
        known.add(order)
        heapq.heappush(drawn, (-order, Document(document.text, id=document.id, words=document.words)))
        characters += len(document.text)
        while characters > most and len(drawn) > 1:
            last, left_out = heapq.heappop(drawn)
            characters -= len(left_out.text)
            limit = -last
    if not drawn:
        raise NoTextsError(
            "there is no document of train that nobody began, and so no text in which the model alone says what there is",
            hint="Import more texts, or train without them",
        )
    write((document for _, document in sorted(drawn, key=lambda item: -item[0])), file, "jsonl")
    return len(drawn)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def _taught(document: Document) -> Document:
    """The document without suggestions. What is suggested again, after a label was split, is no longer decided."""
    meta = document.meta
    if REVIEWED in meta and document.suggestions:
        waiting = {(entity.start, entity.end) for entity in document.suggestions}
        decided = {(entity.start, entity.end) for entity in document.entities or ()}
        spans = [span for span in meta[REVIEWED] if tuple(span) in decided or tuple(span) not in waiting]
        meta = {**meta, REVIEWED: spans}
    return document.with_(meta=meta, suggestions=None)


def _useless(tallies: dict[str, _Tally]) -> dict[str, str]:
    found = {}
    dev, test = tallies["dev"], tallies["test"]
    instead = "a tenth of the done documents of train is used instead"
    if dev.statuses.total() < FEWEST_TO_CHOOSE:
        found["dev"] = f"dev: only {dev.statuses.total()} done documents, fewer than {FEWEST_TO_CHOOSE}; {instead}"
    elif not dev.entities:
        found["dev"] = f"dev: no entity in its {dev.statuses.total():,} done documents; {instead}"
    if not test.entities:
        found["test"] = f"test: no entity in its {test.statuses.total():,} done documents"
    return found


def _check_enough(train: _Tally, *, chosen_on_train: bool) -> None:
    missing = FEWEST_TO_LEARN - train.with_entities
    if missing > 0:
        raise InputError(
            f"there is too little to learn from: {train.with_entities} documents of train have entities, and a training needs"
            f" {FEWEST_TO_LEARN}",
            hint=f"Annotate {missing} more document{'s' * (missing > 1)}",
        )
    missing = (FEWEST_TO_LEARN if chosen_on_train else 1) - len(train.whole_texts)
    if missing > 0:
        raise InputError(
            "too few documents of train are done to know where there is no entity"
            + (", and to set one aside for choosing the best epoch" if chosen_on_train else ""),
            hint=f"Finish {missing} more document{'s' * (missing > 1)}, of different texts",
        )


def _fingerprint(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.stem.encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
