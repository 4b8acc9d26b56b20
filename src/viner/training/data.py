"""What a model is shown in an epoch: sentences alone, sentences with their neighbors, whole documents, in batches of one size.

A model trained on lone sentences meets another distribution when somebody pastes a document. So each epoch draws anew which
sentences stand alone and which stand with their neighbors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viner.corpus import sentences_of
from viner.document import Document
from viner.encoding import EncodedText, LostEntity, PieceEncoder, cut_by_budget, plan_windows
from viner.text import words_of
from viner.training.config import TrainingConfig
from viner.training.examples import Batch, Example, collate, joined
from viner.training.hardening import hardened
from viner.training.heads import IGNORED, Head
from viner.training.mentions import Mentions, continues

_JOINED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence or a document: encoded as written and with a space before every word."""

    encoded: EncodedText
    respaced: EncodedText
    targets: NDArray[np.int64]
    sentences: tuple[tuple[int, int], ...]
    """Word ranges of its sentences, end-exclusive."""
    teacher: NDArray[np.float16] | None = None


class TrainingSet:
    """Annotated documents, ready to be drawn from.

    Args:
        documents: Documents with the head's layer annotated, wholly or in part (:mod:`viner.corpus.reviewed`).
        encoder: Cuts their words into pieces; its ``max_pieces`` is the length of the longest sequence.
        head: Says what each document teaches.
        config: How examples are drawn.
        every_word: Whether every word teaches, since a teacher is heard (:meth:`hear`), and not just those that somebody
            decided on.
        parts: Batches that a step of the optimizer takes, of all processes; they share what one batch would have.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        encoder: PieceEncoder,
        head: Head,
        config: TrainingConfig,
        *,
        every_word: bool = False,
        parts: int = 1,
    ) -> None:
        self._encoder = encoder
        self._config = config
        self._every_word = every_word
        self._capacity = encoder.capacity
        self._overlap = usable_overlap(config.window_overlap, encoder)
        self.lost: list[tuple[Document, LostEntity]] = []
        """Entities that are taught differently or not at all."""
        units = [(document, self._unit(document, head)) for document in documents]
        units = [(document, unit) for document, unit in units if self._teaches(unit.targets)]
        self.documents = [document for document, _ in units]
        """The documents that teach something."""
        self._units = [unit for _, unit in units]
        self._mentions = Mentions((unit.encoded, unit.targets) for unit in self._units) if config.replace_mentions else None
        self.pieces = sum(len(unit.encoded.pieces) for unit in self._units)
        """Pieces of the set, without special pieces."""
        self.batch_pieces = config.batch_pieces or max(1, usual_batch(self.pieces) // parts)

    def _teaches(self, targets: NDArray[np.int64]) -> bool:
        return len(targets) > 0 if self._every_word else bool((targets != IGNORED).any())

    def taught_steps(self, parts: int = 1) -> float:
        """About the share of an epoch's steps in which the target of a word is known, in [0, 1].

        Args:
            parts: Batches of a step.
        """
        steps = max(1.0, self.pieces / (self.batch_pieces * parts))
        known = sum(bool((unit.targets != IGNORED).any()) for unit in self._units)
        return float(1 - (1 - 1 / steps) ** known)

    def hear(self, told: Sequence[NDArray[np.float16]]) -> None:
        """Takes what a teacher says of each word.

        Args:
            told: One array for each of :attr:`documents`. *Shape:* (words, numbers) each.
        """
        self._units = [replace(unit, teacher=said) for unit, said in zip(self._units, told, strict=True)]

    def _unit(self, document: Document, head: Head) -> _Unit:
        words = words_of(document)
        aligned = head.targets(document, words)
        self.lost.extend((document, lost) for lost in aligned.lost)
        starts = [start for start, _ in words]
        bounds = [int(np.searchsorted(starts, start)) for start, _ in sentences_of(document)] + [len(words)]
        if bounds[0] > 0:
            bounds.insert(0, 0)
        sentences = tuple((first, last) for first, last in pairwise(bounds) if first < last)
        encode = self._encoder.encode
        return _Unit(encode(document.text, words), encode(document.text, words, spaced=True), aligned.tags, sentences)

    @property
    def targets(self) -> Tensor:
        """Targets of all words. *Shape:* (words,)."""
        return torch.from_numpy(np.concatenate([unit.targets for unit in self._units] or [np.zeros(0, dtype=np.int64)]))

    def __len__(self) -> int:
        return len(self._units)

    def lost_counts(self) -> Counter[str]:
        """How many entities were lost for which reason."""
        return Counter(lost.reason for _, lost in self.lost)

    def epoch(self, rng: np.random.Generator) -> list[Batch]:
        """The batches of one epoch in random order.

        Args:
            rng: Draws everything.
        """
        examples = list(self._draw(rng))
        lengths = np.array([len(example.pieces) for example in examples])
        specials = len(self._encoder.prefix) + len(self._encoder.suffix)
        batches = [
            collate([examples[i] for i in part], self._encoder)
            for part in of_one_length(lengths + specials, self.batch_pieces, rng)
        ]
        return [batches[i] for i in rng.permutation(len(batches))]

    def _draw(self, rng: np.random.Generator) -> Iterator[Example]:
        parts: list[Example] = []
        for document, unit in zip(self.documents, self._units, strict=True):
            encoded = unit.respaced if rng.random() < self._config.respace else unit.encoded
            hard = self._config.harden > 0 and rng.random() < self._config.harden
            if hard:
                changed = hardened(Document(document.text, words=encoded.words), rng)
                encoded = self._encoder.encode(changed.text, changed.words or ())
            ranges = (
                unit.sentences if len(unit.sentences) > 1 and rng.random() < self._config.split else ((0, len(unit.targets)),)
            )
            whole = Example.of(encoded, unit.targets, unit.teacher)
            for first, last in ranges:
                part = whole.part(first, last)
                if self._mentions is not None and not hard:
                    # A sentence may end within an entity that the next one goes on with.
                    cut = last < len(unit.targets) and continues(unit.targets[last])
                    part = self._mentions.replaced(part, self._config.replace_mentions, rng, cut=cut)
                parts.append(part)
        position = 0
        while position < len(parts):
            count = int(rng.integers(2, _JOINED_AT_MOST + 1)) if rng.random() < self._config.join else 1
            group = [parts[position]]
            size = len(group[0].pieces)
            for part in parts[position + 1 : position + count]:
                size += len(part.pieces)
                if size > self._capacity:
                    break
                group.append(part)
            position += len(group)
            # What nobody decided on stands there as context; a sequence of nothing else would only cost time, and a batch of
            # nothing else has no loss.
            yield from (example for example in self._windows(joined(group)) if self._teaches(example.targets))

    def _windows(self, example: Example) -> Iterator[Example]:
        if len(example.pieces) <= self._capacity:
            yield example
            return
        offsets = np.append(example.first, np.int32(len(example.pieces)))
        for window in plan_windows(offsets, self._capacity, self._overlap):
            part = example.part(window.first, window.last)
            targets = part.targets.copy()
            # A word is taught by the window that will answer it.
            targets[: window.keep_first - window.first] = IGNORED
            targets[window.keep_last - window.first :] = IGNORED
            yield replace(part, targets=targets)


def usual_batch(pieces: int) -> int:
    """Pieces of a batch, padding included, for texts of so many pieces: a sixtieth of them, within 512 to 2,048."""
    return int(np.clip(pieces // 60, 512, 2048))


def of_one_length(lengths: NDArray[np.int64], budget: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Indices of sequences that go together since they are about equally long, so that little is padding.

    Args:
        lengths: Pieces of each sequence. *Shape:* (sequences,).
        budget: Pieces of a batch, padding included.
        rng: Draws the noise that keeps texts of one length from meeting in the same batch every epoch.
    """
    order = np.argsort(lengths + rng.uniform(0, 4, len(lengths)), kind="stable")
    return cut_by_budget(order, lengths, budget)


def usable_overlap(overlap: int, encoder: PieceEncoder) -> int:
    """The overlap of windows that was asked for, but at most half a window."""
    return min(overlap, encoder.capacity // 2)
