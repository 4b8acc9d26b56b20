"""What a few annotated sentences teach the bundled base, and what they teach it once it has read all sentences as text.

Data: VINER_DATA, ner_en/ncbi_disease and ner_en/wnut17. A seeded tenth of each training file is annotated, all of it is text
to adapt to. Each setting is trained with all defaults of the recipe and scored on dev, strict, as a float model. Test is never
looked at. Two hours on two cores, so `make bench` runs it only by name: make bench NAME=adaptation.

VINER_BENCH_SIZE=small takes three layers of the base, one data set, one seed, 400 sentences of dev and one pass over the texts.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

from _bench import data_folder, report, size, skip_in_a_round, table
from viner.base import resolve
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.formats import read
from viner.text import words_of
from viner.training.adapt import Adapter
from viner.training.adapt_config import AdaptConfig
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.layers import keep_layers, spread
from viner.training.masking import Passages
from viner.training.model import load_encoder
from viner.training.trainer import Trainer

SHARE = 0.1
SEEDS = range(1, size(2, 1) + 1)
LAYERS = size(12, 3)
DEV = size(10_000, 400)
SETS = {"ncbi_disease": ("train.tsv", "devel.tsv"), "wnut17": ("train.conll", "dev.conll")}
SETTINGS: dict[str, dict[str, Any] | None] = {
    "plain": None,
    "adapted": {} if size(1, 0) else {"epochs": 1},
    "adapted, embeddings too": {"freeze_embeddings": False},
    "adapted, a quarter of the rate": {"learning_rate": 5e-5},
}


def cut_base(folder: Path) -> Path:
    """The bundled base with some of its layers."""
    base = resolve()
    if LAYERS == 12:
        return base
    encoder = load_encoder(base, 0.1)
    keep_layers(encoder, spread(LAYERS, 12))
    encoder.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(base / name, folder / name)
    return folder


def adapt(base: Path, texts: list[Document], seed: int, choices: dict[str, Any], folder: TrainingFolder) -> Path:
    """The base after it has read the texts."""
    config = AdaptConfig(seed=seed, **choices)
    encoder = PieceEncoder.from_folder(base, views=TrainingConfig().views, max_pieces=config.window_pieces)
    passages = Passages(encoder.capacity)
    for document in texts:
        passages.add(encoder.encode(document.text, words_of(document)))
    began, pieces = time.process_time(), passages.pieces
    adapted = Adapter(base, passages, encoder, config).run(folder)
    before, after = adapted.record["before"], adapted.record["after"]
    print(
        f"  {adapted.record['epochs']:g} epochs of {pieces:,} pieces, held-out loss {before['loss']:.3f} before,"
        f" {after['loss']:.3f} after, {before['accuracy']:.1%} and {after['accuracy']:.1%} guessed,"
        f" {time.process_time() - began:,.0f} s of processor time",
        flush=True,
    )
    return adapted.folder


def dev_f1(base: Path, train: list[Document], dev: list[Document], seed: int, choices: dict[str, Any] | None) -> float:
    """Strict micro F1 of the best epoch on dev."""
    labels = sorted({entity.label for document in train for entity in document.entities or ()})
    annotated = random.Random(seed).sample(train, round(SHARE * len(train)))
    measured = {document.text for document in dev}
    texts = [document for document in train if document.text not in measured]
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as scratch, TrainingFolder(Path(scratch) / "t") as folder:
        start = base if choices is None else adapt(base, texts, seed, choices, folder)
        f1 = Trainer(start, labels, annotated, dev, TrainingConfig(seed=seed)).run(folder).scores.micro.f1
    print(f"  dev F1 {f1:.4f}", flush=True)
    return f1


def main() -> None:
    skip_in_a_round(minutes=120)
    data = data_folder()
    names = [name for name in [*SETS][: size(2, 1)] if data is not None and (data / "ner_en" / name).is_dir()]
    if data is None or not names:
        print("skipped: VINER_DATA names no folder with ner_en/ncbi_disease or ner_en/wnut17")
        report({})
        return
    settings = {name: choices for name, choices in SETTINGS.items() if size(1, 0) or name in ("plain", "adapted")}
    figures: dict[str, float | int] = {}
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as scratch:
        base = cut_base(Path(scratch) / "base")
        for name in names:
            train, dev = (list(read(data / "ner_en" / name / file)) for file in SETS[name])
            dev = random.Random(0).sample(dev, min(DEV, len(dev)))
            rows = []
            for setting, choices in settings.items():
                found = []
                for seed in SEEDS:
                    print(f"{name}, {setting}, seed {seed}", flush=True)
                    found.append(dev_f1(base, train, dev, seed, choices))
                rows.append((setting, *(f"{f1:.4f}" for f1 in found), f"{mean(found):.4f}"))
                figures[f"{name}_{setting.replace(', ', '_').replace(' ', '_')}_dev_f1"] = mean(found)
            print()
            table((f"{name}: dev F1", *(f"seed {seed}" for seed in SEEDS), "mean"), rows)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
