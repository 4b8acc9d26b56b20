"""Neighboring documents as one long document, as when somebody pastes a whole report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from viner.corpus.reviewed import refuse_partial
from viner.document import Document, Entity, Span

COUNT = 20
"""Documents that are joined into one."""

_BETWEEN = "\n"


def joined(documents: Iterable[Document], count: int = COUNT) -> Iterator[Document]:
    """Every ``count`` neighbors as one document, a line break between them, with their words and entities.

    Words are kept where all of them bring their own. Everything else is about one document alone, and is left out.

    Args:
        documents: Documents with annotated entities.
        count: How many become one; the last one is made of those that are left.

    Raises:
        InputError: If one is annotated only in part.
    """
    rest = iter(documents)
    while group := list(islice(rest, count)):
        refuse_partial(group, "join with others")
        yield _join(group)


def _join(documents: Sequence[Document]) -> Document:
    words: list[Span] = []
    entities: list[Entity] = []
    at = 0
    for document in documents:
        words += [(start + at, end + at) for start, end in document.words or ()]
        entities += [
            replace(item, start=item.start + at, end=item.end + at, id=None)  # ids are unique within one document only
            for item in document.entities or ()
        ]
        at += len(document.text) + len(_BETWEEN)
    cut = all(document.words is not None for document in documents)
    text = _BETWEEN.join(document.text for document in documents)
    return Document(text, id=documents[0].id, words=words if cut else None, entities=entities)
