"""What documents a model learned from, or was fitted to, without saying what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from viner.document import Document

WHOLE = "train_and_dev"
"""Of what a model was trained on: the documents that both are parts of."""
REFIT = "refit"
"""Of what a model was trained on: whether it learned dev as well, once dev had chosen."""


def fingerprint(documents: Iterable[Document]) -> dict[str, Any]:
    """Their number, that of their entities, and a hash: ``{"documents", "entities", "sha256"}``."""
    digest, count, entities = hashlib.sha256(), 0, 0
    for document in documents:
        digest.update(document.to_json().encode())
        digest.update(b"\n")
        count += 1
        entities += len(document.entities or ())
    return {"documents": count, "entities": entities, "sha256": digest.hexdigest()}
