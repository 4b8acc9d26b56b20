"""The ground of a plot as SVG: where values lie, the lines behind them and what stands at the axes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_STEPS = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture and its margins, in the units of its view box.

    Args:
        width: Of the picture.
        height: Of the picture.
        left: Margin, as the others below.
        right: Margin.
        top: Margin.
        bottom: Margin.
    """

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int


WIDE = Frame(560, 220, 52, 12, 12, 28)


@dataclass(frozen=True, slots=True)
class Ground:
    """A plot's axes.

    Args:
        left: Value at the left end.
        right: Value at the right end, larger.
        bottom: Value at the bottom.
        top: Value at the top, larger.
        frame: The picture.
    """

    left: float
    right: float
    bottom: float
    top: float
    frame: Frame = WIDE

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a value lies in the picture."""
        frame = self.frame
        across = (x - self.left) / (self.right - self.left) * (frame.width - frame.left - frame.right)
        down = (self.top - y) / (self.top - self.bottom) * (frame.height - frame.top - frame.bottom)
        return frame.left + across, frame.top + down

    def grid(self, told: Callable[[float], str], ticks: Sequence[tuple[float, str, str]]) -> str:
        """Lines across with their values, and what stands below.

        Args:
            told: Writes a value of y, plain text.
            ticks: For each mark below, its x, its text and where it is anchored: "start", "middle" or "end".
        """
        frame, parts = self.frame, []
        for step in range(_STEPS + 1):
            value = self.bottom + (self.top - self.bottom) * step / _STEPS
            _, y = self.place(self.left, value)
            parts.append(f'<line x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(f'<text x="{frame.left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(told(value))}</text>')
        for value, text, anchor in ticks:
            x, _ = self.place(value, self.bottom)
            parts.append(f'<text x="{x:.1f}" y="{frame.height - 8}" text-anchor="{anchor}">{escape(text)}</text>')
        return f'<g class="grid">{"".join(parts)}</g>'


def picture(label: str, content: str) -> str:
    """The SVG around a plot in the wide frame.

    Args:
        label: Says what it shows, for those who do not see it; plain text.
        content: What is drawn.
    """
    return f'<svg viewBox="0 0 {WIDE.width} {WIDE.height}" role="img" aria-label="{escape(label)}">{content}</svg>'
