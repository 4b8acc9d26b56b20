"""Setting documents aside for development."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable

from viner.document import Document
from viner.errors import UsageError


def split_documents(documents: Iterable[Document], share: float = 0.1, seed: int = 0) -> tuple[list[Document], list[Document]]:
    """Splits documents in two by chance, never cutting one; documents of the same text stay on one side.

    Chance goes by the texts, not by their number: where a file has grown by some documents, most of those that were set aside
    are so again, and few that were not. So a model that was trained on less of it has hardly learned what is set aside now.

    Args:
        documents: All documents.
        share: Share of the documents for the second part, in (0, 1). It gets at least one when there are two texts or more.
        seed: The same seed and texts give the same parts, whatever the order of the documents.

    Returns:
        The larger and the smaller part, each in the order given.
    """
    members = list(documents)
    if not 0 < share < 1:
        raise UsageError(f"the share must lie between 0 and 1, not {share}")
    texts = sorted({document.text for document in members}, key=lambda text: (_lot(seed, text), text))
    copies = Counter(document.text for document in members)
    aside: set[str] = set()
    count = 0
    for text in texts[:-1]:
        if count + copies[text] <= share * len(members):
            aside.add(text)
            count += copies[text]
    if not aside and len(texts) > 1:
        aside.add(min(texts[:-1], key=lambda text: copies[text]))
    return [item for item in members if item.text not in aside], [item for item in members if item.text in aside]


def _lot(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed} {text}".encode("utf-8", "surrogatepass")).digest()
