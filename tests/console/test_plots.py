from __future__ import annotations

import math
import random
import re

from hypothesis import given
from hypothesis import strategies as st

from viner.console.messages import Messages
from viner.console.plots import POINTS, line_plot, thin

EN = Messages("en")
values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000)


@given(values, st.integers(4, 400))
def test_a_thinned_line_is_short_in_order_and_keeps_ends_and_extremes(ys: list[float], most: int) -> None:
    points = [(float(index), y) for index, y in enumerate(ys)]
    kept = thin(points, most)
    assert len(kept) <= most
    assert kept == sorted(kept)
    assert set(kept) <= set(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(y for _, y in kept), max(y for _, y in kept)} == {min(ys), max(ys)}


def test_a_log_of_a_hundred_thousand_steps_makes_a_small_picture() -> None:
    source = random.Random(3)
    svg = line_plot([(step, source.random()) for step in range(100_000)], "Loss", EN, kind="loss")
    assert len(re.search(r'points="([^"]*)"', svg)[1].split()) <= POINTS  # type: ignore[index]
    assert len(svg) < 20_000


def test_a_plot_says_its_figures_in_words() -> None:
    svg = line_plot([(1, 0.5), (2, 0.75), (3, 0.7)], "F1", EN, kind="f1", share=True)
    assert 'aria-label="F1: last 0.700, lowest 0.500, highest 0.750"' in svg
    assert "0,700" in line_plot([(1, 0.7)], "F1", Messages("vi"), kind="f1", share=True)


def test_no_figures_and_figures_that_are_none_draw_nothing() -> None:
    for points in ([], [(1.0, math.nan), (2.0, math.inf)]):
        plot = line_plot(points, "Loss", EN, kind="loss")
        assert EN("plot_none") in plot
        assert "<svg" not in plot


def test_points_lie_within_the_picture() -> None:
    for points in ([(1, 0.0)], [(5, 2.0), (6, 2.0)], [(1, -3.0), (2, 4.0)]):
        svg = line_plot(points, "Loss", EN, kind="loss")
        for pair in re.search(r'points="([^"]*)"', svg)[1].split():  # type: ignore[index]
            x, y = map(float, pair.split(","))
            assert 0 <= x <= 560
            assert 0 <= y <= 220
