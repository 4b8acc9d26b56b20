from __future__ import annotations

import random
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.v1 import precision_recall_fscore_support
from seqeval.scheme import IOB2

from viner.metrics import EntityTally, evaluate

LABELS = ["LOCATION", "NAME", "DATE"]


def test_an_entity_is_right_only_with_both_borders_and_the_label():
    gold = [(0, 5, "NAME"), (6, 9, "DATE"), (10, 12, "NAME"), (20, 22, "NAME")]
    predicted = [(0, 5, "NAME"), (6, 8, "DATE"), (10, 12, "DATE")]
    scores = evaluate(gold, predicted)
    assert (scores.micro.support, scores.micro.predicted, scores.micro.correct) == (4, 3, 1)
    assert scores.labels["NAME"].correct == 1
    assert scores.labels["DATE"].correct == 0


def test_equal_spans_of_different_documents_are_different_entities():
    assert evaluate([("a", 0, 5, "NAME")], [("b", 0, 5, "NAME")]).micro.correct == 0


def test_an_entity_predicted_twice_is_right_once():
    scores = evaluate([(0, 5, "NAME")], [(0, 5, "NAME"), (0, 5, "NAME")]).micro
    assert (scores.predicted, scores.correct) == (2, 1)


def test_nested_entities_are_scored_like_any_other():
    gold = [(0, 20, "ORGANIZATION"), (12, 20, "LOCATION")]
    assert evaluate(gold, gold[1:]).micro.recall == 0.5


def test_a_label_that_is_only_predicted_counts_in_the_macro_mean():
    scores = evaluate([(0, 5, "NAME")], [(0, 5, "NAME"), (6, 9, "DATE")])
    assert scores.macro.f1 == 0.5
    assert list(scores.labels) == ["DATE", "NAME"]


def test_nothing_against_nothing_is_all_zero_and_has_no_labels():
    assert evaluate([], []).to_dict()["labels"] == {}


spans = st.lists(st.tuples(st.integers(0, 6), st.integers(7, 12), st.sampled_from(LABELS)), max_size=8)


@given(st.lists(st.tuples(spans, spans), max_size=5))
def test_counting_document_by_document_equals_counting_at_once(documents):
    tally = EntityTally()
    for gold, predicted in documents:
        tally.add(gold, predicted)
    whole = evaluate(
        [(index, *span) for index, (gold, _) in enumerate(documents) for span in gold],
        [(index, *span) for index, (_, predicted) in enumerate(documents) for span in predicted],
    )
    assert tally.scores() == whole


def random_sentence(rng: random.Random, words: int) -> list[str]:
    """Well-formed IOB2 tags, as every decoder of ours gives them."""
    tags: list[str] = []
    while len(tags) < words:
        if rng.random() < 0.5:
            tags.append("O")
        else:
            label = rng.choice(LABELS)
            tags.append(f"B-{label}")
            tags.extend(f"I-{label}" for _ in range(min(rng.randrange(3), words - len(tags))))
    return tags


def spans_of(sentences: list[list[str]]) -> list[tuple[int, int, int, str]]:
    found = []
    for index, tags in enumerate(sentences):
        starts = [i for i, tag in enumerate(tags) if tag.startswith("B-")]
        for start in starts:
            end = start + 1
            while end < len(tags) and tags[end].startswith("I-"):
                end += 1
            found.append((index, start, end, tags[start][2:]))
    return found


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 12), min_size=1, max_size=6))
def test_scores_equal_seqeval_in_strict_iob2_mode(seed, lengths):
    rng = random.Random(seed)
    gold = [random_sentence(rng, length) for length in lengths]
    # half of the sentences are predicted perfectly, so that true positives are not rare
    predicted = [tags if rng.random() < 0.5 else random_sentence(rng, len(tags)) for tags in gold]
    scores = evaluate(spans_of(gold), spans_of(predicted))
    if not scores.labels:  # seqeval averages over nothing
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        micro = precision_recall_fscore_support(gold, predicted, average="micro", scheme=IOB2)
        macro = precision_recall_fscore_support(gold, predicted, average="macro", scheme=IOB2)
        each = precision_recall_fscore_support(gold, predicted, average=None, scheme=IOB2)
    assert (scores.micro.precision, scores.micro.recall, scores.micro.f1, scores.micro.support) == pytest.approx(micro)
    assert (scores.macro.precision, scores.macro.recall, scores.macro.f1, scores.macro.support) == pytest.approx(macro)
    for figure, values in zip(("precision", "recall", "f1", "support"), each, strict=True):
        assert [getattr(label, figure) for label in scores.labels.values()] == pytest.approx(list(values))
