"""Saving an operation: checked, done once, acknowledged when it is on the disk."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from viner.store import clock
from viner.store.checks import check_operation
from viner.store.delta import Delta
from viner.store.errors import RefusedError, StaleSchemaError, StaleVersionError, UnknownDocumentError
from viner.store.operation import Comment, Operation
from viner.store.reading import read_document
from viner.store.records import Saved
from viner.store.tables import changes, documents, events
from viner.store.transaction import Transaction, find_answer, fingerprint, read_comments


def save(transaction: Transaction, operation: Operation, *, who: str) -> Saved:
    """Saves an operation.

    Raises:
        UnknownDocumentError: If there is no such document.
        StaleSchemaError: If it was made under another schema.
        StaleVersionError: If it was made on another version of the document.
        RefusedError: If it is not true of the document; ``where`` names the field.
    """
    connection = transaction.connection
    body = operation.to_dict()
    row = connection.execute(
        select(documents.c.number, documents.c.version, documents.c.status, documents.c.labels)
        .where(documents.c.id == operation.document)
        .with_for_update()
    ).one_or_none()
    known = find_answer(connection, operation.operation, fingerprint(body))
    if known is not None:
        return known
    if row is None:
        raise UnknownDocumentError(operation.document)
    schema, version = transaction.schema()
    if operation.schema != version:
        raise StaleSchemaError(version, operation.schema, read_document(connection, operation.document))
    if operation.version != row.version:
        raise StaleVersionError(read_document(connection, operation.document), operation.version)
    check_operation(connection, row.number, operation, schema)
    if operation.undoes is not None:
        _check_undoes(transaction, row.number, operation.undoes)
    kind = "edit" if operation.undoes is None else "undo"
    event = transaction.event(operation.operation, who=who, kind=kind, undoes=operation.undoes, body=body)
    event.apply({row.number: _delta(transaction, row.number, row.status, operation, who)})
    return event.finish()


def _delta(transaction: Transaction, number: int, status: str, operation: Operation, who: str) -> Delta:
    fields: dict[str, object] = {}
    decides = operation.delete or operation.labels or any(put.entity.state != "suggested" for put in operation.put)
    if operation.status is not None:
        fields["status"] = operation.status
    elif decides and status == "todo":
        fields["status"] = "started"
    if decides or operation.status is not None:
        fields["annotator"] = who
    if operation.flagged is not None:
        fields["flagged"] = operation.flagged
    written = read_comments(transaction.connection, {number: [item.id for item in operation.comments_put]})
    brought = _brought_back(transaction, number, operation)
    return Delta(
        {put.entity.id: put.entity for put in operation.put} | dict.fromkeys(operation.delete),
        dict(operation.labels or {}),
        {item.id: _signed(item, written.get((number, item.id)) or brought.get(item.id), who) for item in operation.comments_put}
        | dict.fromkeys(operation.comments_delete),
        fields,
    )


def _brought_back(transaction: Transaction, number: int, operation: Operation) -> dict[str, Comment]:
    """Comments that an operation takes back as they were before the one that it undoes."""
    if operation.undoes is None or not operation.comments_put:
        return {}
    before = transaction.connection.execute(
        select(changes.c.before)
        .join(events, events.c.number == changes.c.event)
        .where(events.c.operation == operation.undoes, changes.c.document == number)
    ).scalar_one()
    texts = {item.id: item.text for item in operation.comments_put}
    former = Delta.from_json(before).comments.items()
    return {key: item for key, item in former if item is not None and texts.get(key) == item.text}


def _signed(comment: Comment, before: Comment | None, who: str) -> Comment:
    """The comment under its first author's name: changing a remark, or bringing it back, does not make it one's own."""
    if before is None:
        return replace(comment, who=who, at=clock.now())
    return replace(comment, who=before.who, at=before.at if before.text == comment.text else clock.now())


def _check_undoes(transaction: Transaction, number: int, undone: str) -> None:
    there = transaction.connection.execute(
        select(events.c.number)
        .join(changes, changes.c.event == events.c.number)
        .where(events.c.operation == undone, changes.c.document == number)
    ).scalar()
    if there is None:
        raise RefusedError("no such operation changed this document", where="undoes")
