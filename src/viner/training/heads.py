"""Heads: how a model answers a layer. One encoder reads the text; each head turns its word vectors into one layer's answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from viner.corpus import reviewed_spans
from viner.document import Document, Span
from viner.encoding import AlignedTags, align, bio_tags

IGNORED = -100
"""Target of a word that teaches nothing."""


class Head(nn.Module, ABC):
    """Answers one layer of a document from the vectors of its words.

    Args:
        layer: Name of the layer.
    """

    kind: str
    """Names the head in ``viner.json``; its decoder there goes by the same name."""

    def __init__(self, layer: str) -> None:
        super().__init__()
        self.layer = layer

    @abstractmethod
    def forward(self, words: Tensor) -> Tensor:
        """Emissions. *Shape:* (words, width) → (words, outputs)."""

    @abstractmethod
    def loss(self, emissions: Tensor, targets: Tensor) -> Tensor:
        """Mean loss over the words whose target is not :data:`IGNORED`, 0 if there is none.

        *Shape:* (words, outputs), (words,) → ().
        """

    @abstractmethod
    def targets(self, document: Document, words: Sequence[Span]) -> AlignedTags:
        """What the head is taught of a document, and what it cannot be taught.

        Words of which nothing is known get :data:`IGNORED`: those of a partially annotated document that nobody decided on.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """The head's entry in ``viner.json``."""


class EntityHead(Head):
    """A softmax over BIO tags for each word, decoded to the best well-formed sequence.

    Args:
        layer: Name of the entity layer.
        labels: Labels in the order of the outputs.
        width: Width of the encoder.
        dropout: Of the word vectors.
    """

    kind = "softmax-bio"

    def __init__(self, layer: str, labels: Sequence[str], width: int, dropout: float) -> None:
        super().__init__(layer)
        self.labels = tuple(labels)
        self.tags = bio_tags(labels)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, len(self.tags))
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, words: Tensor) -> Tensor:
        """Logits of the tags. *Shape:* (words, width) → (words, tags)."""
        logits: Tensor = self.linear(self.dropout(words))
        return logits

    def loss(self, emissions: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the tags, 0 if no target is known. *Shape:* (words, tags), (words,) → ()."""
        known = int((targets != IGNORED).sum())
        return nn.functional.cross_entropy(emissions.float(), targets, ignore_index=IGNORED, reduction="sum") / max(1, known)

    def targets(self, document: Document, words: Sequence[Span]) -> AlignedTags:
        """BIO tags of the document's entities; see :func:`viner.encoding.align` and :func:`decided`."""
        aligned = align(document, words, self.labels)
        spans = reviewed_spans(document)
        if spans is None:
            return aligned
        tags = np.where(decided(document, words, aligned.tags, spans), aligned.tags, IGNORED)
        return AlignedTags(tags, aligned.lost)

    def to_dict(self) -> dict[str, Any]:
        """The head's entry in ``viner.json``."""
        return {"layer": self.layer, "kind": self.kind, "tags": self.tags}


def decided(document: Document, words: Sequence[Span], tags: NDArray[np.int64], spans: Sequence[Span]) -> NDArray[np.bool_]:
    """Which words of a partially annotated document teach something.

    Those of its entities, as far as tags can say them, and those that lie wholly in a span that a person rejected: one that no
    entity touches. Where a rejected span and an entity overlap, the entity alone is known to be right; what the span had too
    much may belong to another entity. The part of a word says nothing of the whole word.

    Args:
        document: The document, with its entities.
        words: Spans of its words.
        tags: Its BIO tags. *Shape:* (words,).
        spans: What a person decided on, as :func:`viner.corpus.reviewed_spans` gives it.

    Returns:
        *Shape:* (words,).
    """
    known = tags > 0
    starts, ends = [start for start, _ in words], [end for _, end in words]
    taken = np.zeros(len(document.text) + 1, dtype=np.int64)
    for entity in document.entities or ():
        taken[entity.start] += 1
        taken[entity.end] -= 1
    # How many of the characters before each offset lie in an entity.
    covered = np.concatenate([[0], np.cumsum(np.cumsum(taken[:-1]) > 0)])
    for start, end in spans:
        if covered[start] == covered[end]:
            known[bisect_left(starts, start) : bisect_right(ends, end)] = True
    return known


def prior_entropy(targets: Tensor) -> float:
    """Loss in nats of a model that gives every word the classes' frequencies: what a collapsed one converges to."""
    counts = torch.bincount(targets[targets != IGNORED]).double()
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * shares.log()).sum())
