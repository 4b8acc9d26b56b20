"""Backups: one SQLite file, whatever the database, made while others go on writing."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from viner.store.database import Database, parse_url
from viner.store.errors import StoreDamagedError, StoreError
from viner.store.tables import accounts, metadata
from viner.store.versions import migrate, version_of

_BATCH = 1000
_BESIDE = ("-wal", "-shm", "-journal")
_log = logging.getLogger("viner")


def backup(database: Database, target: Path) -> None:
    """Writes all of a database to a new SQLite file, as of one moment.

    Raises:
        StoreError: If there is something at the target, or it cannot be written; nothing is left there then.
    """
    if target.exists():
        raise StoreError("there is something already", where=target, hint="Backups never replace anything; choose another name")
    if not target.absolute().parent.is_dir():
        raise StoreError("cannot be written: there is no such folder", where=target.parent)
    if not database.is_sqlite:
        with _appearing(target) as part:
            _copy_rows(database, part)
        return
    # In this order: what goes wrong with the copy names the copy, not the database.
    with database.explained(), database.engine.connect() as connection, _appearing(target) as part:
        source = connection.connection.driver_connection
        assert source is not None
        _copy_sqlite(source, part)


def restore(source: Path, url: str | Path) -> None:
    """Puts a backup into an empty place: a path with no file, or an empty PostgreSQL database.

    Everybody has to log in again, since a session that a new password ended must not come back with the old one. What an
    earlier database left beside the path, its log, is moved aside: SQLite would take it for the log of this one.

    Raises:
        StoreError: If the source is no backup, or the place is not empty. Nothing was changed then.
    """
    _check_backup(source)
    place = parse_url(url)
    if place.get_backend_name() == "sqlite":
        target = Path(place.database or "").absolute()
        if target.exists() and target.stat().st_size:
            raise _not_empty(str(target))
        _move_aside(target)
        with (
            _appearing(target) as part,
            contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as raw,
        ):
            _copy_sqlite(raw, part)
            _end_sessions_of_file(part)
        return
    # An older backup is brought to our version first; the source itself is not touched.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        with contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as raw:
            _copy_sqlite(raw, copy)
        with _opened(copy) as taken, _opened(url) as database:
            migrate(taken)
            with database.reading() as connection:
                if version_of(connection) is not None:
                    raise _not_empty(database.where)
            migrate(database)
            with taken.reading() as reading, database.writing(exclusive=True) as writing:
                _transfer(reading, writing)
                for name in writing.execute(select(accounts.c.name)).scalars().all():
                    writing.execute(update(accounts).where(accounts.c.name == name).values(epoch=_epoch()))


def _move_aside(target: Path) -> None:
    for ending in _BESIDE:
        left = target.with_name(target.name + ending)
        if not left.exists():
            continue
        numbers = (left.with_name(f"{left.name}.{number}.old") for number in range(1, 1 << 20))
        aside = next(path for path in numbers if not path.exists())
        try:
            left.rename(aside)
        except OSError as error:
            raise StoreError(
                f"the log of an earlier database is in the way: {error}", where=left, hint="Move it away"
            ) from None
        _log.warning("%s: left by a database that is gone; moved to %s", left, aside.name)


def _end_sessions_of_file(part: Path) -> None:
    with contextlib.closing(sqlite3.connect(part)) as raw, raw:
        names = raw.execute("SELECT name FROM accounts").fetchall()
        raw.executemany("UPDATE accounts SET epoch = ? WHERE name = ?", [(_epoch(), name) for (name,) in names])


def _epoch() -> int:
    return secrets.randbelow(2**30)


def _copy_rows(database: Database, part: Path) -> None:
    with _opened(part) as target:
        migrate(target)
        with database.reading() as reading, target.writing() as writing:
            _transfer(reading, writing)
        with target.explained(), target.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.execute("PRAGMA journal_mode = DELETE")


def _transfer(reading: Connection, writing: Connection) -> None:
    for table in metadata.sorted_tables:
        rows = reading.execution_options(yield_per=_BATCH).execute(select(table))
        for some in rows.mappings().partitions(_BATCH):
            writing.execute(insert(table), [dict(row) for row in some])
        column = table.primary_key.columns.values()[0]
        if writing.dialect.name == "postgresql" and column.name == "number" and table.name != "documents":
            # The rows brought their numbers along; new ones must be larger.
            sequence = func.pg_get_serial_sequence(table.name, "number")
            largest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            writing.execute(select(func.setval(sequence, largest, False)))


def _copy_sqlite(source: Any, part: Path) -> None:
    # All pages in one step: a snapshot, while writers go on. In steps it would start again after each of their commits.
    with contextlib.closing(sqlite3.connect(part)) as target:
        target.execute("PRAGMA synchronous = FULL")
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def _check_backup(source: Path) -> None:
    if not source.is_file():
        raise StoreError("there is no such file", where=source)
    try:
        with contextlib.closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as raw:
            found = raw.execute("SELECT name FROM sqlite_master WHERE name IN ('alembic_version', 'documents')").fetchall()
            sound = raw.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise StoreDamagedError(f"this is no backup, or a damaged one ({error})", where=source) from None
    if len(found) != 2 or sound != "ok":
        raise StoreDamagedError("this is no backup of viner, or a damaged one", where=source)


def _not_empty(where: str) -> StoreError:
    return StoreError(
        "there is something already", where=where, hint="A backup is put into an empty place only, and never over data"
    )


@contextlib.contextmanager
def _opened(url: str | Path) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@contextlib.contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """A temporary file beside the target, which takes its place when the block ends well."""
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # whatever the umask: texts and password hashes
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot be written: {error}", where=target, hint="Check the folder and the space left") from error
    finally:
        for ending in ("", *_BESIDE):
            with contextlib.suppress(OSError):
                part.with_name(part.name + ending).unlink(missing_ok=True)
