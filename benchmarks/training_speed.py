"""How fast a training step is, against the processor's limit and against a plain Transformers loop on the same text.

viner's side is the real trainer (`viner train`), watched through its events: between two of its steps the plain loop takes its
own, so both see the same moments of the machine. The plain loop is what an example script does: a stock
`AutoModelForTokenClassification` in float32, batches of 16 sorted by length, `torch.optim.AdamW`.

The ceiling: one piece costs 2 operations for each weight of the encoder's matrices forward, and three times that to train
(attention between pieces and the embedding are left out); the machine's rate is that of a bf16 product of the encoder's widest
shape, 1024 × width × inner width, on all cores, median of 40.

About 2 minutes. VINER_BENCH_SIZE=small takes 3 steps.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForTokenClassification, AutoTokenizer
from transformers.utils import logging

from _bench import report, sentences, size, table
from viner.base import resolve
from viner.document import Document, Entity
from viner.text import split_words
from viner.training.checkpoint import TrainingFolder
from viner.training.config import TrainingConfig
from viner.training.trainer import Observer, Trainer

LABEL = "NAME"
PLAIN_BATCH = 16
WARM_UP = 2
"""Steps of each side that are not counted."""


def annotate(texts: list[str]) -> list[Document]:
    """Capitalized words as entities: something to learn; the speed does not depend on what."""
    documents = []
    for text in texts:
        words = split_words(text)
        names = [Entity(start, end, LABEL) for start, end in words if text[start].isupper()]
        documents.append(Document(text, words=words, entities=names))
    return documents


def plain_steps(base: Path, documents: list[Document]) -> Iterator[float]:
    """Pieces per second of each step of the plain loop, padding not counted."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForTokenClassification.from_pretrained(base, num_labels=3, dtype=torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    model.train()
    ordered = sorted((document.text for document in documents), key=len)
    batches = [ordered[i : i + PLAIN_BATCH] for i in range(0, len(ordered), PLAIN_BATCH)]
    order = torch.randperm(len(batches), generator=torch.Generator().manual_seed(1)).tolist()
    while True:
        for index in order:
            began = time.perf_counter()
            inputs = tokenizer(batches[index], padding=True, truncation=True, max_length=256, return_tensors="pt")
            labels = torch.where(inputs["attention_mask"] == 1, 0, -100)
            model(**inputs, labels=labels).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            yield int(inputs["attention_mask"].sum()) / (time.perf_counter() - began)


class EnoughStepsError(Exception):
    """Ends the trainer after as many steps as were asked for."""


def interleave(
    make_trainer: Callable[[Observer], Trainer], plain: Iterator[float], steps: int
) -> tuple[list[float], list[float]]:
    """Runs the trainer, and a step of the plain loop after each of its steps.

    Args:
        make_trainer: Makes the trainer from its observer.
        plain: Takes a step when the next item is asked for.
        steps: Steps of each side that count.

    Returns:
        Pieces per second of each step, of the trainer and of the plain loop.
    """
    ours: list[float] = []
    theirs: list[float] = []
    pieces, resumed = 0, time.perf_counter()

    def observe(event: dict[str, Any]) -> None:
        nonlocal pieces, resumed
        if event["event"] == "step":
            # The trainer counts pieces from the beginning of the epoch.
            ours.append((event["pieces"] - (pieces if event["step"] > 1 else 0)) / (time.perf_counter() - resumed))
            pieces = event["pieces"]
            theirs.append(next(plain))
            if len(ours) == steps + WARM_UP:
                raise EnoughStepsError
        resumed = time.perf_counter()

    trainer = make_trainer(observe)
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as folder, TrainingFolder(Path(folder) / "training") as working:
        resumed = time.perf_counter()
        try:
            trainer.run(working)
        except EnoughStepsError:
            return ours[WARM_UP:], theirs[WARM_UP:]
    raise RuntimeError(f"the training was over after {len(ours)} steps")


def training_cost(config: Any) -> float:
    """Floating-point operations that training takes for one piece."""
    width, inner = config.hidden_size, config.intermediate_size
    weights = config.num_hidden_layers * (4 * width * width + 2 * width * inner)
    return 3 * 2 * weights


def matrix_rate(width: int, inner: int, dtype: torch.dtype) -> float:
    """Operations per second of a product (1024, width) × (width, inner) on all cores, median of 40."""
    left, right = torch.randn(1024, width, dtype=dtype), torch.randn(width, inner, dtype=dtype)
    times = []
    for _ in range(45):
        began = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - began)
    return 2 * 1024 * width * inner / statistics.median(times[5:])


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    steps = size(40, 3)
    documents = annotate(sentences(size(6_000, 300)))
    base = resolve(None)
    config = AutoConfig.from_pretrained(base)
    shape = (config.hidden_size, config.intermediate_size)
    rates = {dtype: [matrix_rate(*shape, dtype)] for dtype in (torch.bfloat16, torch.float32)}
    choices = TrainingConfig(batch_pieces=None if steps > 3 else 256)

    def make_trainer(observe: Observer) -> Trainer:
        return Trainer(base, [LABEL], documents, list(islice(documents, 20)), choices, observe=observe)

    ours, theirs = interleave(make_trainer, plain_steps(base, documents), steps)
    for dtype, found in rates.items():
        found.append(matrix_rate(*shape, dtype))
    cost = training_cost(config)
    bf16, fp32 = (max(rates[dtype]) for dtype in (torch.bfloat16, torch.float32))
    viner, plain = statistics.median(ours), statistics.median(theirs)
    print(
        f"{torch.get_num_threads()} threads, torch {torch.__version__}, {steps} steps each, {len(documents):,} sentences;"
        f" {cost / 1e6:.1f} MFLOP a piece to train; products: bf16 {bf16 / 1e9:.0f} GFLOP/s, fp32 {fp32 / 1e9:.0f}\n"
    )
    table(
        ("training step", "pieces/s", "of the bf16 ceiling", "x plain"),
        [
            ("bf16 ceiling", bf16 / cost, "100 %", bf16 / cost / plain),
            ("viner train", viner, f"{100 * viner * cost / bf16:.1f} %", viner / plain),
            (f"plain loop, fp32, batch {PLAIN_BATCH} sorted", plain, f"{100 * plain * cost / bf16:.1f} %", 1.0),
        ],
    )
    report(
        {
            "pieces_per_s": viner,
            "share_of_bf16_ceiling": viner * cost / bf16,
            "vs_plain_fp32": viner / plain,
            "plain_pieces_per_s": plain,
            "ceiling_pieces_per_s": bf16 / cost,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
