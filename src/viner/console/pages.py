"""Long results in portions that a browser shows at once."""

from __future__ import annotations

from collections.abc import Sequence

from viner.document import Document

PAGE_CHARACTERS = 60_000
"""A page ends when the next document would exceed so many code points; a longer document is cut for display."""
PAGE_DOCUMENTS = 50
PAGE_ENTITIES = 1_500


def split_pages(documents: Sequence[Document]) -> list[tuple[int, int]]:
    """Ranges ``(first, last exclusive)`` of documents, each of which fits a page; one empty page when there are none."""
    pages: list[tuple[int, int]] = []
    first = characters = entities = 0
    for index, document in enumerate(documents):
        length, found = len(document.text), len(document.entities or ())
        full = characters + length > PAGE_CHARACTERS or entities + found > PAGE_ENTITIES or index - first >= PAGE_DOCUMENTS
        if full and index > first:
            pages.append((first, index))
            first, characters, entities = index, 0, 0
        characters += length
        entities += found
    return [*pages, (first, len(documents))]
