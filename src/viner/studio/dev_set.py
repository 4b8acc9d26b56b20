"""Versions on the same documents: today's dev set."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from viner.document import Document
from viner.evaluation.comparison import Tally, document_tally
from viner.project.toml import write_text
from viner.store import Filter, Store
from viner.studio.mapped import MappedRecognizer


class DevSet:
    """Today's dev set: the done documents of dev. What a version answered is kept by document, as counts alone.

    Args:
        store: The store.
        folder: Where the counts are kept.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder

    def tallies(self, name: str, version: str, recognizer: MappedRecognizer) -> list[Tally]:
        """How a version does on each document, in the order of the store; only documents it has not seen so are recognized.

        Args:
            name: Name of the version.
            version: What changes when the version, or the labels it answers with, change.
            recognizer: The version.
        """
        file = self._folder / f"{name}.json"
        known = _read(file, version)
        keys, new = [], []
        for document in self._store.export(Filter(splits=("dev",), statuses=("done",))):
            keys.append(_key(document))
            if keys[-1] not in known:
                new.append(document)
        questions = (document.bare() for document in new)
        for document, answer in zip(new, recognizer.stream(questions), strict=True):
            known[_key(document)] = document_tally(document, answer)
        if new:
            # What is no longer in dev is forgotten, so that nothing is left of erased documents.
            self._folder.mkdir(parents=True, exist_ok=True)
            body = {"version": version, "documents": {key: known[key] for key in keys}}
            write_text(file, json.dumps(body) + "\n")
        return [known[key] for key in keys]


def _read(file: Path, version: str) -> dict[str, Tally]:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        if body["version"] != version:
            return {}
        return {key: {label: tuple(counts) for label, counts in tally.items()} for key, tally in body["documents"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}  # it is made again


def _key(document: Document) -> str:
    spans = sorted(entity.labeled_span for entity in document.entities or ())
    asked = json.dumps([document.text, document.words, spans], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]
