"""What the answer to a document keeps of its meta: all but what was said of annotations that are not its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from viner.conll_meta import KEY, conll_of
from viner.document import Document

REVIEWED: Final = "viner:reviewed"
"""Key in ``Document.meta``: ``[[start, end], …]``, the spans that a person accepted or rejected (``viner.corpus.reviewed``)."""


def answer_meta(document: Document) -> Mapping[str, Any]:
    """The meta of the answer to a document.

    Nobody reviewed what a model answers, and tags that were odd in the file are not the answer's. A file that is written of the
    answer would say so of it otherwise, and could then be neither scored nor checked.
    """
    conll = conll_of(document)
    if REVIEWED not in document.meta and (conll is None or "odd" not in conll):
        return document.meta
    meta = {key: value for key, value in document.meta.items() if key != REVIEWED}
    if conll is not None:
        meta[KEY] = {key: value for key, value in conll.items() if key != "odd"}
    return meta
