"""Small values that the store remembers, as JSON."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from viner.store.tables import settings

CHANGE = "schema.change."
"""With the version that it led to: the key of a change of the schema."""
_ERASED = "erase.highest"


def read_setting(connection: Connection, key: str) -> Any:
    """The value of a key; None where there is none."""
    value = connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar()
    return None if value is None else json.loads(value)


def write_setting(connection: Connection, key: str, value: Any) -> None:
    """Sets a key to a JSON value; None removes it."""
    connection.execute(delete(settings).where(settings.c.key == key))
    if value is not None:
        connection.execute(insert(settings).values(key=key, value=json.dumps(value, ensure_ascii=False)))


def highest_erased(connection: Connection) -> tuple[int, int]:
    """The highest number, and the highest version, of all documents that were erased: no document gets them again.

    Whoever still has an erased document open, or is at work on it, would take another one for it.
    """
    number, version = read_setting(connection, _ERASED) or (0, 0)
    return number, version


def note_erased(connection: Connection, number: int, version: int) -> None:
    """Remembers the number and version of a document that is erased, where they are the highest."""
    before = highest_erased(connection)
    highest = (max(before[0], number), max(before[1], version))
    if highest != before:
        write_setting(connection, _ERASED, highest)
