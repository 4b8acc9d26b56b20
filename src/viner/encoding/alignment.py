"""Entities of a document as one BIO tag a word, with an account of everything that such tags cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from viner.document import Document, Entity, Span
from viner.text import words_touched

Loss = Literal["cuts a word", "covers no word", "overlaps a longer entity", "unknown label"]


@dataclass(frozen=True, slots=True)
class LostEntity:
    """An entity that the tags do not say exactly.

    An entity that "cuts a word" is taught with the whole word; the other kinds are not taught at all.
    """

    entity: Entity
    reason: Loss


@dataclass(frozen=True, slots=True)
class AlignedTags:
    """What an entity head is taught of a document.

    Args:
        tags: *Shape:* (words,). Index into :func:`viner.encoding.bio_tags`.
        lost: Entities that ``tags`` says differently or not at all.
    """

    tags: NDArray[np.int64]
    lost: tuple[LostEntity, ...]


def align(document: Document, words: Sequence[Span], labels: Sequence[str]) -> AlignedTags:
    """Turns a document's entities into BIO tags over words.

    Where entities overlap, the longest one is kept (then the first), since a flat head can say only one.

    Args:
        document: A document with annotated entities (None counts as none).
        words: Spans of its words, as :func:`viner.text.split_words` or ``document.words`` gives them.
        labels: Labels in the order of the head's outputs.
    """
    tags = np.zeros(len(words), dtype=np.int64)
    lost: list[LostEntity] = []
    index = {label: position for position, label in enumerate(labels)}
    starts = [start for start, _ in words]
    ends = [end for _, end in words]
    for entity in sorted(document.entities or (), key=lambda e: (e.start - e.end, e.start)):
        if entity.label not in index:
            lost.append(LostEntity(entity, "unknown label"))
            continue
        touched = words_touched(starts, ends, (entity.start, entity.end))
        first, last = touched.start, touched.stop
        if not touched:
            lost.append(LostEntity(entity, "covers no word"))
        elif tags[first:last].any():
            lost.append(LostEntity(entity, "overlaps a longer entity"))
        else:
            if starts[first] < entity.start or ends[last - 1] > entity.end:
                lost.append(LostEntity(entity, "cuts a word"))
            tags[first] = 2 * index[entity.label] + 1
            tags[first + 1 : last] = 2 * index[entity.label] + 2
    return AlignedTags(tags, tuple(lost))
