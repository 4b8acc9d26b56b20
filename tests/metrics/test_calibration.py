from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.metrics.calibration import (
    LEAST_ENTITIES,
    Calibration,
    Outcomes,
    brier_score,
    coverage_curve,
    cross_calibrated,
    error_by_chance,
    expected_calibration_error,
    fit_calibration,
    least_score_for_f1,
    reliability_bins,
    select,
    wilson_interval,
)

PAIRS = st.lists(st.tuples(st.integers(0, 20).map(lambda number: number / 20), st.booleans()), max_size=60)


def outcomes(pairs):
    return Outcomes.of([score for score, _ in pairs], [right for _, right in pairs])


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def drawn(count, *, slope, intercept, seed=0):
    """Entities of a model whose scores need this calibration."""
    numbers = np.random.default_rng(seed)
    odds = numbers.normal(3, 2, count)
    return Outcomes.of(sigmoid(odds), numbers.random(count) < sigmoid(slope * odds + intercept))


def fitted(given):
    found = fit_calibration(given)
    assert found is not None
    return found


def test_the_error_is_the_distance_of_score_and_precision_weighted_by_entities():
    pairs = [(0.9, True)] * 3 + [(0.9, False)] + [(0.5, False)] * 4
    assert expected_calibration_error(outcomes(pairs), bins=2) == pytest.approx(0.5 * 0.15 + 0.5 * 0.5)
    assert expected_calibration_error(outcomes(pairs), bins=1) == pytest.approx(0.7 - 3 / 8)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.integers(1, 20))
def test_bins_hold_every_entity_once_and_never_part_equal_scores(pairs, bins):
    found = reliability_bins(outcomes(pairs), bins)
    assert len(found) <= bins
    assert sum(item.count for item in found) == len(pairs)
    borders = [border for item in found for border in (item.lower, item.upper)]
    assert borders == sorted(borders)
    assert all(left.upper < right.lower for left, right in itertools.pairwise(found))
    for item in found:
        inside = [(score, right) for score, right in pairs if item.lower <= score <= item.upper]
        assert item.count == len(inside) > 0
        assert item.score == pytest.approx(np.mean([score for score, _ in inside]))
        assert item.precision == pytest.approx(np.mean([right for _, right in inside]))
    error = sum(item.count * abs(item.score - item.precision) for item in found) / max(len(pairs), 1)
    assert expected_calibration_error(outcomes(pairs), bins) == pytest.approx(error)


def test_bins_hold_equally_many_entities_where_scores_differ():
    found = reliability_bins(Outcomes.of(np.linspace(0.9, 1, 150) ** 9, np.ones(150)), 15)
    assert [item.count for item in found] == [10] * 15


def test_the_error_by_chance_is_what_exact_scores_show():
    errors = [expected_calibration_error(drawn(500, slope=1, intercept=0, seed=seed)) for seed in range(60)]
    assert error_by_chance(drawn(500, slope=1, intercept=0)) == pytest.approx(np.mean(errors), rel=0.1)
    assert error_by_chance(drawn(50_000, slope=1, intercept=0)) < 0.005


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_the_brier_score_is_the_mean_squared_difference(pairs):
    expected = np.mean([(score - right) ** 2 for score, right in pairs]) if pairs else 0
    assert brier_score(outcomes(pairs)) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.integers(0, 20).map(lambda number: number / 20))
def test_a_threshold_keeps_the_scores_from_it_on(pairs, threshold):
    (found,) = select(outcomes(pairs), [threshold])
    kept = [right for score, right in pairs if score >= threshold]
    assert found.kept == pytest.approx(len(kept) / max(len(pairs), 1))
    assert found.precision == (pytest.approx(np.mean(kept)) if kept else None)


@pytest.mark.parametrize(("slope", "intercept"), [(0.5, 0.3), (1.0, 0.0), (1.6, -1.0)])
def test_the_calibration_that_made_the_data_is_found(slope, intercept):
    found = fitted(drawn(40_000, slope=slope, intercept=intercept))
    assert found.slope == pytest.approx(slope, abs=0.05)
    assert found.intercept == pytest.approx(intercept, abs=0.12)


def test_the_fit_is_the_best_one_with_smoothed_targets():
    given = drawn(200, slope=0.4, intercept=-0.5)
    best = fitted(given)
    right = given.correct.sum()
    targets = (right + 1) / (right + 2), 1 / (given.entities - right + 2)

    def likelihood(calibration):
        chances = calibration(given.scores)
        wrong = given.counts - given.correct
        return sum(
            count @ (target * np.log(chances) + (1 - target) * np.log(1 - chances))
            for count, target in zip((given.correct, wrong), targets, strict=True)
        )

    for slope, intercept in [(0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01)]:
        assert likelihood(Calibration(best.slope + slope, best.intercept + intercept)) < likelihood(best)


def test_scores_that_are_too_sure_are_right_afterwards_in_other_documents():
    seen, unseen = (drawn(2_000, slope=0.4, intercept=0.2, seed=seed) for seed in (1, 2))
    calibrated = fitted(seen).applied(unseen)
    assert expected_calibration_error(unseen) > 0.1
    assert expected_calibration_error(calibrated) < error_by_chance(calibrated) + 0.01
    assert brier_score(calibrated) < brier_score(unseen)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.01, 5), st.floats(-5, 5), st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_no_entity_overtakes_another_and_scores_stay_probabilities(slope, intercept, scores):
    ordered = np.sort(scores)
    found = Calibration(slope, intercept)(ordered)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


