"""Samples of a stream in constant memory, one for each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Reservoirs(Generic[T]):
    """Of each group a uniform sample (reservoir sampling; Vitter 1985, algorithm R): memory is groups times ``most``.

    Args:
        most: Size of each sample.
        rng: Draws.
    """

    def __init__(self, most: int, rng: Random) -> None:
        self._most = most
        self._rng = rng
        self._seen: Counter[Hashable] = Counter()
        self.kept: dict[Hashable, list[T]] = {}
        """The samples by group, in no order."""

    def offer(self, group: Hashable, make: Callable[[], T]) -> None:
        """Offers one more.

        Args:
            group: What it is an example of.
            make: Makes it; called only if it is drawn.
        """
        kept = self.kept.setdefault(group, [])
        self._seen[group] += 1
        if len(kept) < self._most:
            kept.append(make())
        elif (place := self._rng.randrange(self._seen[group])) < self._most:
            kept[place] = make()
