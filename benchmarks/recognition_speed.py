"""How fast a model recognizes, against `transformers.pipeline` with the same weights on the same sentences.

A model folder is a stock Hugging Face folder, so the pipeline loads it as it is. Two pipelines: as documented (float32, one
text after the other) and at its best (bf16, sorted by length, batches of 8; DESIGN lists the others). The three take turns,
round by round, and the figures are medians over the rounds. Pieces are counted by the model's tokenizer, without special ones.

About 4 minutes. VINER_BENCH_SIZE=small takes 60 sentences. The model: see `benchmarks/_bench.py`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers import AutoTokenizer, pipeline
from transformers.utils import logging

import viner
from _bench import model_folder, report, sentences, size, table

BEST_BATCH = 8
SINGLE_PIECES = 45
"""Length of the single sentences: about the average of a news sentence."""


def build_pipeline(model: str, dtype: torch.dtype) -> Any:
    return pipeline("token-classification", model=model, dtype=dtype, aggregation_strategy="simple", device="cpu")


def seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def single(recognizer: Any, texts: list[str], calls: int) -> tuple[float, float]:
    """Milliseconds of one call with one sentence: median and 99th percentile."""
    for text in texts[:10]:
        recognizer(text)
    times = [1000 * seconds(partial(recognizer, texts[i % len(texts)])) for i in range(calls)]
    return float(np.percentile(times, 50)), float(np.percentile(times, 99))


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    folder = model_folder()
    texts = sentences(size(1_000, 60))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    lengths = [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]
    pieces = sum(lengths)
    by_length = sorted(texts, key=len)
    recognizer = viner.load(folder)
    plain, best = build_pipeline(str(folder), torch.float32), build_pipeline(str(folder), torch.bfloat16)
    runs: dict[str, Callable[[], Any]] = {
        "viner": lambda: list(recognizer.stream(texts)),
        "pipeline at its best (bf16, sorted, batch 8)": lambda: best(by_length, batch_size=BEST_BATCH),
        "pipeline as documented (fp32, one by one)": lambda: [plain(text) for text in texts],
    }
    with torch.inference_mode():
        list(recognizer.stream(texts[:100]))
        best(by_length[:: max(1, len(texts) // 24)], batch_size=BEST_BATCH)
        plain(texts[0])
        rounds = [{name: pieces / seconds(work) for name, work in runs.items()} for _ in range(size(5, 1))]
    speeds = {name: statistics.median(one[name] for one in rounds) for name in runs}
    ours, best_name, plain_name = runs
    # Ratios within a round, so that a slow moment of the machine hits both sides.
    vs_best = statistics.median(one[ours] / one[best_name] for one in rounds)
    vs_default = statistics.median(one[ours] / one[plain_name] for one in rounds)
    near = sorted(range(len(texts)), key=lambda index: abs(lengths[index] - SINGLE_PIECES))[: size(50, 5)]
    p50, p99 = single(recognizer, [texts[index] for index in near], size(500, 20))
    print(f"{folder}: engine {recognizer.engine}; {len(texts):,} sentences, {pieces:,} pieces, {len(rounds)} rounds\n")
    table(
        ("recognition", "pieces/s", "viner is x times faster"),
        [(ours, speeds[ours], ""), (best_name, speeds[best_name], vs_best), (plain_name, speeds[plain_name], vs_default)],
    )
    print(f"one sentence of about {SINGLE_PIECES} pieces: p50 {p50:.1f} ms, p99 {p99:.1f} ms\n")
    report(
        {
            "vs_default_pipeline": vs_default,
            "vs_best_pipeline": vs_best,
            "pieces_per_s": speeds[ours],
            "default_pipeline_pieces_per_s": speeds[plain_name],
            "best_pipeline_pieces_per_s": speeds[best_name],
            "single_p50_ms": p50,
            "single_p99_ms": p99,
        }
    )


if __name__ == "__main__":
    sys.exit(main())
