"""What a second Ray worker brings, and what a lost one costs.

Sentences go through `viner.scale.RayRecognizer` on a Ray of this machine's own: through one worker of one core, then through
two. The clock runs while all are busy: from the answer to the first part of the texts, by when every worker has loaded its
model and answered, to the last one. Each worker is bound to a core of its own, so that one has one core, too, and not what is
left of the other. Then a part of the texts once more with two, and in the middle one is killed (SIGKILL): what comes out must
be what the local engine answers.

Needs `pip install 'viner[ray]'`, and two cores with nothing else running. About 4 minutes.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psutil

import viner
from _bench import model_folder, report, sentences, size, table
from viner.document import Document
from viner.scale import RayRecognizer
from viner.scale.chunks import CHARACTERS

WARM = 6
"""Chunks for each worker before the clock starts."""


def workers() -> list[psutil.Process]:
    """The processes of the actors."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if " ".join(process.cmdline()).startswith("ray::MapWorker(")
    ]


def bind() -> None:
    """A core for each worker."""
    cores = sorted(os.sched_getaffinity(0))
    for process, core in zip(workers(), cores, strict=False):
        for thread in process.threads():
            os.sched_setaffinity(thread.id, {core})


def rate(model: Path, texts: list[str], count: int) -> float:
    """Characters a second with so many workers, once they are busy."""
    warm = WARM * count * CHARACTERS // (sum(map(len, texts)) // len(texts))
    with RayRecognizer(model, workers=count, address="local") as recognizer:
        list(recognizer.stream(texts[: 50 * count]))
        bind()
        stream = recognizer.stream([*texts[:warm], *texts])
        for _ in islice(stream, warm):
            pass
        began = time.perf_counter()
        done = sum(len(document.text) for document in stream)
        return done / (time.perf_counter() - began)


def killed(model: Path, texts: list[str]) -> Iterator[Document]:
    """The answers of two workers, of which one is killed in the middle."""
    with RayRecognizer(model, workers=2, address="local") as recognizer:
        for number, document in enumerate(recognizer.stream(texts)):
            if number == len(texts) // 2:
                workers()[0].send_signal(signal.SIGKILL)
            yield document


def main() -> None:
    if importlib.util.find_spec("ray") is None:
        print("skipped: Ray is not installed (pip install 'viner[ray]')")
        report({})
        return
    model = model_folder()
    texts = sentences(size(12_000, 600))
    one, two = (rate(model, texts[: len(texts) * count // 2], count) for count in (1, 2))
    sample = texts[: size(4_000, 400)]
    expected = list(viner.load(model).stream(sample))
    same = sum(found == wanted for found, wanted in zip(killed(model, sample), expected, strict=True)) / len(sample)
    table(
        ("Ray workers of one core", "characters a second", "against one"),
        [("one", one, 1.0), ("two", two, two / one)],
    )
    table(
        ("a worker killed in mid-run", "documents"),
        [("answered", len(sample)), ("the same as the local engine's", f"{same:.2%}")],
    )
    report({"ray_two_vs_one": two / one, "characters_per_s_one": one, "characters_per_s_two": two, "same_after_kill": same})


if __name__ == "__main__":
    sys.exit(main())
