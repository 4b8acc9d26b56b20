"""Recognition taken apart: one stage after the other over all texts, each timed by itself.

:class:`viner.runtime.Recognizer` lets the stages overlap and works in chunks. This does the same from the same parts, plainly,
so that each stage can be timed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viner.bundle import BundleInfo
from viner.document import Document
from viner.encoding import BioDecoder, EncodedText, PieceEncoder, Window, plan_windows, side_by_side
from viner.runtime import Engine
from viner.runtime.chunk import answered
from viner.text import segment_words, words_of

STAGES = ("words", "pieces", "batches", "graph", "decoding", "documents")


class Batch(NamedTuple):
    """What an engine is asked: :meth:`viner.runtime.Engine.run` says what stands where."""

    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    first: NDArray[np.int64]


@dataclass(slots=True)
class Staged:
    """Texts on their way through the stages, and what the way took.

    Attributes:
        documents: The answers, in order.
        seconds: Processor time of each of :data:`STAGES`, of all threads together.
        batches: What the engine was asked.
        words: How many words there are.
        pieces: How many pieces, special ones not counted.
        packed: Whether the graph computes padding in attention only.
    """

    documents: list[Document] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    batches: list[Batch] = field(default_factory=list)
    words: int = 0
    pieces: int = 0
    packed: bool = False

    @property
    def padding(self) -> float:
        """The share of what the graph computed that is padding; none where that is in attention only."""
        if self.packed:
            return 0.0
        slots = sum(batch.mask.size for batch in self.batches)
        return 1 - sum(int(batch.mask.sum()) for batch in self.batches) / slots if slots else 0.0


class StagedRecognizer:
    """Answers as a :class:`viner.runtime.Recognizer` does, all texts together.

    Args:
        info: What the model says about itself.
        encoder: Its tokenizer, limited to its windows.
        engine: Its graph.
        budget: Pieces in a batch, padding included; None takes what suits the engine.
    """

    def __init__(self, info: BundleInfo, encoder: PieceEncoder, engine: Engine, *, budget: int | None = None) -> None:
        self._encoder = encoder
        self._engine = engine
        self._budget = budget
        self._decoder = BioDecoder(info.heads[0].labels, info.calibration, least_estimate=info.least_estimate)
        self._segmenter = None if info.segmenter is None else info.segmenter.open()
        self._tags = len(info.heads[0].tags)
        self._overlap = min(info.windows.overlap, encoder.capacity - 1)

    def __call__(self, documents: Sequence[Document]) -> Staged:
        """Recognizes documents. Of each, ``words`` are used if it has them; all are in memory at once."""
        staged = Staged(packed=self._engine.packed)
        with _timed(staged, "words"):
            words = [words_of(item) for item in documents]
        with _timed(staged, "pieces"):
            read = words
            if self._segmenter is not None:
                read = [segment_words(item.text, spans, self._segmenter) for item, spans in zip(documents, words, strict=True)]
            encoded = [self._encoder.encode(item.text, spans) for item, spans in zip(documents, read, strict=True)]
        with _timed(staged, "batches"):
            plans = self._plan(encoded)
            staged.batches = [self._batch(encoded, plan) for plan in plans]
        with _timed(staged, "graph"):
            running = [self._engine.submit(self._engine.run, *batch) for batch in staged.batches]
            logits = [result.result() for result in running]
        with _timed(staged, "decoding"):
            spans = self._decoder.decode_batch(self._emissions(encoded, plans, logits))
        with _timed(staged, "documents"):
            staged.documents = [answered(*parts) for parts in zip(documents, words, encoded, spans, strict=True)]
        staged.words = sum(map(len, words))
        staged.pieces = sum(len(item.pieces) for item in encoded)
        return staged

    def _plan(self, encoded: Sequence[EncodedText]) -> list[list[tuple[int, Window]]]:
        """Which windows make a batch: for each of its rows the text and the window."""
        capacity, special = self._encoder.capacity, self._encoder.max_pieces - self._encoder.capacity
        windows = [
            (index, window)
            for index, item in enumerate(encoded)
            for window in plan_windows(item.offsets, capacity, self._overlap)
        ]
        lengths = np.array(
            [encoded[i].offsets[window.last] - encoded[i].offsets[window.first] + special for i, window in windows],
            dtype=np.int64,
        )
        return [[windows[index] for index in batch] for batch in self._engine.batches(lengths, self._budget)]

    def _batch(self, encoded: Sequence[EncodedText], plan: Sequence[tuple[int, Window]]) -> Batch:
        rows = [(encoded[index], window) for index, window in plan]
        pieces = [text.pieces[text.offsets[window.first] : text.offsets[window.last]] for text, window in rows]
        ids, mask = side_by_side(pieces, self._encoder)
        before, width = len(self._encoder.prefix), ids.shape[1]
        first = [
            text.offsets[window.keep_first : window.keep_last] - text.offsets[window.first] + row * width + before
            for row, (text, window) in enumerate(rows)
        ]
        return Batch(ids, mask, np.concatenate(first).astype(np.int64))

    def _emissions(
        self,
        encoded: Sequence[EncodedText],
        plans: Sequence[Sequence[tuple[int, Window]]],
        logits: Sequence[NDArray[np.float32]],
    ) -> list[NDArray[np.float32]]:
        """For each text the logits of the first piece of each word. *Shape:* (words, tags)."""
        emissions = [np.zeros((len(item.words), self._tags), dtype=np.float32) for item in encoded]
        for plan, answers in zip(plans, logits, strict=True):
            begin = 0
            for index, window in plan:
                end = begin + window.keep_last - window.keep_first
                emissions[index][window.keep_first : window.keep_last] = answers[begin:end]
                begin = end
        return emissions


@contextmanager
def _timed(staged: Staged, stage: str) -> Iterator[None]:
    began = time.process_time()
    yield
    staged.seconds[stage] = time.process_time() - began