def test_scores_that_rounded_to_certainty_stay_short_of_it():
    assert 0 < Calibration(1, 0)(np.array([0.0]))[0] < Calibration(1, 0)(np.array([1.0]))[0] < 1


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        [(0.9, True), (0.2, False)] * (LEAST_ENTITIES // 2 - 1),
        [(0.9, True)] * 100,
        [(0.9, False), (0.8, False)] * 50,
        [(0.9, False), (0.2, True)] * 50,
    ],
    ids=["none", "few", "all right", "all wrong", "the wrong way round"],
)
def test_nothing_is_fitted_to_what_says_nothing(pairs):
    assert fit_calibration(outcomes(pairs)) is None


def test_equal_scores_are_no_obstacle():
    found = fit_calibration(outcomes([(0.7, True)] * 90 + [(0.7, False)] * 10))
    assert found is None or found(np.array([0.7]))[0] == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize("numbers", [(0, 0), (-1, 0), (float("nan"), 0), (1, float("inf"))])
def test_what_makes_no_scores_is_no_calibration(numbers):
    with pytest.raises(ValueError, match="makes no scores"):
        Calibration(*numbers)


def test_the_json_form_comes_back():
    assert Calibration.from_dict(Calibration(0.5, 0.25).to_dict()) == Calibration(0.5, 0.25)


def test_parts_together_are_all_entities():
    parts = [drawn(100, slope=1, intercept=0, seed=seed) for seed in range(3)]
    parts.append(parts[0])
    whole = Outcomes.merged(parts)
    assert whole.entities == 400
    assert list(whole.scores) == sorted({score for part in parts for score in part.scores})
    at = np.searchsorted(whole.scores, parts[0].scores)
    assert (whole.counts[at] >= 2 * parts[0].counts).all()
    assert whole.correct.sum() == sum(part.correct.sum() for part in parts)
    assert Outcomes.merged([]).entities == 0


def test_held_out_scores_do_not_know_what_came_of_them():
    """Where scores tell nothing, a calibration that saw the answers still seems to; one that did not does not."""
    fitted_gain, held_out_gain = [], []
    for seed in range(60):
        draw = np.random.default_rng(seed)
        parts = [Outcomes.of(draw.uniform(0.3, 0.7, 12), draw.random(12) < 0.5) for _ in range(5)]
        whole = Outcomes.merged(parts)
        calibration = fit_calibration(whole)
        if calibration is None:
            continue
        held_out = cross_calibrated(parts)
        assert held_out is not None
        assert held_out.entities == 60
        fitted_gain.append(0.25 - brier_score(calibration.applied(whole)))
        held_out_gain.append(0.25 - brier_score(held_out))
    assert np.mean(fitted_gain) > 0
    assert np.mean(held_out_gain) < 0


def test_held_out_scores_are_as_good_as_the_calibration_where_there_are_many():
    parts = [drawn(400, slope=0.4, intercept=-0.2, seed=seed) for seed in range(5)]
    held_out = cross_calibrated(parts)
    assert held_out is not None
    assert expected_calibration_error(Outcomes.merged(parts)) > 0.1
    assert expected_calibration_error(held_out) < 0.03


def test_one_part_has_no_other_to_fit_to():
    nothing = Outcomes.of([], [])
    assert cross_calibrated([drawn(100, slope=1, intercept=0), nothing]) is None


@given(PAIRS)
def test_the_curve_of_selective_accuracy_goes_through_every_threshold(pairs):
    given_outcomes = outcomes(pairs)
    kept, right = coverage_curve(given_outcomes)
    thresholds = given_outcomes.scores[::-1].tolist()
    for share, precision, item in zip(kept, right, select(given_outcomes, thresholds), strict=True):
        assert (share, precision) == (pytest.approx(item.kept), pytest.approx(item.precision))


def test_intervals_are_those_of_wilson():
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_what_is_calibrated_to_a_score_is_found():
    calibration = Calibration(slope=0.6, intercept=-0.4)
    for estimate in (0.01, 0.3, 0.5, 0.99):
        (score,) = calibration(np.array([estimate]))
        assert calibration.inverse(score) == pytest.approx(estimate)
    for score in (0, 1, -1):
        with pytest.raises(ValueError, match="nothing is calibrated to"):
            calibration.inverse(score)


def test_entities_that_cost_more_f1_than_they_bring_are_left_out():
    # 60 of 100 that are sought are found for sure; of 40 doubtful ones, 4 are right.
    pairs = [(0.95, True)] * 60 + [(0.1, True)] * 4 + [(0.1, False)] * 36
    least = least_score_for_f1(outcomes(pairs), support=100)
    assert least.f1 == pytest.approx(2 * 60 / (60 + 100))
    assert least.f1_of_all == pytest.approx(2 * 64 / (100 + 100))
    assert least.score == pytest.approx(least.f1 / 2)


@pytest.mark.parametrize("seed", range(3))
def test_no_other_least_score_gives_scores_that_are_probabilities_a_better_f1(seed):
    draw = np.random.default_rng(seed)
    scores = draw.beta(0.7, 0.6, 60_000)
    right = draw.random(len(scores)) < scores
    support = int(right.sum()) + 5_000
    least = least_score_for_f1(Outcomes.of(scores, right), support)
    kept = [scores >= score for score in np.linspace(0, 1, 101)]
    best = max(2 * (keep & right).sum() / (keep.sum() + support) for keep in kept)
    assert least.f1 == pytest.approx(best, abs=2e-3)
    assert least.f1 > least.f1_of_all + 0.01


def test_of_no_entities_none_is_left_out():
    least = least_score_for_f1(outcomes([]), support=10)
    assert (least.score, least.f1, least.f1_of_all) == (0, 0, 0)
