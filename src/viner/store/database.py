"""The connection to SQLite or PostgreSQL: how it is set up, whose turn it is to write, and what its errors mean."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from viner.errors import MissingExtraError
from viner.paths import expanded
from viner.store.errors import (
    StoreDamagedError,
    StoreDeadlockError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreMovedError,
    StoreReadOnlyError,
    StoreUnreachableError,
)

PATIENCE = 10
"""Seconds that a write waits for its turn before it gives up."""

_NAP = (0.001, 0.01)  # seconds between two looks whether another program has done writing
_WRITES = "viner_writes"
_SCHEMA_LOCK = 0x76696E6572  # "viner": PostgreSQL's advisory lock, shared by saves, exclusive for what changes many documents


class Database:
    """One database and its connections; thread-safe.

    Args:
        url: URL of SQLAlchemy, or the path of a SQLite file.
        create: Make the SQLite file where there is none.

    Raises:
        StoreError: If the place cannot be used.
    """

    def __init__(self, url: str | Path, *, create: bool = True) -> None:
        self.url = parse_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.file: Path | None = None
        self._turn = threading.Lock()
        self._inode: tuple[int, int] | None = None
        if self.is_sqlite:
            self.file = Path(self.url.database or "").absolute()
            self._check_place(create)
        self.engine = _engine(self.url, self.file)
        self.where = str(self.file) if self.file else self.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Closes all connections."""
        self.engine.dispose()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads one consistent state, and holds nobody up."""
        with self.explained(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def writing(self, *, exclusive: bool = False) -> Iterator[Connection]:
        """A transaction that writes: all of it, or nothing where the block raises.

        Args:
            exclusive: Keep all other writers out until the end, as changes of many documents or of the schema must. In SQLite
                every writer is alone anyway.
        """
        with self.explained(), self.in_turn(), self.engine.connect() as connection:
            connection = connection.execution_options(**{_WRITES: True})
            with connection.begin():
                if not self.is_sqlite:
                    lock = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
                    connection.exec_driver_sql(f"SELECT {lock}({_SCHEMA_LOCK})")
                yield connection
        self._remember_file()

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turns the errors of SQLAlchemy and of drivers into those of the store."""
        try:
            yield
        except PoolTimeoutError as error:
            raise StoreLockedError("too many at once", where=self.where, hint="Try again") from error
        except DBAPIError as error:
            raise self._explain(error.orig or error) from error
        except sqlite3.Error as error:
            raise self._explain(error) from error
        except SQLAlchemyError as error:
            raise StoreError(f"the database failed ({type(error).__name__})", where=self.where) from error

    @contextlib.contextmanager
    def in_turn(self) -> Iterator[None]:
        """SQLite has one writer. Threads queue here, in order, instead of asking again and again."""
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(timeout=PATIENCE):
            raise StoreLockedError(
                f"another change, such as one of many documents, has been going on for {PATIENCE} seconds",
                where=self.where,
                hint="Try again in a moment",
            )
        try:
            self._check_file()
            yield
        finally:
            self._turn.release()

    def _check_place(self, create: bool) -> None:
        assert self.file is not None
        if self.file.is_dir():
            raise StoreDamagedError("this is a folder, not a database", where=self.file)
        if not self.file.exists():
            if not create:
                raise StoreError(
                    "there is no database", where=self.file, hint="Import documents to make one, or check the path"
                )
            if not self.file.parent.is_dir():
                raise StoreError("there is no such folder", where=self.file.parent)
            self._make_file()
        self._remember_file()

    def _make_file(self) -> None:
        # Nobody else may read it, whatever the umask. SQLite gives the log beside it the same rights.
        assert self.file is not None
        try:
            os.close(os.open(self.file, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise StoreReadOnlyError(
                f"the database cannot be made ({error.strerror})",
                where=self.file,
                hint="Check that the folder can be written and has space left",
            ) from None

    def _remember_file(self) -> None:
        # Without this, a moved or deleted database would take our writes along, to where nobody looks for them.
        if self._inode is None and self.file is not None and self.file.exists():
            status = self.file.stat()
            self._inode = (status.st_dev, status.st_ino)

    def _check_file(self) -> None:
        if self.file is None or self._inode is None:
            return
        try:
            status = self.file.stat()
        except OSError:
            status = None
        if status is None or (status.st_dev, status.st_ino) != self._inode:
            raise StoreMovedError(
                "the database was moved, replaced or deleted while it was open",
                where=self.where,
                hint="Put the project folder back, or start again from its new place; what was saved is in the moved file",
            )

    def _locked(self) -> StoreLockedError:
        return StoreLockedError(
            f"another program has been holding the database for {PATIENCE} seconds",
            where=self.where,
            hint="Try again; if it stays so, close other programs that have the file open",
        )

    def _explain(self, error: BaseException) -> StoreError:
        if isinstance(error, sqlite3.Error):
            return self._explain_sqlite(error)
        state = str(getattr(error, "sqlstate", None) or "")
        if state == "53100":
            return StoreFullError("the disk of the database server is full", where=self.where)
        if state in ("40P01", "40001"):
            return StoreDeadlockError(
                "two changes at the same time stood in each other's way, and this one gave way",
                where=self.where,
                hint="Try again",
            )
        if state in ("55P03", "57014"):
            return self._locked()
        if state == "25006":
            return StoreReadOnlyError("the database server only lets us read", where=self.where)
        if type(error).__name__ in ("OperationalError", "InterfaceError", "ConnectionTimeout"):
            return StoreUnreachableError(
                f"the database server does not let us in ({_first_line(error)})",
                where=self.where,
                hint="Is it running, and are name and password right?",
            )
        return StoreError(f"the database refused ({_first_line(error)})", where=self.where)

    def _explain_sqlite(self, error: sqlite3.Error) -> StoreError:
        code = getattr(error, "sqlite_errorcode", 0) or 0
        kind = code & 0xFF
        if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return self._locked()
        if kind == sqlite3.SQLITE_FULL or code in (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC):
            return StoreFullError(
                "the database cannot be written: the disk is full, or a limit is reached",
                where=self.where,
                hint="Make room and try again; everything acknowledged so far is kept",
            )
        if kind in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            return StoreReadOnlyError(
                "the database cannot be written",
                where=self.where,
                hint="SQLite needs to write the file and its folder; check their permissions",
            )
        if kind == sqlite3.SQLITE_CANTOPEN:
            return StoreReadOnlyError(
                "the database cannot be opened", where=self.where, hint="Check that the folder exists and can be written"
            )
        if kind in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return StoreDamagedError(
                f"this is no database of viner, or a damaged one ({error})",
                where=self.where,
                hint="Keep the file as it is, and restore a backup: viner restore",
            )
        return StoreError(f"the database failed ({error})", where=self.where)


def parse_url(url: str | Path) -> URL:
    """The URL with viner's driver in it; a path stands for a SQLite file.

    Raises:
        StoreError: If it is no URL, or of another database.
    """
    if isinstance(url, Path) or "://" not in url:
        return URL.create("sqlite", database=str(expanded(url)))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # a port that is no number; what it says may be a part of the password
        raise StoreError(
            "this is no database URL", hint="Such as sqlite:///viner.db or postgresql://name@host/database"
        ) from None
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise StoreError(
            f"viner cannot use {parsed.drivername} here",
            hint="Use a SQLite file or PostgreSQL: sqlite:///viner.db, postgresql://…",
        )
    # A path stands there as it is: "100%25" may well be the name of a folder, and only some SQLAlchemys would decode it.
    return parsed.set(database=url.partition(":///")[2].partition("?")[0])


def _engine(url: URL, file: Path | None) -> Engine:
    if file is not None:
        engine = create_engine(
            url.set(database=str(file)),
            connect_args={"timeout": PATIENCE, "check_same_thread": False},
            pool_size=8,
            max_overflow=24,
        )
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            connect_args={"options": f"-c lock_timeout={PATIENCE}s -c client_encoding=UTF8", "connect_timeout": PATIENCE},
            pool_size=8,
            max_overflow=24,
            pool_pre_ping=True,  # a server that was started again is no error
        )
    except ImportError:
        raise MissingExtraError("PostgreSQL", "postgres") from None


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")  # acknowledged means on the disk
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # erased texts are overwritten
        cursor.execute("PRAGMA temp_store = MEMORY")  # no text in temporary files
        cursor.execute("PRAGMA cache_size = -32768")
    finally:
        cursor.close()
    connection.create_function("viner_contains", 2, _contains, deterministic=True)


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES):
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        _begin_to_write(raw)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_to_write(connection: sqlite3.Connection) -> None:
    # SQLite's own waiting sleeps for up to 100 ms between two looks. Beside programs that write without a pause, it can look a
    # hundred times and never find the database free.
    end = time.monotonic() + PATIENCE
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY or time.monotonic() >= end:
                    raise
                time.sleep(random.uniform(*_NAP))
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE * 1000}")


def _contains(text: str, folded: str) -> bool:
    view = text.casefold()
    return any(spelling in view for spelling in json.loads(folded))


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
