"""What a lone sentence costs, warm."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from viner.document import Document
from viner.encoding import PieceEncoder
from viner.text import split_words, words_of

PIECES = 45
"""Length of a sentence: about the average of news."""
SENTENCES, CALLS, WARM_UP = 50, 400, 20


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of a call with one sentence.

    Args:
        p50: Median.
        p99: 99th percentile.
        pieces: Pieces of the sentences, special ones not counted, on average.
    """

    p50: float
    p99: float
    pieces: float


def single_sentences(encoder: PieceEncoder, documents: Sequence[Document], *, count: int = SENTENCES) -> list[str]:
    """Texts of about :data:`PIECES` pieces: those that come nearest, longer ones cut after a word.

    Args:
        encoder: The model's tokenizer.
        documents: Where to take them from.
        count: How many.
    """
    candidates = []
    for document in documents:
        words = words_of(document)
        offsets = encoder.encode(document.text, words).offsets
        last = int(np.searchsorted(offsets, PIECES, side="right")) - 1
        if last > 0:
            candidates.append((PIECES - int(offsets[last]), document.text[: words[last - 1][1]]))
    candidates.sort(key=lambda candidate: candidate[0])
    return [text for _, text in candidates[:count]]


def measure_latency(
    recognize: Callable[[str], Any], encoder: PieceEncoder, texts: Sequence[str], *, calls: int = CALLS
) -> Latency:
    """Calls one after the other, each with the next text.

    Args:
        recognize: What is called.
        encoder: The model's tokenizer, to count pieces.
        texts: At least one.
        calls: How many calls count; :data:`WARM_UP` more come before.
    """
    times = []
    for call in range(-WARM_UP, calls):
        text = texts[call % len(texts)]
        began = time.perf_counter()
        recognize(text)
        if call >= 0:
            times.append(1000 * (time.perf_counter() - began))
    pieces = [len(encoder.encode(text, split_words(text)).pieces) for text in texts]
    p50, p99 = np.percentile(times, (50, 99))
    return Latency(float(p50), float(p99), sum(pieces) / len(pieces))
