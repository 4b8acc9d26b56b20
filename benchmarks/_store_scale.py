"""A project of a million short documents: reading them in, writing them out, and asking for the next one."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil
from sqlalchemy import text

from viner.annotation.queue import Queue
from viner.project import Project
from viner.store import Store


def write_documents(path: Path, count: int, sentences: Sequence[str], labels: Sequence[str]) -> None:
    """Short documents, each its own text: three of four to annotate, the fourth with entities."""
    draw = random.Random(3)
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            body = f"{number}: {' '.join(sentences[draw.randrange(len(sentences))].split()[:20])}"
            data: dict[str, object] = {"id": f"n{number}", "text": body}
            if number % 4 == 0:
                cut = len(str(number))
                data["entities"] = [{"start": 0, "end": cut, "label": draw.choice(labels)}]
            file.write(json.dumps(data, ensure_ascii=False) + "\n")


def run(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Runs a verb, with additions to the environment.

    Returns:
        Seconds, peak resident MB, and the growth in MB over the second half of its time.
    """
    began = time.monotonic()
    process = psutil.Popen(
        [sys.executable, "-m", "viner", *command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    seen: list[float] = []
    while process.poll() is None:
        try:
            seen.append(process.memory_info().rss / 1e6)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.2)
    seconds = time.monotonic() - began
    assert process.stderr is not None
    errors = process.stderr.read().decode()
    process.stderr.close()
    if process.returncode:
        sys.exit(f"viner {command[0]} failed: {errors}")
    # The last tenth is left out: what ends a verb is not what it holds while it works.
    body = seen[: max(2, int(0.9 * len(seen)))]
    middle = statistics.median(body[len(body) // 2 - 1 : len(body) // 2 + 1])
    return seconds, max(seen), max(body) - middle


def next_item(folder: Project, rounds: int, url: str | None) -> dict[str, float]:
    """Milliseconds (p95) until the queue gives out the next document, for each order, while others hold theirs.

    Args:
        folder: The project.
        rounds: How many documents are asked for in each order.
        url: Of its database; None stands for its own SQLite file.
    """
    figures = {}
    with Store.open(url) if url else Store.of_project(folder) as store:
        # Ranking a million documents with a model takes hours; the queue only looks at the number.
        with store.transaction() as transaction:
            ranked = "UPDATE documents SET uncertainty = (number * 7919 % 1000003) / 1000003.0 WHERE status = 'todo'"
            transaction.connection.execute(text(ranked))
        settings = folder.settings().annotation
        for order in ("given", "random", "uncertain", "mix"):
            queue = Queue(store, replace(settings, order=order), None)
            times = []
            for number in range(rounds):
                began = time.perf_counter()
                document = queue.next(f"annotator{number % 20}", f"tab{number}")
                times.append(1000 * (time.perf_counter() - began))
                assert document is not None
            figures[order] = sorted(times)[int(0.95 * len(times))]
    return figures
