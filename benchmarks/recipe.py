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

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import data_folder, report, size, skip_in_a_round, table
from viner.base import resolve
from viner.document import Document
from viner.formats import read
from viner.metrics.spread import Spread
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.trainer import Trainer
from viner.workflow.choices import parse_choice

EPOCHS = size(8, 1)
MOST = size(100_000, 200)
DEV = 1_000


@dataclass(frozen=True)
class Part:
    """A part of a data set.

    Args:
        key: For figures and the command line.
        name: For people.
        files: Train and dev; None where they are not there.
        every: One sentence of so many is learned from.
        dev: Sentences of dev at most.
    """

    key: str
    name: str
    files: tuple[Path, Path] | None
    every: int
    dev: int | None = None

    def documents(self) -> tuple[list[Document], list[Document]]:
        """What is learned from, and what is scored."""
        assert self.files is not None
        train, dev = (list(read(file)) for file in self.files)
        return train[:: self.every][:MOST], dev[: min(self.dev or len(dev), MOST)]


def parts() -> list[Part]:
    """All parts, whether their files are there or not."""
    data, folder = data_folder(), os.environ.get("VINER_PHONER")

    def files(root: Path | None, *names: str) -> tuple[Path, Path] | None:
        train, dev = (None if root is None else root / name for name in names)
        return None if train is None or dev is None or not train.is_file() or not dev.is_file() else (train, dev)

    english = None if data is None else data / "ner_en"
    return [
        Part("wnut17", "WNUT-17, half", files(english, "wnut17/train.conll", "wnut17/dev.conll"), 2),
        Part("ncbi", "NCBI-disease, a quarter", files(english, "ncbi_disease/train.tsv", "ncbi_disease/devel.tsv"), 4),
        Part(
            "phoner",
            "PhoNER_COVID19, a fifth",
            files(None if folder is None else Path(folder), "train.conll", "dev.conll"),
            5,
            DEV,
        ),
    ]


def dev_f1(part: Part, seed: int, choices: dict[str, Any]) -> float:
    """Strict micro F1 of the best epoch on dev."""
    train, dev = part.documents()
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
    known = parts()
    parser = argparse.ArgumentParser(description="What a part of the recipe brings.")
    parser.add_argument("sets", nargs="*", choices=[*(part.key for part in known), []], help="data sets; all if not given")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument(
        "--choice", action="append", default=[], metavar="NAME=VALUE", help="a choice in the place of a default"
    )
    asked = parser.parse_args()
    choices = {name: parse_choice(name, value) for name, _, value in (pair.partition("=") for pair in asked.choice)}
    chosen = [part for part in known if part.key in asked.sets] if asked.sets else known[: size(len(known), 1)]
    rows: list[tuple[object, ...]] = []
    figures: dict[str, float | int] = {}
    for part in chosen:
        if part.files is None:
            print(f"{part.name}: skipped, since its files are not there (see the head of this script)")
            continue
        began = time.perf_counter()
        spread = Spread.of([dev_f1(part, seed, choices) for seed in asked.seeds])
        rows.append((part.name, str(spread), (time.perf_counter() - began) / 60))
        figures[f"{part.key}_dev_f1"] = spread.mean
    print()
    table((f"strict micro, dev, seeds {', '.join(map(str, asked.seeds))}, {asked.choice or 'defaults'}", "f1", "minutes"), rows)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
