"""Stores for tests, on SQLite and, where a server answers, on PostgreSQL: the same tests run on both.

In a conftest.py: ``from support.stores import store, store_url  # noqa: F401``.

``VINER_TEST_POSTGRES`` names the server (by default postgres@127.0.0.1 without a password). Each test gets a database of its
own, which is dropped at the end. Without a server these tests are skipped; with ``VINER_REQUIRE_POSTGRES=1`` they fail.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from viner.schema import Layer, Schema, Type
from viner.store import Operation, Put, Store, StoredEntity

SERVER = os.environ.get("VINER_TEST_POSTGRES") or "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"

SCHEMA = Schema(
    (
        Layer("entities", "entities", (Type("PERSON"), Type("LOCATION"), Type("DATE"))),
        Layer("topic", "labels", (Type("health"), Type("travel"))),
        Layer("mood", "labels", (Type("calm"), Type("urgent"), Type("sad")), multiple=True),
    )
)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'viner.db'}"
    else:
        yield from scratch_database()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store with the labels of :data:`SCHEMA`."""
    with Store.open(store_url, schema=SCHEMA) as opened:
        yield opened


def scratch_database() -> Iterator[str]:
    """Yields the URL of an empty database on the PostgreSQL server, and drops it afterwards."""
    problem = _postgres_problem()
    if problem is not None:
        if os.environ.get("VINER_REQUIRE_POSTGRES", "") not in ("", "0"):
            pytest.fail(f"PostgreSQL is required: {problem}")
        pytest.skip(f"no PostgreSQL at {SERVER}: {problem}")
    name = f"viner_test_{uuid.uuid4().hex}"
    _on_server(f'CREATE DATABASE "{name}"')
    try:
        yield f"{SERVER.rpartition('/')[0]}/{name}"
    finally:
        _on_server(f'DROP DATABASE "{name}" WITH (FORCE)')


def operation(
    document: str, version: int, *entities: StoredEntity, text: str = "", schema: int = 1, **changes: object
) -> Operation:
    """An operation with a fresh id that puts entities, whose surfaces are read from ``text``."""
    puts = tuple(Put(entity, text[entity.start : entity.end]) for entity in entities)
    return Operation(uuid.uuid4().hex, document, version, schema, put=puts, **changes)  # type: ignore[arg-type]


def _on_server(statement: str) -> None:
    import psycopg

    with psycopg.connect(SERVER.replace("+psycopg", ""), autocommit=True, connect_timeout=3) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@functools.cache
def _postgres_problem() -> str | None:
    try:
        _on_server("SELECT 1")
    except Exception as error:
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    return None
