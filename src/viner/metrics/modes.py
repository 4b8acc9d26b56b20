"""Scores that forgive in four ways: strict, exact, partial and type, as in SemEval-2013 task 9.1.

The task (Segura-Bedmar, Martínez and Herrero-Zazo 2013) counts as MUC-5 did (Chinchor and Sundheim 1993): annotated and
predicted entities that overlap are paired, and each pair, and each entity without a partner, falls into one of five classes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

Mode = Literal["strict", "exact", "partial", "type"]
"""What must be right: borders and label; borders; any overlap, where other borders count half; any overlap, and the label."""

MODES: tuple[Mode, ...] = get_args(Mode)

Triple = tuple[int, int, str]
"""``(start, end, label)`` of an entity, end-exclusive, in any unit."""


@dataclass(frozen=True, slots=True)
class ModeScores:
    """Counts of the five classes, and the figures that follow.

    Args:
        correct: Pairs that are right.
        incorrect: Pairs that are wrong.
        partial: Pairs that overlap with different borders; counted in the mode "partial" only, as half right.
        missed: Annotated entities without a partner.
        spurious: Predicted entities without a partner.
    """

    correct: int = 0
    incorrect: int = 0
    partial: int = 0
    missed: int = 0
    spurious: int = 0

    @property
    def possible(self) -> int:
        """Number of annotated entities."""
        return self.correct + self.incorrect + self.partial + self.missed

    @property
    def actual(self) -> int:
        """Number of predicted entities."""
        return self.correct + self.incorrect + self.partial + self.spurious

    @property
    def precision(self) -> float:
        """Credit over predicted entities, in [0, 1]; 0 when nothing was predicted."""
        return self._credit / self.actual if self.actual else 0.0

    @property
    def recall(self) -> float:
        """Credit over annotated entities, in [0, 1]; 0 when there is none."""
        return self._credit / self.possible if self.possible else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of the two; 0 when both are 0."""
        return 2 * self._credit / (self.actual + self.possible) if self._credit else 0.0

    @property
    def _credit(self) -> float:
        return self.correct + self.partial / 2

    def __add__(self, other: ModeScores) -> ModeScores:
        return ModeScores(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the three figures and the five counts by name."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1, **asdict(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModeScores:
        """Reads the JSON form.

        Raises:
            KeyError: If a count is missing.
        """
        return cls(*(data[field.name] for field in fields(cls)))


def score_modes(gold: Iterable[Triple], predicted: Iterable[Triple]) -> dict[Mode, ModeScores]:
    """Scores the entities of one document in all modes; those of several documents are added up.

    Equal entities are paired first, then (but not in the mode "type") those of equal borders. Of the others each prediction,
    from left to right, takes the first annotated entity that it overlaps and that is free; in the mode "type" the one of its
    own label whose borders are nearest goes before. Each entity has one partner at most, so an annotated entity that is
    predicted in two pieces is one pair and one spurious entity.

    On flat entities in the order of the text this equals the package nervaluate (1.2), but for three things. An overlap is one
    unit at least, where nervaluate asks for 1 % of the annotated entity, which differs for entities of more than 100 units. The
    order in which entities are given plays no part. And since equal entities are paired first, nested and crossing ones have as
    many correct pairs in the mode "strict" as :func:`viner.metrics.evaluate` counts.

    Args:
        gold: The annotated entities.
        predicted: The predicted ones, in the same unit.
    """
    golds, predictions = sorted(gold), sorted(predicted)
    by_borders = _pair(golds, predictions, (_whole, _borders), _leftmost)
    by_type = _pair(golds, predictions, (_whole,), _nearest_of_label)
    missed, spurious = len(golds) - len(by_borders), len(predictions) - len(by_borders)
    equal = sum(a == b for a, b in by_borders)
    same_borders = sum(_borders(a) == _borders(b) for a, b in by_borders)
    same_label = sum(a[2] == b[2] for a, b in by_type)
    pairs = len(by_borders)
    return {
        "strict": ModeScores(equal, pairs - equal, 0, missed, spurious),
        "exact": ModeScores(same_borders, pairs - same_borders, 0, missed, spurious),
        "partial": ModeScores(same_borders, 0, pairs - same_borders, missed, spurious),
        "type": ModeScores(
            same_label, len(by_type) - same_label, 0, len(golds) - len(by_type), len(predictions) - len(by_type)
        ),
    }


def _pair(
    golds: Sequence[Triple],
    predictions: Sequence[Triple],
    keys: Sequence[Callable[[Triple], Hashable]],
    choose: Callable[[Triple, Sequence[Triple]], int],
) -> list[tuple[Triple, Triple]]:
    """Pairs entities that have a key in common, then those that overlap, of which ``choose`` gives the index of the best."""
    free = set(range(len(golds)))
    alone = list(predictions)
    pairs = []
    for key in keys:
        waiting: defaultdict[Hashable, deque[int]] = defaultdict(deque)
        for index in sorted(free):
            waiting[key(golds[index])].append(index)
        left = []
        for prediction in alone:
            if same := waiting[key(prediction)]:
                index = same.popleft()
                free.discard(index)
                pairs.append((golds[index], prediction))
            else:
                left.append(prediction)
        alone = left
    if alone and free:
        starts = [start for start, _, _ in golds]  # they are sorted by it
        ends = _Ends([end if index in free else 0 for index, (_, end, _) in enumerate(golds)])
        for prediction in alone:
            open_ = list(ends.beyond(prediction[0], bisect_left(starts, prediction[1])))
            if open_:
                index = open_[choose(prediction, [golds[index] for index in open_])]
                ends.clear(index)
                pairs.append((golds[index], prediction))
    return pairs


class _Ends:
    """Ends of entities, among which those behind a place are found in time in proportion to their number (a segment tree).

    Args:
        ends: The end of each entity; 0 for one that is not looked for.
    """

    def __init__(self, ends: Sequence[int]) -> None:
        self._leaves = 1 << max(len(ends) - 1, 0).bit_length()
        self._most = [0] * self._leaves + [*ends] + [0] * (self._leaves - len(ends))
        for node in range(self._leaves - 1, 0, -1):
            self._most[node] = max(self._most[2 * node], self._most[2 * node + 1])

    def clear(self, index: int) -> None:
        """Looks for an entity no longer."""
        node = self._leaves + index
        self._most[node] = 0
        while node > 1:
            node //= 2
            self._most[node] = max(self._most[2 * node], self._most[2 * node + 1])

    def beyond(self, place: int, stop: int) -> Iterator[int]:
        """Those of the first ``stop`` entities that end behind a place, in order."""
        waiting = [(1, 0, self._leaves)]
        while waiting:
            node, first, size = waiting.pop()
            if first >= stop or self._most[node] <= place:
                continue
            if size == 1:
                yield first
            else:
                half = size // 2
                waiting += ((2 * node + 1, first + half, half), (2 * node, first, half))


def _whole(entity: Triple) -> Hashable:
    return entity


def _borders(entity: Triple) -> Hashable:
    return entity[:2]


def _leftmost(prediction: Triple, golds: Sequence[Triple]) -> int:
    return 0


def _nearest_of_label(prediction: Triple, golds: Sequence[Triple]) -> int:
    start, end, label = prediction
    distances = {i: abs(g[0] - start) + abs(g[1] - end) for i, g in enumerate(golds) if g[2] == label}
    return min(distances, key=distances.__getitem__, default=0)
