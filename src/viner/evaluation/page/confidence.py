"""How far scores can be trusted, drawn: reliability diagram and selective accuracy. SVG without script; tables say the same."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from viner.evaluation.confidence import Confidence
from viner.evaluation.page.tables import remark, table
from viner.formats.html.plot import Frame, Ground
from viner.languages import Say
from viner.metrics.calibration import Bin, Outcomes, coverage_curve, wilson_interval

_FRAME = Frame(340, 340, 46, 12, 12, 42)
_POINTS = 150
"""Points that a curve has at most."""


def confidence_part(outcomes: Outcomes, say: Say) -> str:
    """Both plots with their tables, as HTML.

    Args:
        outcomes: The found entities that have a score, and which of them are right.
        say: The messages of the page.
    """
    if not outcomes.entities:
        return remark(say("err_confidence_none"))
    confidence = Confidence.of(outcomes)
    told = say(
        "err_confidence_told",
        count=say.number(confidence.entities),
        ece=say.decimal(confidence.ece, 4),
        chance=say.decimal(confidence.chance, 4),
        brier=say.decimal(confidence.brier, 4),
    )
    return (
        f'{remark(told)}<div class="ve-plots">{reliability_diagram(confidence.bins, say)}'
        f"{selective_plot(outcomes, confidence, say)}</div>"
    )


def reliability_diagram(bins: Sequence[Bin], say: Say) -> str:
    """Share of right entities by score, beside the diagonal on which both are equal (DeGroot and Fienberg 1983).

    Args:
        bins: What :func:`viner.metrics.calibration.reliability_bins` gives, at least one.
        say: The messages of the page.
    """
    ground = _ground()
    marks = [f'<line class="ve-ideal" {_from_to(ground, (0, 0), (1, 1))}/>']
    for item in bins:
        low, high = wilson_interval(round(item.precision * item.count), item.count)
        x, y = ground.place(item.score, item.precision)
        marks.append(f'<line class="ve-within" {_from_to(ground, (item.score, low), (item.score, high))}/>')
        marks.append(f'<circle class="ve-point" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
    rows = [
        [
            f"{say.decimal(item.lower, 4)}–{say.decimal(item.upper, 4)}",
            say.number(item.count),
            say.decimal(item.score, 4),
            say.decimal(item.precision, 4),
        ]
        for item in bins
    ]
    columns = [say("err_scores"), say("err_entities"), say("err_mean_score"), say("err_share_right")]
    over = sum(item.count for item in bins if item.score > item.precision) / sum(item.count for item in bins)
    summary = say("err_reliability_summary", bins=say.number(len(bins)), share=f"{say.decimal(100 * over, 0)} %")
    return _figure(
        say("err_reliability"),
        summary,
        _axes(ground, say("err_score"), say("err_share_right"), say) + "".join(marks),
        remark(say("err_reliability_note"))
        + f"<details><summary>{escape(say('err_as_table'))}</summary>{table(columns, rows, numbers=(0, 1, 2, 3))}</details>",
    )


def selective_plot(outcomes: Outcomes, confidence: Confidence, say: Say) -> str:
    """How many of the entities are right by how many are kept, the surest first (El-Yaniv and Wiener 2010).

    Args:
        outcomes: The entities, at least one.
        confidence: Their figures, for the thresholds that are marked.
        say: The messages of the page.
    """
    kept, right = coverage_curve(outcomes)
    chosen = np.unique(np.linspace(0, len(kept) - 1, min(_POINTS, len(kept))).round().astype(int))
    lowest = float(min(right[chosen].min(), 0.9))
    ground = _ground(float(np.floor(lowest * 10 - 1e-9) / 10) if lowest > 0.1 else 0.0)
    points = " ".join("{:.1f},{:.1f}".format(*ground.place(kept[at], right[at])) for at in chosen.tolist())
    marks, rows = [f'<polyline class="ve-curve" points="{points}"/>'], []
    for item in confidence.selective:
        precision = "–" if item.precision is None else f"{say.decimal(100 * item.precision, 1)} %"
        rows.append([say.decimal(item.threshold, 2), f"{say.decimal(100 * item.kept, 1)} %", precision])
        if item.precision is not None:
            x, y = ground.place(item.kept, item.precision)
            name = escape(say("err_score_from", score=say.decimal(item.threshold, 2)))
            marks.append(f'<circle class="ve-point" cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{name}</title></circle>')
    columns = [say("err_score_least"), say("err_kept"), say("err_share_right")]
    at_all = say("err_selective_summary", right=f"{say.decimal(100 * float(right[-1]), 1)} %")
    return _figure(
        say("err_selective"),
        at_all,
        _axes(ground, say("err_kept"), say("err_share_right"), say) + "".join(marks),
        remark(say("err_selective_note")) + table(columns, rows, numbers=(0, 1, 2)),
    )


def _figure(title: str, summary: str, drawing: str, below: str) -> str:
    label = escape(f"{title}. {summary}", quote=True)
    return (
        f'<figure class="ve-plot"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {_FRAME.width} {_FRAME.height}" role="img" aria-label="{label}">{drawing}</svg>'
        f"{remark(summary)}{below}</figure>"
    )


def _ground(bottom: float = 0.0) -> Ground:
    """Shares in both directions; the one upwards begins with ``bottom``."""
    return Ground(0.0, 1.0, bottom, 1.0, _FRAME)


def _axes(ground: Ground, across: str, up: str, say: Say) -> str:
    """Grid and names of both axes."""
    parts = []
    for step in range(6):
        share = step / 5
        value = ground.bottom + (1 - ground.bottom) * share
        x, y = ground.place(share, value)
        parts.append(f'<line class="ve-grid" {_from_to(ground, (0, value), (1, value))}/>')
        parts.append(f'<text x="{_FRAME.left - 7}" y="{y + 4:.1f}" text-anchor="end">{say.decimal(value, 2)}</text>')
        low = _FRAME.height - _FRAME.bottom + 17
        parts.append(f'<text x="{x:.1f}" y="{low}" text-anchor="middle">{say.decimal(share, 1)}</text>')
    middle, _ = ground.place(0.5, 1)
    parts.append(f'<text x="{middle:.1f}" y="{_FRAME.height - 6}" text-anchor="middle">{escape(across)}</text>')
    # The name of the other axis stands inside of it, where it needs no turning.
    parts.append(f'<text x="{_FRAME.left + 14}" y="{_FRAME.top + 12}">{escape(up)}</text>')
    return "".join(parts)


def _from_to(ground: Ground, start: tuple[float, float], stop: tuple[float, float]) -> str:
    (x1, y1), (x2, y2) = ground.place(*start), ground.place(*stop)
    return f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
