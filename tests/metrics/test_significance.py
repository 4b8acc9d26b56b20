from itertools import product

import numpy as np
import pytest

from viner.metrics import significance
from viner.metrics.significance import randomization_p

RIGHT, WRONG = (1, 1, 1), (1, 1, 0)


def counts(*rows):
    return np.array(rows, dtype=np.int64)


def exact_p(a, b):
    """The share of all exchanges, not of some, whose difference is at least the observed one."""

    def f1(rows):
        support, predicted, correct = np.sum(rows, axis=0).tolist()
        return 2 * correct / (support + predicted) if correct else 0.0

    differences = []
    for exchanged in product((False, True), repeat=len(a)):
        first = [y if swap else x for x, y, swap in zip(a, b, exchanged, strict=True)]
        second = [x if swap else y for x, y, swap in zip(a, b, exchanged, strict=True)]
        differences.append(abs(f1(first) - f1(second)))
    return sum(difference >= differences[0] - 1e-12 for difference in differences) / len(differences)


def test_systems_that_do_the_same_do_not_differ():
    a = counts(RIGHT, WRONG, RIGHT)
    assert randomization_p(a, a) == 1


def test_one_document_says_nothing():
    assert randomization_p(counts(RIGHT), counts(WRONG)) == 1


@pytest.mark.parametrize(("documents", "p"), [(2, 1 / 2), (4, 1 / 8), (6, 1 / 32)])
def test_right_everywhere_against_wrong_everywhere(documents, p):
    # Only if all documents are exchanged, or none, is the difference as large: 2 of 2**documents.
    a, b = counts(*[RIGHT] * documents), counts(*[WRONG] * documents)
    assert randomization_p(a, b) == pytest.approx(p, abs=0.03)


def test_many_documents_are_no_luck():
    a, b = counts(*[RIGHT] * 40), counts(*[WRONG] * 40)
    assert randomization_p(a, b, rounds=999) == 1 / 1000


def test_it_comes_near_to_all_exchanges_and_does_not_ask_who_is_first():
    draw = np.random.default_rng(3)
    for _ in range(5):
        support = draw.integers(1, 6, 8)
        a, b = (
            np.stack([support, predicted, np.minimum(support, draw.integers(0, predicted + 1))], axis=1)
            for predicted in (draw.integers(1, 6, 8), draw.integers(1, 6, 8))
        )
        assert randomization_p(a, b) == pytest.approx(exact_p(a, b), abs=0.04)
        assert randomization_p(a, b) == randomization_p(b, a)


def test_without_entities_nothing_differs():
    assert randomization_p(counts((0, 0, 0), (0, 0, 0)), counts((0, 1, 0), (0, 0, 0))) == 1


def one_by_one(a, b, rounds, seed):
    """The test as it is written down: one exchange after the other."""

    def f1(rows):
        support, predicted, correct = rows.sum(axis=0).tolist()
        return 2 * correct / (support + predicted) if correct else 0.0

    observed = abs(f1(a) - f1(b))
    draw = np.random.default_rng(seed)
    hits = 1
    for _ in range(rounds):
        exchanged = (draw.random(len(a)) < 0.5)[:, None]
        hits += abs(f1(np.where(exchanged, b, a)) - f1(np.where(exchanged, a, b))) >= observed - 1e-12
    return hits / (rounds + 1)


@pytest.mark.parametrize("block", [50, 4_000_000])
def test_all_exchanges_at_once_are_the_same_as_one_by_one(block, monkeypatch):
    monkeypatch.setattr(significance, "_BLOCK", block)
    draw = np.random.default_rng(4)
    for seed in range(6):
        rows = draw.integers(0, 9, (2, int(draw.integers(1, 40)), 3))
        rows[..., 2] = np.minimum(rows[..., 2], rows[..., :2].min(axis=-1))
        assert randomization_p(*rows, rounds=200, seed=seed) == one_by_one(*rows, 200, seed)
