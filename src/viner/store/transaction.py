"""Writing: the one way in which documents change, whoever changes them.

Other rooms add their operations with it, without touching this one::

    with store.transaction(exclusive=True) as transaction:
        schema, version = transaction.schema()
        rows = transaction.connection.execute(select(tables.entities…))      # read whatever is needed
        event = transaction.event(operation, who=who, kind="schema")         # one event, however many documents
        if event.answer is not None:                                         # this operation is done already
            return event.answer
        for some in batches:                                                 # {document number: Delta}, some hundred at a time
            event.apply(some)
        event.set_schema(changed)                                            # at most once an event
        return event.finish()

All of it happens or, where the block raises, none of it. The event can be taken back with :meth:`Store.undo
<viner.store.store.Store.undo>`, which knows nothing of who made it. Within a transaction no other method of the store that
writes may be called: SQLite has one writer, and it would wait for itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from viner.schema import Schema
from viner.store import clock
from viner.store.delta import Delta
from viner.store.errors import RefusedError
from viner.store.operation import Comment, StoredEntity
from viner.store.records import Saved
from viner.store.tables import changes, comments, counters, documents, entities, events, schemas

BATCH = 400
"""How many values one statement names at most."""

_SHARDS = 16


class Transaction:
    """One transaction that writes.

    Args:
        connection: The connection, within its transaction.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._schema: tuple[Schema, int] | None = None

    def schema(self) -> tuple[Schema, int]:
        """The current schema and its version; (no layers, 0) where there is none yet."""
        if self._schema is None:
            self._schema = read_schema(self.connection)
        return self._schema

    def write_schema(self, schema: Schema, *, who: str) -> int:
        """Makes a schema the current one and returns its version."""
        version = self.schema()[1] + 1
        body = json.dumps(schema.to_dict(), ensure_ascii=False)
        self.connection.execute(insert(schemas).values(version=version, at=clock.now(), who=who, body=body))
        self._schema = schema, version
        return version

    def count(self, name: str, key: str, value: str, difference: int) -> None:
        """Notes that something is there more, or less, often; written at the end."""
        self._counts[name, key, value] += difference

    def event(
        self, operation: str, *, who: str, kind: str, undoes: str | None = None, body: Mapping[str, Any] | None = None
    ) -> OpenEvent:
        """Begins an event.

        Args:
            operation: Its id.
            who: Who does it.
            kind: What is done, such as "edit".
            undoes: The operation it takes back.
            body: What exactly is done, in JSON values: the id may come again with the same body, and with no other.

        Returns:
            The event. Where the operation was done before, its ``answer`` says what came of it, and nothing can be applied.

        Raises:
            RefusedError: If the id was used for something else.
        """
        mark = None if body is None else fingerprint(body)
        known = find_answer(self.connection, operation, mark)
        if known is not None:
            return OpenEvent(self, 0, who, known)
        number = self.connection.execute(
            insert(events)
            .values(operation=operation, who=who, at=clock.now(), kind=kind, undoes=undoes, documents=0, fingerprint=mark)
            .returning(events.c.number)
        ).scalar_one()
        return OpenEvent(self, number, who, None)

    def suggest(self, suggestions: Mapping[int, Iterable[StoredEntity]], *, by: str) -> None:
        """Replaces the open suggestions of some documents. Entities that a person decided on stay.

        This leaves no event, since no person's work changes; the versions of the documents go up all the same.

        Args:
            suggestions: For each document number its suggestions, each with an id that nothing else of
                the document has, and its source.
            by: What the documents are marked with, such as "model 003".
        """
        for numbers in batches(sorted(suggestions)):
            open_ones = (entities.c.document.in_(numbers)) & (entities.c.state == "suggested")
            for label, n in self.connection.execute(
                select(entities.c.label, func.count()).where(open_ones).group_by(entities.c.label)
            ):
                self.count("entities", label, "suggested", -n)
            self.connection.execute(delete(entities).where(open_ones))
            rows = [
                entity_row(number, replace(entity, state="suggested")) for number in numbers for entity in suggestions[number]
            ]
            for row in rows:
                self.count("entities", row["label"], "suggested", 1)
            if rows:
                self.connection.execute(insert(entities), rows)
            self.connection.execute(
                update(documents)
                .where(documents.c.number.in_(numbers))
                .values(suggested_by=by, version=documents.c.version + 1, updated=clock.now())
            )

    def flush(self) -> None:
        """Writes what was counted. :meth:`Store.transaction` calls it before it commits."""
        dialect = sqlite if self.is_sqlite else postgresql
        # Several rows a counter on PostgreSQL, so that annotators do not wait for each other; in one order, against deadlocks.
        shard = 0
        if not self.is_sqlite:
            shard = self.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() % _SHARDS
        rows = [
            {"name": name, "key": key, "value": value, "shard": shard, "n": n}
            for (name, key, value), n in sorted(self._counts.items())
            if n
        ]
        self._counts.clear()
        if rows:
            statement = dialect.insert(counters)
            self.connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[counters.c.name, counters.c.key, counters.c.value, counters.c.shard],
                    set_={"n": counters.c.n + statement.excluded.n},
                ),
                rows,
            )


