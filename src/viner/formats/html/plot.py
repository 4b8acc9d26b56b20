"""The ground of a plot as SVG: where values lie, the lines behind them and what stands at the axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 12, 28
_STEPS = 4


@dataclass(frozen=True, slots=True)
class Ground:
    """A plot's axes.

    Args:
        left: Value at the left end.
        right: Value at the right end, larger.
        bottom: Value at the bottom.
        top: Value at the top, larger.
    """

    left: float
    right: float
    bottom: float
    top: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a value lies in the picture."""
        across = (x - self.left) / (self.right - self.left) * (WIDTH - _LEFT - _RIGHT)
        up = (self.top - y) / (self.top - self.bottom) * (HEIGHT - _TOP - _BOTTOM)
        return _LEFT + across, _TOP + up

    def grid(self, told: Callable[[float], str], ticks: Sequence[tuple[float, str, str]]) -> str:
        """Lines across with their values, and what stands below.

        Args:
            told: Writes a value of y, plain text.
            ticks: For each mark below, its x, its text and where it is anchored: "start", "middle" or "end".
        """
        parts = []
        for step in range(_STEPS + 1):
            value = self.bottom + (self.top - self.bottom) * step / _STEPS
            _, y = self.place(self.left, value)
            parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(told(value))}</text>')
        for value, text, anchor in ticks:
            x, _ = self.place(value, self.bottom)
            parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(text)}</text>')
        return f'<g class="grid">{"".join(parts)}</g>'


def picture(label: str, content: str) -> str:
    """The SVG around a plot.

    Args:
        label: Says what it shows, for those who do not see it; plain text.
        content: What is drawn.
    """
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">{content}</svg>'
