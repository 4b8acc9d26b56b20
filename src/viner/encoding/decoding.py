"""From emissions to entities: the best *well-formed* sequence of BIO tags, and the spans that it says.

The tags of an entity head are ``O, B-x, I-x, B-y, I-y, …`` (IOB2). An ``I-x`` may only follow ``B-x`` or ``I-x``; among all
sequences that keep this rule, the one with the highest sum of log-probabilities is decoded (Viterbi, 1967), over the whole
document at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from viner.errors import UsageError

Emissions = NDArray[np.float32]
"""*Shape:* (words, tags). Log-probabilities, or logits: decoding normalizes."""
Scores = NDArray[np.float64]
Calibrate = Callable[[Scores], Scores]
"""From scores to scores, all at once. *Shape:* (entities,), and the same."""
_HALF_A_DIGIT = 5e-5
"""Scores are told with four digits, and what is told as the least score is not below it."""
_SURE = 1 - 1e-6
"""The highest probability of going on that an entity's end is scored by, lest its logarithm is infinite."""


def check_least_score(score: float | None) -> None:
    """Refuses what entities cannot have.

    Raises:
        UsageError: If it is not in [0, 1].
    """
    if score is not None and not 0 <= score <= 1:
        raise UsageError(f"a least score of {score} is not between 0 and 1", hint="Such as 0.9, or 0 for all entities")


class WordSpan(NamedTuple):
    """A decoded entity in words: ``words[first:last]``, end-exclusive."""

    first: int
    last: int
    label: str
    score: float


def bio_tags(labels: Sequence[str]) -> list[str]:
    """The tags of an entity head in the order of its outputs: ``O``, then ``B-x`` and ``I-x`` for each label."""
    return ["O"] + [f"{prefix}-{label}" for label in labels for prefix in "BI"]


