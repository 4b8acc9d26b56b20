"""What a part of the recipe brings: trainings on parts of three data sets, with it and without it, scored on dev.

    wnut17      WNUT-17, every second sentence; VINER_DATA (ner_en/wnut17)
    ncbi        NCBI-disease, every fourth sentence; VINER_DATA (ner_en/ncbi_disease)
    phoner      PhoNER_COVID19 (syllables), every fifth sentence, and the first 1,000 of dev; the folder that VINER_PHONER names

Test sets are never looked at, and no model folder is written: what counts is strict micro F1 of the best epoch on dev, of the
float model. Trainings take 8 epochs unless --choice says otherwise:

    python benchmarks/recipe.py                                  the defaults
    python benchmarks/recipe.py --choice r_drop=1 --seeds 1 2    with R-Drop, two seeds
    python benchmarks/recipe.py phoner --choice replace_mentions=0

A round of the defaults takes about fifteen minutes on two cores, so `make bench` runs it only by name: make bench NAME=recipe.
VINER_BENCH_SIZE=small takes one data set, 200 sentences and one epoch, which only shows that the script works.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import report, size, skip_in_a_round, table
from accuracy import ask, data_sets
from viner.base import resolve
from viner.document import Document
from viner.formats import read
from viner.metrics.spread import Spread
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.trainer import Trainer

EPOCHS = size(8, 1)
MOST = size(100_000, 200)
DEV = 1_000


@dataclass(frozen=True)
class Part:
    """A part of a data set.

    Args:
        name: For people.
        every: One sentence of so many is learned from.
        dev: Sentences of dev at most.
    """

    name: str
    every: int
    dev: int = MOST

    def documents(self, files: Mapping[str, Path]) -> tuple[list[Document], list[Document]]:
        """What is learned from, and what is scored."""
        train, dev = (list(read(files[split])) for split in ("train", "dev"))
        return train[:: self.every][:MOST], dev[: min(self.dev, MOST)]


PARTS = {
    "wnut17": Part("WNUT-17, half", 2),
    "ncbi": Part("NCBI-disease, a quarter", 4),
    "phoner": Part("PhoNER_COVID19, a fifth", 5, DEV),
}


def dev_f1(part: Part, files: Mapping[str, Path], seed: int, choices: dict[str, Any]) -> float:
    """Strict micro F1 of the best epoch on dev."""
    train, dev = part.documents(files)
    labels = sorted({entity.label for document in train for entity in document.entities or ()})
    config = TrainingConfig(**{"epochs": EPOCHS, **choices, "seed": seed})
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as scratch, TrainingFolder(Path(scratch) / "t") as folder:
        found = Trainer(resolve(), labels, train, dev, config).run(folder)
    epochs = [None if entry["dev"] is None else round(entry["dev"]["f1"], 4) for entry in found.history]
    print(
        f"  {part.name}, seed {seed}: {found.scores.micro.f1:.4f} in {found.seconds / 60:.1f} minutes; epochs {epochs}",
        flush=True,
    )
    return found.scores.micro.f1


def main() -> None:
    skip_in_a_round(minutes=15)
    asked, choices = ask("What a part of the recipe brings.", list(PARTS), [1])
    found = {item.key: item.tasks for item in data_sets()}
    rows: list[tuple[object, ...]] = []
    figures: dict[str, float | int] = {}
    for key in asked.sets or list(PARTS)[: size(len(PARTS), 1)]:
        part, tasks = PARTS[key], found[key]
        if tasks is None:
            print(f"{part.name}: skipped, since its files are not there (see the head of this script)")
            continue
        began = time.perf_counter()
        spread = Spread.of([dev_f1(part, tasks[0], seed, choices) for seed in asked.seeds])
        rows.append((part.name, str(spread), (time.perf_counter() - began) / 60))
        figures[f"{key}_dev_f1"] = spread.mean
    print()
    table((f"strict micro, dev, seeds {', '.join(map(str, asked.seeds))}, {asked.choice or 'defaults'}", "f1", "minutes"), rows)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
