"""Documents as a model of segments reads them: with segments for words."""

from __future__ import annotations

from collections.abc import Sequence

from viner.bundle import SegmenterRecord
from viner.document import Document
from viner.text import segment_words, words_of


def in_segments(documents: Sequence[Document], segmenter: SegmenterRecord | None, *, keep: bool = False) -> Sequence[Document]:
    """Documents whose words are segments, with the same text, entities and meta; layers of classes of words are left out.

    Args:
        documents: The documents.
        segmenter: What groups their words; None gives the documents back as they are.
        keep: Part segments where entities begin or end, so that a model learns these entities exactly. What it is scored on
            must not be parted so: whoever recognizes does not know where entities are.
    """
    if segmenter is None:
        return documents
    opened = segmenter.open()
    grouped = []
    for document in documents:
        words = words_of(document)
        spans = [(entity.start, entity.end) for entity in document.entities or ()] if keep else []
        segments = segment_words(document.text, words, opened, keep=spans)
        grouped.append(document.with_(words=segments, tags=None))
    return grouped
