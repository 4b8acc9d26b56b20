"""Documents without the punctuation mark at their end, as notes and titles are written."""

from __future__ import annotations

import regex

from viner.corpus.perturb.rewriting import Edit, Rewriting, fixed_borders
from viner.corpus.reviewed import reviewed_spans
from viner.document import Document

_FINAL = regex.compile(r"[.!?…。！？]++(?=\s*\Z)")


def without_final_stop(document: Document) -> Document:
    """The document without full stops, question and exclamation marks at its end.

    They stay where an annotation holds one, a word of the document reaches into them (*TP.*), or a sentence begins among them.
    """
    found = _FINAL.search(document.text)
    if found is None:
        return document
    start, end = found.span()
    marked = [(item.start, item.end) for item in (*(document.entities or ()), *(document.suggestions or ()))]
    if any(first < end and last > start for first, last in (*marked, *(reviewed_spans(document) or ()))):
        return document
    if any(start < border < end for border in fixed_borders(document)):
        return document
    words = document.words
    if words is not None:
        words = [word for word in words if word[1] <= start]
        if len(words) < len(document.words or ()) and (document.words or ())[len(words)][0] < start:
            return document
        tags = document.tags and {layer: classes[: len(words)] for layer, classes in document.tags.items()}
        document = document.with_(words=words, tags=tags)
    return Rewriting(document.text, [Edit(start, end, "")]).document(document)
