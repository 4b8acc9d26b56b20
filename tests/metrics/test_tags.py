from __future__ import annotations

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from viner.errors import InputError
from viner.metrics.tags import evaluate_tags, lenient_spans


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("B-A I-A O", [(0, 2, "A")]),
        ("O I-A I-A", [(1, 3, "A")]),  # I behind O begins an entity
        ("B-A I-B", [(0, 1, "A"), (1, 2, "B")]),  # so does another label
        ("I-A B-A", [(0, 1, "A"), (1, 2, "A")]),
        ("B-A E-A I-A S-A", [(0, 2, "A"), (2, 3, "A"), (3, 4, "A")]),
        ("B-X-Y I-X-Y", [(0, 2, "X-Y")]),  # labels may have hyphens
        ("O O", []),
    ],
)
def test_entities_of_broken_sequences_are_repaired(tags, spans):
    assert lenient_spans(tags.split()) == spans


def test_figures_are_those_that_conlleval_printed():
    # Recorded from conlleval.pl, version 2004-01-26, on these five sentences.
    gold = """B-PER I-PER O B-X-Y I-LOC O B-LOC O I-PER B-X-Y | I-X-Y O I-LOC O | I-X-Y B-PER B-LOC I-X-Y | O B-LOC B-X-Y
              | B-LOC O O"""
    found = """B-PER I-PER B-LOC B-X-Y I-LOC O I-LOC I-X-Y I-PER B-X-Y | I-X-Y O I-LOC O | I-X-Y B-PER B-LOC I-X-Y
               | O B-X-Y B-X-Y | B-LOC O O"""
    scores = evaluate_tags(*([sentence.split() for sentence in text.split("|")] for text in (gold, found)))
    assert (scores.micro.support, scores.micro.predicted, scores.micro.correct) == (15, 17, 14)
    printed = {
        label: [round(100 * figure, 2) for figure in (item.precision, item.recall, item.f1)] + [item.predicted]
        for label, item in scores.labels.items()
    }
    assert printed == {"LOC": [83.33, 83.33, 83.33, 6], "PER": [100, 100, 100, 3], "X-Y": [75, 100, 85.71, 8]}


tags = st.sampled_from(["O", *(f"{prefix}-{label}" for prefix in "BIES" for label in ("LOC", "PER", "X-Y"))])
pairs = st.lists(st.lists(st.tuples(tags, tags), min_size=1, max_size=8), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@given(pairs)
def test_scores_equal_seqeval_in_its_default_mode_whatever_the_tags(sentences):
    gold = [[right for right, _ in sentence] for sentence in sentences]
    predicted = [[found for _, found in sentence] for sentence in sentences]
    scores = evaluate_tags(gold, predicted)
    if not scores.labels:  # seqeval averages over nothing
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for average, ours in (("micro", scores.micro), ("macro", scores.macro)):
            theirs = precision_recall_fscore_support(gold, predicted, average=average)
            assert (ours.precision, ours.recall, ours.f1, ours.support) == pytest.approx(theirs)


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([["O"]], [], "1 sentences are annotated, 0 predicted"),
        ([["O"], ["O", "O"]], [["O"], ["O"]], "sentence 2: 2 words are annotated, 1 predicted"),
        ([["O"]], [["B"]], "word 1: 'B' is no tag"),
    ],
)
def test_what_cannot_be_compared_is_an_error(gold, predicted, message):
    with pytest.raises(InputError) as error:
        evaluate_tags(gold, predicted)
    assert str(error.value).startswith(message)
