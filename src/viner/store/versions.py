"""The version of a database: which it has, and how it gets to ours."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect

from viner.store.database import Database
from viner.store.errors import StoreDamagedError, StoreNewerError

CURRENT = "0001"
"""The version of :mod:`viner.store.tables`. Versions are numbers of four digits, in order."""

_MIGRATIONS = Path(__file__).parent / "migrations"


def version_of(connection: Connection) -> str | None:
    """The version of a database; None where it is empty.

    Raises:
        StoreDamagedError: If it has tables, but not those of viner.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if version is not None:
            return version
    elif not tables:
        return None
    raise StoreDamagedError(
        "this database belongs to another program", hint="Give viner a database of its own; an empty one will do"
    )


def migrate(database: Database, *, create: bool = True) -> bool:
    """Brings a database to our version; an empty one gets its tables.

    Args:
        database: The database.
        create: Whether an empty SQLite file may become one. Others are made empty, by their administrator.

    Returns:
        Whether it was empty.

    Raises:
        StoreNewerError: If a later viner wrote it.
        StoreDamagedError: If it belongs to another program, or is a SQLite file with nothing in it.
    """
    with database.reading() as connection:
        found = _checked(connection, database)
    if found == CURRENT:
        return False
    with database.writing(exclusive=True) as connection:
        found = _checked(connection, database)  # another process may have been faster
        if found is None and not create and database.is_sqlite:
            raise StoreDamagedError(
                "the file is empty, no database of viner",
                where=database.where,
                hint="Move it away; then viner restore gets a backup back, or viner import makes a new one",
            )
        if found != CURRENT:
            _upgrade(connection)
    return found is None


def _checked(connection: Connection, database: Database) -> str | None:
    try:
        found = version_of(connection)
    except StoreDamagedError as error:
        raise StoreDamagedError(error.message, where=database.where, hint=error.hint) from None
    if found is not None and found > CURRENT:
        raise StoreNewerError(
            f"the database has version {found}, and this viner knows versions up to {CURRENT}",
            where=database.where,
            hint="Update viner: pip install -U viner",
        )
    return found


def _upgrade(connection: Connection) -> None:
    # Alembic is needed only here, and costs as much to import as all the rest.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
