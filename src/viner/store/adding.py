"""Importing documents: in a stream, in constant memory, all of a call or nothing of it.

What a document says decides where it stands: ``entities`` (even an empty list) are accepted and the document is done, unless
``meta["viner:reviewed"]`` says that only some spans were decided on; without entities it is to do. ``meta["viner:status"]``
says that it was skipped. ``suggestions`` stay what they are.

Answers that somebody flagged as wrong (:mod:`viner.corpus.flagged`) come in as suggestions of a flagged document in train, with
what was said about them as a comment. What is there already is passed over, so that the file can be imported again as it grows.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import insert, select, update

from viner.corpus import FEEDBACK, REVIEWED, Flag, flag_of, is_partial, reviewed_spans
from viner.document import Document, Entity
from viner.errors import InputError, UsageError
from viner.store import clock
from viner.store.checks import Borders
from viner.store.delta import Delta
from viner.store.import_checks import check_decidable, check_encodable, check_short
from viner.store.matching import match
from viner.store.operation import Comment, StoredEntity
from viner.store.preferences import highest_erased
from viner.store.records import AddReport
from viner.store.splits import LONGEST_GROUP, Shares, Splitter, group_of, is_hashed
from viner.store.tables import comments, contents, documents, entities
from viner.store.transaction import OpenEvent, Transaction, batches, entity_row, to_entity
from viner.store.values import LONGEST_COMMENT, LONGEST_ID, SPLITS, Split, imported_source, told_source
from viner.store.vocabulary import NewLabels, Vocabulary

STATUS = "viner:status"
"""Key in ``meta``: "skipped", of a document that somebody put aside."""

OnDuplicate = Literal["refuse", "skip", "update"]

_LONGEST_DOCUMENT_ID = 500
_VISITOR = "visitor"
"""Who wrote what came with a flagged answer."""
_RANDOM = random.SystemRandom()
_GIVEN = re.compile(r"~\d+")


def given_id(index: int) -> str:
    """The id of an entity that came without one; exports leave it out again."""
    return f"~{index}"


def is_given(entity_id: str) -> bool:
    """Whether the store gave this id, since the file had none."""
    return _GIVEN.fullmatch(entity_id) is not None


class Adding:
    """One import.

    Args:
        transaction: An exclusive transaction.
        who: Who imports.
        shares: Parts of the groups for dev and test.
        split: Where new groups go; None draws.
        as_suggestions: Take entities as suggestions.
        on_duplicate: What to do with an id that is there already.
        new_labels: What to do with a label that the schema does not know.
    """

    def __init__(
        self,
        transaction: Transaction,
        *,
        who: str,
        shares: Shares,
        split: Split | None,
        as_suggestions: bool,
        on_duplicate: OnDuplicate,
        new_labels: NewLabels,
    ) -> None:
        if split is not None and split not in SPLITS:
            raise UsageError(f"unknown split {split!r}", hint=f"Splits: {', '.join(SPLITS)}")
        if on_duplicate not in ("refuse", "skip", "update"):
            raise UsageError(f"unknown way with duplicates {on_duplicate!r}", hint="Ways: refuse, skip, update")
        self._transaction = transaction
        self._connection = transaction.connection
        self._who = who
        self._split = split
        self._as_suggestions = as_suggestions
        self._on_duplicate = on_duplicate
        self._splitter = Splitter(transaction, shares, split)
        self._vocabulary = Vocabulary(transaction.schema()[0], new_labels)
        self._counts: Counter[str] = Counter()
        self._splits: Counter[str] = Counter()
        self._withdrawn: list[str] = []
        self._seen = 0
        self._at = clock.now()
        newest = self._connection.execute(select(documents.c.number).order_by(documents.c.number.desc()).limit(1)).scalar()
        number, version = highest_erased(self._connection)
        self._number: int = max(newest or 0, number)
        self._version = version + 1
        self._before = self._number
        self._updated: set[int] = set()

    def run(self, source: Iterable[Document], progress: Callable[[int], None] | None) -> AddReport:
        """Takes in all documents.

        Args:
            source: The documents.
            progress: Told how many were taken in since it was told last.

        Raises:
            InputError: If a document cannot be taken in; ``where`` names it. Nothing was taken in then.
        """
        event = self._transaction.event(str(uuid.uuid4()), who=self._who, kind="add")
        for some in batches(source):
            self._take(event, some)
            if progress is not None:
                progress(len(some))
        self._splitter.finish()
        grown = self._vocabulary.grown()
        if grown is not None:
            event.set_schema(grown)
        event.finish()
        return AddReport(
            added=self._counts["added"],
            updated=self._counts["updated"],
            skipped=self._counts["skipped"],
            entities=self._counts["accepted"],
            suggestions=self._counts["suggested"],
            splits={split: self._splits[split] for split in SPLITS if self._splits[split]},
            labels=tuple(self._vocabulary.fresh),
            withdrawn=tuple(self._withdrawn),
        )

    def _take(self, event: OpenEvent, some: Sequence[Document]) -> None:
        there = self._there([self._checked_id(document, self._seen + index + 1) for index, document in enumerate(some)])
        self._seen += len(some)
        fresh: dict[str, Document] = {}
        changed: dict[str, Document] = {}
        flags = {document.id: flag for document in some if (flag := flag_of(document)) is not None}
        for document in some:
            name = document.id or ""
            flag = flags.get(name)
            if flag is not None and flag.erased:
                self._withdrawn += [name] if name in there else []
            elif name not in there and name not in fresh:
                fresh[name] = document
            elif self._on_duplicate == "skip" or (flag is not None and self._on_duplicate == "refuse"):
                self._counts["skipped"] += 1
            elif (twice := name in changed or self._has_come(there.get(name))) or self._on_duplicate == "refuse":
                raise InputError(
                    f"the id {name!r} is {'used twice' if twice else 'in the project already'}",
                    where=name,
                    hint="Give it another id, or import with duplicates skipped or updated",
                )
            else:
                changed[name] = document
        splits = self._splitter(list(fresh.values()))
        rows = _Rows()
        for document, split in zip(fresh.values(), splits, strict=True):
            self._add(document, split, flags.get(document.id), rows)
        rows.write(self._connection)
        if changed:
            self._update(event, there, changed)

    def _has_come(self, number: int | None) -> bool:
        """Whether this import has brought a document already: None is one of the batch at hand."""
        return number is None or number > self._before or number in self._updated

    def _add(self, document: Document, split: Split, flag: Flag | None, rows: _Rows) -> None:
        self._number += 1
        self._vocabulary.take_classes(document.labels or {}, document.id or "")
        held, status = self._entities(document)
        held = [_imported(entity) for entity in held]
        for entity in held:
            self._counts[entity.state] += 1
            self._transaction.count("entities", entity.label, entity.state, 1)
        self._transaction.count("documents", split, status, 1)
        self._counts["added"] += 1
        self._splits[split] += 1
        suggests = document.suggestions is not None or (self._as_suggestions and document.entities is not None)
        rows.documents.append(
            {
                "number": self._number,
                "id": document.id,
                "group_name": group_of(document),
                "split": split,
                "status": status,
                "flagged": flag is not None,
                "version": self._version,
                "labels": _optional_json(None if document.labels is None else dict(document.labels)),
                "random_key": _RANDOM.getrandbits(31),
                "suggested_by": self._who if suggests else None,
                "annotator": None if status == "todo" else self._who,
                "updated": self._at,
            }
        )
        words = None if document.words is None else [offset for span in document.words for offset in span]
        relations = None if document.relations is None else [relation.to_dict() for relation in document.relations]
        order = [entity.id for entity in held]
        rows.contents.append(
            {
                "document": self._number,
                "text": document.text,
                "words": _optional_json(words),
                "meta": _json(_own_meta(document)),
                "tags": _optional_json(None if document.tags is None else dict(document.tags)),
                "relations": _optional_json(relations),
                "entity_order": _json(order) if order != [entity.id for entity in sorted(held, key=text_order)] else None,
            }
        )
        rows.entities += [entity_row(self._number, entity) for entity in held]
        if flag is not None:
            self._transaction.count("flagged", "", "", 1)
            self._remark(document, flag, rows)

    def _remark(self, document: Document, flag: Flag, rows: _Rows) -> None:
        """Makes a comment of what was said about a flagged answer."""
        text = flag.remark(document)[:LONGEST_COMMENT]
        if text:
            self._transaction.count("comments", "", "", 1)
            comment = Comment(_VISITOR, text, who=_VISITOR, at=flag.at)
            rows.comments.append({"document": self._number, **comment.to_dict()})

    def _entities(self, document: Document) -> tuple[list[StoredEntity], str]:
        """What the document brings along, with ids, and the status it gets."""
        used = {entity.id for entity in (*(document.entities or ()), *(document.suggestions or ()))}
        names = (given_id(index) for index in range(1, 1 << 60) if given_id(index) not in used)
        state = "suggested" if self._as_suggestions else "accepted"
        borders = Borders(document.text)
        flagged = FEEDBACK in document.meta
        held: dict[str, StoredEntity] = {}
        for layer, kind in (("entities", state), ("suggestions", "suggested")):
            for index, entity in enumerate(getattr(document, layer) or ()):
                stored = self._entity(entity, entity.id or next(names), kind, f"{document.id}: {layer}[{index}]")
                if kind == "suggested" and flagged and borders.problem(stored.start, stored.end) is not None:
                    continue  # a stranger chose the text: it must not keep everything else out
                if kind == "suggested":
                    check_decidable(stored, borders, f"{document.id}: {layer}[{index}]")
                if stored.id in held:
                    raise InputError(f"the entity id {stored.id!r} is used twice", where=f"{document.id}: {layer}[{index}].id")
                held[stored.id] = stored
        if document.meta.get(STATUS, "skipped") != "skipped":
            raise InputError(f"'{STATUS}' can be \"skipped\" only", where=document.id)
        if STATUS in document.meta and not self._as_suggestions:
            return list(held.values()), "skipped"
        if document.entities is None or self._as_suggestions:
            return list(held.values()), "todo"
        return list(held.values()), "started" if is_partial(document) else "done"

    def _entity(self, entity: Entity, name: str, state: str, where: str) -> StoredEntity:
        self._vocabulary.take_entity_label(entity.label, where)
        check_short(name, LONGEST_ID, f"{where}.id")
        source = entity.source or (self._who if self._as_suggestions else None)
        return StoredEntity(name, entity.start, entity.end, entity.label, state, entity.score, source)  # type: ignore[arg-type]

    def _checked_id(self, document: Document, place: int) -> str:
        if not document.id:
            raise InputError("a document needs an id to be imported", where=f"document {place}", hint="Such as notices-000001")
        check_short(document.id, _LONGEST_DOCUMENT_ID, f"document {place}: id")
        if "\0" in document.text:
            raise InputError(
                f"the text holds a zero character at code point {document.text.index(chr(0))}",
                where=document.id,
                hint="No database keeps it; remove it from the file",
            )
        check_short(group_of(document), LONGEST_GROUP, f"{document.id}: meta.group")
        check_encodable(document)
        return document.id

    def _there(self, names: Iterable[str]) -> dict[str, int]:
        rows = self._connection.execute(select(documents.c.id, documents.c.number).where(documents.c.id.in_(list(names))))
        return {row.id: row.number for row in rows}

    def _update(self, event: OpenEvent, there: dict[str, int], changed: dict[str, Document]) -> None:
        numbers = {there[name]: document for name, document in changed.items()}
        held: dict[int, list[StoredEntity]] = {number: [] for number in numbers}
        for row in self._connection.execute(select(entities).where(entities.c.document.in_(numbers))):
            held[row.document].append(to_entity(row))
        metas: dict[int, dict[str, Any]] = {}
        for row in self._connection.execute(
            select(contents.c.document, contents.c.text, contents.c.meta, documents.c.group_name)
            .join(documents, documents.c.number == contents.c.document)
            .where(contents.c.document.in_(numbers))
            .order_by(contents.c.document)
        ):
            document = numbers[row.document]
            if row.text != document.text:
                raise InputError(
                    "the text differs from the one in the project, and texts never change",
                    where=document.id,
                    hint="Give the new text an id of its own, or erase the old document first",
                )
            stored = json.loads(row.meta)
            metas[row.document] = _own_meta(document)
            if REVIEWED in stored and (self._as_suggestions or document.entities is None):
                metas[row.document][REVIEWED] = stored[REVIEWED]  # the file tells nothing of decisions
            if "group" not in metas[row.document] and not is_hashed(row.group_name):
                metas[row.document]["group"] = stored.get("group", row.group_name)
            elif group_of(document) != row.group_name:
                raise InputError(
                    "its group is another one than in the project, and a document never leaves its group",
                    where=document.id,
                    hint="The group says whether it is for training; erase the document first to import it anew",
                )
            self._vocabulary.take_classes(document.labels or {}, document.id or "")
        deltas = {number: self._difference(document, held[number]) for number, document in numbers.items()}
        event.apply({number: delta for number, delta in deltas.items() if delta is not None})
        self._counts["updated"] += len(numbers)
        self._updated.update(numbers)
        for number, meta in metas.items():
            self._connection.execute(update(contents).where(contents.c.document == number).values(meta=_json(meta)))

    def _difference(self, document: Document, held: list[StoredEntity]) -> Delta | None:
        """The change that gives a document the entities and suggestions of the file, where the file has any."""
        told, status = self._entities(document)
        replaced = {"suggested"} if document.suggestions is not None or self._as_suggestions else set()
        if document.entities is not None and not self._as_suggestions:
            replaced.add("accepted")  # files do not tell of rejected ones: these stay, and are not suggested again
        wanted = match(held, told, replaced)
        self._counts.update(entity.state for entity in wanted.values() if entity is not None)
        now = {entity.id: entity for entity in held}
        wanted = {
            name: entity and _imported(entity)
            for name, entity in wanted.items()
            if entity is None or name not in now or _told(now[name]) != _told(entity)
        }
        fields: dict[str, Any] = {} if "accepted" not in replaced else {"status": status, "annotator": self._who}
        labels = {layer: tuple(classes) for layer, classes in (document.labels or {}).items()}
        return Delta(wanted, labels, {}, fields) if wanted or fields or labels else None


class _Rows:
    """Rows of a batch, one statement a table."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.contents: list[dict[str, Any]] = []
        self.entities: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []

    def write(self, connection: Any) -> None:
        for table, rows in (
            (documents, self.documents),
            (contents, self.contents),
            (entities, self.entities),
            (comments, self.comments),
        ):
            if rows:
                connection.execute(insert(table), rows)


def text_order(entity: StoredEntity) -> tuple[Any, ...]:
    """Key that sorts entities in the order of the text; one order for all databases."""
    return entity.start, entity.end, entity.label, len(entity.id), entity.id


def _own_meta(document: Document) -> dict[str, Any]:
    """The meta without what the store says itself: a reviewed span that an entity stands for is not kept a second time."""
    meta = dict(document.meta)
    meta.pop(STATUS, None)
    reviewed = reviewed_spans(document)
    if reviewed is not None:
        spans = {(entity.start, entity.end) for entity in document.entities or ()}
        meta[REVIEWED] = [list(span) for span in reviewed if span not in spans]
    return meta


def _imported(entity: StoredEntity) -> StoredEntity:
    """The entity under a source that no model or rule of this project has: its suggestions stay until somebody decides."""
    return replace(entity, source=imported_source(entity.source)) if entity.state == "suggested" else entity


def _told(entity: StoredEntity) -> StoredEntity:
    """The entity as a file tells of it."""
    return replace(entity, source=told_source(entity.source))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _optional_json(value: Any) -> str | None:
    return None if value is None else _json(value)
