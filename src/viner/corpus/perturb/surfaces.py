"""The surfaces that a set of documents has for each label, and documents whose entities have exchanged theirs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from viner.corpus.perturb.language import is_vietnamese
from viner.corpus.perturb.swapping import swap_surfaces
from viner.corpus.reservoirs import Reservoirs
from viner.document import Document, Entity

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
        sample: Reservoirs[str] = Reservoirs(KEPT, rng)
        for document in documents:
            vietnamese = is_vietnamese(document)
            for entity in document.entities or ():
                sample.offer((entity.label, vietnamese), lambda entity=entity: entity.text or "")  # type: ignore[misc]
        self._kept = sample.kept

    def exchanged(self, document: Document, rng: Random) -> Document:
        """The document with surfaces of the same labels from elsewhere in the documents, Vietnamese ones if it is Vietnamese.

        Args:
            document: A document with annotated entities. Where a label has only one surface, it stays.
            rng: Draws the surfaces.
        """
        vietnamese = is_vietnamese(document)
        return swap_surfaces(document, lambda entity: _other(entity, self._kept.get((entity.label, vietnamese), ()), rng))


def _other(entity: Entity, kept: Sequence[str], rng: Random) -> str | None:
    if not kept:
        return None
    return next((drawn for _ in range(_DRAWS) if (drawn := rng.choice(kept)) != entity.text), None)
