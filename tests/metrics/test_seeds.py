from __future__ import annotations

import numpy as np
import pytest

from viner.metrics import bootstrap_difference, seeds_interval, welch_p
from viner.metrics.seeds import _incomplete_beta


@pytest.mark.parametrize(
    ("t", "freedom", "p"),
    # Two-sided quantiles of Student's distribution, from its published tables.
    [(12.706, 1, 0.05), (4.303, 2, 0.05), (2.776, 4, 0.05), (3.169, 10, 0.01), (1.812, 10, 0.1), (2.042, 30, 0.05)],
)
def test_the_distribution_is_that_of_student(t, freedom, p):
    assert _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) == pytest.approx(p, rel=2e-3)


def test_one_degree_of_freedom_is_the_distribution_of_cauchy():
    for t in (0.01, 0.5, 1.0, 7.0, 300.0):
        assert _incomplete_beta(0.5, 0.5, 1 / (1 + t * t)) == pytest.approx(1 - 2 * np.arctan(t) / np.pi, rel=1e-9)


def test_it_equals_the_test_of_scipy():
    # scipy.stats.ttest_ind(…, equal_var=False)
    assert welch_p([0.81, 0.82, 0.79], [0.83, 0.84, 0.85, 0.86]) == pytest.approx(0.025144312941230977, rel=1e-9)
    assert welch_p([0.5, 0.6], [0.9, 0.91, 0.93, 0.88, 0.9]) == pytest.approx(0.0824298947734901, rel=1e-9)


def test_p_is_small_where_recipes_are_apart_and_their_seeds_are_not():
    near, far = [0.80, 0.81, 0.79], [0.86, 0.87, 0.88, 0.87]
    p = welch_p(near, far)
    assert p is not None
    assert p < 0.01
    assert welch_p(far, near) == pytest.approx(p)
    wide = welch_p([0.70, 0.90, 0.80], [0.77, 0.97, 0.87])
    assert wide is not None
    assert wide > 0.3
    assert welch_p(near, near) == pytest.approx(1.0)
    assert welch_p([0.8, 0.8], [0.9, 0.9]) is None


def test_recipes_that_are_equally_good_are_told_apart_as_often_as_p_says():
    draw = np.random.default_rng(0)
    values = [welch_p(draw.normal(0.8, 0.01, 4).tolist(), draw.normal(0.8, 0.03, 6).tolist()) for _ in range(2000)]
    assert np.mean([value is not None and value < 0.05 for value in values]) == pytest.approx(0.05, abs=0.015)


def trained(draw, seeds, documents, *, shift=0.0, spread=0.03, hard=None):
    """Counts of trainings, each with a chance of its own to find one of the five entities of a document."""
    hard = np.zeros(documents) if hard is None else hard
    chance = np.clip(0.8 + shift + draw.normal(0, spread, (seeds, 1)) + hard, 0.01, 0.99)
    right = draw.binomial(5, chance)
    return np.stack([np.full_like(right, 5), np.full_like(right, 5), right], axis=-1)


def test_the_interval_holds_the_difference_as_often_as_it_says():
    """Over seeds and documents. One that knows of documents alone holds it far too rarely."""
    draw = np.random.default_rng(1)
    held, held_by_documents = [], []
    for _ in range(120):
        hard = draw.normal(0, 0.1, 150)
        a, b = trained(draw, 6, 150, hard=hard), trained(draw, 4, 150, shift=0.05, hard=hard)
        low, high, _ = seeds_interval(a, b, rounds=300)
        held.append(low <= 0.05 <= high)
        low, high, _ = bootstrap_difference(a[0], b[0], rounds=300)
        held_by_documents.append(low <= 0.05 <= high)
    assert np.mean(held) > 0.85
    assert np.mean(held_by_documents) < 0.75


def test_the_interval_turns_around_with_its_recipes_and_is_the_same_for_the_same_seed():
    draw = np.random.default_rng(2)
    a, b = trained(draw, 3, 50), trained(draw, 3, 50, shift=0.1)
    assert seeds_interval(a, b) == seeds_interval(a, b)
    forth, back = seeds_interval(a, b), seeds_interval(b, a)
    assert forth.low == pytest.approx(-back.high, abs=0.01)
    assert forth.low > 0


def test_seeds_that_all_came_to_the_same_are_not_tested():
    assert welch_p([0.8434343] * 3, [0.1] * 3) is None
    assert welch_p([0.8434343] * 3, [0.8434343] * 3) is None
