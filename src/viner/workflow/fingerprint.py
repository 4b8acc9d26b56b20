"""What documents a model learned from, or was fitted to, without saying what is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from viner.corpus import REVIEWED, is_partial
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
    """The number of documents, that of their entities, and two hashes, taken as they come.

    One is of the documents as they are, in their order. The other is of what they teach, texts and entities, whatever their ids
    and order: the same file in another format, or with other line ends, is known by it. It is the sum of the documents' hashes
    modulo 2**256, after Bellare and Micciancio (1997).
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._content = 0
        self._documents = self._entities = 0

    def add(self, document: Document) -> None:
        """Takes the next document."""
        self._digest.update(document.to_json().encode())
        self._digest.update(b"\n")
        entities = sorted((entity.start, entity.end, entity.label) for entity in document.entities or ())
        told = [document.text, entities, document.meta[REVIEWED] if is_partial(document) else None]
        self._content += int.from_bytes(hashlib.sha256(json.dumps(told).encode()).digest())
        self._documents += 1
        self._entities += len(document.entities or ())

    def to_dict(self) -> dict[str, Any]:
        """``{"documents", "entities", "sha256", "content"}`` of the documents so far."""
        return {
            "documents": self._documents,
            "entities": self._entities,
            "sha256": self._digest.hexdigest(),
            "content": f"{self._content % (1 << 256):064x}",
        }


def fingerprint(documents: Iterable[Document]) -> dict[str, Any]:
    """Their number, that of their entities, and their hashes: ``{"documents", "entities", "sha256", "content"}``."""
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
    return any(are_same(item, documents) for item in learned)


def has_learned_of(data: Mapping[str, Any], whole: Mapping[str, Any], aside: Mapping[str, Any]) -> bool:
    """Whether a model learned of documents that were set aside: it was trained on the same file, and set others aside, or none.

    Args:
        data: What its folder says of its data.
        whole: Fingerprint of all documents of the file.
        aside: That of those that were set aside.
    """
    train, theirs, dev = (data.get(name) for name in ("train", WHOLE, "dev"))
    if are_same(train, whole):
        return True
    if not are_same(theirs, whole):
        return False
    return bool(data.get(REFIT)) or not are_same(dev, aside)


def are_same(told: object, documents: Mapping[str, Any]) -> bool:
    """Whether what a model folder says of documents is about these; older ones know the hash of the very lines alone."""
    if not isinstance(told, Mapping):
        return False
    return told.get("sha256") == documents["sha256"] or (
        told.get("content") is not None and told["content"] == documents.get("content")
    )
