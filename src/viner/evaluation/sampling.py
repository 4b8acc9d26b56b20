"""Examples of many things, drawn evenly and in constant memory."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from viner.corpus.reservoirs import Reservoirs

T = TypeVar("T")


class Sample(Generic[T]):
    """A sample of a stream in which every group has its share, so that what is rare is seen as well.

    Of each group a sample of that size is kept, so memory is bounded by groups times ``most``.

    Args:
        most: Size of the sample, at least 1.
        seed: The same stream and seed give the same sample.
    """

    def __init__(self, most: int, seed: int = 0) -> None:
        self._most = most
        self._draw = random.Random(seed)
        self._groups: Reservoirs[tuple[int, T]] = Reservoirs(most, self._draw)
        self.count = 0
        """How many have been offered."""

    def offer(self, group: Hashable, make: Callable[[], T]) -> None:
        """Offers one more.

        Args:
            group: What it is an example of.
            make: Makes it; called only if it is drawn.
        """
        self.count += 1
        self._groups.offer(group, lambda: (self.count, make()))

    def drawn(self) -> list[T]:
        """The sample in the order of the stream: as equal a number of each group as there is."""
        chosen: list[tuple[int, T]] = []
        groups = sorted(self._groups.kept.values(), key=len)
        for place, members in enumerate(groups):
            # What a small group leaves of its share is for the larger ones behind it.
            share = -(-(self._most - len(chosen)) // (len(groups) - place))
            chosen += members if share >= len(members) else self._draw.sample(members, share)
        return [item for _, item in sorted(chosen, key=lambda numbered: numbered[0])]
