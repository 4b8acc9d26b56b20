"""What went wrong between annotation and answer: entities of both are paired, and each pair has a kind.

The kinds are those of Manning (2006, "Doing Named Entity Recognition? Don't optimize for F1"), which go back to the scoring of
MUC-5 (Chinchor and Sundheim 1993): right, wrong type, wrong borders, both wrong, missed, spurious. Strict scores count a pair
that is wrong twice, as missed and as spurious; here it is one error, so counts of errors are no false positives and negatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from viner.document import Entity

Kind = Literal["correct", "type", "boundary", "boundary_type", "missed", "spurious"]
ErrorKind = Literal["type", "boundary", "boundary_type", "missed", "spurious"]

KINDS: tuple[ErrorKind, ...] = get_args(ErrorKind)
"""The kinds of errors in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An annotated entity and the answer that stands for it; one of them is None where the other has no partner.

    Args:
        gold: The annotated entity.
        predicted: The recognized one.
    """

    gold: Entity | None
    predicted: Entity | None

    @property
    def kind(self) -> Kind:
        """What is wrong about it, or "correct"."""
        if self.gold is None:
            return "spurious"
        if self.predicted is None:
            return "missed"
        same_label = self.gold.label == self.predicted.label
        if (self.gold.start, self.gold.end) == (self.predicted.start, self.predicted.end):
            return "correct" if same_label else "type"
        return "boundary" if same_label else "boundary_type"

    @property
    def labels(self) -> tuple[str | None, str | None]:
        """The annotated label and the recognized one."""
        return (
            None if self.gold is None else self.gold.label,
            None if self.predicted is None else self.predicted.label,
        )

    @property
    def start(self) -> int:
        """Where the first of the two begins."""
        return min(entity.start for entity in (self.gold, self.predicted) if entity is not None)

    @property
    def end(self) -> int:
        """Where the last of the two ends."""
        return max(entity.end for entity in (self.gold, self.predicted) if entity is not None)

    def to_dict(self, *, surfaces: bool = True) -> dict[str, Any]:
        """The JSON form: both entities, with their surfaces unless these are not wanted, null where one is missing."""
        sides = {"gold": self.gold, "predicted": self.predicted}
        return {side: None if entity is None else entity.to_dict(surface=surfaces) for side, entity in sides.items()}


def align(gold: Iterable[Entity], predicted: Iterable[Entity]) -> list[Pair]:
    """Pairs the entities of a document with those that were recognized in it. Each is in exactly one pair.

    Equal ones are paired first, then those of the same span, then overlapping ones of the same label, then overlapping ones
    of different labels; among equals the pair goes first whose spans have more in common (intersection over union), then the
    one that stands further left. So the pairs do not depend on the order of the entities, and as many are correct as strict
    scores count.

    Args:
        gold: The annotated entities; they may nest, cross and repeat.
        predicted: The recognized ones, of the same text.

    Returns:
        The pairs in the order of the text.
    """
    golds, answers = sorted(gold, key=_place), sorted(predicted, key=_place)
    candidates = sorted((*_closeness(golds[g], answers[p]), g, p) for g, p in _overlaps(golds, answers))
    partner: dict[int, int] = {}
    taken: set[int] = set()
    for *_, g, p in candidates:
        if g not in partner and p not in taken:
            partner[g] = p
            taken.add(p)
    pairs = [Pair(entity, answers[partner[g]] if g in partner else None) for g, entity in enumerate(golds)]
    pairs += [Pair(None, answer) for p, answer in enumerate(answers) if p not in taken]
    return sorted(pairs, key=lambda pair: (pair.start, pair.end, pair.gold is None))


def f1_without(counts: Mapping[Kind, int], kind: ErrorKind) -> float:
    """Strict F1 if every error of a kind were mended and nothing else changed.

    This is the oracle of Bolya et al. (2020, "TIDE: A General Toolbox for Identifying Object Detection Errors"): it tells how
    many points a kind of error costs, which its count does not, since a wrong pair counts against precision and recall.

    Args:
        counts: Pairs of each kind.
        kind: The kind that is mended: wrong pairs become right, missed entities are found, spurious ones are not there.
    """
    correct, support, predicted = totals(counts)
    number = counts.get(kind, 0)
    if kind == "spurious":
        predicted -= number
    else:
        correct += number
        predicted += number if kind == "missed" else 0
    return _f1(correct, support, predicted)


def f1(counts: Mapping[Kind, int]) -> float:
    """Strict F1 of pairs, in [0, 1]."""
    return _f1(*totals(counts))


def totals(counts: Mapping[Kind, int]) -> tuple[int, int, int]:
    """Correct, annotated and recognized entities, from the pairs of each kind."""
    paired = sum(counts.get(kind, 0) for kind in ("correct", "type", "boundary", "boundary_type"))
    return counts.get("correct", 0), paired + counts.get("missed", 0), paired + counts.get("spurious", 0)


def _f1(correct: int, support: int, predicted: int) -> float:
    return 2 * correct / (support + predicted) if correct else 0.0


def _place(entity: Entity) -> tuple[int, int, str, float]:
    return entity.start, entity.end, entity.label, -(entity.score or 0.0)


def _closeness(gold: Entity, answer: Entity) -> tuple[int, float]:
    """Sorts what belongs together first."""
    same_span = (gold.start, gold.end) == (answer.start, answer.end)
    same_label = gold.label == answer.label
    common = min(gold.end, answer.end) - max(gold.start, answer.start)
    union = max(gold.end, answer.end) - min(gold.start, answer.start)
    return 2 * (not same_span) + (not same_label), -common / union


def _overlaps(golds: list[Entity], answers: list[Entity]) -> list[tuple[int, int]]:
    """Indices of all pairs that share a code point, in one pass over both lists, which are sorted by start."""
    found: list[tuple[int, int]] = []
    open_golds: list[int] = []
    open_answers: list[int] = []
    g = p = 0
    while g < len(golds) or p < len(answers):
        if p == len(answers) or (g < len(golds) and golds[g].start <= answers[p].start):
            open_answers = [other for other in open_answers if answers[other].end > golds[g].start]
            found += [(g, other) for other in open_answers]
            open_golds.append(g)
            g += 1
        else:
            open_golds = [other for other in open_golds if golds[other].end > answers[p].start]
            found += [(other, p) for other in open_golds]
            open_answers.append(p)
            p += 1
    return found
