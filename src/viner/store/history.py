"""What happened to a document."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, select

from viner.store.errors import UnknownDocumentError
from viner.store.following import schema_of
from viner.store.records import Event
from viner.store.tables import LARGEST, changes, documents, events


def read_history(connection: Connection, document: str, *, who: str | None, limit: int, before: int | None) -> list[Event]:
    """The events of a document, newest first.

    Raises:
        UnknownDocumentError: If there is no such document.
    """
    number = number_of(connection, document)
    statement = (
        select(
            events.c.number, events.c.operation, events.c.documents, events.c.who, events.c.at, events.c.kind, events.c.undoes,
            events.c.answer, events.c.before.is_not(None).label("of_schema"),
            changes.c.version, changes.c.before, changes.c.after,
        )
        .join(events, events.c.number == changes.c.event)
        .where(changes.c.document == number)
        .order_by(events.c.number.desc())
        .limit(limit)
    )  # fmt: skip
    if who is not None:
        statement = statement.where(events.c.who == who)
    if before is not None and before <= LARGEST:  # there are no larger numbers, and no database compares with them
        statement = statement.where(events.c.number < max(before, 0))
    taken_back = undone(connection, number)
    found = []
    for row in connection.execute(statement):
        schema = None if row.answer is None else schema_of(row.answer)
        found.append(
            Event(
                row.number, row.operation, document if row.documents == 1 else None, row.who, row.at, row.kind, row.version,
                json.loads(row.before), json.loads(row.after), row.undoes, row.operation in taken_back,
                schema, None if schema is None else schema - row.of_schema,
            )
        )  # fmt: skip
    return found


def number_of(connection: Connection, document: str) -> int:
    """The number of a document.

    Raises:
        UnknownDocumentError: If there is none of that id.
    """
    number: int | None = connection.execute(select(documents.c.number).where(documents.c.id == document)).scalar()
    if number is None:
        raise UnknownDocumentError(document)
    return number


def undone(connection: Connection, number: int) -> set[str]:
    """Operations on a document that have been taken back, where that was not taken back in turn."""
    rows = connection.execute(
        select(events.c.operation, events.c.undoes)
        .join(changes, changes.c.event == events.c.number)
        .where(changes.c.document == number, events.c.undoes.is_not(None))
        .order_by(events.c.number.desc())
    )
    return taken_back_by([(row.operation, row.undoes) for row in rows])


def undoers_of(connection: Connection, operation: str) -> list[tuple[str, str]]:
    """Everything that undid an operation, or undid that, newest first."""
    found: list[tuple[int, str, str]] = []
    asked = [operation]
    while asked:
        rows = connection.execute(
            select(events.c.number, events.c.operation, events.c.undoes).where(
                events.c.undoes.in_(asked), events.c.answer.is_not(None)
            )
        ).all()
        found += [(row.number, row.operation, row.undoes) for row in rows]
        asked = [row.operation for row in rows]
    return [(name, undoes) for _, name, undoes in sorted(found, reverse=True)]


def taken_back_by(undoers: list[tuple[str, str]]) -> set[str]:
    """Operations undone by something that is not undone itself; ``undoers`` come newest first."""
    taken_back: set[str] = set()
    for operation, undoes in undoers:
        if operation not in taken_back:
            taken_back.add(undoes)
    return taken_back


def latest_of(connection: Connection, number: int, what: str, key: str | None, *, after: int = 0) -> Any:
    """The newest event after a version of a document that touched a part of it; None if there is none."""
    rows = connection.execute(
        select(events.c.operation, events.c.who, events.c.at, changes.c.after)
        .join(events, events.c.number == changes.c.event)
        .where(changes.c.document == number, changes.c.version > after)
        .order_by(changes.c.version.desc())
    )
    part = {"entity": "entities", "comment": "comments"}.get(what, what)
    for row in rows:
        made = json.loads(row.after)
        if part in made and (key is None or key in made[part]):
            return row
    return None
