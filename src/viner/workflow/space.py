"""What a search draws choices from: ranges and lists, for any field of :class:`TrainingConfig`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from viner.errors import UsageError
from viner.training.config import TrainingConfig
from viner.workflow.choices import check_together, kind_of, kinds, parse_choice

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_RATE_BELOW, _RATE_ABOVE = 4, 2.5
"""The rate is searched from a quarter of the default to this many times of it: 1e-4 to 1e-3 for the bundled base."""
_DEFAULT = ("head_multiplier=5..50", "dropout=0..0.3", "warmup=0..0.3", "weight_decay=0.001..0.1")
_DIGITS = 3
"""Significant digits of what is drawn from a range: more would not be told apart, and people read them."""


def default_space(rate: float) -> tuple[str, ...]:
    """What a search draws from if nobody says: what matters most for how well an encoder is fine-tuned.

    Args:
        rate: The default rate of the base.
    """
    return (f"learning_rate={rate / _RATE_BELOW:.3g}..{rate * _RATE_ABOVE:.3g}", *_DEFAULT)


@dataclass(frozen=True, slots=True)
class Dimension:
    """What one choice is drawn from: a range or a list.

    Args:
        name: The choice.
        low: Lower end of the range.
        high: Its upper end; both may be drawn.
        values: The list; empty where there is a range.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    values: tuple[Any, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Dimension:
        """Reads ``NAME=LOW..HIGH``, ``NAME=A,B,C`` or ``NAME=VALUE``.

        Raises:
            UsageError: If it cannot be understood, there is no such choice, or it cannot have such values.
        """
        name, equals, given = (part.strip() for part in text.partition("="))
        if not equals or not given:
            raise UsageError(
                f"{text!r} is no space",
                where="--space",
                hint="Write NAME=LOW..HIGH or NAME=A,B,C, such as: learning_rate=1e-4..1e-3, dropout=0.05,0.1,0.2",
            )
        if name == "seed":
            raise UsageError(
                "the seed is luck, and no choice to search",
                where="--space",
                hint="Give --seed; what other seeds would change is told by: viner compare",
            )
        kind = kind_of(name, where="--space")
        if ".." in given:
            if not kind.is_number:
                raise UsageError(
                    f"{name} is {kind}: it has no range", where="--space", hint=f"List values, such as: {name}=A,B"
                )
            low, high = (parse_choice(name, part, where="--space") for part in given.split("..", 1))
            if low is None or high is None or low > high:
                raise UsageError(f"the range {given} does not go from a lower to a higher number", where="--space")
            return cls(name, values=(low,)) if low == high else cls(name, low, high)
        if kind.plain is tuple:
            return cls(name, values=(parse_choice(name, given, where="--space"),))
        return cls(name, values=tuple(dict.fromkeys(parse_choice(name, part, where="--space") for part in given.split(","))))

    @property
    def is_fixed(self) -> bool:
        """Whether there is nothing to draw."""
        return len(self.values) == 1

    @property
    def is_log(self) -> bool:
        """Whether ratios count, as they do where both ends are above 0, and not differences."""
        return self.low > 0

    def distribution(self) -> BaseDistribution:
        """The dimension for Optuna."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.values:
            return CategoricalDistribution(self.values)
        if kinds()[self.name].plain is int:
            return IntDistribution(int(self.low), int(self.high), log=self.is_log)
        return FloatDistribution(self.low, self.high, log=self.is_log)

    def value(self, drawn: Any) -> Any:
        """What is used of what was drawn."""
        if self.values or not isinstance(drawn, float):
            return drawn
        return min(max(float(f"{drawn:.{_DIGITS}g}"), self.low), self.high)

    def holds(self, value: Any) -> bool:
        """Whether a value may be drawn."""
        if self.values:
            return value in self.values
        return value is not None and self.low <= value <= self.high

    def __str__(self) -> str:
        values = ",".join("none" if value is None else str(value) for value in self.values)
        return f"{self.name}={values or f'{self.low:g}..{self.high:g}'}"


@dataclass(frozen=True, slots=True)
class Space:
    """What a search draws from.

    Args:
        dimensions: What is drawn.
        fixed: Choices that are the same in all trials.
    """

    dimensions: tuple[Dimension, ...]
    fixed: Mapping[str, Any]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Space:
        """Reads dimensions; one with a single value is fixed.

        Raises:
            UsageError: As :meth:`Dimension.parse` does, and if a value is out of its range, a choice is there twice or nothing
                is left to draw.
        """
        found = [Dimension.parse(text) for text in texts]
        for dimension in found:
            if sum(other.name == dimension.name for other in found) > 1:
                raise UsageError(f"{dimension.name} is given twice", where="--space")
        drawn = tuple(dimension for dimension in found if not dimension.is_fixed)
        if not drawn:
            raise UsageError(
                "there is nothing to search: every choice has one value", where="--space", hint="Give one a range or a list"
            )
        fixed = {dimension.name: dimension.values[0] for dimension in found if dimension.is_fixed}
        check_together(fixed, where="--space")
        for dimension in drawn:
            for value in dimension.values or (dimension.low, dimension.high):
                check_together({**fixed, dimension.name: value}, where="--space")
        return cls(drawn, fixed)

    def allows(self, name: str, value: Any) -> bool:
        """Whether a trial may have this value, which a choice that is neither drawn nor fixed has by default."""
        drawn = next((dimension for dimension in self.dimensions if dimension.name == name), None)
        if drawn is not None:
            return drawn.holds(value)
        return bool(self.fixed.get(name, value) == value)

    def defaults(self, rate: float) -> dict[str, Any]:
        """The default recipe as far as the space holds it.

        Args:
            rate: The default rate of the base.
        """
        config = {**TrainingConfig().to_dict(), "learning_rate": rate}
        return {item.name: config[item.name] for item in self.dimensions if item.holds(config[item.name])}

    def distributions(self) -> dict[str, BaseDistribution]:
        """All dimensions for Optuna."""
        return {item.name: item.distribution() for item in self.dimensions}

    def choices(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """What was drawn, as it is used, without what is fixed."""
        return {item.name: item.value(drawn[item.name]) for item in self.dimensions}

    def to_dict(self) -> dict[str, str]:
        """What each choice is drawn from, as people write it."""
        fixed = (Dimension(name, values=(value,)) for name, value in self.fixed.items())
        return dict(str(item).split("=", 1) for item in (*self.dimensions, *fixed))
