from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate import Evaluator

from viner.metrics import ModeScores, evaluate, score_modes
from viner.metrics.modes import _Ends

NERVALUATE = {"strict": "strict", "exact": "exact", "partial": "partial", "type": "ent_type"}
LABELS = ("LOCATION", "PERSON", "DATE")
GOLD = (10, 20, "LOCATION")


@pytest.mark.parametrize(
    ("predicted", "strict", "exact", "partial", "type_"),
    [
        ((10, 20, "LOCATION"), "correct", "correct", "correct", "correct"),
        ((10, 20, "PERSON"), "incorrect", "correct", "correct", "incorrect"),
        ((12, 25, "LOCATION"), "incorrect", "incorrect", "partial", "correct"),
        ((12, 25, "PERSON"), "incorrect", "incorrect", "partial", "incorrect"),
    ],
)
def test_the_table_of_the_task(predicted, strict, exact, partial, type_):
    scores = score_modes([GOLD], [predicted])
    assert scores == {
        "strict": ModeScores(**{strict: 1}),
        "exact": ModeScores(**{exact: 1}),
        "partial": ModeScores(**{partial: 1}),
        "type": ModeScores(**{type_: 1}),
    }


def test_entities_that_touch_without_overlap_are_missed_and_spurious():
    assert set(score_modes([GOLD], [(20, 22, "LOCATION")]).values()) == {ModeScores(missed=1, spurious=1)}


def test_a_partial_pair_is_half_right():
    scores = ModeScores(correct=1, partial=1, missed=1, spurious=2)
    assert (scores.precision, scores.recall) == (1.5 / 4, 1.5 / 3)
    assert scores.f1 == pytest.approx(2 * 1.5 / 7)
    assert ModeScores.from_dict(scores.to_dict()) == scores


def test_an_entity_predicted_in_two_pieces_is_one_pair_and_one_spurious():
    assert score_modes([GOLD], [(10, 14, "LOCATION"), (15, 20, "LOCATION")])["partial"] == ModeScores(partial=1, spurious=1)


def test_by_type_the_nearest_entity_of_the_label_is_the_partner():
    gold = [(0, 4, "PERSON"), (5, 9, "PERSON")]
    # The first prediction overlaps both; it takes the second, so the first stays alone.
    assert score_modes(gold, [(3, 9, "PERSON")])["type"] == ModeScores(correct=1, missed=1)


entities = st.tuples(st.integers(0, 8), st.integers(1, 4), st.sampled_from(LABELS)).map(lambda e: (e[0], e[0] + e[1], e[2]))


@settings(max_examples=100, deadline=None)
@given(st.lists(entities, max_size=6), st.lists(entities, max_size=6))
def test_nested_and_repeated_entities_have_as_many_strict_pairs_as_strict_scores_count(gold, predicted):
    modes, micro = score_modes(gold, predicted), evaluate(gold, predicted).micro
    assert (modes["strict"].possible, modes["strict"].actual) == (micro.support, micro.predicted)
    assert (modes["strict"].precision, modes["strict"].recall, modes["strict"].f1) == (micro.precision, micro.recall, micro.f1)
    assert {(scores.possible, scores.actual) for scores in modes.values()} == {(micro.support, micro.predicted)}


@st.composite
def flat(draw: st.DrawFn) -> list[tuple[int, int, str]]:
    """Disjoint entities in the order of the text, on few words, so that many overlap those of another draw."""
    at, found = 0, []
    for gap, length, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)), max_size=7)
    ):
        found.append((at + gap, at + gap + length, label))
        at += gap + length
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(flat(), flat()), min_size=1, max_size=3))
def test_flat_entities_are_scored_as_nervaluate_scores_them(documents):
    ours = dict.fromkeys(NERVALUATE, ModeScores())
    for gold, predicted in documents:
        ours = {mode: ours[mode] + scores for mode, scores in score_modes(gold, predicted).items()}

    def inclusive(side):
        return [[{"start": s, "end": e - 1, "label": label} for s, e, label in document[side]] for document in documents]

    theirs = Evaluator(inclusive(0), inclusive(1), tags=list(LABELS), loader="dict").evaluate()["overall"]
    for mode, name in NERVALUATE.items():
        for figure in ("correct", "incorrect", "partial", "missed", "spurious", "precision", "recall", "f1"):
            assert getattr(ours[mode], figure) == pytest.approx(getattr(theirs[name], figure)), (mode, figure)


@given(st.lists(st.integers(0, 20), max_size=20), st.data())
def test_ends_behind_a_place_are_found_in_order(ends, data):
    tree = _Ends(ends)
    left = list(ends)
    for _ in range(4):
        place, stop = data.draw(st.integers(0, 20)), data.draw(st.integers(0, 24))
        assert list(tree.beyond(place, stop)) == [index for index, end in enumerate(left[:stop]) if end > place]
        if left:
            gone = data.draw(st.integers(0, len(left) - 1))
            tree.clear(gone)
            left[gone] = 0
