"""Where the data lies: moved, read-only, full, damaged, or held by another program. A clear message, and nothing lost."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from support.stores import SCHEMA, operation
from viner.document import Document
from viner.store import (
    Store,
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreLockedError,
    StoreMovedError,
    StoreReadOnlyError,
    StoreUnreachableError,
    database,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    with Store.open(place / "viner.db", schema=SCHEMA) as store:
        store.add([Document("Bà Lan.", id="a")], who="import")
    return place


def test_a_path_a_url_and_a_relative_path_are_the_same_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    for url in (folder / "viner.db", f"sqlite:///{folder / 'viner.db'}", "sqlite:///viner.db", "viner.db"):
        with Store.open(url, create=False) as store:
            assert store.get("a").text == "Bà Lan."


@pytest.mark.parametrize("name", ["100%25 a%41", "50% #1", "a&b=c;d", "tên thư mục"])
def test_a_path_in_a_url_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    place = tmp_path / name
    place.mkdir()
    with Store.open(f"sqlite:///{place / 'viner.db'}") as store:
        store.add([Document("Lan", id="d1")], who="import")
    assert (place / "viner.db").is_file()
    with Store.open(place / "viner.db", create=False) as store:
        assert [document.id for document in store.export()] == ["d1"]


@pytest.mark.parametrize("url", ["mysql://host/name", "sqlite://", "sqlite:///:memory:", "://", "postgresql://a:S@e:cret@b/c"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(StoreError, match=r"cannot use|no database URL") as caught:
        Store.open(url)
    assert "cret" not in f"{caught.value} {caught.value.hint}"


def test_nothing_is_made_unless_wanted(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database"):
        Store.open(tmp_path / "viner.db", create=False)
    with pytest.raises(StoreError, match="no such folder"):
        Store.open(tmp_path / "missing" / "viner.db")
    with pytest.raises(StoreDamagedError, match="folder"):
        Store.open(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "viner.db"
    path.write_text("Đây là một ghi chú. " * 200, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(StoreDamagedError) as caught:
        Store.open(path)
    assert "restore" in str(caught.value.hint)
    assert path.read_bytes() == before


def test_a_damaged_database_says_so(folder: Path) -> None:
    path = folder / "viner.db"
    with Store.open(path) as store:
        store.add((Document(f"Bản tin {number}. " * 50, id=str(number)) for number in range(500)), who="import")
    data = bytearray(path.read_bytes())
    data[4096 * 2 :] = b"\xa5" * (len(data) - 4096 * 2)
    path.write_bytes(data)
    with pytest.raises(StoreDamagedError), Store.open(path) as store:
        list(store.export())


def test_a_moved_folder_is_noticed_before_a_write_goes_astray(folder: Path) -> None:
    with Store.open(folder / "viner.db") as store:
        folder.rename(folder.with_name("elsewhere"))
        with pytest.raises(StoreMovedError, match="moved"):
            store.save(operation("a", 1, flagged=True), who="mai")
        folder.with_name("elsewhere").rename(folder)
        assert store.save(operation("a", 1, flagged=True), who="mai").version == 2


def test_a_replaced_database_is_noticed(folder: Path) -> None:
    with Store.open(folder / "viner.db") as store:
        (folder / "viner.db").replace(folder / "old.db")
        (folder / "viner.db").write_bytes(b"")
        with pytest.raises(StoreMovedError):
            store.save(operation("a", 1, flagged=True), who="mai")


def test_a_locked_database_is_waited_for_and_then_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 1)
    with Store.open(folder / "viner.db") as store, closing(sqlite3.connect(folder / "viner.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLockedError) as caught:
            store.save(operation("a", 1, flagged=True), who="mai")
        assert "Try again" in str(caught.value.hint)
        assert store.get("a").version == 1  # reading goes on meanwhile
        other.execute("ROLLBACK")
        assert store.save(operation("a", 1, flagged=True), who="mai").version == 2


def test_a_change_that_goes_on_is_not_called_another_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    with Store.open(folder / "viner.db") as store:
        held, ended = threading.Event(), threading.Event()

        def change_many() -> None:
            with store.transaction(exclusive=True):
                held.set()
                ended.wait(30)

        thread = threading.Thread(target=change_many)
        thread.start()
        try:
            assert held.wait(30)
            with pytest.raises(StoreLockedError, match="another change, such as one of many documents"):
                store.save(operation("a", 1, flagged=True), who="mai")
        finally:
            ended.set()
            thread.join()
        assert store.save(operation("a", 1, flagged=True), who="mai").version == 2


def test_a_short_lock_goes_unnoticed(folder: Path) -> None:
    with Store.open(folder / "viner.db") as store:
        held, released = threading.Event(), threading.Event()

        def hold() -> None:
            with closing(sqlite3.connect(folder / "viner.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                held.set()
                released.wait(0.5)
                other.execute("COMMIT")

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        assert store.save(operation("a", 1, flagged=True), who="mai").version == 2
        holder.join()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """A disk that is full once a file has this many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    with Store.open(folder / "viner.db") as store:
        saved = store.save(operation("a", 1, flagged=True), who="mai")
        counts = store.counts()
        limit = max(path.stat().st_size for path in folder.iterdir()) + 50_000
        with largest_file(limit), pytest.raises(StoreFullError):
            store.add((Document("Bản tin dài. " * 100, id=str(number)) for number in range(50_000)), who="import")
        assert (store.get("a").version, store.counts()) == (saved.version, counts)
        assert store.save(operation("a", 2, flagged=False), who="mai").version == 3
    with Store.open(folder / "viner.db") as store:
        assert store.get("a").version == 3


READ_ONLY = """
import os, sys
from pathlib import Path
from viner.document import Document
from viner.store import Store, StoreError
os.setgid(65534); os.setuid(65534)
try:
    with Store.open(Path(sys.argv[1])) as store:
        store.add([Document("x", id="b")], who="import")
except StoreError as error:
    print(error.code)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed to be kept out: runs as root only")
def test_a_read_only_folder_is_reported(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> None:
    for parent in (*reversed(folder.relative_to("/").parents[:-1]), folder.relative_to("/")):
        (Path("/") / parent).chmod((Path("/") / parent).stat().st_mode | 0o055)
    ran = subprocess.run([sys.executable, "-c", READ_ONLY, folder / "viner.db"], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == StoreReadOnlyError.code, ran.stderr
    with Store.open(folder / "viner.db") as store:
        assert store.counts().documents == 1


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    with pytest.raises(StoreUnreachableError) as caught:
        Store.open("postgresql://viner:geheim@127.0.0.1:9/viner")
    assert "127.0.0.1:9" in str(caught.value)
    assert "geheim" not in str(caught.value)
