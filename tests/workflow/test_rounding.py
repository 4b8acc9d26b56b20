import numpy as np
import pytest

from viner.workflow import rounding
from viner.workflow.rounding import Compensation

RANDOM = np.random.default_rng(0)
MIXING = RANDOM.normal(size=(20, 60))


def rows(count):
    """Inputs that move together, each a little by itself."""
    return (RANDOM.normal(size=(count, 20)) @ MIXING + 0.1 * RANDOM.normal(size=(count, 60))).astype(np.float32)


@pytest.fixture(scope="module")
def moments():
    measured = rows(3000)
    return measured.T @ measured


@pytest.fixture(scope="module")
def matrix():
    return RANDOM.normal(size=(60, 30)).astype(np.float32)


def scales_of(matrix, most):
    return np.abs(matrix).max(axis=0, keepdims=True) / np.float32(most)


def one_by_one(matrix, scales, moments):
    """The same by its definition: after each rounding, the weights that are left are the best ones for the outputs."""
    damped = moments.astype(np.float64) + 0.01 * moments.diagonal().mean() * np.eye(len(moments))
    order = np.argsort(-moments.diagonal(), kind="stable")
    wanted = (matrix / scales).astype(np.float64)
    left, steps = wanted.copy(), np.zeros_like(wanted)
    for place, row in enumerate(order):
        steps[row] = np.rint(left[row])
        done, rest = order[: place + 1], order[place + 1 :]
        if len(rest):
            owed = damped[np.ix_(rest, done)] @ (wanted[done] - steps[done])
            left[rest] = wanted[rest] + np.linalg.solve(damped[np.ix_(rest, rest)], owed)
    return steps


@pytest.mark.parametrize("block", [1, 7, 128])
def test_the_weights_that_are_left_make_up_for_those_that_are_rounded(matrix, moments, block, monkeypatch):
    monkeypatch.setattr(rounding, "_BLOCK", block)
    scales = scales_of(matrix, 100)
    steps = Compensation(moments).rounded(matrix, scales)
    assert steps.dtype == np.int8
    # Arithmetic in float32 may turn a rounding, and then those behind it in its column.
    assert np.mean(steps != one_by_one(matrix, scales, moments)) < 0.02


def test_products_with_other_inputs_are_closer_than_with_the_nearest_steps(matrix, moments):
    scales = scales_of(matrix, 7)
    others = rows(500)
    exact = others @ matrix

    def error(steps):
        return float(np.sqrt(((others @ (steps * scales) - exact) ** 2).mean()))

    assert error(Compensation(moments).rounded(matrix, scales, 7)) < 0.7 * error(np.rint(matrix / scales))


def test_no_number_is_larger_than_its_bits(matrix, moments):
    scales = scales_of(matrix, 7)
    steps = Compensation(moments).rounded(matrix * 2, scales, 7)
    assert np.abs(steps).max() == 7


@pytest.mark.parametrize("moments", [np.zeros((60, 60), np.float32), np.ones((60, 60), np.float32)])
def test_samples_that_say_little_are_no_harm(matrix, moments):
    scales = scales_of(matrix, 100)
    steps = Compensation(moments).rounded(matrix, scales)
    assert np.isfinite(steps).all()
    if not moments.any():
        assert np.array_equal(steps, np.rint(matrix / scales))


def test_sums_that_are_not_positive_definite_are_damped_until_they_are(matrix):
    moments = np.eye(60, dtype=np.float32)
    moments[0, 1] = moments[1, 0] = 1.5
    scales = scales_of(matrix, 100)
    assert np.abs(Compensation(moments).rounded(matrix, scales) - matrix / scales).max() < 100
