"""Other surfaces for the entities of a document."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence

from viner.corpus.perturb.rewriting import Edit, Rewriting, fixed_borders
from viner.document import Document, Entity, Span
from viner.text import split_words


def swap_surfaces(
    document: Document, other: Callable[[Entity], str | None], words: Callable[[str], Sequence[Span]] | None = None
) -> Document:
    """The document with other surfaces for some of its entities.

    An entity keeps its surface where anything else begins or ends in it, such as an entity that it crosses or holds, where
    another one has the same span, or where one of the document's own words reaches across its border: what is right there would
    be in doubt. Suggestions are left out, and so are the classes of words, which are others now.

    Args:
        document: A document with annotated entities.
        other: Gets an entity and returns its new surface, which is not empty, or None for the one that it has.
        words: Gets a new surface and returns its words, in a document that brings its own; None takes the splitter's.
    """
    bare = document.with_(suggestions=None)
    edits = [Edit(entity.start, entity.end, new) for entity in _alone(bare) if (new := other(entity)) is not None]
    if not edits:
        return document
    rewriting = Rewriting(document.text, edits)
    changed = rewriting.document(bare.with_(words=None, tags=None))
    if document.words is None:
        return changed
    return changed.with_(words=_words(document.words, edits, rewriting, words or split_words))


def _alone(document: Document) -> list[Entity]:
    """Entities that can have another surface, in order."""
    borders = sorted(fixed_borders(document))
    spans = Counter((entity.start, entity.end) for entity in document.entities or ())
    starts, ends = ({word[side] for word in document.words or ()} for side in (0, 1))
    return [
        entity
        for entity in sorted(document.entities or (), key=lambda entity: entity.start)
        if spans[entity.start, entity.end] == 1
        and bisect_right(borders, entity.start) == bisect_left(borders, entity.end)
        and (document.words is None or (entity.start in starts and entity.end in ends))
    ]


def _words(
    words: Sequence[Span], edits: Sequence[Edit], rewriting: Rewriting, split: Callable[[str], Sequence[Span]]
) -> list[Span]:
    starts = [edit.start for edit in edits]
    ends = [edit.end for edit in edits]
    kept = [word for word in words if bisect_right(starts, word[0]) == bisect_right(ends, word[0])]
    found = [(rewriting.offset(start), rewriting.offset(end)) for start, end in kept]
    for edit in edits:
        at = rewriting.offset(edit.start)
        found += [(at + start, at + end) for start, end in split(edit.text)]
    return sorted(found)
