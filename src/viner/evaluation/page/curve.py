"""A learning curve as HTML: the plot, its figures, and what they say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from viner.evaluation.curve import Curve, CurvePoint
from viner.evaluation.page.tables import remark, table
from viner.formats.html.plot import Ground, picture
from viner.languages import Say

_CAP = 4
"""Half of the width of the ends of a bar."""
_APART = 44
"""Numbers below the plot stand at least so far from each other."""


def curve_parts(curve: Curve, say: Say) -> str:
    """The summary, the plot and the table."""
    points = curve.points()
    note = say("err_curve_note", documents=say.number(curve.documents), entities=say.number(curve.entities))
    failed = sum(run.f1 is None for run in curve.runs)
    notes = [note, *([say("err_curve_failed", count=say.number(failed))] if failed else [])]
    return (
        f'<p class="ve-verdict">{escape(curve.summary(say))}</p>'
        + (curve_plot(points, say) + _figures(points, say) if points else "")
        + "".join(map(remark, notes))
    )


def curve_plot(points: Sequence[CurvePoint], say: Say) -> str:
    """F1 by the number of documents, which is drawn by doublings: dots are trainings, bars mean ± deviation.

    Args:
        points: One at least, the smallest first.
        say: The messages of the page.
    """
    values = [value for point in points for value in point.by_seed.values()]
    low, high = math.floor(10 * min(values)) / 10, math.ceil(10 * max(values)) / 10
    sizes = [math.log2(point.documents) for point in points]
    right = sizes[-1] if sizes[-1] > sizes[0] else sizes[0] + 1
    ground = Ground(sizes[0] - 0.03 * (right - sizes[0]), right, max(0.0, low), max(high, low + 0.1))
    drawn, marks, line = [], [], []
    for size, point in zip(sizes, points, strict=True):
        x, y = ground.place(size, point.f1.mean)
        line.append(f"{x:.1f},{y:.1f}")
        if len(point.by_seed) > 1:
            marks += [
                f'<circle class="one" cx="{x:.1f}" cy="{ground.place(size, value)[1]:.1f}" r="2.5"/>'
                for value in point.by_seed.values()
            ]
            marks.append(_bar(ground, size, point))
        drawn.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    grid = ground.grid(lambda value: say.decimal(value, 3 if high - low < 0.15 else 2), _ticks(ground, sizes, points, say))
    told = ", ".join(f"{say.number(point.documents)}: {say.decimal(point.f1.mean, 3)}" for point in points)
    label = f"{say('err_curve_axis')}. {told}"
    svg = picture(label, f'{grid}<g class="line"><polyline points="{" ".join(line)}"/>{"".join(marks)}{"".join(drawn)}</g>')
    return f'<figure class="ve-growth"><figcaption>{escape(say("err_curve_axis"))}</figcaption>{svg}</figure>'


def _bar(ground: Ground, size: float, point: CurvePoint) -> str:
    """The bar of a deviation, cut off at the borders of the plot."""
    deviation = point.f1.deviation or 0.0
    ends = (point.f1.mean - deviation, point.f1.mean + deviation)
    (x, low), (_, high) = (ground.place(size, min(max(end, ground.bottom), ground.top)) for end in ends)
    return f'<path d="M{x - _CAP:.1f} {low:.1f}h{2 * _CAP}m{-_CAP} 0V{high:.1f}m{-_CAP} 0h{2 * _CAP}"/>'


def _ticks(ground: Ground, sizes: Sequence[float], points: Sequence[CurvePoint], say: Say) -> list[tuple[float, str, str]]:
    """The numbers of documents below the plot, the last one first, without those that would run into others."""
    found: list[tuple[float, str, str]] = []
    reached = math.inf
    for index in reversed(range(len(points))):
        x, _ = ground.place(sizes[index], ground.bottom)
        if x > reached - _APART:
            continue
        reached = x
        anchor = "end" if index == len(points) - 1 else "middle"
        found.append((sizes[index], say.number(points[index].documents), anchor))
    return found


def _figures(points: Sequence[CurvePoint], say: Say) -> str:
    rows = []
    for before, point in zip([None, *points], points, strict=False):
        spread = "" if point.f1.deviation is None else f" ± {say.decimal(point.f1.deviation, 4)}"
        gained = None if before is None else point.gain_over(before)
        gain = 0.0 if gained is None else 100 * gained.mean
        rows.append(
            [
                say.number(point.documents),
                say.number(point.entities),
                say.number(point.f1.count),
                say.decimal(point.f1.mean, 4) + spread,
                "–" if gained is None else ("+" if gain >= 0 else "−") + say.decimal(abs(gain), 1),
            ]
        )
    columns = [say("err_curve_documents"), say("err_curve_entities"), say("err_curve_seeds"), "F1", say("err_curve_gain")]
    return table(columns, rows, numbers=range(len(columns)))
