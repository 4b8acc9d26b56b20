"""How many sentences an annotator must label when the model chooses them: active learning simulated on NCBI-disease.

The gold annotations answer for the annotator. A pool of sentences is drawn from the training set by chance (seeded). Both ways
begin with the same random sentences, and each round trains a new model from the bundled base on what has been labeled so far.

    mix       the queue's default order: the sentences that the last model is least sure of (1 - geometric mean of the
              probabilities of its tags, as `viner` ranks documents), and 15 % by chance
    random    sentences by chance

The curve is that of the strict entity F1 on sentences of the development set; each training keeps its best epoch by the same
sentences, the full-data one included. The test set is not read. What is reported is the share of the pool at which the curve
first reaches 97 % of the F1 that training on the whole pool reaches, between two rounds by the straight line; a way that does
not reach it within the rounds is reported as the share after the last one, and said to be more.

Needs VINER_DATA, ner_en/ncbi_disease. About 25 minutes on two cores, so `make bench` runs it only by name:
make bench NAME=active_learning. VINER_BENCH_SIZE=small takes a minute and only shows that the script works.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from _bench import data_folder, report, size, skip_in_a_round, table
from viner.base import unpack
from viner.corpus import sentences_of
from viner.document import Document, Entity
from viner.encoding import BioDecoder
from viner.formats import read
from viner.text import split_words
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.scoring import DevSet
from viner.training.trainer import Trainer, TrainingResult

GOAL = 0.97
RANDOM_SHARE = 0.15
SHARES = (0.05, 0.10, 0.20, 0.30, 0.40, 0.55, 0.75)
MOST_EPOCHS = 16


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Args:
        pool: Sentences to choose from.
        dev: Sentences that the curve is measured on.
        epochs: Passes over the whole pool; smaller sets get more, so that their models see at least a third of the steps.
        rounds: Rounds at most.
        seed: Draws pool, first sentences and models.
    """

    pool: int
    dev: int
    epochs: int
    rounds: int
    seed: int


def sentences(file: Path) -> list[Document]:
    """The sentences of a CoNLL file, each a document."""
    return [part for document in read(file) for part in _cut(document)]


def _cut(document: Document) -> list[Document]:
    words = document.words if document.words is not None else split_words(document.text)
    parts = []
    for start, end in sentences_of(document):
        inside = [(first - start, last - start) for first, last in words if start <= first < end]
        entities = [
            Entity(item.start - start, item.end - start, item.label)
            for item in document.entities or ()
            if start <= item.start and item.end <= end
        ]
        parts.append(Document(document.text[start:end], words=inside, entities=entities))
    return parts


class _Forgetful(TrainingFolder):
    """A training folder without checkpoints: half a gigabyte an epoch would take longer to write than to train."""

    def save(self, state: dict[str, Any]) -> None:
        """Keeps nothing."""


def train(documents: Sequence[Document], dev: Sequence[Document], base: Path, setting: Setting) -> tuple[TrainingResult, int]:
    """Trains from the base; the result and its epochs."""
    fewer = setting.pool / len(documents)
    epochs = min(MOST_EPOCHS, max(setting.epochs, round(setting.epochs * fewer / 3)))
    config = TrainingConfig(seed=setting.seed, epochs=epochs, patience=epochs)
    labels = sorted({entity.label for document in (*documents, *dev) for entity in document.entities or ()})
    trainer = Trainer(base, labels, documents, dev, config)
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as place, _Forgetful(Path(place) / "training") as folder:
        return trainer.run(folder), epochs


def uncertainties(result: TrainingResult, documents: Sequence[Document]) -> list[float]:
    """How unsure the model is of each document, as the queue ranks them."""
    bare = [Document(document.text, words=document.words) for document in documents]
    bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    autocast = torch.autocast("cpu", dtype=torch.bfloat16) if bf16 else nullcontext()
    emissions = DevSet(bare, result.encoder, overlap=64).emissions(result.model, result.head, autocast)
    return [uncertainty for _, uncertainty in BioDecoder(result.head.labels).judge_batch(emissions)]


