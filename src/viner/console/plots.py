"""Small plots as SVG, drawn on the server: shown at once, however long the log is, and colored by the style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from viner.console.messages import Messages
from viner.formats.html.plot import Ground, picture

POINTS = 300
"""A line has at most so many points; a longer one is thinned, and its extremes stay."""

Point = tuple[float, float]


def thin(points: Sequence[Point], most: int = POINTS) -> list[Point]:
    """At most ``most`` points of a line, in order: of each stretch the lowest and the highest, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    stretches = max(1, (most - 2) // 2)
    inner = points[1:-1]
    kept = [points[0]]
    for index in range(stretches):
        stretch = inner[index * len(inner) // stretches : (index + 1) * len(inner) // stretches]
        if stretch:
            low, high = min(stretch, key=lambda point: point[1]), max(stretch, key=lambda point: point[1])
            kept += sorted({low, high})
    kept.append(points[-1])
    return kept


def line_plot(points: Sequence[Point], title: str, say: Messages, *, kind: str, share: bool = False) -> str:
    """A line as an SVG within a figure.

    Args:
        points: ``(x, y)`` in the order of x; what is not finite is left out.
        title: What the line shows.
        say: The interface's messages.
        kind: CSS class of the line: "loss" or "f1".
        share: Whether y is a share, whose axis goes from 0 to 1.
    """
    known = [(float(x), float(y)) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    caption = f"<figcaption>{escape(title)}</figcaption>"
    if not known:
        return f'<figure class="viner-plot">{caption}<p class="viner-note">{escape(say("plot_none"))}</p></figure>'
    values = [y for _, y in known]
    places = 3
    summary = say(
        "plot_summary",
        last=say.decimal(values[-1], places),
        low=say.decimal(min(values), places),
        high=say.decimal(max(values), places),
    )
    bottom, top = (0.0, 1.0) if share else _range(values)
    first, last = known[0][0], max(known[-1][0], known[0][0] + 1)

    ground = Ground(first, last, bottom, top)
    shown = [ground.place(*point) for point in thin(known)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in shown)
    ends = [(known[0][0], "start"), (known[-1][0], "end")][: len(known)]
    grid = ground.grid(
        lambda value: say.decimal(value, 2 if top - bottom > 0.1 else 3), [(x, _tick(x, say), anchor) for x, anchor in ends]
    )
    dots = ""
    if len(shown) <= 40:
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in shown)
    drawn = picture(f"{title}: {summary}", f'{grid}<g class="line {kind}"><polyline points="{path}"/>{dots}</g>')
    return f'<figure class="viner-plot">{caption}{drawn}<p class="viner-note">{escape(summary)}</p></figure>'


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Borders of an axis that begins at 0, where a loss belongs; never empty."""
    low, high = min(0.0, *values), max(values)
    return (low, high * 1.05 if high > 0 else low + 1.0)


def _tick(value: float, say: Messages) -> str:
    return say.number(int(value)) if value == int(value) else say.decimal(value, 1)
