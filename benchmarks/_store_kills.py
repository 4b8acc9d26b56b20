"""Kills a writer of the store in the middle of its work, hundreds of times, and looks for what it had been told was saved.

A parent that has imported everything forks a writer; the writer opens the database anew, saves one operation after another, and
tells each acknowledged one through a pipe. SIGKILL comes at a random moment, or right after an acknowledgement.
"""

from __future__ import annotations

import os
import random
import select
import signal
import time
import uuid
from pathlib import Path

from sqlalchemy import text

from viner.document import Document
from viner.schema import Schema
from viner.store import Operation, Put, Store, StoredEntity

DOCUMENTS = 500  # enough words for all rounds: a writer that finds none left would wait for ever
WORDS = 40
FULL = 2  # the value of SQLite's synchronous pragma that waits for the disk


def kills(folder: Path, rounds: int) -> dict[str, int]:
    """Runs the rounds on a fresh database.

    Args:
        folder: Where the database lies.
        rounds: How many writers to kill.

    Returns:
        ``kills``, ``acknowledged`` operations, ``lost_acknowledged`` of them, and ``half_done`` operations found (must be 0).
    """
    path = folder / "kills.db"
    with Store.open(path, schema=Schema.of_entities(["A", "B"])) as store:
        body = " ".join(f"word{i}" for i in range(WORDS))
        store.add((Document(f"{n} {body}", id=f"d{n}") for n in range(DOCUMENTS)), who="bench", split="train")
    draw = random.Random(7)
    acknowledged: list[tuple[str, str]] = []
    for number in range(rounds):
        acknowledged += _round(path, draw, after_answer=number % 2 == 0)
    with Store.open(path) as store:
        known = {(event.document, event.operation): event for d in range(DOCUMENTS) for event in _events(store, f"d{d}")}
        lost = sum((document, operation) not in known for document, operation in acknowledged)
        half = 0
        for n in range(DOCUMENTS):
            document = store.get(f"d{n}")
            made = sum(len(event.after.get("entities", ())) for (owner, _), event in known.items() if owner == document.id)
            half += made != len(document.entities)  # each operation makes entities only
        assert _integrity(store) == "ok"
    return {"kills": rounds, "acknowledged": len(acknowledged), "lost_acknowledged": lost, "half_done": half}


def _events(store: Store, document: str) -> list:
    found, before = [], None
    while page := store.history(document, limit=500, before=before):
        found += [event for event in page if event.kind == "edit"]
        before = min(event.number for event in page)
    return found


def _integrity(store: Store) -> str:
    with store.reading() as connection:
        return str(connection.execute(text("PRAGMA integrity_check")).scalar())


def _round(path: Path, draw: random.Random, *, after_answer: bool) -> list[tuple[str, str]]:
    """One writer's life. Returns the operations that it was told are saved."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _write(path, writing, random.Random(draw.random()))
        finally:
            os._exit(1)
    os.close(writing)
    # The first acknowledgement shows that it is at work; then it has a few milliseconds to live, or dies right after another.
    buffer = b""
    wanted = draw.randrange(1, 12)
    while buffer.count(b"\n") < (wanted if after_answer else 1):
        part = os.read(reading, 65536)
        if not part:
            break
        buffer += part
    if not after_answer:
        time.sleep(draw.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while select.select([reading], [], [], 0)[0]:
        part = os.read(reading, 65536)
        if not part:
            break
        buffer += part
    os.close(reading)
    lines = buffer.decode().split("\n")[:-1]
    assert lines, "the writer ended before it had saved anything"
    return [tuple(line.split(" ")) for line in lines]


def _write(path: Path, pipe: int, draw: random.Random) -> None:
    with Store.open(path) as store:
        with store.reading() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar() == FULL
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        _, schema = store.schema()
        while True:
            document = store.get(f"d{draw.randrange(DOCUMENTS)}")
            taken = {(entity.start, entity.end) for entity in document.entities}
            free = [span for span in document.words if span not in taken]
            longer = (document.words[0][0], document.words[draw.randrange(1, WORDS)][1])
            chosen = draw.sample(free, min(len(free), 3)) or [longer]
            puts = tuple(
                Put(StoredEntity(uuid.uuid4().hex, start, end, draw.choice("AB")), document.text[start:end])
                for start, end in chosen
                if (start, end) not in taken
            )
            if not puts:
                continue
            operation = uuid.uuid4().hex
            store.save(Operation(operation, document.id, document.version, schema, put=puts), who="writer")
            os.write(pipe, f"{document.id} {operation}\n".encode())
