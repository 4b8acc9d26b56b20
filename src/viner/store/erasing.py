"""Erasing documents: text, annotations, comments, events and leases, and what they left on the disk."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, insert, select

from viner.store import clock
from viner.store.database import PATIENCE, Database
from viner.store.errors import StoreLockedError, UnknownDocumentError
from viner.store.preferences import CHANGE, note_erased, read_setting, write_setting
from viner.store.splits import HASHED, erased_group, is_named, shared_text
from viner.store.tables import changes, comments, contents, documents, entities, events, groups, leases, metadata, settings
from viner.store.transaction import Transaction, batches
from viner.store.values import Split

_TRACES = "erase.traces"
_PAGES, _LOG = "pages", "log"
"""Where erased rows may still have traces: in pages (and so in the log), or in the log only."""


def check_known(connection: Connection, ids: Iterable[str]) -> None:
    """Raises an UnknownDocumentError if there is no document of one of the ids."""
    _find(connection, ids, select(documents.c.id))


def erase(transaction: Transaction, ids: Iterable[str], *, who: str) -> int:
    """Erases documents and returns how many. An event remains that says who, when and how many, not which.

    Raises:
        UnknownDocumentError: If there is no document of one of the ids; nothing was erased then.
    """
    connection = transaction.connection
    rows = _find(connection, ids, select(documents).with_for_update())
    for row in rows:
        transaction.count("documents", row.split, row.status, -1)
        transaction.count("flagged", "", "", -int(row.flagged))
    gone, shared = _shared_texts(connection, [row.number for row in rows])
    for some in batches(row.number for row in rows):
        _uncount(transaction, some)
        touched = select(changes.c.event).where(changes.c.document.in_(some))
        numbers = list(connection.execute(touched).scalars())
        for table in (changes, leases, comments, entities, contents):
            connection.execute(delete(table).where(table.c.document.in_(some)))
        connection.execute(delete(documents).where(documents.c.number.in_(some)))
        for events_of in batches(sorted(set(numbers))):
            left = exists().where(changes.c.event == events.c.number)
            connection.execute(delete(events).where(events.c.number.in_(events_of), events.c.before.is_(None), ~left))
    _keep_on_side(connection, shared)
    for names in batches(sorted((gone - shared.keys()) | {row.group_name for row in rows})):
        kept = set(connection.execute(select(documents.c.group_name).where(documents.c.group_name.in_(names))).scalars())
        _forget_groups(connection, [name for name in names if name not in kept])
    _forget_surfaces(connection)
    if rows:
        note_erased(connection, max(row.number for row in rows), max(row.version for row in rows))
        write_setting(connection, _TRACES, _PAGES)
        connection.execute(
            insert(events).values(
                operation=str(uuid.uuid4()), who=who, at=clock.now(), kind="erase", documents=len(rows), after=None
            )
        )
    return len(rows)


def scrub(database: Database, *, patience: float | None = None) -> None:
    """Removes what erased rows left in files, where something did: SQLite's log, PostgreSQL's dead rows.

    How far it came is noted, so that the next call goes on from there.

    Args:
        database: The database.
        patience: Seconds to wait for others who read; None waits as long as others do.

    Raises:
        StoreLockedError: If others read for so long that the log could not be emptied. The documents are erased,
            their traces not.
    """
    with database.reading() as connection:
        left = read_setting(connection, _TRACES)
    if left is None:
        return
    with database.explained(), database.in_turn(), database.engine.connect() as connection:
        if not database.is_sqlite:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in metadata.sorted_tables:
                connection.exec_driver_sql(f"VACUUM {table.name}")
        else:
            raw = connection.connection.driver_connection
            assert raw is not None
            if left == _PAGES:
                # secure_delete overwrites rows that are deleted, but not the copies of them that stay behind where pages were
                # divided; writing all pages anew leaves none. Then the log goes, which held the old ones.
                raw.execute("PRAGMA temp_store = FILE")
                raw.execute("VACUUM")
                raw.execute("PRAGMA temp_store = MEMORY")
                raw.execute("UPDATE settings SET value = ? WHERE key = ?", (json.dumps(_LOG), _TRACES))
            _empty_log(database, raw, PATIENCE if patience is None else patience)
    with database.writing() as connection:
        if not database.is_sqlite or read_setting(connection, _TRACES) == _LOG:  # else somebody has erased more meanwhile
            write_setting(connection, _TRACES, None)


def _empty_log(database: Database, raw: Any, patience: float) -> None:
    deadline = time.monotonic() + patience
    raw.execute(f"PRAGMA busy_timeout = {round(patience * 1000)}")
    try:
        while raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() >= deadline:
                raise StoreLockedError(
                    "the documents are erased, but their traces are still in the database's log, which others are reading",
                    where=database.where,
                    hint="They go with the next erasing, or when viner is next started; end exports and other programs first",
                )
            time.sleep(0.05)
    finally:
        raw.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")


def _find(connection: Connection, ids: Iterable[str], statement: Select[Any]) -> list[Any]:
    rows: list[Any] = []
    for some in batches(dict.fromkeys(ids)):
        found = connection.execute(statement.where(documents.c.id.in_(some))).all()
        missing = set(some) - {row.id for row in found}
        if missing:
            raise UnknownDocumentError(min(missing))
        rows += found
    return rows


def _shared_texts(connection: Connection, numbers: list[int]) -> tuple[set[str], dict[str, list[Split]]]:
    """What the table of groups calls the texts of some documents, and the sides of others in named groups that have them."""
    erased = set(numbers)
    names: set[str] = set()
    shared: dict[str, list[Split]] = {}
    for some in batches(numbers):
        texts = select(contents.c.text).where(contents.c.document.in_(some))
        names.update(shared_text(text) for text in connection.execute(texts).scalars())
        others = (
            select(documents.c.number, documents.c.split, contents.c.text)
            .join(contents, contents.c.document == documents.c.number)
            .where(contents.c.text.in_(texts), ~documents.c.group_name.startswith(HASHED))
            .order_by(documents.c.number)
        )
        for row in connection.execute(others):
            if row.number not in erased:
                shared.setdefault(shared_text(row.text), []).append(row.split)
    return names, shared


def _keep_on_side(connection: Connection, shared: dict[str, list[Split]]) -> None:
    """Notes where texts are that documents of named groups still have, so that they never come in on another side."""
    for names in batches(sorted(shared)):
        noted = {row.name: row.split for row in connection.execute(select(groups).where(groups.c.name.in_(names)))}
        wrong = [name for name in names if noted.get(name) not in shared[name]]
        if wrong:
            connection.execute(delete(groups).where(groups.c.name.in_(wrong)))
            connection.execute(insert(groups), [{"name": name, "split": shared[name][0]} for name in wrong])


def _forget_groups(connection: Connection, names: list[str]) -> None:
    """Removes groups without documents. A name may be that of a person; a hash of it is enough to keep the group on its side.

    The hash of a text goes, too: that of a short one is nearly the text.
    """
    sides = connection.execute(select(groups).where(groups.c.name.in_(names))).all()
    connection.execute(delete(groups).where(groups.c.name.in_(names)))
    hashes = {erased_group(row.name): row.split for row in sides if is_named(row.name)}
    connection.execute(delete(groups).where(groups.c.name.in_(hashes)))
    if hashes:
        connection.execute(insert(groups), [{"name": name, "split": split} for name, split in hashes.items()])


def _forget_surfaces(connection: Connection) -> None:
    """Removes the surfaces that a change of the schema was told about, which earlier versions of viner noted."""
    for key, value in connection.execute(
        select(settings.c.key, settings.c.value).where(settings.c.key.startswith(CHANGE))
    ).all():
        noted = json.loads(value)
        if noted.pop("assign", None):
            write_setting(connection, key, noted)


def _uncount(transaction: Transaction, numbers: list[int]) -> None:
    connection = transaction.connection
    tallies = select(entities.c.label, entities.c.state, func.count()).where(entities.c.document.in_(numbers))
    for label, state, n in connection.execute(tallies.group_by(entities.c.label, entities.c.state)):
        transaction.count("entities", label, state, -n)
    remarks = select(func.count()).select_from(comments).where(comments.c.document.in_(numbers))
    transaction.count("comments", "", "", -connection.execute(remarks).scalar_one())
