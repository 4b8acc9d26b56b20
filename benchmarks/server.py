"""What a server of a model answers to 16 clients at once, against its speed in bulk; how long one waits; its memory.

`viner serve` in its own process, and clients in another (`_server_load.py`) that share the processor with it: JSON, HTTP and
the clients' own work are in the figures. Single sentences, one a request, one request a client at a time. Every answer is
looked at: it must be 200 and hold the text that was sent. Bulk is `Recognizer.stream` over the same sentences in this
process, before and after; its mean is what the share compares with. Resident memory is read from outside: after the first
requests, which fill the caches, and at the end; and once more of a server without a page (`--no-page`).

About 12 minutes. VINER_BENCH_SIZE=small sends 300 requests. The model: see `benchmarks/_bench.py`.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

import viner
from _bench import model_folder, report, sentences, size, skip_in_a_round, table
from viner.runtime import Recognizer

CLIENTS = 16
MEGABYTE = 1_000_000
LOAD = Path(__file__).with_name("_server_load.py")
LONGEST = 3_600.0


@dataclass(frozen=True)
class Load:
    """What clients saw."""

    answered: int
    errors: int
    seconds: float
    ms: list[float]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the requests took at most."""
        return float(np.percentile(self.ms, share))


def bulk(recognizer: Recognizer, texts: Sequence[str], rounds: int) -> float:
    """Sentences a second of the recognizer by itself."""
    began = time.perf_counter()
    for _ in range(rounds):
        for _ in recognizer.stream(texts):
            pass
    return rounds * len(texts) / (time.perf_counter() - began)


@contextmanager
def serving(model: Path, *options: str) -> Iterator[tuple[int, psutil.Process]]:
    """The port of a server, which answers by then, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "viner", "serve", str(model), "--port", str(port), "--no-browser", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                try:  # with its page, which is loaded beside the first answers
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/ready", timeout=60):
                        break
                except OSError:
                    time.sleep(0.1)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def load(port: int, texts: Sequence[str], requests: int, clients: int) -> Load:
    """Sends requests from a process of its own."""
    order = {"port": port, "clients": clients, "requests": requests, "seconds": LONGEST, "texts": list(texts)}
    command = [sys.executable, str(LOAD)]
    done = subprocess.run(command, input=json.dumps(order), capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout))


def metric(port: int, name: str) -> float:
    """The value of one of the server's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/metrics", timeout=60) as response:
        lines = dict(line.rsplit(" ", 1) for line in response.read().decode().splitlines() if not line.startswith("#"))
    return float(lines[name])


def main() -> None:
    skip_in_a_round(12)
    model = model_folder()
    texts = sentences(size(3_000, 100))
    requests = size(100_000, 300)
    recognizer = viner.load(model)
    bulk(recognizer, texts, 1)
    before = bulk(recognizer, texts, size(3, 1))
    with serving(model) as (port, process):
        load(port, texts, size(6_000, 100), CLIENTS)
        at_first = process.memory_info().rss / MEGABYTE
        crowd = load(port, texts, requests, CLIENTS)
        at_last = process.memory_info().rss / MEGABYTE
        batch = metric(port, "viner_batch_texts_sum") / metric(port, "viner_batch_texts_count")
        alone = load(port, texts, size(1_000, 50), 1)
    with serving(model, "--no-page") as (port, process):
        load(port, texts, size(6_000, 100), CLIENTS)
        without_page = process.memory_info().rss / MEGABYTE
    after = bulk(recognizer, texts, size(3, 1))
    speed = statistics.mean((before, after))
    share, lone = crowd.rate / speed, alone.rate / speed
    growth = (at_last - at_first) / at_first
    print(f"{model}: {len(texts):,} sentences; {os.cpu_count()} cores; {batch:.1f} texts a batch\n")
    table(
        ("sentences, one a request", "requests", "a second", "share of bulk", "p50, ms", "p99, ms", "errors"),
        [
            ("Recognizer.stream, in bulk", "-", speed, 1.0, "-", "-", "-"),
            (f"{CLIENTS} clients", crowd.answered, crowd.rate, share, crowd.percentile(50), crowd.percentile(99), crowd.errors),
            (
                "1 client",
                alone.answered,
                alone.rate,
                lone,
                alone.percentile(50),
                alone.percentile(99),
                alone.errors,
            ),
        ],
    )
    table(
        ("resident memory of the server", "MB"),
        [
            ("after the first requests", at_first),
            (f"{requests:,} requests later", at_last),
            ("growth, %", 100 * growth),
            ("without a page, after the first requests", without_page),
        ],
    )
    report(
        {
            "server_share_of_bulk": share,
            "server_p50_ms": crowd.percentile(50),
            "server_p99_ms": crowd.percentile(99),
            "server_errors": crowd.errors + alone.errors,
            "server_requests": crowd.answered,
            "server_per_s": crowd.rate,
            "bulk_per_s": speed,
            "one_client_p50_ms": alone.percentile(50),
            "one_client_p99_ms": alone.percentile(99),
            "server_rss_mb": at_last,
            "server_rss_growth": growth,
            "api_rss_mb": without_page,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