def choose(strategy: str, unlabeled: Sequence[int], count: int, doubts: Sequence[float], rng: random.Random) -> list[int]:
    """The sentences to label next.

    Args:
        strategy: "mix" or "random".
        unlabeled: Indices to choose from.
        count: How many.
        doubts: Uncertainty of each of them.
        rng: Draws.
    """
    if strategy == "random":
        return rng.sample(list(unlabeled), count)
    by_chance = round(RANDOM_SHARE * count)
    order = sorted(range(len(unlabeled)), key=lambda place: -doubts[place])
    chosen = [unlabeled[place] for place in order[: count - by_chance]]
    rest = sorted(set(unlabeled) - set(chosen))
    return chosen + rng.sample(rest, by_chance)


def simulate(
    strategy: str, pool: Sequence[Document], dev: Sequence[Document], base: Path, setting: Setting, goal: float
) -> list[tuple[float, float]]:
    """Rounds until the goal is reached: pairs of the labeled share and the F1."""
    rng = random.Random(setting.seed)
    labeled = rng.sample(range(len(pool)), round(SHARES[0] * len(pool)))
    curve: list[tuple[float, float]] = []
    result: TrainingResult | None = None
    for number, share in enumerate(SHARES[: setting.rounds]):
        began = time.perf_counter()
        if number:
            chosen = set(labeled)
            unlabeled = [index for index in range(len(pool)) if index not in chosen]
            doubts = (
                uncertainties(result, [pool[index] for index in unlabeled]) if strategy == "mix" and result is not None else []
            )
            labeled += choose(strategy, unlabeled, round(share * len(pool)) - len(labeled), doubts, rng)
        result, epochs = train([pool[index] for index in labeled], dev, base, setting)
        f1 = result.scores.micro.f1
        curve.append((len(labeled) / len(pool), f1))
        seconds = time.perf_counter() - began
        print(f"  {strategy:<7} {len(labeled):>5} sentences  F1 {f1:.4f}  {epochs} epochs, {seconds:.0f} s", flush=True)
        if f1 >= goal > 0:
            break
    return curve


def reached(curve: Sequence[tuple[float, float]], goal: float) -> float | None:
    """The share at which a curve first reaches the goal; None where it does not."""
    before = (0.0, 0.0)
    for share, f1 in curve:
        if f1 >= goal > 0:
            return before[0] + (share - before[0]) * (goal - before[1]) / (f1 - before[1])
        before = (share, f1)
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=int, default=size(1000, 80), help="sentences to choose from")
    parser.add_argument("--dev", type=int, default=size(300, 60), help="sentences of the development set")
    parser.add_argument("--epochs", type=int, default=size(6, 1), help="passes over the whole pool")
    parser.add_argument("--rounds", type=int, default=size(len(SHARES), 2), help="rounds at most")
    parser.add_argument("--seed", type=int, default=1)
    setting = Setting(**vars(parser.parse_args()))
    skip_in_a_round(minutes=25)
    folder = data_folder()
    if folder is None or not (folder / "ner_en" / "ncbi_disease").is_dir():
        print("skipped: VINER_DATA names no folder with ner_en/ncbi_disease")
        report({})
        return
    rng = random.Random(setting.seed)
    everything, tuned = (sentences(folder / "ner_en" / "ncbi_disease" / f"{split}.tsv") for split in ("train", "devel"))
    pool = rng.sample(everything, min(setting.pool, len(everything)))
    dev = rng.sample(tuned, min(setting.dev, len(tuned)))
    print(f"pool: {len(pool):,} of {len(everything):,} training sentences; dev: {len(dev):,} of {len(tuned):,}", flush=True)
    base = unpack()
    began = time.perf_counter()
    full = train(pool, dev, base, setting)[0].scores.micro.f1
    goal = GOAL * full
    print(f"  all     {len(pool):>5} sentences  F1 {full:.4f}; goal {goal:.4f}", flush=True)
    curves = {strategy: simulate(strategy, pool, dev, base, setting, goal) for strategy in ("mix", "random")}
    print()
    rows = [(strategy, f"{share:.2f}", f"{f1:.4f}") for strategy, curve in curves.items() for share, f1 in curve]
    table(("way", "share labeled", "dev F1"), rows)
    figures: dict[str, float | int] = {"pool": len(pool), "full_f1": full, "minutes": (time.perf_counter() - began) / 60}
    for name, strategy in (("al_share", "mix"), ("random_share", "random")):
        found = reached(curves[strategy], goal)
        if found is None:
            print(f"{strategy}: the goal was not reached; {name} is more than what stands below")
        figures[name] = curves[strategy][-1][0] if found is None else found
    report(figures)


if __name__ == "__main__":
    main()
