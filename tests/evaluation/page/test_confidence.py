from __future__ import annotations

import re

import numpy as np
import pytest

from viner.console.messages import Messages
from viner.evaluation.messages import ENGLISH
from viner.evaluation.page.confidence import confidence_part
from viner.metrics.calibration import Outcomes, reliability_bins


def figures(part: str) -> list[str]:
    return re.findall(r"<figure.*?</figure>", part, re.DOTALL)


def test_a_point_of_the_diagram_stands_at_its_score_and_its_share_of_right_ones():
    outcomes = Outcomes.of([0.5] * 4 + [1.0] * 4, [True, False, False, False, True, True, True, True])
    diagram, _ = figures(confidence_part(outcomes, ENGLISH))
    points = [(float(x), float(y)) for x, y in re.findall(r'class="ve-point" cx="([\d.]+)" cy="([\d.]+)"', diagram)]
    start, stop = re.search(r'class="ve-ideal" x1="([\d.]+)" y1="[\d.]+" x2="[\d.]+" y2="([\d.]+)"', diagram).groups()
    left, top = float(start), float(stop)
    bottom = float(re.search(r'class="ve-ideal" x1="[\d.]+" y1="([\d.]+)"', diagram)[1])
    right = float(re.search(r'class="ve-ideal" .*? x2="([\d.]+)"', diagram)[1])
    assert points == [
        (pytest.approx((left + right) / 2, abs=0.1), pytest.approx(bottom + 0.25 * (top - bottom), abs=0.1)),
        (pytest.approx(right), pytest.approx(top)),
    ]


def test_what_is_drawn_is_told_as_well():
    draw = np.random.default_rng(0)
    scores = draw.uniform(0.3, 1, 500).round(4)
    outcomes = Outcomes.of(scores, draw.random(500) < scores)
    part = confidence_part(outcomes, ENGLISH)
    assert "Over 500 recognized entities: expected calibration error" in part
    diagram, selective = figures(part)
    for item in reliability_bins(outcomes):
        assert f'<td class="ve-number">{item.precision:.4f}</td>' in diagram
    for figure in (diagram, selective):
        assert re.search(r'<svg [^>]*role="img" aria-label="[^"]{30,}"', figure), "for those who do not see it"
    right = 100 * outcomes.correct.sum() / 500
    assert f"Of all entities {right:.1f} % are right." in selective
    assert len(re.search(r'points="([^"]*)"', selective)[1].split()) <= 150
    assert "<script" not in part
    assert "style=" not in part.replace("ve-", "")


def test_a_curve_never_leaves_its_axes():
    for right in ([True], [False], [False, True], [True, False, False, False, False, False]):
        part = confidence_part(Outcomes.of(np.linspace(0.99, 0.2, len(right)), right), ENGLISH)
        for x, y in re.findall(r"([\d.-]+),([\d.-]+)", re.search(r'points="([^"]*)"', part)[1]):
            assert 46 <= float(x) <= 328
            assert 12 <= float(y) <= 298
        assert "nan" not in part


def test_without_scores_it_says_so():
    assert "No entity with a score was recognized." in confidence_part(Outcomes.of([], []), ENGLISH)


def test_it_speaks_vietnamese():
    part = confidence_part(Outcomes.of([0.5, 0.9], [False, True]), Messages("vi"))
    assert "Biểu đồ độ tin cậy" in part
    assert "Share" not in part
