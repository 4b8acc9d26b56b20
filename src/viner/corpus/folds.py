"""Dividing documents for cross-validation."""

from __future__ import annotations

import random
from collections.abc import Sequence

from viner.document import Document
from viner.errors import UsageError


def fold_numbers(documents: Sequence[Document], folds: int, seed: int = 0) -> list[int]:
    """Deals documents out to folds by chance; documents of the same text come into the same one.

    Args:
        documents: All documents.
        folds: How many folds, from 2 to the number of different texts.
        seed: The same seed and texts give the same folds, whatever the order of the documents.

    Returns:
        The fold of each document, from 0. Folds differ by one text at most.

    Raises:
        UsageError: If there are not so many texts, or fewer than two folds.
    """
    texts = sorted({document.text for document in documents})
    if not 2 <= folds <= len(texts):
        raise UsageError(
            f"{len(texts)} different texts cannot be divided into {folds} folds",
            hint="Folds are from 2 to the number of different texts",
        )
    random.Random(seed).shuffle(texts)
    number = {text: index % folds for index, text in enumerate(texts)}
    return [number[document.text] for document in documents]
