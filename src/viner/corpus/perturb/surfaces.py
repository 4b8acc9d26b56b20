"""The surfaces that a set of documents has for each label, and documents whose entities have exchanged theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from viner.corpus.perturb.language import is_vietnamese
from viner.corpus.perturb.swapping import swap_surfaces
from viner.corpus.reservoirs import Reservoirs
from viner.document import Document, Entity, Span
from viner.text import split_words

KEPT = 1000
"""Surfaces kept of each label, so that memory does not grow with the documents."""

_DRAWS = 10


class Surfaces:
    """A sample of the surfaces of each label, all equally likely to be in it, Vietnamese ones apart.

    Args:
        documents: Where they come from; read once.
        rng: Draws the sample.
    """

    def __init__(self, documents: Iterable[Document], rng: Random) -> None:
        sample: Reservoirs[_Surface] = Reservoirs(KEPT, rng)
        for document in documents:
            vietnamese = is_vietnamese(document)
            for entity in document.entities or ():
                key = entity.label, vietnamese
                sample.offer(key, lambda document=document, entity=entity: _surface(document, entity))  # type: ignore[misc]
        self._kept = sample.kept

    def exchanged(self, document: Document, rng: Random) -> Document:
        """The document with surfaces of the same labels from elsewhere in the documents, Vietnamese ones if it is Vietnamese.

        Args:
            document: A document with annotated entities. Where a label has only one surface, it stays.
            rng: Draws the surfaces.
        """
        vietnamese = is_vietnamese(document)
        words: dict[str, Sequence[Span]] = {}

        def other(entity: Entity) -> str | None:
            drawn = _other(entity, self._kept.get((entity.label, vietnamese), ()), rng)
            if drawn is None:
                return None
            if drawn.words is not None:
                words[drawn.text] = drawn.words
            return drawn.text

        return swap_surfaces(document, other, lambda surface: words[surface] if surface in words else split_words(surface))


@dataclass(frozen=True, slots=True)
class _Surface:
    text: str
    words: Sequence[Span] | None
    """Those of the document that it comes from, counted from its beginning; None where it brings none that end with it."""


def _surface(document: Document, entity: Entity) -> _Surface:
    text = entity.text or ""
    words = None
    if document.words is not None:
        inside = [word for word in document.words if word[0] < entity.end and word[1] > entity.start]
        if inside and inside[0][0] >= entity.start and inside[-1][1] <= entity.end:
            words = [(start - entity.start, end - entity.start) for start, end in inside]
    return _Surface(text, words)


def _other(entity: Entity, kept: Sequence[_Surface], rng: Random) -> _Surface | None:
    if not kept:
        return None
    drawn = next((drawn for _ in range(_DRAWS) if (drawn := rng.choice(kept)).text != entity.text), None)
    if drawn is not None:
        return drawn
    others = [surface for surface in kept if surface.text != entity.text]  # where one surface is most of them
    return rng.choice(others) if others else None