class OpenEvent:
    """An event in the making: everything applied to it is one step that :meth:`Store.undo` takes back.

    Args:
        transaction: The transaction it is part of.
        number: Its number.
        who: Who does it.
        answer: What came of it, where it was done before.
    """

    def __init__(self, transaction: Transaction, number: int, who: str, answer: Saved | None) -> None:
        self.transaction = transaction
        self.number = number
        self.who = who
        self.answer = answer
        self._documents = 0
        self._last: tuple[int, str] = (0, "")
        self._schemas: tuple[Schema, Schema] | None = None

    def set_schema(self, schema: Schema) -> int:
        """Makes a schema the current one, as part of this event; returns its version."""
        self._schemas = (self.transaction.schema()[0], schema)
        return self.transaction.write_schema(schema, who=self.who)

    def apply(self, deltas: Mapping[int, Delta]) -> None:
        """Changes documents.

        Whether a change is true of its document is checked by :mod:`viner.store.checks`, before this.

        Args:
            deltas: The change of each document, by its number; at most some hundred at a time.

        Raises:
            RefusedError: If there is no document of such a number.
        """
        for numbers in batches(sorted(deltas)):
            self._apply({number: deltas[number] for number in numbers})

    def finish(self) -> Saved:
        """Completes the event, and says what came of it."""
        version, status = self._last if self._documents == 1 else (0, None)
        saved = Saved(version, self.transaction.schema()[1], status, documents=self._documents)  # type: ignore[arg-type]
        values: dict[str, Any] = {"documents": self._documents}
        values["answer"] = json.dumps(
            {"version": version, "schema": saved.schema, "status": status, "documents": self._documents}
        )
        if self._schemas is not None:
            before, after = self._schemas
            values["before"] = json.dumps({"schema": before.to_dict()}, ensure_ascii=False)
            values["after"] = json.dumps({"schema": after.to_dict()}, ensure_ascii=False)
        self.transaction.connection.execute(update(events).where(events.c.number == self.number).values(**values))
        return saved

    def _apply(self, deltas: Mapping[int, Delta]) -> None:
        connection = self.transaction.connection
        current = read_rows(connection, deltas)
        missing = deltas.keys() - current.keys()
        if missing:
            raise RefusedError("there is no such document", where=f"document number {min(missing)}")
        held = read_entities(connection, {number: delta.entities.keys() for number, delta in deltas.items()})
        remarks = read_comments(connection, {number: delta.comments.keys() for number, delta in deltas.items()})
        writer = _Writer(self.transaction)
        at = clock.now()
        recorded = []
        for number, delta in deltas.items():
            row = current[number]
            labels = json.loads(row.labels) if row.labels else {}
            before = Delta(
                {key: held.get((number, key)) for key in delta.entities},
                {layer: tuple(labels[layer]) if layer in labels else None for layer in delta.labels},
                {key: remarks.get((number, key)) for key in delta.comments},
                {name: getattr(row, name) for name in delta.fields},
            )
            writer.entities(number, before.entities, delta.entities)
            writer.comments(number, before.comments, delta.comments)
            writer.document(row, labels, delta, at)
            recorded.append(
                {
                    "event": self.number,
                    "document": number,
                    "version": row.version + 1,
                    "before": before.to_json(),
                    "after": delta.to_json(),
                }
            )
            self._last = row.version + 1, delta.fields.get("status", row.status)
        writer.write()
        connection.execute(insert(changes), recorded)
        self._documents += len(deltas)


