"""Importing documents: in a stream, in constant memory, all of a call or nothing of it.

What a document says decides where it stands: ``entities`` (even an empty list) are accepted and the document is done, unless
``meta["viner:reviewed"]`` says that only some spans were decided on; without entities it is to do. ``suggestions`` stay what
they are.
"""

from __future__ import annotations

import json
import random
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import insert, select, update

from viner.document import Document, Entity
from viner.errors import InputError, UsageError
from viner.schema import ENTITIES, Layer, Schema, Type
from viner.store import clock
from viner.store.checks import entity_labels
from viner.store.delta import Delta
from viner.store.records import LONGEST_ID, SPLITS, AddReport, Split, StoredEntity
from viner.store.splits import Shares, Splitter, group_of
from viner.store.tables import contents, documents, entities
from viner.store.transaction import OpenEvent, Transaction, batches, to_entity

REVIEWED = "viner:reviewed"
"""Key in ``meta``: ``[[start, end], …]``, the spans that a person decided on in a document that is not done."""

OnDuplicate = Literal["refuse", "skip", "update"]
NewLabels = Literal["refuse", "add"]

_LONGEST_DOCUMENT_ID = 500
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
        self._new_labels = new_labels
        self._splitter = Splitter(transaction, shares, split)
        self._known = entity_labels(transaction.schema()[0])
        self._fresh: dict[str, None] = {}
        self._counts: Counter[str] = Counter()
        self._splits: Counter[str] = Counter()
        self._seen = 0
        self._at = clock.now()
        newest = self._connection.execute(select(documents.c.number).order_by(documents.c.number.desc()).limit(1)).scalar()
        self._number: int = newest or 0

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
        if self._fresh:
            event.set_schema(_with_labels(self._transaction.schema()[0], list(self._fresh)))
        event.finish()
        return AddReport(
            added=self._counts["added"],
            updated=self._counts["updated"],
            skipped=self._counts["skipped"],
            entities=self._counts["accepted"],
            suggestions=self._counts["suggested"],
            splits={split: self._splits[split] for split in SPLITS if self._splits[split]},
            labels=tuple(self._fresh),
        )

    def _take(self, event: OpenEvent, some: Sequence[Document]) -> None:
        there = self._there([self._checked_id(document, self._seen + index + 1) for index, document in enumerate(some)])
        self._seen += len(some)
        fresh: dict[str, Document] = {}
        changed: dict[str, Document] = {}
        for document in some:
            name = document.id or ""
            if name not in there and name not in fresh:
                fresh[name] = document
            elif self._on_duplicate == "skip":
                self._counts["skipped"] += 1
            elif self._on_duplicate == "update" and name in there and name not in changed:
                changed[name] = document
            else:
                raise InputError(
                    f"the id {name!r} is {'in the project already' if name in there else 'used twice'}",
                    where=name,
                    hint="Give it another id, or import with duplicates skipped or updated",
                )
        splits = self._splitter([group_of(document) for document in fresh.values()])
        rows = _Rows()
        for document in fresh.values():
            self._add(document, splits[group_of(document)], rows)
        rows.write(self._connection)
        if changed:
            self._update(event, there, changed)

    def _add(self, document: Document, split: Split, rows: _Rows) -> None:
        if self._split is not None and split != self._split:
            raise InputError(
                f"its group is in {split} already, and a group is never split",
                where=document.id,
                hint=f"Import it without a split, or into {split}",
            )
        self._number += 1
        held, status = self._entities(document)
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
                "flagged": False,
                "version": 1,
                "labels": _optional_json(None if document.labels is None else dict(document.labels)),
                "random_key": _RANDOM.getrandbits(31),
                "suggested_by": self._who if suggests else None,
                "annotator": self._who if status in ("done", "started") else None,
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
        rows.entities += [
            {
                "document": self._number,
                "id": entity.id,
                "start": entity.start,
                "end": entity.end,
                "label": entity.label,
                "state": entity.state,
                "score": entity.score,
                "source": entity.source,
            }
            for entity in held
        ]

    def _entities(self, document: Document) -> tuple[list[StoredEntity], str]:
        """What the document brings along, with ids, and the status it gets."""
        used = {entity.id for entity in (*(document.entities or ()), *(document.suggestions or ()))}
        names = (given_id(index) for index in range(1, 1 << 60) if given_id(index) not in used)
        state = "suggested" if self._as_suggestions else "accepted"
        held: dict[str, StoredEntity] = {}
        for layer, kind in (("entities", state), ("suggestions", "suggested")):
            for index, entity in enumerate(getattr(document, layer) or ()):
                stored = self._entity(entity, entity.id or next(names), kind, f"{document.id}: {layer}[{index}]")
                if stored.id in held:
                    raise InputError(f"the entity id {stored.id!r} is used twice", where=f"{document.id}: {layer}[{index}].id")
                held[stored.id] = stored
        if document.entities is None or self._as_suggestions:
            return list(held.values()), "todo"
        return list(held.values()), "done" if REVIEWED not in document.meta else "started"

    def _entity(self, entity: Entity, name: str, state: str, where: str) -> StoredEntity:
        if entity.label not in self._known:
            if self._new_labels == "refuse":
                raise InputError(
                    f"the schema has no entity label {entity.label!r}",
                    where=where,
                    hint="Add it to the project's labels first, or import with new labels added",
                )
            _check_short(entity.label, 200, f"{where}.label")
            self._known.add(entity.label)
            self._fresh[entity.label] = None
        _check_short(name, LONGEST_ID, f"{where}.id")
        source = entity.source or (self._who if self._as_suggestions else None)
        return StoredEntity(name, entity.start, entity.end, entity.label, state, entity.score, source)  # type: ignore[arg-type]

    def _checked_id(self, document: Document, place: int) -> str:
        if not document.id:
            raise InputError("a document needs an id to be imported", where=f"document {place}", hint="Such as notices-000001")
        _check_short(document.id, _LONGEST_DOCUMENT_ID, f"document {place}: id")
        if "\0" in document.text:
            raise InputError(
                f"the text holds a zero character at code point {document.text.index(chr(0))}",
                where=document.id,
                hint="No database keeps it; remove it from the file",
            )
        return document.id

    def _there(self, names: Iterable[str]) -> dict[str, int]:
        rows = self._connection.execute(select(documents.c.id, documents.c.number).where(documents.c.id.in_(list(names))))
        return {row.id: row.number for row in rows}

    def _update(self, event: OpenEvent, there: dict[str, int], changed: dict[str, Document]) -> None:
        numbers = {there[name]: document for name, document in changed.items()}
        held: dict[int, list[StoredEntity]] = {number: [] for number in numbers}
        for row in self._connection.execute(select(entities).where(entities.c.document.in_(numbers))):
            held[row.document].append(to_entity(row))
        for number, text in self._connection.execute(
            select(contents.c.document, contents.c.text).where(contents.c.document.in_(numbers)).order_by(contents.c.document)
        ):
            if text != numbers[number].text:
                raise InputError(
                    "the text differs from the one in the project, and texts never change",
                    where=numbers[number].id,
                    hint="Give the new text an id of its own, or erase the old document first",
                )
        deltas = {number: self._difference(document, held[number]) for number, document in numbers.items()}
        event.apply({number: delta for number, delta in deltas.items() if delta is not None})
        self._counts["updated"] += len(numbers)
        for number, document in numbers.items():
            self._connection.execute(
                update(contents).where(contents.c.document == number).values(meta=_json(_own_meta(document)))
            )

    def _difference(self, document: Document, held: list[StoredEntity]) -> Delta | None:
        """The change that gives a document the entities and suggestions of the file, where the file has any."""
        told, status = self._entities(document)
        replaced = {"suggested"} if document.suggestions is not None or self._as_suggestions else set()
        if document.entities is not None and not self._as_suggestions:
            replaced |= {"accepted", "rejected"}
        same = {(entity.start, entity.end, entity.label): entity for entity in held}
        used = {entity.id for entity in held}
        wanted: dict[str, StoredEntity | None] = {entity.id: None for entity in held if entity.state in replaced}
        for entity in told:
            if entity.state not in replaced:
                continue
            twin = same.get((entity.start, entity.end, entity.label))
            if twin is not None and (entity.state == "suggested" and twin.state not in replaced):
                continue  # a person has decided on this one
            name = twin.id if twin is not None else entity.id if entity.id not in used else uuid.uuid4().hex
            used.add(name)
            wanted[name] = StoredEntity(name, entity.start, entity.end, entity.label, entity.state, entity.score, entity.source)
            self._counts[entity.state] += 1
        now = {entity.id: entity for entity in held}
        wanted = {name: entity for name, entity in wanted.items() if now.get(name) != entity}
        fields: dict[str, Any] = {} if "accepted" not in replaced else {"status": status, "annotator": self._who}
        labels = {layer: tuple(classes) for layer, classes in (document.labels or {}).items()}
        return Delta(wanted, labels, {}, fields) if wanted or fields or labels else None


