"""From emissions to entities: the best *well-formed* sequence of BIO tags, and the spans that it says.

The tags of an entity head are ``O, B-x, I-x, B-y, I-y, …`` (IOB2). An ``I-x`` may only follow ``B-x`` or ``I-x``; among all
sequences that keep this rule, the one with the highest sum of log-probabilities is decoded (Viterbi, 1967), over the whole
document at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Emissions = NDArray[np.float32]
"""*Shape:* (words, tags). Log-probabilities, or logits: decoding normalizes."""


class WordSpan(NamedTuple):
    """A decoded entity in words: ``words[first:last]``, end-exclusive."""

    first: int
    last: int
    label: str
    score: float


def bio_tags(labels: Sequence[str]) -> list[str]:
    """The tags of an entity head in the order of its outputs: ``O``, then ``B-x`` and ``I-x`` for each label."""
    return ["O"] + [f"{prefix}-{label}" for label in labels for prefix in "BI"]


class BioDecoder:
    """Decodes emissions over the tags of :func:`bio_tags`.

    Args:
        labels: Labels in the order of the head's outputs.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)

    def decode(self, emissions: Emissions) -> list[WordSpan]:
        """Decodes one document; see :meth:`decode_batch`."""
        return self.decode_batch([emissions])[0]

    def decode_batch(self, documents: Sequence[Emissions]) -> list[list[WordSpan]]:
        """Decodes documents, each by itself.

        Args:
            documents: For each document its emissions. *Shape:* (words, 2 · labels + 1), words may be 0.

        Returns:
            For each document its entities in text order, never overlapping. The score is the geometric mean of the
            probabilities of the entity's tags, so it does not fall with length.
        """
        lengths = np.array([len(emissions) for emissions in documents], dtype=np.int64)
        if not lengths.sum():
            return [[] for _ in documents]
        log_probs = _log_softmax(np.concatenate([e for e in documents if len(e)]))
        tags = log_probs.argmax(axis=1)
        ends = np.cumsum(lengths)
        begins = ends - lengths
        # Where the best tag of every word already makes a well-formed sequence, it is the best sequence.
        broken = _ill_formed(tags, begins[lengths > 0])
        if broken.any():
            for document in np.unique(np.searchsorted(ends, np.flatnonzero(broken), side="right")):
                part = slice(begins[document], ends[document])
                tags[part] = _viterbi(log_probs[part])
        return self._spans(tags, log_probs, begins, ends)

    def _spans(
        self, tags: NDArray[np.int64], log_probs: Emissions, begins: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> list[list[WordSpan]]:
        inside = (tags > 0) & (tags % 2 == 0)
        starts = np.flatnonzero(tags % 2 == 1)
        # An entity ends before the next word that is not inside; a document's first word never is.
        stops = np.flatnonzero(~np.append(inside, False))
        lasts = stops[np.searchsorted(stops, starts, side="right")]
        totals = np.concatenate([[0.0], np.cumsum(log_probs[np.arange(len(tags)), tags], dtype=np.float64)])
        scores = np.minimum(np.exp((totals[lasts] - totals[starts]) / (lasts - starts)), 1.0)
        owners = np.searchsorted(ends, starts, side="right")
        result: list[list[WordSpan]] = [[] for _ in begins]
        columns = (starts.tolist(), lasts.tolist(), owners.tolist(), tags[starts].tolist(), scores.tolist())
        offsets = begins.tolist()
        for start, last, owner, tag, score in zip(*columns, strict=True):
            begin = offsets[owner]
            result[owner].append(WordSpan(start - begin, last - begin, self.labels[tag // 2], score))
        return result


def _log_softmax(emissions: Emissions) -> Emissions:
    shifted = emissions - emissions.max(axis=1, keepdims=True)
    result: Emissions = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def _ill_formed(tags: NDArray[np.int64], begins: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Marks each ``I-x`` that follows neither ``B-x`` nor ``I-x`` of its document. *Shape:* (words,)."""
    previous = np.empty_like(tags)
    previous[1:] = tags[:-1]
    previous[begins] = 0
    inside = (tags > 0) & (tags % 2 == 0)
    marked: NDArray[np.bool_] = inside & (previous != tags) & (previous != tags - 1)
    return marked


def _viterbi(log_probs: Emissions) -> NDArray[np.int64]:
    """The best well-formed tag sequence of one document. *Shape:* (words, tags) → (words,)."""
    words, tags = log_probs.shape
    best = log_probs[0].astype(np.float64)
    best[2::2] = -np.inf
    came_from = np.zeros((words, tags), dtype=np.int64)
    own_begin = np.arange(1, tags, 2)
    for word in range(1, words):
        # O and every B may follow anything; I-x may follow B-x or I-x.
        any_tag = int(best.argmax())
        came_from[word] = any_tag
        from_inside = best[2::2] > best[1::2]
        came_from[word, 2::2] = own_begin + from_inside
        best = log_probs[word] + best[came_from[word]]
    path = np.empty(words, dtype=np.int64)
    path[-1] = best.argmax()
    for word in range(words - 1, 0, -1):
        path[word - 1] = came_from[word, path[word]]
    return path
