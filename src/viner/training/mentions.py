"""Mention replacement: entities are shown in the words of others of their label, so that a model learns contexts, not names.

Dai and Adel (2020), "An Analysis of Simple Data Augmentation for Named Entity Recognition". What takes the place is drawn from
the distinct mentions of the training set, however often each occurs, and replaced anew each epoch. It happens on pieces, whose
labels go along, so nothing is aligned anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from viner.encoding import EncodedText
from viner.training.examples import Example, joined


class Mentions:
    """The mentions of a training set.

    Args:
        texts: Pairs of a text and the BIO tags of its words, as :func:`viner.encoding.bio_tags` numbers them.
            *Shape:* (words,) each.
    """

    def __init__(self, texts: Iterable[tuple[EncodedText, NDArray[np.int64]]]) -> None:
        found: dict[int, dict[bytes, Example]] = {}
        for encoded, tags in texts:
            text = Example.of(encoded, tags)
            for first, last in mention_ranges(tags):
                mention = text.part(first, last)
                found.setdefault(int(tags[first]), {}).setdefault(mention.pieces.tobytes(), mention)
        self._by_tag = {tag: list(mentions.values()) for tag, mentions in found.items()}

    def replaced(self, example: Example, share: float, rng: np.random.Generator, *, cut: bool = False) -> Example:
        """The example with other mentions in the place of some of its own.

        Args:
            example: One whose mentions are whole. What a teacher would say of other words than its own is not known.
            share: Share of the mentions that are replaced; one that is drawn in its own place stays.
            rng: Draws them.
            cut: Whether a mention at its end goes on behind it. Such a one stays: half of it has no other in its place.
        """
        ranges = mention_ranges(example.targets)
        if cut and ranges and ranges[-1][1] == len(example.targets):
            ranges.pop()
        ranges = [bounds for bounds in ranges if rng.random() < share]
        if not ranges:
            return example
        parts, position = [], 0
        for first, last in ranges:
            others = self._by_tag[int(example.targets[first])]
            other = others[int(rng.integers(len(others)))]
            if example.teacher is not None:
                other = other.unheard(example.teacher.shape[1])
            parts += [example.part(position, first), other]
            position = last
        return joined([*parts, example.part(position, len(example.targets))])


def continues(tag: int) -> bool:
    """Whether a BIO tag, as :func:`viner.encoding.bio_tags` numbers them, goes on with a mention."""
    return tag > 0 and tag % 2 == 0


def mention_ranges(tags: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Word ranges of the mentions in BIO tags, end-exclusive; what begins before the first word is none.

    Args:
        tags: As :func:`viner.encoding.bio_tags` numbers them; negative ones are not known. *Shape:* (words,).
    """
    begins = (tags > 0) & (tags % 2 == 1)
    found = []
    for first in np.flatnonzero(begins).tolist():
        last = first + 1
        while last < len(tags) and tags[last] == tags[first] + 1:
            last += 1
        found.append((first, last))
    return found