class _Writer:
    """Collects rows, so that each statement runs once for many of them."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._documents: list[dict[str, Any]] = []
        self._inserts: dict[str, list[dict[str, Any]]] = {"entities": [], "comments": []}
        self._updates: dict[str, list[dict[str, Any]]] = {"entities": [], "comments": []}
        self._deletes: dict[str, list[dict[str, Any]]] = {"entities": [], "comments": []}

    def entities(
        self, number: int, before: Mapping[str, StoredEntity | None], after: Mapping[str, StoredEntity | None]
    ) -> None:
        for key, entity in after.items():
            old = before[key]
            if old is not None:
                self._transaction.count("entities", old.label, old.state, -1)
            if entity is not None:
                self._transaction.count("entities", entity.label, entity.state, 1)
            self._put("entities", number, key, old is not None, None if entity is None else entity_row(number, entity))

    def comments(self, number: int, before: Mapping[str, Comment | None], after: Mapping[str, Comment | None]) -> None:
        for key, comment in after.items():
            there = before[key] is not None
            self._transaction.count("comments", "", "", (comment is not None) - there)
            row = None if comment is None else {"document": number, **comment.to_dict()}
            self._put("comments", number, key, there, row)

    def document(self, row: Any, labels: dict[str, Any], delta: Delta, at: str) -> None:
        for layer, classes in delta.labels.items():
            if classes is None:
                labels.pop(layer, None)
            else:
                labels[layer] = list(classes)
        status = delta.fields.get("status", row.status)
        flagged = delta.fields.get("flagged", row.flagged)
        if status != row.status:
            self._transaction.count("documents", row.split, row.status, -1)
            self._transaction.count("documents", row.split, status, 1)
        self._transaction.count("flagged", "", "", bool(flagged) - bool(row.flagged))
        self._documents.append(
            {
                "key_number": row.number,
                "status": status,
                "flagged": bool(flagged),
                "annotator": delta.fields.get("annotator", row.annotator),
                "labels": json.dumps(labels, ensure_ascii=False) if labels or (row.labels and not delta.labels) else None,
                "version": row.version + 1,
                "updated": at,
            }
        )

    def write(self) -> None:
        execute = self._transaction.connection.execute
        for table in (entities, comments):
            key = (table.c.document == bindparam("key_document")) & (table.c.id == bindparam("key_id"))
            if self._deletes[table.name]:
                execute(delete(table).where(key), self._deletes[table.name])
            if self._updates[table.name]:
                execute(update(table).where(key), self._updates[table.name])
            if self._inserts[table.name]:
                execute(insert(table), self._inserts[table.name])
        execute(update(documents).where(documents.c.number == bindparam("key_number")), self._documents)

    def _put(self, table: str, number: int, key: str, there: bool, row: dict[str, Any] | None) -> None:
        place = {"key_document": number, "key_id": key}
        if row is None:
            if there:
                self._deletes[table].append(place)
        elif there:
            self._updates[table].append({name: value for name, value in row.items() if name not in ("document", "id")} | place)
        else:
            self._inserts[table].append(row)


def fingerprint(body: Mapping[str, Any]) -> str:
    """SHA-256 of JSON values, whatever the order of their keys."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def find_answer(connection: Connection, operation: str, mark: str | None) -> Saved | None:
    """What came of an operation that was done before; None where it was not.

    Raises:
        RefusedError: If the id was used for something else.
    """
    row = connection.execute(select(events.c.fingerprint, events.c.answer).where(events.c.operation == operation)).one_or_none()
    if row is None:
        return None
    if row.answer is None or mark != row.fingerprint:
        raise RefusedError(
            "this id was used for another operation", where="operation", hint="Each operation needs an id of its own"
        )
    return Saved(**json.loads(row.answer), replayed=True)


def read_schema(connection: Connection) -> tuple[Schema, int]:
    """The current schema and its version; (no layers, 0) where there is none yet."""
    row = connection.execute(
        select(schemas.c.version, schemas.c.body).order_by(schemas.c.version.desc()).limit(1)
    ).one_or_none()
    return (Schema(()), 0) if row is None else (Schema.from_dict(json.loads(row.body)), row.version)


def read_rows(connection: Connection, numbers: Iterable[int]) -> dict[int, Any]:
    """The rows of some documents by number, locked until the transaction ends."""
    statement = select(documents).where(documents.c.number.in_(list(numbers))).order_by(documents.c.number).with_for_update()
    return {row.number: row for row in connection.execute(statement)}


def read_entities(connection: Connection, wanted: Mapping[int, Iterable[str]]) -> dict[tuple[int, str], StoredEntity]:
    """Some entities by document number and id; those that are not there are left out."""
    return {(row.document, row.id): to_entity(row) for row in _read_named(connection, entities, wanted)}


def read_comments(connection: Connection, wanted: Mapping[int, Iterable[str]]) -> dict[tuple[int, str], Comment]:
    """Some comments by document number and id; those that are not there are left out."""
    return {(row.document, row.id): to_comment(row) for row in _read_named(connection, comments, wanted)}


def to_entity(row: Any) -> StoredEntity:
    """The entity of a row of its table."""
    return StoredEntity(row.id, row.start, row.end, row.label, row.state, row.score, row.source)


def to_comment(row: Any) -> Comment:
    """The comment of a row of its table."""
    return Comment(row.id, row.text, row.entity, row.who, row.at)


def batches(values: Iterable[Any], size: int = BATCH) -> Iterable[list[Any]]:
    """Lists of at most ``size`` values each."""
    batch = []
    for value in values:
        batch.append(value)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _read_named(connection: Connection, table: Any, wanted: Mapping[int, Iterable[str]]) -> Iterable[Any]:
    names = {number: set(ids) for number, ids in wanted.items()}
    numbers = [number for number, ids in names.items() if ids]
    total = set().union(*names.values()) if names else set()
    if not numbers:
        return
    statement = select(table).where(table.c.document.in_(numbers))
    if len(total) <= BATCH:
        statement = statement.where(table.c.id.in_(total))
    for row in connection.execute(statement):
        if row.id in names[row.document]:
            yield row


def entity_row(number: int, entity: StoredEntity) -> dict[str, Any]:
    """The row of an entity in its table."""
    return {
        "document": number,
        "id": entity.id,
        "start": entity.start,
        "end": entity.end,
        "label": entity.label,
        "state": entity.state,
        "score": entity.score,
        "source": entity.source,
    }
