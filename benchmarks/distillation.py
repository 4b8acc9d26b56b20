"""What a model loses that was distilled into half the layers, and how much faster it is.

Data: PhoNER_COVID19 (train.conll, dev.conll and test.conll in the folder that VINER_PHONER names), else the bundled corpus.
Both models are trained on it with all defaults, which takes about 40 minutes on two cores, so `make bench` runs it only by
name: make bench NAME=distillation. VINER_BENCH_MODEL and VINER_BENCH_SMALL_MODEL name a teacher and a student that are there.

Dev and test are scored by the engines that recognize. For the speed, both recognize the texts of the test set in turns.
VINER_BENCH_SIZE=small trains for half a minute each, which only shows that the script works.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import viner
from _bench import annotated_splits, report, size, skip_in_a_round, table
from viner.bundle import read_bundle
from viner.document import Document
from viner.evaluation import evaluate_model
from viner.formats import read
from viner.runtime import Recognizer
from viner.workflow import train_model

TEXTS = size(3_000, 100)
ROUNDS = size(5, 2)


def models(files: dict[str, Path], scratch: Path) -> tuple[Path, Path]:
    """Teacher and student: those that the environment names, or trained with all defaults."""
    budget: dict[str, Any] = {"budget_minutes": 0.5} if size(0, 1) else {}
    teacher, student = (os.environ.get(name) for name in ("VINER_BENCH_MODEL", "VINER_BENCH_SMALL_MODEL"))
    large = Path(teacher) if teacher else train_model(**files, out=scratch / "large", **budget)
    return large, Path(student) if student else train_model(**files, distill_from=large, out=scratch / "small", **budget)


def seconds(recognizers: list[Recognizer], texts: list[Document]) -> list[float]:
    """Median time of each for all texts, in turns."""
    taken: list[list[float]] = [[] for _ in recognizers]
    for _ in range(ROUNDS + 1):
        for recognizer, times in zip(recognizers, taken, strict=True):
            began = time.perf_counter()
            for _ in recognizer.stream(texts):
                pass
            times.append(time.perf_counter() - began)
    return [median(times[1:]) for times in taken]  # the first round warms up


def main() -> None:
    skip_in_a_round(minutes=40)
    files = annotated_splits()
    gold = {split: list(read(files[split])) for split in ("dev", "test")}
    texts = [Document(document.text) for document in gold["test"][:TEXTS]]
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as folder:
        paths = models(files, Path(folder))
        recognizers = [viner.load(path) for path in paths]
        taken = seconds(recognizers, texts)
        rows, scores = [], []
        for name, path, recognizer, time_ in zip(("teacher", "student"), paths, recognizers, taken, strict=True):
            f1 = {split: evaluate_model(recognizer, gold[split]).scores.micro.f1 for split in gold}
            scores.append(f1)
            megabytes = sum(file.stat().st_size for file in path.glob("model.onnx*")) / 1e6
            rate = len(texts) / time_
            rows.append((name, read_bundle(path).info.engine, f"{f1['dev']:.4f}", f"{f1['test']:.4f}", rate, megabytes))
    print()
    table(("strict, entity level", "engine", "dev F1", "test F1", "sentences/s", "MB"), rows)
    report(
        {
            "dev_f1_lost": scores[0]["dev"] - scores[1]["dev"],
            "test_f1_lost": scores[0]["test"] - scores[1]["test"],
            "student_dev_f1": scores[1]["dev"],
            "student_test_f1": scores[1]["test"],
            "speedup": taken[0] / taken[1],
        }
    )


if __name__ == "__main__":
    sys.exit(main())
