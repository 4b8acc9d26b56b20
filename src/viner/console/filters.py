"""Which entities of recognized documents a person wants to see; works on results, never runs the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from viner.document import Document


def keep(document: Document, labels: Collection[str], least: float) -> Document:
    """The document with only the entities of some types and of at least some score.

    Args:
        document: A recognized document.
        labels: Names of the types to keep.
        least: Lowest score in [0, 1]; an entity without a score always passes.
    """
    labeled = [entity for entity in document.entities or () if entity.label in labels]
    entities = [entity for entity in labeled if entity.score is None or entity.score >= least]
    return document.with_(entities=entities, relations=None)


def count_labels(documents: Iterable[Document]) -> Counter[str]:
    """How many entities of each type the documents hold."""
    return Counter(entity.label for document in documents for entity in document.entities or ())
