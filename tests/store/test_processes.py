"""Several processes at one store, and processes that are killed: what was acknowledged is there."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support.stores import SCHEMA, operation
from viner.document import Document
from viner.store import StaleVersionError, Store, StoredEntity

WORKER = Path(__file__).parent / "worker.py"


def start(url: str, document: str, who: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(WORKER), url, document, who]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "ready\n", worker.stderr.read() if worker.stderr else ""
    return worker


def kill(worker: subprocess.Popen[str], *, after: int = 0) -> tuple[list[str], str]:
    """Kills a worker, once it has reported some saves, and returns all that it reported, and its errors."""
    assert worker.stdout is not None
    assert worker.stderr is not None
    lines = [worker.stdout.readline() for _ in range(after)]
    worker.kill()
    with worker.stdout, worker.stderr:
        # From the same reader, which may hold more lines already; a last line may be cut.
        lines += worker.stdout.readlines()
        errors = worker.stderr.read()
    worker.wait()
    return [line[1:-1] for line in lines if line.startswith("+") and line.endswith("\n")], errors


def test_two_processes_lose_nothing_and_see_no_lock(store_url: str) -> None:
    with Store.open(store_url, schema=SCHEMA) as store:
        store.add([Document("Bà Lan.", id=name) for name in ("shared", "mine", "yours")], who="import")
        workers = [start(store_url, *names) for names in (("shared", "mai"), ("shared", "tom"), ("mine", "mai"))]
        done = 0
        for version in range(1, 60):
            store.save(operation("yours", version, flagged=bool(version % 2)), who="lan")
            done += 1
        acknowledged = []
        for worker in workers:
            keys, errors = kill(worker, after=5)
            assert errors == ""
            assert len(keys) >= 5
            acknowledged += keys
        there = {entity.id for name in ("shared", "mine") for entity in store.get(name).entities}
        assert set(acknowledged) <= there
        assert len(there) <= len(acknowledged) + len(workers)
        assert store.get("yours").version == done + 1
        for name in ("shared", "mine"):
            assert store.get(name).version == len(store.history(name, limit=100_000)) + 1


def test_killed_writers_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'viner.db'}"
    with Store.open(url, schema=SCHEMA) as store:
        store.add([Document("Bà Lan.", id="a")], who="import")
    acknowledged: list[str] = []
    pauses = random.Random(5)
    for number in range(12):  # benchmarks/annotation.py kills hundreds
        worker = start(url, "a", "mai")
        time.sleep(pauses.uniform(0.0, 0.15))
        keys, errors = kill(worker, after=1 + number % 2)  # a busy machine saves little in that time
        assert errors == ""
        acknowledged += keys
        with Store.open(url, create=False) as store, store.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            document = store.get("a")
            assert set(acknowledged) <= {entity.id for entity in document.entities}
            assert (
                len(document.entities)
                == document.version - 1
                == store.counts().labels.get("PERSON", {"rejected": 0})["rejected"]
            )
    assert len(acknowledged) > 12
    with Store.open(url) as store, store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"


def test_many_threads_at_one_document(store: Store) -> None:
    store.add([Document("Bà Lan.", id="a")], who="import")

    def work(who: int) -> int:
        version, saved = 1, 0
        while saved < 8:
            put = StoredEntity(f"{who}-{saved}", 3, 6, "PERSON", "rejected")
            try:
                version = store.save(operation("a", version, put, text="Bà Lan."), who=str(who)).version
                saved += 1
            except StaleVersionError as error:
                version = error.current.version
        return saved

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) == 48
    document = store.get("a")
    assert (document.version, len(document.entities)) == (49, 48)
    assert store.counts().labels.get("PERSON", {"rejected": 0})["rejected"] == 48
    assert {event.version for event in store.history("a")} == set(range(2, 50))


def test_an_operation_sent_by_two_at_once_is_done_once(store: Store) -> None:
    store.add([Document("Bà Lan.", id="a")], who="import")
    for version in range(1, 6):
        sent = operation("a", version, flagged=bool(version % 2))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _, sent=sent: store.save(sent, who="mai"), range(4)))
        assert sorted(answer.replayed for answer in answers) == [False, True, True, True]
        assert {answer.version for answer in answers} == {version + 1}