def class_probabilities(emissions: Emissions) -> Emissions:
    """The probability of each word to be in no entity, and in one of each label, whether it begins there or not.

    Args:
        emissions: Over the tags of :func:`bio_tags`. *Shape:* (words, 2 · labels + 1).

    Returns:
        Each row sums to 1. *Shape:* (words, 1 + labels).
    """
    if not len(emissions):
        return np.zeros((0, emissions.shape[1] // 2 + 1), dtype=np.float32)
    tags = np.exp(_log_softmax(emissions))
    result: Emissions = np.concatenate([tags[:, :1], tags[:, 1::2] + tags[:, 2::2]], axis=1)
    return result


class BioDecoder:
    """Decodes emissions over the tags of :func:`bio_tags`.

    Args:
        labels: Labels in the order of the head's outputs.
        calibrate: What makes the entities' scores probabilities of being right; None leaves them as they are. It changes no
            uncertainty and, but for ``least_score``, no entity.
        least_estimate: Entities of which the model's own estimate is lower are left out: the geometric mean of the
            probabilities of the entity's tags and of its end, in [0, 1], which calibration starts from. It changes no
            uncertainty, and no other entity.
        least_score: Entities with a lower score are left out as well.
    """

    def __init__(
        self,
        labels: Sequence[str],
        calibrate: Calibrate | None = None,
        *,
        least_estimate: float = 0.0,
        least_score: float = 0.0,
    ) -> None:
        self.labels = tuple(labels)
        self._calibrate = calibrate
        self._least_estimate = least_estimate
        self._least_score = least_score

    def decode(self, emissions: Emissions) -> list[WordSpan]:
        """Decodes one document; see :meth:`decode_batch`."""
        return self.decode_batch([emissions])[0]

    def decode_batch(self, documents: Sequence[Emissions]) -> list[list[WordSpan]]:
        """Decodes documents, each by itself.

        Args:
            documents: For each document its emissions. *Shape:* (words, 2 · labels + 1), words may be 0.

        Returns:
            For each document its entities in text order, never overlapping. The score is the geometric mean of the
            probabilities of the entity's tags, so it does not fall with length. Where there is a calibration, it is what that
            makes of the estimate, the mean in which the end of the entity counts as a tag: that the next word does not go on
            with it.
        """
        decoded = _decode(documents)
        return [[] for _ in documents] if decoded is None else self._spans(decoded)

    def judge_batch(self, documents: Sequence[Emissions]) -> list[tuple[list[WordSpan], float]]:
        """Decodes documents and says how unsure of each the model is.

        The uncertainty is 1 − exp(mean over the words of log p of the decoded tag), the maximum normalized log-probability
        (Shen et al. 2018, "Deep Active Learning for Named Entity Recognition") turned around: one minus the geometric mean of
        the probabilities, so that long documents are not taken for hard ones.

        Args:
            documents: As for :meth:`decode_batch`.

        Returns:
            For each document its entities and its uncertainty in [0, 1]; a document without words has 0.
        """
        decoded = _decode(documents)
        if decoded is None:
            return [([], 0.0) for _ in documents]
        totals = np.concatenate([[0.0], np.cumsum(decoded.chosen)])
        means = (totals[decoded.ends] - totals[decoded.begins]) / np.maximum(decoded.ends - decoded.begins, 1)
        # Rounding can leave a sum of logarithms a hair above 0.
        return list(zip(self._spans(decoded), np.clip(-np.expm1(means), 0.0, 1.0).tolist(), strict=True))

    def at_border(self, emissions: Emissions, begins: NDArray[np.int64], margin: float) -> NDArray[np.bool_]:
        """Marks documents of which slightly different emissions would leave out another entity, or let one in.

        Args:
            emissions: Those of the documents one after the other. *Shape:* (words, 2 · labels + 1).
            begins: Where each document begins, in ascending order; none is empty. *Shape:* (documents,).
            margin: How far the log-odds of an entity's estimate may be moved, up or down, to be on the other side of the least
                one; so may those of its score, where that is not made of the estimate.

        Returns:
            *Shape:* (documents,).
        """
        marked = np.zeros(len(begins), dtype=np.bool_)
        if not len(begins) or (self._least_estimate <= 0 and self._least_score <= 0):
            return marked
        decoded = _decode(np.split(emissions, begins[1:]))
        if decoded is not None:
            found = _find(decoded)
            lower, higher = (self._kept(_moved(found.estimates, by), _moved(found.means, by))[0] for by in (-margin, margin))
            marked[found.owners[lower != higher]] = True
        return marked

    def _kept(self, estimates: Scores, means: Scores) -> tuple[NDArray[np.bool_], Scores]:
        """Which entities are not left out, and the scores of all. *Shape:* (entities,), all of them."""
        scores = means if self._calibrate is None else self._calibrate(estimates)
        return (estimates >= self._least_estimate) & (scores >= self._least_score - _HALF_A_DIGIT), scores

    def _spans(self, decoded: _Decoded) -> list[list[WordSpan]]:
        found = _find(decoded)
        kept, scores = self._kept(found.estimates, found.means)
        result: list[list[WordSpan]] = [[] for _ in decoded.begins]
        columns = [
            column[kept].tolist() for column in (found.starts, found.lasts, found.owners, decoded.tags[found.starts], scores)
        ]
        offsets = decoded.begins.tolist()
        for start, last, owner, tag, score in zip(*columns, strict=True):
            begin = offsets[owner]
            result[owner].append(WordSpan(start - begin, last - begin, self.labels[tag // 2], score))
        return result


@dataclass(slots=True)
class _Decoded:
    """The best tags of documents, one after the other; document ``i`` is ``begins[i]:ends[i]``."""

    log_probs: Emissions
    tags: NDArray[np.int64]
    chosen: NDArray[np.float64]
    """Log-probability of each word's tag."""
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass(slots=True)
class _Found:
    """The entities that the tags of :class:`_Decoded` say. *Shape:* (entities,), all of them."""

    starts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    """The first word behind each."""
    owners: NDArray[np.int64]
    """The document of each."""
    means: Scores
    """Geometric mean of the probabilities of the entity's tags."""
    estimates: Scores
    """The same mean, in which the entity's end counts as a tag."""


def _find(decoded: _Decoded) -> _Found:
    tags, ends = decoded.tags, decoded.ends
    inside = (tags > 0) & (tags % 2 == 0)
    starts = np.flatnonzero(tags % 2 == 1)
    # An entity ends before the next word that is not inside; a document's first word never is.
    stops = np.flatnonzero(~np.append(inside, False))
    lasts = stops[np.searchsorted(stops, starts, side="right")]
    totals = np.concatenate([[0.0], np.cumsum(decoded.chosen)])
    sums, lengths = totals[lasts] - totals[starts], lasts - starts
    owners = np.searchsorted(ends, starts, side="right")
    followed = lasts < ends[owners]
    goes_on = np.zeros(len(starts))
    goes_on[followed] = np.exp(decoded.log_probs[lasts[followed], tags[starts[followed]] + 1])
    with_ends = sums + np.log1p(-np.minimum(goes_on, _SURE))
    means, estimates = np.minimum(np.exp(sums / lengths), 1.0), np.minimum(np.exp(with_ends / (lengths + 1)), 1.0)
    return _Found(starts, lasts, owners, means, estimates)


def _moved(scores: Scores, by: float) -> Scores:
    """Scores whose log-odds are so much higher. *Shape:* (entities,), and the same."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        moved: Scores = 1 / (1 + np.exp(-by) * (1 / scores - 1))
    return moved


def _decode(documents: Sequence[Emissions]) -> _Decoded | None:
    """Decodes documents, or gives None where none has a word."""
    lengths = np.array([len(emissions) for emissions in documents], dtype=np.int64)
    if not lengths.sum():
        return None
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
    return _Decoded(log_probs, tags, log_probs[np.arange(len(tags)), tags].astype(np.float64), begins, ends)


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