class _Rows:
    """Rows of a batch, one statement a table."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.contents: list[dict[str, Any]] = []
        self.entities: list[dict[str, Any]] = []

    def write(self, connection: Any) -> None:
        for table, rows in ((documents, self.documents), (contents, self.contents), (entities, self.entities)):
            if rows:
                connection.execute(insert(table), rows)


def text_order(entity: StoredEntity) -> tuple[Any, ...]:
    """Key that sorts entities in the order of the text; one order for all databases."""
    return entity.start, entity.end, entity.label, len(entity.id), entity.id


def _own_meta(document: Document) -> dict[str, Any]:
    """The meta without what the store says itself: a reviewed span that an entity stands for is not kept a second time."""
    meta = dict(document.meta)
    reviewed = meta.pop(REVIEWED, None)
    if reviewed is not None:
        spans = {(entity.start, entity.end) for entity in document.entities or ()}
        if not isinstance(reviewed, list | tuple) or not all(_is_span(span, len(document.text)) for span in reviewed):
            raise InputError(f"'{REVIEWED}' is a list of [start, end]", where=document.id)
        meta[REVIEWED] = [list(span) for span in reviewed if tuple(span) not in spans]
    return meta


def _is_span(span: Any, length: int) -> bool:
    return (
        isinstance(span, list | tuple)
        and len(span) == 2
        and all(type(offset) is int for offset in span)
        and 0 <= span[0] < span[1] <= length
    )


def _with_labels(schema: Schema, fresh: list[str]) -> Schema:
    types = tuple(Type(name) for name in fresh)
    layers = list(schema.layers)
    for index, layer in enumerate(layers):
        if layer.kind == "entities":
            layers[index] = Layer(layer.name, layer.kind, layer.types + types, layer.multiple)
            return Schema(tuple(layers))
    return Schema((Layer(ENTITIES, "entities", types), *layers))


def _check_short(name: str, limit: int, where: str) -> None:
    if len(name) > limit or "\0" in name:
        raise InputError(f"is longer than {limit} characters or holds a zero character", where=where)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise InputError("holds a lone surrogate", where=where) from None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _optional_json(value: Any) -> str | None:
    return None if value is None else _json(value)
