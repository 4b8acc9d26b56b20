"""Small values that the store remembers, as JSON."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from viner.store.tables import settings

CHANGE = "schema.change."
"""With the version that it led to: the key of a change of the schema."""


def read_setting(connection: Connection, key: str) -> Any:
    """The value of a key; None where there is none."""
    value = connection.execute(select(settings.c.value).where(settings.c.key == key)).scalar()
    return None if value is None else json.loads(value)


def write_setting(connection: Connection, key: str, value: Any) -> None:
    """Sets a key to a JSON value; None removes it."""
    connection.execute(delete(settings).where(settings.c.key == key))
    if value is not None:
        connection.execute(insert(settings).values(key=key, value=json.dumps(value, ensure_ascii=False)))
