from __future__ import annotations

import numpy as np
import pytest

from viner.metrics import Scores, bootstrap_difference, bootstrap_interval, seeds_interval


def random_counts(seed, documents=200, recall=0.8):
    draw = np.random.default_rng(seed)
    support = draw.integers(0, 6, documents)
    correct = draw.binomial(support, recall)
    return np.stack([support, correct + draw.integers(0, 2, documents), correct], axis=1)


def f1(counts):
    support, predicted, correct = counts.sum(axis=0).tolist()
    return Scores.from_counts(support=support, predicted=predicted, correct=correct).f1


def naive(counts, rounds=2000):
    """The textbook: an index is drawn for each document."""
    draw = np.random.default_rng(99)
    values = [f1(counts[draw.integers(0, len(counts), len(counts))]) for _ in range(rounds)]
    return np.quantile(values, [0.025, 0.975])


def test_it_is_the_bootstrap_that_draws_each_document():
    counts = random_counts(1)
    interval = bootstrap_interval(counts, rounds=2000)
    assert (interval.low, interval.high) == pytest.approx(naive(counts), abs=0.006)
    assert interval.low < f1(counts) < interval.high
    assert interval.level == 0.95


def test_a_single_document_says_nothing_of_others():
    counts = random_counts(1, documents=1)
    assert bootstrap_interval(counts) is None
    assert bootstrap_difference(counts, counts) is None


def test_the_same_seed_gives_the_same_interval_and_blocks_do_not_matter(monkeypatch):
    counts = random_counts(2)
    whole = bootstrap_interval(counts, seed=3)
    monkeypatch.setattr("viner.metrics.counts._BLOCK", 100)
    assert bootstrap_interval(counts, seed=3) == whole != bootstrap_interval(counts, seed=4)


def test_four_times_the_documents_halve_it():
    narrow, wide = (bootstrap_interval(random_counts(5, documents)) for documents in (4000, 1000))
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(2, rel=0.25)


def test_it_covers_the_truth_about_as_often_as_it_says():
    truth = f1(random_counts(0, 1_000_000))
    covered = sum(low <= truth <= high for low, high, _ in (bootstrap_interval(random_counts(seed)) for seed in range(1, 201)))
    assert 182 <= covered <= 198  # 190 are expected


def test_draws_without_any_entity_have_no_f1_and_do_not_count():
    nothing = np.zeros((97, 3), dtype=np.int64)
    assert bootstrap_interval(nothing) is None
    assert bootstrap_difference(nothing, nothing) is None
    right, wrong = (np.vstack([nothing, np.tile([[1, 1, correct]], (3, 1))]) for correct in (1, 0))
    assert bootstrap_interval(right)[:2] == (1.0, 1.0)
    assert bootstrap_difference(wrong, right)[:2] == (1.0, 1.0)
    assert seeds_interval(np.stack([wrong] * 2), np.stack([right] * 2))[:2] == (1.0, 1.0)
    assert seeds_interval(np.stack([nothing] * 2), np.stack([nothing] * 2)) is None


def test_a_difference_is_drawn_with_the_documents_of_both():
    a = random_counts(7)
    b = a.copy()
    b[:, 2] -= (b[:, 2] > 0) & (np.arange(len(b)) % 5 == 0)  # one entity less in every fifth document
    difference = bootstrap_difference(a, b)
    assert difference.high < 0
    assert difference.low < f1(b) - f1(a) < difference.high
    alone = bootstrap_interval(a)
    assert difference.high - difference.low < alone.high - alone.low
    assert bootstrap_difference(a, a)[:2] == (0.0, 0.0)
    assert bootstrap_difference(b, a)[:2] == pytest.approx((-difference.high, -difference.low), abs=0.003)
