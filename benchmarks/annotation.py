"""The annotation workbench: speed of page, queue, import and export; what a crowd and a kill may cost.

Needs Chromium; PostgreSQL at ``VINER_TEST_POSTGRES`` if that is set, else its rows are left out. About 40 minutes;
VINER_BENCH_SIZE=small takes two. Simulated active learning is a benchmark of its own: ``active_learning``.
"""

from __future__ import annotations

import filecmp
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy

from _annotator_crowd import crowd
from _annotator_page import chromium, keys_per_entity, new_project, speed
from _bench import report, sentences, size, skip_in_a_round, table
from _store_kills import kills
from _store_scale import next_item, run, write_documents
from viner.document import Document
from viner.samples import corpus
from viner.store import Store

DOCUMENTS = size(1_000_000, 20_000)
KILLS = size(500, 20)
CROWD, CROWD_SECONDS = size(20, 4), size(300, 10)
ROUNDS = size(9, 2)


@contextmanager
def scratch_postgres() -> Iterator[str | None]:
    """A new database on the server that ``VINER_TEST_POSTGRES`` names, dropped in the end; None where none is named."""
    given = os.environ.get("VINER_TEST_POSTGRES")
    if not given:
        print("VINER_TEST_POSTGRES is not set: no rows for PostgreSQL\n")
        yield None
        return
    name = f"viner_bench_{uuid.uuid4().hex[:12]}"
    server = sqlalchemy.create_engine(given, isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        yield sqlalchemy.make_url(given).set(database=name).render_as_string(hide_password=False)
        with server.connect() as connection:
            connection.execute(sqlalchemy.text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        server.dispose()


def page(folder: Path) -> dict[str, float]:
    """Rows of the page in the browser."""
    with chromium() as browser:
        lite = speed(folder / "page-sqlite", browser, ROUNDS)
        with scratch_postgres() as url:
            post = speed(folder / "page-postgres", browser, ROUNDS, VINER_DATABASE_URL=url) if url else None
        keys = keys_per_entity(folder / "keys", browser, size(1_000, 10))
    rows = [
        ("open 5,000 words, 500 entities, until keys work (ms, median)", lite["open"]),
        ("key to paint (ms, median)", lite["paint_median"]),
        ("key to paint (ms, p95)", lite["paint_p95"]),
        ("key to acknowledged save, SQLite (ms, median)", lite["ack_median"]),
        ("key to acknowledged save, SQLite (ms, p95)", lite["ack_p95"]),
        *([("key to acknowledged save, PostgreSQL (ms, median)", post["ack_median"])] if post else []),
        (f"keys for each of {keys['entities']} gold entities, from suggestions of F1 {keys['f1']:.2f}", keys["keys"]),
    ]
    table(["page", ""], rows)
    figures = {
        "open_5000_ms": lite["open"],
        "key_to_paint_ms_median": lite["paint_median"],
        "key_to_paint_ms_p95": lite["paint_p95"],
        "key_to_ack_sqlite_ms_median": lite["ack_median"],
        "keys_per_gold_entity": keys["keys"],
    }
    if post:
        figures["key_to_ack_postgres_ms_median"] = post["ack_median"]
    return figures


def scale(folder: Path) -> dict[str, float]:
    """Rows of a million documents, on each database."""
    source = folder / "documents.jsonl"
    write_documents(source, DOCUMENTS, sentences(3_000), corpus().schema().layers[0].names)
    figures: dict[str, float] = {}
    rows, waits = [], []
    with scratch_postgres() as url:
        for name, environment in _databases(url):
            project = new_project(folder / f"scale-{name}")
            place, target = ["--project", str(project.path)], folder / "out.jsonl"
            taken = run(["import", *place, str(source)], environment)
            given = run(["export", *place, str(target)], environment)
            if not filecmp.cmp(source, target, shallow=False):
                raise SystemExit("what was exported is not what was imported")
            target.unlink()
            found = next_item(project, size(500, 50), environment.get("VINER_DATABASE_URL"))
            rows += [(f"import, {name}", *taken), (f"export, {name}", *given)]
            waits.append((name, *found.values()))
            # The figures of SQLite, which is what a project has unless told otherwise, bear no name.
            suffix = "" if name == "SQLite" else f"_{name.lower()}"
            figures |= {f"import_1m{suffix}_s": taken[0], f"import{suffix}_peak_mb": taken[1]}
            figures |= {f"export_1m{suffix}_s": given[0], f"export{suffix}_peak_mb": given[1]}
            figures[f"next_item_1m{suffix}_p95_ms"] = max(found.values())
    table([f"{DOCUMENTS:,} short documents", "seconds", "peak MB", "growth in the second half, MB"], rows)
    table(["next item by order, p95 ms", *found], waits)
    return figures


def _databases(url: str | None) -> list[tuple[str, dict[str, str]]]:
    """The databases to measure, each with what the environment of a process needs to use it."""
    return [("SQLite", {}), *([("PostgreSQL", {"VINER_DATABASE_URL": url})] if url else [])]


def people(folder: Path) -> dict[str, float]:
    """Rows of a crowd at one server, on each database."""
    figures: dict[str, float] = {"lost_saves": 0, "double_leases": 0}
    rows = []
    with scratch_postgres() as url:
        for name, environment in _databases(url):
            project = new_project(folder / f"crowd-{name}")
            with Store.open(url, schema=corpus().schema()) if environment else Store.of_project(project) as store:
                store.add(_texts(20 * CROWD_SECONDS * CROWD // 10), who="bench", split="train")
            found = crowd(project.path, CROWD, CROWD_SECONDS, **environment)
            rows.append((name, *found.values()))
            for key in ("lost_saves", "double_leases"):
                figures[key] += found[key]
            figures[f"crowd_save_{name.lower()}_p95_ms"] = found["save_p95_ms"]
    table([f"{CROWD} annotators, {CROWD_SECONDS} s", *found], rows)
    return figures


def _texts(count: int) -> Iterator[Document]:
    pool = sentences(2_000)
    return (Document(f"{n}. {pool[n % len(pool)]}", id=f"d{n}") for n in range(count))


def main() -> None:
    """Prints the tables and the figures."""
    skip_in_a_round(40)
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures |= page(folder)
        figures |= people(folder)
        found = kills(folder, KILLS)
        table(list(found), [list(found.values())])
        figures["lost_acknowledged"] = found["lost_acknowledged"] + found["half_done"]
        figures |= scale(folder)
    report(figures)


if __name__ == "__main__":
    main()
