"""Annotations that are probably wrong, by evidence that an evaluation has at hand: a sure model that was not asked about them.

A model that is sure and disagrees is often right, and the more often the same text is annotated as the model says elsewhere,
the more so. This holds for documents that the model did not learn from. For those that it learned from,
:mod:`viner.evaluation.confident` judges by models that did not.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viner.document import Document, Entity, json_line
from viner.evaluation.errors import Pair
from viner.evaluation.excerpts import Excerpt, Excerpts
from viner.evaluation.surfaces import LONGEST, Surfaces
from viner.formats.html.marks import percent

SURE = 0.9
"""From this score on a model is taken for sure."""
MOST = 100
"""Doubts that are kept."""
_SHOWN = 60
"""Code points of an entity that a line for people shows."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """An annotation that is probably wrong, or is missing.

    Args:
        pair: What is annotated, and what should be according to the model; None stands for no entity.
        excerpt: The text around it.
        confidence: How sure the model is that the annotation is wrong, in [0, 1]: the score of its own answer, or what
            :func:`viner.evaluation.confident.doubtful` says.
        elsewhere: How often the model's span, or the annotated one where it has none, is annotated with each label at other
            places.
    """

    pair: Pair
    excerpt: Excerpt
    confidence: float
    elsewhere: Mapping[str, int] = field(default_factory=dict)

    @property
    def supported(self) -> bool:
        """Whether other places speak for the model rather than for the annotation."""
        gold, predicted = self.pair.labels
        said = self.elsewhere.get(predicted, 0) if predicted is not None else 0
        return said > (self.elsewhere.get(gold, 0) if gold is not None and gold != predicted else 0)

    def to_dict(self, *, surfaces: bool = True) -> dict[str, Any]:
        """The JSON form: where it is, both entities with their offsets in the document, and the evidence.

        Args:
            surfaces: Whether texts of entities are in it.
        """
        return {
            "document": self.excerpt.name,
            "line": self.excerpt.line,
            "kind": self.pair.kind,
            **self.pair.to_dict(surfaces=surfaces),
            "confidence": round(self.confidence, 4),
            "elsewhere": dict(self.elsewhere),
        }

    def to_json(self) -> str:
        """The JSON form on one line."""
        return json_line(self.to_dict())

    def __str__(self) -> str:
        """One line for people: place, text, what is annotated and what should be, and how sure that is."""
        line = "" if self.excerpt.line is None else f":{self.excerpt.line}"
        entities = [entity for entity in (self.pair.gold, self.pair.predicted) if entity is not None]
        texts = list(dict.fromkeys(repr(" ".join((entity.text or "").split())[:_SHOWN]) for entity in entities))
        gold, predicted = (label or "no entity" for label in self.pair.labels)
        change = f"{gold} → {predicted}" if gold != predicted else gold
        return f"{self.excerpt.name}{line}: {' → '.join(texts)} {change} ({percent(self.confidence)} sure)"


def pair_as_it_is(
    data: Mapping[str, Any], document: Document, labels: Mapping[str, str | None], *, decided: bool = False
) -> Pair | None:
    """The annotation in doubt and the answer, from the JSON form of a doubt; None where the document has settled it since.

    It is settled where the entity in doubt is no longer annotated, or where something is annotated that seemed to be missing.

    Args:
        data: What :meth:`Doubt.to_dict` gives, with or without surfaces, and under "beside" the spans of annotated entities
            that overlapped an answer without an annotation when it was given.
        document: The document, as it is annotated now.
        labels: What labels of that time are called now; None where no single one follows, which settles the doubt, too.
        decided: A person found the annotation to be right, so what becomes of the answer's label does not matter.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: If the data is something else.
    """
    named = [data[side]["label"] for side in (("gold",) if decided else ("gold", "predicted")) if data[side] is not None]
    if any(labels.get(label, label) is None for label in named):
        return None
    gold, predicted = (None if data[side] is None else _entity(data[side], document, labels) for side in ("gold", "predicted"))
    annotated = document.entities or ()
    if gold is not None:
        settled = gold.labeled_span not in {entity.labeled_span for entity in annotated}
    elif predicted is not None:
        known = {(int(start), int(end)) for start, end in data["beside"]}
        there = [(entity.start, entity.end) for entity in annotated]
        settled = any(start < predicted.end and predicted.start < end for start, end in there if (start, end) not in known)
    else:
        raise ValueError("neither an annotation nor an answer")
    return None if settled else Pair(gold, predicted)


def _entity(data: Mapping[str, Any], document: Document, labels: Mapping[str, str | None]) -> Entity:
    """An entity from its JSON form, under its label of now.

    Raises:
        ValueError: If it does not lie in the document.
    """
    start, end = int(data["start"]), int(data["end"])
    if not 0 <= start < end <= len(document.text):
        raise ValueError(f"{start} to {end} does not lie in the document")
    score = None if data.get("score") is None else float(data["score"])
    label = labels.get(data["label"]) or str(data["label"])
    return Entity(start, end, label, score=score, source=data.get("source"), text=document.text[start:end])


class DoubtCollector:
    """Keeps the errors of which the model is surest.

    Args:
        surfaces: What is annotated elsewhere; asked when all documents have been seen.
    """

    def __init__(self, surfaces: Surfaces) -> None:
        self.count = 0
        """How many errors the model is sure of."""
        self._surfaces = surfaces
        self._kept: list[tuple[float, int, Pair, Excerpt]] = []

    def offer(self, pair: Pair, cutter: Excerpts) -> None:
        """Takes an error."""
        score = None if pair.predicted is None else pair.predicted.score
        if score is None or score < SURE:
            return
        self.count += 1
        if len(self._kept) < MOST or score > self._kept[0][0]:
            item = (score, -self.count, pair, cutter.cut(pair.start, pair.end))
            (heapq.heappush if len(self._kept) < MOST else heapq.heappushpop)(self._kept, item)

    def found(self) -> list[Doubt]:
        """The doubts: first those for which other places speak, then by confidence."""
        texts = {surface_of(pair) for _, _, pair, _ in self._kept}
        tables = self._surfaces.tables(texts)
        doubts = [
            Doubt(pair, excerpt, score, elsewhere(pair, tables[surface_of(pair)])) for score, _, pair, excerpt in self._kept
        ]
        return sorted(
            doubts, key=lambda doubt: (not doubt.supported, -doubt.confidence, doubt.excerpt.number, doubt.pair.start)
        )


def elsewhere(pair: Pair, annotated: Counter[str]) -> dict[str, int]:
    """How often the text in question is annotated with each label, this place left out.

    Args:
        pair: The annotation in doubt and the answer.
        annotated: How often the text is annotated with each label, this place included.
    """
    counts = Counter(annotated)
    if pair.gold is not None and (pair.gold.text or "")[:LONGEST] == surface_of(pair):
        counts[pair.gold.label] -= 1
    return {label: count for label, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count > 0}


def surface_of(pair: Pair) -> str:
    """The text in question: that of the answer, or the annotated one where there is no answer."""
    entity = pair.predicted or pair.gold
    assert entity is not None
    return (entity.text or "")[:LONGEST]
