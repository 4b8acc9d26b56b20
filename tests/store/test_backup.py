"""Backups: whole, of one moment, and restored into an empty place only."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from support.stores import SCHEMA, operation, scratch_database
from viner.document import Document
from viner.store import Comment, Filter, Store, StoreDamagedError, StoredEntity, StoreError
from viner.store.tables import metadata


@pytest.fixture
def empty_url(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "restored.db")
    else:
        yield from scratch_database()


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with store.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def fill(store: Store) -> None:
    store.add([Document(f"Bà Lan {number}.", id=str(number)) for number in range(30)], who="import")
    store.save(
        operation("3", 1, StoredEntity("e", 3, 6, "PERSON"), text="Bà Lan 3.", comments_put=(Comment("c", "?"),)), who="mai"
    )
    store.accounts.add("Mai", "một mật khẩu")
    store.set_setting("key", {"a": [1, "ờ"]})


@pytest.mark.parametrize("empty_url", ["sqlite", "postgresql"], indirect=True)
def test_a_backup_restored_anywhere_is_the_same_store(store: Store, tmp_path: Path, empty_url: str) -> None:
    fill(store)
    store.backup(tmp_path / "backup.db")
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(("backup", ".backup"))} == {"backup.db"}
    Store.restore_backup(tmp_path / "backup.db", empty_url)
    with Store.open(empty_url, create=False) as restored:
        kept, before = rows(restored), rows(store)
        [(name, password, epoch, created)], [account] = kept.pop("accounts"), before.pop("accounts")
        assert kept == before
        assert (name, password, created) == (account[0], account[1], account[3])
        assert epoch != account[2]  # sessions end
        assert restored.history("3") == store.history("3")
        restored.undo(store.history("3")[0].operation, new_id="u", who="mai")
        restored.save(operation("4", 1, flagged=True, comments_put=(Comment("c", "!"),)), who="mai")
        restored.add([Document("Mới.", id="new")], who="import")
        assert restored.setting("key") == {"a": [1, "ờ"]}
        assert restored.accounts.verify("Mai", "một mật khẩu") is not None


def test_nothing_is_ever_replaced(store: Store, tmp_path: Path) -> None:
    fill(store)
    taken = tmp_path / "backup.db"
    store.backup(taken)
    kept = taken.read_bytes()
    with pytest.raises(StoreError, match="something already"):
        store.backup(taken)
    with pytest.raises(StoreError, match="something already"):
        Store.restore_backup(taken, taken)
    with pytest.raises(StoreError, match="something already"):
        Store.restore_backup(taken, store.database.url.render_as_string(hide_password=False))
    assert taken.read_bytes() == kept
    assert len(store.find(Filter()).rows) == 30


def test_a_session_that_a_new_password_ended_does_not_come_back(store: Store, tmp_path: Path) -> None:
    before = store.accounts.add("Mai", "một mật khẩu").epoch
    store.backup(tmp_path / "backup.db")
    store.accounts.set_password("Mai", "mật khẩu khác")
    after = store.accounts.list()[0].epoch
    Store.restore_backup(tmp_path / "backup.db", tmp_path / "restored.db")
    with Store.open(tmp_path / "restored.db") as restored:
        [account] = restored.accounts.list()
        assert account.epoch not in (before, after)
        assert restored.accounts.verify("Mai", "một mật khẩu") == account


def test_the_log_of_a_database_that_is_gone_is_moved_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A process that was killed leaves its log. Beside a restored database, SQLite would play it into that."""
    path = tmp_path / "viner.db"
    with Store.open(path, schema=SCHEMA) as store:
        store.add([Document("Cũ.", id="old")], who="import")
        store.backup(tmp_path / "backup.db")
        store.add([Document("Mới.", id=f"new{number}") for number in range(500)], who="import")
        log = path.with_name("viner.db-wal").read_bytes()
    assert len(log) > 10_000
    path.unlink()
    path.with_name("viner.db-wal").write_bytes(log)
    path.with_name("viner.db-shm").write_bytes(b"index")
    Store.restore_backup(tmp_path / "backup.db", path)
    with Store.open(path) as restored:
        assert [document.id for document in restored.export()] == ["old"]
        with restored.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert path.with_name("viner.db-wal.1.old").read_bytes() == log
    assert "viner.db-wal.1.old" in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="rights of files as POSIX knows them")
def test_nobody_else_may_read_a_database_or_a_backup(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        with Store.open(tmp_path / "viner.db", schema=SCHEMA) as store:
            store.add([Document("Riêng tư.", id="a")], who="import")
            store.backup(tmp_path / "backup.db")
            Store.restore_backup(tmp_path / "backup.db", tmp_path / "restored.db")
            files = sorted(tmp_path.iterdir())
            assert {path.name for path in files} >= {"viner.db", "viner.db-wal", "viner.db-shm", "backup.db", "restored.db"}
            assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * len(files)
    finally:
        os.umask(mask)


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("Đây không phải là cơ sở dữ liệu. " * 100, encoding="utf-8")
    with pytest.raises(StoreDamagedError):
        Store.restore_backup(tmp_path / "text.db", tmp_path / "new.db")
    with pytest.raises(StoreError, match="no such file"):
        Store.restore_backup(tmp_path / "none.db", tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_a_backup_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        store.backup(tmp_path / "no folder" / "backup.db")
    before = set(tmp_path.iterdir())
    (tmp_path / ".backup.db.part").mkdir()  # where it would write first
    with pytest.raises(StoreError, match="cannot be written"):
        store.backup(tmp_path / "backup.db")
    assert set(tmp_path.iterdir()) == before | {tmp_path / ".backup.db.part"}


def test_a_backup_while_others_write_is_of_one_moment(store: Store, tmp_path: Path) -> None:
    """Each save flags one document more and removes the flag of the one before: at any moment exactly one is flagged."""
    store.add([Document(f"Bản tin {number}.", id=str(number)) for number in range(3)], who="import")
    store.save(operation("0", 1, flagged=True), who="mai")
    finished = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        turn = 0
        try:
            while not finished.is_set():
                with store.transaction() as transaction:
                    from viner.store.delta import Delta

                    event = transaction.event(f"turn {turn}", who="mai", kind="edit")
                    event.apply(
                        {turn % 3 + 1: Delta(fields={"flagged": False}), (turn + 1) % 3 + 1: Delta(fields={"flagged": True})}
                    )
                    event.finish()
                turn += 1
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            store.backup(tmp_path / f"{number}.db")
    finally:
        finished.set()
        writer.join()
    assert not failures
    for number in range(5):
        with Store.open(tmp_path / f"{number}.db", schema=SCHEMA) as copy:
            assert len(copy.find(Filter(flagged=True)).rows) == 1
            assert copy.counts().flagged == 1
