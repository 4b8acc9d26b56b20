"""Heads: how a model answers a layer. One encoder reads the text; each head turns its word vectors into one layer's answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

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
    def loss(self, words: Tensor, targets: Tensor) -> Tensor:
        """Mean loss over the words whose target is not :data:`IGNORED`. *Shape:* (words, width), (words,) → ()."""

    @abstractmethod
    def targets(self, document: Document, words: Sequence[Span]) -> AlignedTags:
        """What the head is taught of a document, and what it cannot be taught."""

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

    def loss(self, words: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of the tags. *Shape:* (words, width), (words,) → ()."""
        return nn.functional.cross_entropy(self(words).float(), targets, ignore_index=IGNORED)

    def targets(self, document: Document, words: Sequence[Span]) -> AlignedTags:
        """BIO tags of the document's entities; see :func:`viner.encoding.align`."""
        return align(document, words, self.labels)

    def to_dict(self) -> dict[str, Any]:
        """The head's entry in ``viner.json``."""
        return {"layer": self.layer, "kind": self.kind, "tags": self.tags}


def prior_entropy(targets: Tensor) -> float:
    """Loss in nats of a model that gives every word the classes' frequencies: what a collapsed one converges to."""
    counts = torch.bincount(targets[targets != IGNORED]).double()
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * shares.log()).sum())
