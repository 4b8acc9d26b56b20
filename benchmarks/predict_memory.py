"""How much memory `viner predict` takes on a large file, and whether it grows with the file.

The real command line in its own process, its resident memory read every half second from outside. Two runs:

    50 MB through a network of one thin layer with the real tokenizer (`_small.py`), since the demo's model would take 20
          minutes; reading, words, pieces, windows, batches and writing are those of any model
     2 MB through a trained model, which adds the memory of a real network

The slope is a straight line through the readings of the run's second half. Every line of the file is different, so caches
fill as they do on real text. About 3 minutes. VINER_BENCH_SIZE=small takes 1 MB and 50 KB.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from _bench import model_folder, report, sentences, size, table
from _small import small_bundle

MEGABYTE = 1_000_000
INTERVAL = 0.5


@dataclass
class Run:
    """Readings of one run: seconds since its start, and resident megabytes."""

    name: str
    megabytes: float
    readings: list[tuple[float, float]]
    seconds: float

    @property
    def highest(self) -> float:
        return max((memory for _, memory in self.readings), default=0.0)

    @property
    def slope(self) -> float:
        """Megabytes a minute over the second half; 0 for a run too short to tell."""
        half = [(at, memory) for at, memory in self.readings if at >= self.seconds / 2]
        if len(half) < 4:
            return 0.0
        at, memory = zip(*half, strict=True)
        return float(np.polyfit(at, memory, 1)[0] * 60)


def write_text(path: Path, goal: int) -> None:
    """Real sentences, their words shuffled among each other and mixed with numbers, until the file has ``goal`` bytes."""
    rng = random.Random(1)
    vocabulary = [word for sentence in sentences(3_000) for word in sentence.split()]
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < goal:
            start = rng.randrange(len(vocabulary) - 40)
            words = vocabulary[start : start + rng.randint(5, 40)]
            words.insert(rng.randrange(len(words)), f"BN{rng.randrange(10**7)}")
            words.insert(rng.randrange(len(words)), rng.choice(vocabulary))
            line = " ".join(words) + "\n"
            file.write(line)
            written += len(line.encode())


def predict(name: str, model: Path, goal: int, folder: Path) -> Run:
    source, target = folder / "in.txt", folder / "out.jsonl"
    write_text(source, goal)
    began = time.perf_counter()
    readings = []
    command = [sys.executable, "-m", "viner", "predict", str(model), str(source), "--out", str(target)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                readings.append((time.perf_counter() - began, watched.memory_info().rss / MEGABYTE))
            except psutil.NoSuchProcess:
                break
            time.sleep(INTERVAL)
    seconds = time.perf_counter() - began
    if process.returncode != 0:
        sys.exit(f"viner predict failed with status {process.returncode}")
    with source.open("rb") as lines, target.open("rb") as answers:
        expected, found = sum(1 for _ in lines), sum(1 for _ in answers)
    if expected != found:
        sys.exit(f"{expected} lines in, {found} documents out")
    return Run(name, source.stat().st_size / MEGABYTE, readings, seconds)


def main() -> None:
    trained = model_folder()
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as temporary:
        folder = Path(temporary)
        small = small_bundle(folder / "model")
        runs = [
            predict("one thin layer", small, size(50 * MEGABYTE, MEGABYTE), folder),
            predict("trained model", trained, size(2 * MEGABYTE, MEGABYTE // 20), folder),
        ]
    table(
        ("viner predict", "MB of text", "highest memory, MB", "slope, MB a minute", "seconds"),
        [(run.name, run.megabytes, run.highest, run.slope, run.seconds) for run in runs],
    )
    large, real = runs
    report(
        {
            "rss_max_mb": large.highest,
            "rss_slope_mb": large.slope,
            "text_mb": large.megabytes,
            "seconds": large.seconds,
            "trained_rss_max_mb": real.highest,
            "trained_rss_slope_mb": real.slope,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
