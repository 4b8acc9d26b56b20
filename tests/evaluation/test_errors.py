from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Entity
from viner.evaluation.errors import KINDS, Pair, align, f1, f1_without, totals
from viner.metrics import evaluate


def kinds(gold: list[tuple[int, int, str]], predicted: list[tuple[int, int, str]]) -> list[str]:
    return [pair.kind for pair in align(entities(gold), entities(predicted))]


def entities(spans: list[tuple[int, int, str]]) -> list[Entity]:
    return [Entity(*span) for span in spans]


@pytest.mark.parametrize(
    ("gold", "predicted", "kind"),
    [
        ((3, 9, "LOC"), (3, 9, "LOC"), "correct"),
        ((3, 9, "LOC"), (3, 9, "ORG"), "type"),
        ((3, 9, "LOC"), (3, 7, "LOC"), "boundary"),
        ((3, 9, "LOC"), (8, 12, "LOC"), "boundary"),
        ((3, 9, "LOC"), (3, 7, "ORG"), "boundary_type"),
    ],
)
def test_a_pair_that_shares_text_has_the_kind_of_what_is_wrong(gold, predicted, kind):
    assert kinds([gold], [predicted]) == [kind]


def test_what_has_no_partner_is_missed_or_spurious():
    assert kinds([(3, 9, "LOC")], []) == ["missed"]
    assert kinds([], [(3, 9, "LOC")]) == ["spurious"]
    assert kinds([(3, 9, "LOC")], [(9, 12, "LOC")]) == ["missed", "spurious"]  # they touch and share nothing


def test_the_same_span_is_a_better_partner_than_the_same_type_beside_it():
    assert kinds([(0, 10, "PER")], [(0, 10, "LOC"), (0, 9, "PER")]) == ["spurious", "type"]


def test_the_same_type_is_a_better_partner_than_more_text_in_common():
    pairs = align(entities([(0, 10, "PER")]), entities([(0, 9, "LOC"), (8, 12, "PER")]))
    assert [(pair.kind, pair.labels) for pair in pairs] == [("spurious", (None, "LOC")), ("boundary", ("PER", "PER"))]


def test_of_two_parts_the_larger_one_is_the_partner_and_the_other_is_spurious():
    pairs = align(entities([(0, 10, "PER")]), entities([(0, 3, "PER"), (4, 10, "PER")]))
    assert [(pair.kind, pair.predicted.start) for pair in pairs if pair.predicted] == [("spurious", 0), ("boundary", 4)]


def test_of_two_equal_parts_the_left_one_is_the_partner():
    pairs = align(entities([(0, 9, "PER")]), entities([(5, 9, "PER"), (0, 4, "PER")]))
    assert [(pair.kind, pair.predicted.start) for pair in pairs if pair.predicted] == [("boundary", 0), ("spurious", 5)]


def test_an_entity_that_is_annotated_twice_must_be_found_twice():
    assert kinds([(0, 4, "A"), (0, 4, "A")], [(0, 4, "A")]) == ["correct", "missed"]
    assert kinds([(0, 4, "A")], [(0, 4, "A"), (0, 4, "A")]) == ["correct", "spurious"]


def test_nested_entities_each_find_their_own():
    assert kinds([(0, 9, "ORG"), (3, 9, "LOC")], [(3, 9, "LOC"), (0, 9, "ORG")]) == ["correct", "correct"]


SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(1, 6), st.sampled_from("AB")).map(lambda s: (s[0], s[0] + s[1], s[2])), max_size=7
)


@settings(max_examples=25, deadline=None)
@given(SPANS, SPANS, st.randoms())
def test_every_entity_is_in_one_pair_whatever_the_order_and_the_correct_ones_are_those_of_strict_scores(
    gold, predicted, random
):
    pairs = align(entities(gold), entities(predicted))
    assert Counter((e.start, e.end, e.label) for e in (p.gold for p in pairs) if e) == Counter(gold)
    assert Counter((e.start, e.end, e.label) for e in (p.predicted for p in pairs) if e) == Counter(predicted)
    for pair in pairs:
        if pair.gold and pair.predicted:
            assert pair.gold.start < pair.predicted.end
            assert pair.predicted.start < pair.gold.end
    counts = Counter(pair.kind for pair in pairs)
    scores = evaluate(gold, predicted).micro
    assert totals(counts) == (scores.correct, scores.support, scores.predicted)
    assert f1(counts) == pytest.approx(scores.f1)
    mixed, turned = list(gold), list(predicted)
    random.shuffle(mixed)
    random.shuffle(turned)
    assert align(entities(mixed), entities(turned)) == pairs


@settings(max_examples=25, deadline=None)
@given(SPANS, SPANS)
def test_no_missed_entity_overlaps_a_spurious_one(gold, predicted):
    pairs = align(entities(gold), entities(predicted))
    missed = [pair.gold for pair in pairs if pair.gold and pair.predicted is None]
    spurious = [pair.predicted for pair in pairs if pair.predicted and pair.gold is None]
    assert not [(a, b) for a in missed for b in spurious if a.start < b.end and b.start < a.end]


def test_mending_a_kind_gives_the_f1_that_a_model_without_it_has():
    counts = {"correct": 6, "type": 1, "boundary": 1, "missed": 2, "spurious": 4}
    assert f1(counts) == pytest.approx(2 * 6 / (10 + 12))
    assert f1_without(counts, "type") == pytest.approx(2 * 7 / (10 + 12))
    assert f1_without(counts, "missed") == pytest.approx(2 * 8 / (10 + 14))
    assert f1_without(counts, "spurious") == pytest.approx(2 * 6 / (10 + 8))
    assert f1_without(counts, "boundary_type") == f1(counts)
    assert all(f1_without({"correct": 3, kind: 2}, kind) == 1.0 for kind in KINDS)


def test_a_pair_covers_both_of_its_spans():
    pair = Pair(Entity(3, 9, "A"), Entity(1, 5, "A"))
    assert (pair.start, pair.end) == (1, 9)
