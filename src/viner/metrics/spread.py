"""What several trainings of one recipe, with different seeds, come to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and deviation of a figure.

    Args:
        mean: The mean.
        deviation: The sample standard deviation (n - 1 in the denominator); None for a single value.
        count: Number of values.
    """

    mean: float
    deviation: float | None
    count: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        if len(values) == 1:
            return cls(values[0], None, 1)
        if min(values) == max(values):  # whose mean may be off in the last bit
            return cls(values[0], 0.0, len(values))
        mean = math.fsum(values) / len(values)
        return cls(mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)), len(values))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the three fields by name."""
        return {"mean": self.mean, "deviation": self.deviation, "count": self.count}

    def __str__(self) -> str:
        return f"{self.mean:.4f}" if self.deviation is None else f"{self.mean:.4f} ± {self.deviation:.4f}"
