"""What documents a model learned from, or was fitted to, without saying what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from viner.document import Document

WHOLE = "train_and_dev"
"""Of what a model was trained on: the documents that both are parts of."""
REFIT = "refit"
"""Of what a model was trained on: whether it learned dev as well, once dev had chosen."""

LEARNED = "learned"
"""Of a comparison of engines: whether the model had learned the documents, whose F1 then is not told."""

DEV_BEFORE = "dev_before_refit"
"""Key of ``metrics`` in the place of "dev": figures of the model that decided before one that learned dev."""


class Fingerprint:
    """The number of documents, that of their entities, and a hash, taken as they come."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._documents = self._entities = 0

    def add(self, document: Document) -> None:
        """Takes the next document."""
        self._digest.update(document.to_json().encode())
        self._digest.update(b"\n")
        self._documents += 1
        self._entities += len(document.entities or ())

    def to_dict(self) -> dict[str, Any]:
        """``{"documents", "entities", "sha256"}`` of the documents so far."""
        return {"documents": self._documents, "entities": self._entities, "sha256": self._digest.hexdigest()}


def fingerprint(documents: Iterable[Document]) -> dict[str, Any]:
    """Their number, that of their entities, and a hash: ``{"documents", "entities", "sha256"}``."""
    found = Fingerprint()
    for document in documents:
        found.add(document)
    return found.to_dict()


def has_learned(data: Mapping[str, Any], documents: Mapping[str, Any]) -> bool:
    """Whether a model learned these very documents, all of them or nine in ten. Of another selection of them it knows nothing.

    Args:
        data: What its folder says of its data.
        documents: Their fingerprint. Those without annotations do not count, since nothing is learned from them.
    """
    learned = [data.get(name) for name in ("train", WHOLE, *(("dev",) if data.get(REFIT) else ()))]
    return any(isinstance(item, Mapping) and item.get("sha256") == documents["sha256"] for item in learned)


def has_learned_of(data: Mapping[str, Any], whole: Mapping[str, Any], aside: Mapping[str, Any]) -> bool:
    """Whether a model learned of documents that were set aside: it was trained on the same file, and set others aside, or none.

    Args:
        data: What its folder says of its data.
        whole: Fingerprint of all documents of the file.
        aside: That of those that were set aside.
    """
    train, theirs, dev = (data.get(name) for name in ("train", WHOLE, "dev"))
    if isinstance(train, Mapping) and train.get("sha256") == whole["sha256"]:
        return True
    if not isinstance(theirs, Mapping) or theirs.get("sha256") != whole["sha256"]:
        return False
    return bool(data.get(REFIT)) or not isinstance(dev, Mapping) or dev.get("sha256") != aside["sha256"]
