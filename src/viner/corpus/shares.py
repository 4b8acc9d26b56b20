"""Growing parts of a corpus, each of which holds the ones before it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

from viner.document import Document

_OFTEN = 0.02
"""Texts with a larger share of the documents come last."""


def nested_shares(documents: Sequence[Document], shares: Sequence[float], seed: int = 0) -> list[list[Document]]:
    """Draws parts by chance, so that a larger one holds all of a smaller one; documents of the same text stay together.

    Texts that are there very often come last, since with one of them a part is larger than it should be.

    Args:
        documents: All documents.
        shares: Share of the documents for each part, in (0, 1].
        seed: The same seed and texts give the same parts, whatever the order of the documents.

    Returns:
        A part for each share, with one text at least, each in the order given.
    """
    texts = sorted({document.text for document in documents})
    random.Random(seed).shuffle(texts)
    copies = Counter(document.text for document in documents)
    texts.sort(key=lambda text: copies[text] > max(1, _OFTEN * len(documents)))
    parts = []
    for share in shares:
        drawn: set[str] = set()
        count, wanted = 0, share * len(documents) + 1e-9
        for text in texts:
            if drawn and count + copies[text] > wanted:
                break
            drawn.add(text)
            count += copies[text]
        parts.append([document for document in documents if document.text in drawn])
    return parts
