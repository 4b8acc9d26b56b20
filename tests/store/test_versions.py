"""Databases of every version open; those of later versions are refused; the migrations say what the tables say."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from support.stores import SCHEMA
from viner.document import Entity
from viner.store import Filter, Store, StoreDamagedError, StoredEntity, StoreNewerError, versions
from viner.store.tables import metadata

FIXTURES = Path(__file__).parent / "fixtures"


def test_migrations_make_the_tables(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_every_version_has_its_database_among_the_fixtures() -> None:
    folder = Path(versions.__file__).parent / "migrations" / "versions"
    known = sorted(re.match(r"\d{4}", path.name)[0] for path in folder.glob("[0-9]*.py"))  # type: ignore[index]
    assert known[-1] == versions.CURRENT
    assert known == [f"{number + 1:04d}" for number in range(len(known))]
    assert all((FIXTURES / f"v{int(version)}.db").is_file() for version in known)


def test_a_database_of_version_1_opens(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / "v1.db", tmp_path / "viner.db")
    with Store.open(tmp_path / "viner.db", create=False) as store:
        assert store.schema() == (SCHEMA, 1)
        first, second, third = store.export()
        assert (first.id, first.text) == ("notice-1", "Bà Lan từ Huế ra Hà Nội hôm 3/5.")
        assert first.entities == (Entity(3, 6, "PERSON", id="lan"), Entity(10, 13, "LOCATION", id="hue"))
        assert second.suggestions == (Entity(4, 7, "PERSON", id="s1", score=0.75, source="model 001"),)
        assert third.entities is None
        document = store.get("notice-1")
        assert (document.status, document.flagged, document.annotator) == ("done", True, "mai")
        assert document.labels == {"topic": ("travel",)}
        assert [(comment.text, comment.who, comment.entity) for comment in document.comments] == [("Which Lan?", "mai", "lan")]
        assert store.counts().status("done") == 1
        assert len(store.find(Filter(commented=True)).rows) == 1
        assert store.accounts.verify("mai", "một mật khẩu") is not None
        events = store.history("notice-1")
        assert [event.kind for event in events] == ["undo", "edit", "edit"]
        store.undo(events[0].operation, new_id="redo", who="mai")
        assert StoredEntity("hanoi", 17, 23, "LOCATION") in store.get("notice-1").entities


def test_a_later_database_is_refused_and_left_alone(store_url: str) -> None:
    with Store.open(store_url, schema=SCHEMA) as store, store.transaction() as transaction:
        transaction.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreNewerError, match="9999") as caught:
        Store.open(store_url)
    assert "Update viner" in str(caught.value.hint)


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "notes.db")) as other:
        other.execute("CREATE TABLE notes (text)")
    with pytest.raises(StoreDamagedError, match="another program"):
        Store.open(tmp_path / "notes.db")
    with closing(sqlite3.connect(tmp_path / "notes.db")) as other:
        assert [name for (name,) in other.execute("SELECT name FROM sqlite_master")] == ["notes"]


def test_an_empty_file_becomes_a_database_only_where_one_may_be_made(tmp_path: Path) -> None:
    empty = tmp_path / "viner.db"
    empty.touch()
    for _ in range(2):
        with pytest.raises(StoreDamagedError, match="the file is empty"):
            Store.open(empty, create=False)
    with Store.open(empty, create=True) as store:
        assert store.counts().documents == 0
