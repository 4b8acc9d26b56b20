"""Two versions on the same documents: today's dev set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from viner.document import Document
from viner.metrics import EntityTally, Scores
from viner.metrics.significance import randomization_p
from viner.project.toml import write_text
from viner.store import Filter, Store
from viner.studio.mapped import MappedRecognizer

Tally = dict[str, tuple[int, int, int]]
"""Support, predicted and correct entities of a document, by label."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two versions do on today's dev set.

    Args:
        a: Name of one version.
        b: Name of the other.
        documents: Done documents of dev.
        overall: Micro scores of both.
        labels: Scores of both for each label that occurs.
        p_value: How likely a difference like this would be by chance alone, in (0, 1]; None without entities.
    """

    a: str
    b: str
    documents: int
    overall: tuple[Scores, Scores]
    labels: Mapping[str, tuple[Scores, Scores]] = field(default_factory=dict)
    p_value: float | None = None

    @property
    def delta(self) -> float:
        """F1 of ``b`` minus that of ``a``."""
        return self.overall[1].f1 - self.overall[0].f1

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"a", "b", "documents", "overall": {"a", "b", "support"}, "labels", "delta", "p_value"}``.

        ``labels`` has a pair like ``overall`` for each label; F1 in [0, 1], null where nothing is annotated or
        predicted.
        """
        return {
            "a": self.a,
            "b": self.b,
            "documents": self.documents,
            "overall": _pair(*self.overall),
            "labels": {label: _pair(*scores) for label, scores in self.labels.items()},
            "delta": self.delta,
            "p_value": self.p_value,
        }


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
        questions = (Document(document.text, id=document.id, words=document.words) for document in new)
        for document, answer in zip(new, recognizer.stream(questions), strict=True):
            known[_key(document)] = _tally(document, answer)
        if new:
            # What is no longer in dev is forgotten, so that nothing is left of erased documents.
            self._folder.mkdir(parents=True, exist_ok=True)
            body = {"version": version, "documents": {key: known[key] for key in keys}}
            write_text(file, json.dumps(body) + "\n")
        return [known[key] for key in keys]


def compare_tallies(a: str, b: str, first: list[Tally], second: list[Tally]) -> Comparison:
    """The comparison of two versions by their counts on the same documents."""
    names = sorted({label for tally in (*first, *second) for label in tally})
    labels = {label: (_scores(first, label), _scores(second, label)) for label in names}
    overall = (Scores.micro([pair[0] for pair in labels.values()]), Scores.micro([pair[1] for pair in labels.values()]))
    p_value = None
    if overall[0].support:
        p_value = randomization_p(_totals(first), _totals(second))
    return Comparison(a, b, len(first), overall, labels, p_value)


def _read(file: Path, version: str) -> dict[str, Tally]:
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        if body["version"] != version:
            return {}
        return {key: {label: tuple(counts) for label, counts in tally.items()} for key, tally in body["documents"].items()}
    except (OSError, ValueError, KeyError, AttributeError):
        return {}  # it is made again


def _key(document: Document) -> str:
    asked = json.dumps([document.text, document.words, sorted(_spans(document))], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()[:32]


def _spans(document: Document) -> Iterator[tuple[int, int, str]]:
    return ((entity.start, entity.end, entity.label) for entity in document.entities or ())


def _tally(gold: Document, answer: Document) -> Tally:
    tally = EntityTally()
    tally.add(_spans(gold), _spans(answer))
    return {label: (item.support, item.predicted, item.correct) for label, item in tally.scores().labels.items()}


def _scores(tallies: list[Tally], label: str) -> Scores:
    counts = [tally[label] for tally in tallies if label in tally]
    support, predicted, correct = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0, 0)
    return Scores.from_counts(support=support, predicted=predicted, correct=correct)


def _totals(tallies: list[Tally]) -> Any:
    return np.array([np.sum(list(tally.values()) or [(0, 0, 0)], axis=0) for tally in tallies], dtype=np.int64)


def _pair(a: Scores, b: Scores) -> dict[str, Any]:
    return {
        "a": a.f1 if a.support or a.predicted else None,
        "b": b.f1 if b.support or b.predicted else None,
        "support": max(a.support, b.support),
    }
