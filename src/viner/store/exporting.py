"""Exporting documents: in the order of import, in constant memory, as of one moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from viner.corpus import REVIEWED
from viner.document import Document, Entity, Relation
from viner.store.adding import STATUS, is_given, text_order
from viner.store.operation import StoredEntity
from viner.store.reading import conditions, unflatten
from viner.store.records import Filter
from viner.store.tables import contents, documents, entities
from viner.store.transaction import to_entity
from viner.store.values import told_source

_BATCH = 1000


def export(connection: Connection, which: Filter) -> Iterator[Document]:
    """Yields the documents that a filter lets through.

    Accepted entities become ``entities`` (missing where nobody has begun), open ones ``suggestions``. A document that is not
    done carries in ``meta["viner:reviewed"]`` the spans that a person decided on, and ``meta["viner:status"]`` says where it
    was skipped. Relations of entities that are gone are left out.
    """
    last = 0
    asked = conditions(connection, which)
    columns = (documents, contents.c.text, contents.c.words, contents.c.meta, contents.c.tags, contents.c.relations)
    while True:
        rows = connection.execute(
            select(*columns, contents.c.entity_order)
            .join(contents, contents.c.document == documents.c.number)
            .where(documents.c.number > last, *asked)
            .order_by(documents.c.number)
            .limit(_BATCH)
        ).all()
        if not rows:
            return
        held: dict[int, list[StoredEntity]] = {row.number: [] for row in rows}
        last = rows[-1].number
        for entity in connection.execute(select(entities).where(entities.c.document.between(rows[0].number, last))):
            if entity.document in held:
                held[entity.document].append(to_entity(entity))
        for row in rows:
            yield _document(row, _ordered(held[row.number], row.entity_order))


def _ordered(held: list[StoredEntity], order: str | None) -> list[StoredEntity]:
    held.sort(key=text_order)
    if order is not None:
        places = {name: place for place, name in enumerate(json.loads(order))}
        held.sort(key=lambda entity: places.get(entity.id, len(places)))
    return held


def _document(row: Any, held: list[StoredEntity]) -> Document:
    accepted = [entity for entity in held if entity.state == "accepted"]
    relations = None if row.relations is None else [Relation(**item) for item in json.loads(row.relations)]
    if relations is not None:
        there = {entity.id for entity in accepted}
        relations = [relation for relation in relations if relation.head in there and relation.tail in there]
    meta = json.loads(row.meta)
    reviewed = meta.pop(REVIEWED, [])
    if row.status != "done":
        decided = {(entity.start, entity.end) for entity in held if entity.state != "suggested"}.union(map(tuple, reviewed))
        if decided or row.status == "started":
            meta[REVIEWED] = [list(span) for span in sorted(decided)]
    if row.status == "skipped":
        meta[STATUS] = row.status
    suggested = [_entity(entity) for entity in held if entity.state == "suggested"]
    return Document(
        row.text,
        id=row.id,
        meta=meta,
        words=None if row.words is None else unflatten(row.words),
        entities=[_entity(entity) for entity in accepted] if accepted or row.status in ("done", "started") else None,
        tags=None if row.tags is None else json.loads(row.tags),
        labels=None if row.labels is None else json.loads(row.labels),
        relations=relations,
        suggestions=suggested if suggested or row.suggested_by is not None else None,
    )


def _entity(entity: StoredEntity) -> Entity:
    name = None if is_given(entity.id) else entity.id
    return Entity(entity.start, entity.end, entity.label, name, entity.score, told_source(entity.source))
