"""Taking back what happened, to one document or many, and to the schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, select

from viner.schema import Schema
from viner.store.checks import find_twin
from viner.store.delta import Delta
from viner.store.errors import ConflictError, RefusedError, UnknownOperationError
from viner.store.following import Following, LabelsSince, schema_of
from viner.store.history import latest_of, taken_back_by, undoers_of
from viner.store.operation import StoredEntity
from viner.store.records import Saved
from viner.store.restoring import unless_open
from viner.store.tables import changes, documents, entities, events
from viner.store.transaction import BATCH, OpenEvent, Transaction, read_comments, read_entities, read_rows


def undo(transaction: Transaction, operation: str, *, new_id: str, who: str, labels_since: LabelsSince | None = None) -> Saved:
    """Takes back an operation, on one document or many. Taking back an undo does the operation again.

    Raises:
        ConflictError: If something it changed was changed since.
        UnknownOperationError: If there is no such operation.
        RefusedError: If it is undone already, or cannot be, or what is to come back has a label that nothing follows.
    """
    connection = transaction.connection
    body = {"undo": operation}
    target = connection.execute(select(events).where(events.c.operation == operation).with_for_update()).one_or_none()
    event = transaction.event(new_id, who=who, kind="undo", undoes=operation, body=body)
    if event.answer is not None:
        return event.answer
    if target is None:
        raise UnknownOperationError(operation)
    if target.kind == "erase" or (target.documents == 0 and target.before is None):
        raise RefusedError(f"an operation of kind {target.kind!r} cannot be undone", where=operation)
    if operation in taken_back_by(undoers_of(connection, operation)):
        raise RefusedError("the operation is undone already", where=operation, hint="Undo the undoing to do it again")
    if target.before is not None:
        _undo_schema(transaction, event, target)
    _undo_documents(transaction, event, target, labels_since)
    if target.before is not None:
        _leave_no_unknown_label(transaction, event, target)
    return event.finish()


def _undo_schema(transaction: Transaction, event: OpenEvent, target: Any) -> None:
    before, after = (Schema.from_dict(json.loads(side)["schema"]) for side in (target.before, target.after))
    if transaction.schema()[0] != after:
        latest = transaction.connection.execute(
            select(events)
            .where(events.c.before.is_not(None), events.c.number > target.number, events.c.number != event.number)
            .order_by(events.c.number.desc())
            .limit(1)
        ).one_or_none()
        raise ConflictError([_conflict(None, "schema", None, latest)], where=target.operation)
    event.set_schema(before)


def _undo_documents(transaction: Transaction, event: OpenEvent, target: Any, labels_since: LabelsSince | None) -> None:
    connection = transaction.connection
    schema, version = transaction.schema()
    following = Following(connection, (schema, version), labels_since)
    # A change of the schema is taken back together with its schema, so what it changed is called as it was then.
    then = version if target.before is not None or target.answer is None else schema_of(target.answer)
    last = 0
    while True:
        rows = connection.execute(
            select(changes)
            .where(changes.c.event == target.number, changes.c.document > last)
            .order_by(changes.c.document)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        last = rows[-1].document
        current = read_rows(connection, [row.document for row in rows])
        afters = {row.document: Delta.from_json(row.after) for row in rows}
        held = read_entities(connection, {number: delta.entities for number, delta in afters.items()})
        remarks = read_comments(connection, {number: delta.comments for number, delta in afters.items()})
        # An event changes a document once, so what goes with a label of the schema goes here.
        lost = _unknown_suggestions(connection, schema, list(current)) if target.before is not None else {}
        begun = _begun_beside(connection, target, [row for row in rows if '"status":"todo"' in row.before])
        deltas = {}
        for row in rows:
            number, before = row.document, Delta.from_json(row.before)
            name = current[number].id
            left = afters[number]
            after = _as_today(following, number, left, then)
            restored = {
                key: entity
                for key, entity in before.entities.items()
                if not _stays(entity, after.entities[key], held.get((number, key)))
            }
            touched: list[tuple[str, str | None]] = [
                ("entity", key)
                for key in restored
                if held.get((number, key)) != after.entities[key] and not _offered(before.entities[key], after.entities[key])
            ]
            touched += [("comment", key) for key, value in after.comments.items() if remarks.get((number, key)) != value]
            labels = json.loads(current[number].labels) if current[number].labels else {}
            touched += [
                ("labels", layer)
                for layer, classes in after.labels.items()
                if labels.get(layer) != (None if classes is None else list(classes))
            ]
            fields, moved = _fields(before, after, current[number])
            if moved and not (after.entities or after.labels or after.comments):
                touched += [(field, None) for field in moved]
            if touched:
                raise ConflictError(
                    [_conflict(name, what, key, _latest(connection, row, what, key)) for what, key in touched], where=name
                )
            restored = {
                key: None
                if entity is None
                else _again(following, number, entity, left.entities[key], after.entities[key], then, name)
                for key, entity in restored.items()
            }
            classes = {
                layer: None if names is None else following.classes_again(layer, names, then, name)
                for layer, names in before.labels.items()
            }
            wanted = {key: entity for key, entity in restored.items() if entity is not None}
            twin = find_twin(connection, number, wanted, restored) if wanted else None
            if twin is not None:
                raise ConflictError([_conflict(name, "entity", twin, None)], where=name)
            if fields.get("status") == "todo" and number in begun:
                fields = {"status": "started", **{key: value for key, value in fields.items() if key == "flagged"}}
            given = unless_open(fields, before.entities, restored)
            deltas[number] = Delta({**lost.get(number, {}), **restored}, classes, before.comments, given)
        event.apply(deltas)


def _as_today(following: Following, number: int, left: Delta, version: int) -> Delta:
    """What an event left behind, under the labels of today as far as labels follow."""
    return Delta(
        {
            key: None if entity is None else following.entity(number, entity, version) or entity
            for key, entity in left.entities.items()
        },
        {
            layer: None if classes is None else following.classes(layer, classes, version) or classes
            for layer, classes in left.labels.items()
        },
        left.comments,
        left.fields,
    )


def _again(
    following: Following,
    number: int,
    entity: StoredEntity,
    left: StoredEntity | None,
    now: StoredEntity | None,
    version: int,
    document: str,
) -> StoredEntity:
    """An entity that an undo brings back, under its label of today.

    Args:
        following: What labels are called today.
        number: The document's number.
        entity: The entity before the event.
        left: The entity as the event left it.
        now: What became of that since.
        version: Version of the schema at the event.
        document: Id of the document.

    Raises:
        RefusedError: If no label follows.
    """
    if left is None or now is None or left.label != entity.label or not following.knows(now.label):
        return following.entity_again(number, entity, version, document)
    # The event did not touch the label, so where it went since, as after a split, stays.
    return replace(entity, label=now.label, state=entity.state if now.state == left.state else now.state)


def _begun_beside(connection: Connection, target: Any, rows: Sequence[Any]) -> set[int]:
    """Documents in which somebody decided something after what is being undone, so that they are not to do again."""
    if not rows or target.kind == "undo":  # doing something again gives what it gave
        return set()
    later = connection.execute(
        select(changes.c.document, changes.c.after, events.c.operation, events.c.kind, events.c.undoes)
        .join(events, events.c.number == changes.c.event)
        .where(changes.c.document.in_([row.document for row in rows]), changes.c.event > target.number)
        .order_by(events.c.number.desc())
    ).all()
    taken_back = taken_back_by([(row.operation, row.undoes) for row in later if row.undoes is not None])
    undone_now = {row.document: Delta.from_json(row.after) for row in rows}
    return {
        row.document
        for row in later
        if row.kind not in ("schema", "undo")
        and row.operation not in taken_back
        and _decides(Delta.from_json(row.after), row.kind, undone_now[row.document])
    }


def _decides(after: Delta, kind: str, beside: Delta) -> bool:
    """Whether a change decided on something beside what another one did."""
    touched = [entity for key, entity in after.entities.items() if key not in beside.entities]
    given = any(entity is not None and entity.state != "suggested" for entity in touched)
    classes = any(value for layer, value in after.labels.items() if layer not in beside.labels)
    return given or classes or (kind == "edit" and None in touched)


def _offered(before: StoredEntity | None, after: StoredEntity | None) -> bool:
    """Whether an event added a suggestion."""
    return before is None and after is not None and after.state == "suggested"


def _stays(before: StoredEntity | None, after: StoredEntity | None, now: StoredEntity | None) -> bool:
    """Whether undoing leaves an entity as it is now.

    What was a suggestion all along, and has made room for newer ones, was no person's work. Of suggestions that an event added,
    those go that are open still, whatever score a model gave them since; what a person decided on others stands.
    """
    if _offered(before, after):
        return now is None or now.state != "suggested"
    open_then = all(entity is not None and entity.state == "suggested" for entity in (before, after))
    return open_then and now is None


def _leave_no_unknown_label(transaction: Transaction, event: OpenEvent, target: Any) -> None:
    """Sees to labels that the schema is about to lose again, and that were given since.

    Open suggestions of such a label go, as part of the event. What a person decided stands in the way. Labels that neither
    schema knows were unknown before, too, and stand in nobody's way.
    """
    connection, schema = transaction.connection, transaction.schema()[0]
    left = Schema.from_dict(json.loads(target.after)["schema"])
    lost = {layer.name: set(layer.names) - _names(schema, layer.name) for layer in left}
    gone = sorted(set(left.entity_labels) - set(schema.entity_labels))
    rows = connection.execute(
        select(entities.c.document, entities.c.id, documents.c.id.label("name"))
        .join(documents, documents.c.number == entities.c.document)
        .where(entities.c.label.in_(gone), entities.c.state != "suggested")
        .order_by(entities.c.document)
    ).all()
    conflicts = [_conflict(row.name, "entity", row.id, None) for row in rows]
    layers = [layer.name for layer in left if layer.kind == "labels" and lost[layer.name]]
    for number, name, body in _classified(connection) if layers else ():
        given = json.loads(body)
        conflicts += [
            _conflict(name, "labels", layer, latest_of(connection, number, "labels", layer))
            for layer in layers
            if not lost[layer].isdisjoint(given.get(layer) or ())
        ]
    if conflicts:
        if rows:
            conflicts[0] = _conflict(
                rows[0].name, "entity", rows[0].id, latest_of(connection, rows[0].document, "entity", rows[0].id)
            )
        raise ConflictError(conflicts, where=target.operation)
    event.apply({number: Delta(gone) for number, gone in _unknown_suggestions(connection, schema).items()})


def _names(schema: Schema, layer: str) -> set[str]:
    return next((set(item.names) for item in schema if item.name == layer), set())


def _unknown_suggestions(
    connection: Connection, schema: Schema, numbers: list[int] | None = None
) -> dict[int, dict[str, StoredEntity | None]]:
    """Open suggestions with labels that a schema does not have, to be removed; of some documents, or of all."""
    unknown = entities.c.label.not_in(schema.entity_labels) & (entities.c.state == "suggested")
    if numbers is not None:
        unknown &= entities.c.document.in_(numbers)
    gone: dict[int, dict[str, StoredEntity | None]] = {}
    for row in connection.execute(select(entities.c.document, entities.c.id).where(unknown)):
        gone.setdefault(row.document, {})[row.id] = None
    return gone


def _classified(connection: Connection) -> list[Any]:
    statement = select(documents.c.number, documents.c.id, documents.c.labels).where(documents.c.labels.is_not(None))
    return list(connection.execute(statement))


def _fields(before: Delta, after: Delta, row: Any) -> tuple[dict[str, Any], list[str]]:
    """Fields to give back, and those that somebody changed since.

    An edit that also moved the status, because it was the first, can be taken back after somebody has set another status; then
    that status stays.
    """
    moved = [name for name, value in after.fields.items() if getattr(row, name) != value]
    return {name: value for name, value in before.fields.items() if name not in moved}, [
        name for name in moved if name != "annotator"
    ]


def _latest(connection: Connection, change: Any, what: str, key: str | None) -> Any:
    """The newest event after a change that touched the same."""
    return latest_of(connection, change.document, what, key, after=change.version)


def _conflict(document: str | None, what: str, key: str | None, event: Any) -> dict[str, Any]:
    by: Mapping[str, Any] = {"operation": None, "who": None, "at": None}
    if event is not None:
        by = {"operation": event.operation, "who": event.who, "at": event.at}
    return {"document": document, "what": what, "id": key, **by}
