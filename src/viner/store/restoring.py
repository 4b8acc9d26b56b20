"""Giving a document back what it was at a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from viner.store.delta import Delta
from viner.store.errors import RefusedError
from viner.store.following import Following, LabelsSince, schema_of
from viner.store.history import number_of
from viner.store.operation import StoredEntity
from viner.store.records import Saved
from viner.store.tables import changes, entities, events
from viner.store.transaction import Transaction, read_rows, to_entity


def restore(
    transaction: Transaction,
    document: str,
    version: int,
    *,
    operation: str,
    who: str,
    labels_since: LabelsSince | None = None,
) -> Saved:
    """Gives a document back the annotations it had at a version, under the labels of today, as a new version.

    Raises:
        UnknownDocumentError: If there is no such document.
        RefusedError: If it never had that version, or had labels then that nothing in the schema follows.
    """
    connection = transaction.connection
    number = number_of(connection, document)
    row = read_rows(connection, [number])[number]
    event = transaction.event(operation, who=who, kind="restore", body={"restore": document, "version": version})
    if event.answer is not None:
        return event.answer
    if not 1 <= version <= row.version:
        raise RefusedError(f"the document has had versions 1 to {row.version}", where="version")
    event.apply({number: _former(transaction, number, document, version, labels_since)})
    return event.finish()


def _former(transaction: Transaction, number: int, document: str, version: int, labels_since: LabelsSince | None) -> Delta:
    """What a document had at a version, of everything that was changed since."""
    connection = transaction.connection
    following = Following(connection, transaction.schema(), labels_since)
    rows = connection.execute(
        select(changes.c.before, events.c.answer, events.c.before.is_not(None).label("of_schema"))
        .join(events, events.c.number == changes.c.event)
        .where(changes.c.document == number, changes.c.version > version)
        .order_by(changes.c.version)
    )
    former = Delta()
    known: dict[tuple[str, str], int] = {}
    for row in rows:
        before, schema = Delta.from_json(row.before), schema_of(row.answer) - row.of_schema
        for part, keys in (("entity", before.entities), ("labels", before.labels)):
            for key in keys:
                known.setdefault((part, key), schema)
        former = former.over(before)
    entities_then = {
        key: None if entity is None else following.entity_again(number, entity, known["entity", key], document)
        for key, entity in former.entities.items()
    }
    labels = {
        layer: None if classes is None else following.classes_again(layer, classes, known["labels", layer], document)
        for layer, classes in former.labels.items()
    }
    renamed = [key for key, entity in entities_then.items() if entity != former.entities[key]]
    twins = _drop_twins(connection, number, entities_then, renamed) if renamed else {}
    comments = {
        key: comment if comment is None else replace(comment, entity=twins.get(comment.entity or "", comment.entity))
        for key, comment in former.comments.items()
    }
    return Delta(entities_then, labels, comments, unless_open(former.fields, former.entities, entities_then))


def unless_open(
    fields: Mapping[str, Any], then: Mapping[str, StoredEntity | None], now: Mapping[str, StoredEntity | None]
) -> Mapping[str, Any]:
    """Fields to give back: no document is done while an entity comes back to be looked at, since a split left it so."""
    opened = any(
        entity is not None and entity.state == "suggested" and before is not None and before.state != "suggested"
        for before, entity in ((then[key], entity) for key, entity in now.items())
    )
    return {**fields, "status": "started"} if opened and fields.get("status") == "done" else fields


def _drop_twins(
    connection: Connection, number: int, wanted: dict[str, StoredEntity | None], renamed: list[str]
) -> dict[str, str]:
    """Takes out entities that would be accepted twice, since two labels are one now; says which ones stand for them."""
    held = {row.id: to_entity(row) for row in connection.execute(select(entities).where(entities.c.document == number))}
    there = {**held, **wanted}
    twins = {}
    for key in sorted(renamed, key=held.__contains__):  # who is there stays
        entity = there[key]
        if entity is None or entity.state != "accepted":
            continue
        place = (entity.start, entity.end, entity.label, entity.state)
        for other, item in there.items():
            if other != key and item is not None and (item.start, item.end, item.label, item.state) == place:
                twins[key] = other
                there[key] = wanted[key] = None
                break
    return twins
