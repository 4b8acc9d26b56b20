import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.encoding import BioDecoder, bio_tags, class_probabilities
from viner.encoding.decoding import WordSpan

LABELS = ("X", "Y")
TAGS = bio_tags(LABELS)


def well_formed(tags):
    previous = "O"
    for tag in tags:
        if tag[0] == "I" and previous[2:] != tag[2:]:
            return False
        previous = tag
    return True


def spans(tags):
    found = []
    for word, tag in enumerate(tags):
        if tag[0] == "B":
            found.append([word, word + 1, tag[2:]])
        elif tag[0] == "I":
            found[-1][1] = word + 1
    return [tuple(span) for span in found]


def brute_force(emissions):
    log_probs = emissions - np.log(np.exp(emissions).sum(axis=1, keepdims=True))
    paths = (
        path for path in itertools.product(range(len(TAGS)), repeat=len(emissions)) if well_formed([TAGS[t] for t in path])
    )
    return max(paths, key=lambda path: sum(log_probs[word, tag] for word, tag in enumerate(path)))


def random_emissions(seed, words):
    return np.random.default_rng(seed).normal(0, 2, (words, len(TAGS))).astype(np.float32)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_the_best_well_formed_sequence_is_decoded(seed, words):
    emissions = random_emissions(seed, words)
    expected = spans([TAGS[tag] for tag in brute_force(emissions.astype(np.float64))])
    assert [tuple(span[:3]) for span in BioDecoder(LABELS).decode(emissions)] == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 12), max_size=8))
def test_a_batch_equals_its_documents_alone(seed, lengths):
    documents = [random_emissions(seed + index, words) for index, words in enumerate(lengths)]
    decoder = BioDecoder(LABELS)
    together = decoder.decode_batch(documents)
    alone = [decoder.decode(document) for document in documents]
    assert [[span[:3] for span in spans] for spans in together] == [[span[:3] for span in spans] for spans in alone]
    for one, other in zip(itertools.chain(*together), itertools.chain(*alone), strict=True):
        assert one.score == pytest.approx(other.score, abs=1e-9)
        assert 0 <= one.score <= 1
    for document, found in zip(documents, together, strict=True):
        assert all(0 <= span.first < span.last <= len(document) for span in found)
        assert all(left.last <= right.first for left, right in itertools.pairwise(found))


def test_the_score_is_the_mean_probability_whatever_the_length():
    emissions = np.log(np.array([[0.1, 0.9, 0, 0, 0], [0.1, 0, 0.9, 0, 0], [0.1, 0, 0.9, 0, 0]]) + 1e-9).astype(np.float32)
    (span,) = BioDecoder(LABELS).decode(emissions)
    assert span[:3] == (0, 3, "X")
    assert span.score == pytest.approx(0.9, abs=1e-4)


def test_an_inside_tag_never_begins_an_entity_even_across_documents():
    begin = np.eye(5, dtype=np.float32)[[1]] * 9
    inside = np.eye(5, dtype=np.float32)[[2]] * 9
    first, second = BioDecoder(LABELS).decode_batch([begin, inside])
    assert first == [WordSpan(0, 1, "X", pytest.approx(1, abs=1e-2))]
    assert all(span.first == 0 and span.last == 1 for span in second)


@pytest.mark.parametrize("scale", [1e-30, 1e4, 1e30])
def test_extreme_emissions_give_finite_scores_and_no_warnings(scale):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = BioDecoder(LABELS).decode_batch([random_emissions(seed, 9) * np.float32(scale) for seed in range(20)])
    assert all(0 <= span.score <= 1 for span in itertools.chain(*found))


def test_no_documents_and_empty_documents():
    empty = np.zeros((0, 5), dtype=np.float32)
    decoder = BioDecoder(LABELS)
    assert decoder.decode_batch([]) == []
    assert decoder.decode_batch([empty, empty]) == [[], []]
    entity = np.eye(5, dtype=np.float32)[[0, 3, 4]] * 9
    assert [len(found) for found in decoder.decode_batch([empty, entity, empty, empty, entity, empty])] == [0, 1, 0, 0, 1, 0]


def test_a_calibration_changes_scores_and_nothing_else():
    documents = [random_emissions(seed, words) for seed, words in enumerate((0, 3, 20, 1))]
    plain, calibrated = BioDecoder(LABELS), BioDecoder(LABELS, lambda scores: scores / 2)
    for (before, unsure), (after, same) in zip(plain.judge_batch(documents), calibrated.judge_batch(documents), strict=True):
        assert [span[:3] for span in after] == [span[:3] for span in before]
        assert all(span.score <= 0.5 for span in after)
        assert same == unsure
    assert calibrated.decode_batch(documents) == [spans for spans, _ in calibrated.judge_batch(documents)]


def test_a_calibrated_score_counts_the_end_as_a_tag():
    b, i = (np.log(np.array([0.02, *row, 0.02, 0.02]) + 1e-9).astype(np.float32) for row in ((0.9, 0.04), (0.06, 0.88)))
    open_end = np.log(np.array([0.6, 0.02, 0.34, 0.02, 0.02])).astype(np.float32)
    decoder = BioDecoder(LABELS, lambda scores: scores)
    (followed,), (last,) = decoder.decode_batch([np.stack([b, i, open_end]), np.stack([b, i])])
    assert (followed[:3], last[:3]) == ((0, 2, "X"), (0, 2, "X"))
    assert followed.score == pytest.approx((0.9 * 0.88 * (1 - 0.34)) ** (1 / 3), abs=1e-4)
    assert last.score == pytest.approx((0.9 * 0.88) ** (1 / 3), abs=1e-4)


@pytest.mark.parametrize("calibrate", [None, lambda scores: scores**2], ids=["plain", "calibrated"])
def test_entities_below_the_least_estimate_or_score_are_left_out_and_no_other_changes(calibrate):
    documents = [random_emissions(seed, words) for seed, words in enumerate((0, 9, 40, 1, 25))]
    everything = BioDecoder(LABELS, calibrate).judge_batch(documents)
    # The estimates are what a calibration starts from.
    estimates = [[span.score for span in spans] for spans in BioDecoder(LABELS, lambda scores: scores).decode_batch(documents)]
    by_estimate = BioDecoder(LABELS, calibrate, least_estimate=0.7).judge_batch(documents)
    by_score = BioDecoder(LABELS, calibrate, least_score=0.7).judge_batch(documents)
    dropped = 0
    for (spans, unsure), of_spans, left, well in zip(everything, estimates, by_estimate, by_score, strict=True):
        assert left == ([span for span, estimate in zip(spans, of_spans, strict=True) if estimate >= 0.7], unsure)
        assert well == ([span for span in spans if round(span.score, 4) >= 0.7], unsure)
        dropped += len(spans) - len(left[0])
    assert 0 < dropped < sum(map(len, estimates))


@pytest.mark.parametrize("calibrate", [None, lambda scores: scores**2], ids=["plain", "calibrated"])
def test_a_document_is_at_the_border_where_an_entity_nearly_has_the_least_score_or_estimate(calibrate):
    documents = [random_emissions(seed, 1 + seed % 4) for seed in range(60)]
    begins = np.cumsum([0, *map(len, documents[:-1])])
    together = np.concatenate(documents)
    assert not BioDecoder(LABELS, calibrate).at_border(together, begins, np.inf).any()  # nothing is left out
    by_estimate, by_score = BioDecoder(LABELS, calibrate, least_estimate=0.7), BioDecoder(LABELS, calibrate, least_score=0.7)
    for decoder, measure, least in (
        (by_estimate, lambda scores: scores, 0.7),
        (by_score, calibrate and (lambda scores: scores), 0.7 if calibrate is None else 0.7**0.5),
    ):
        scores = [[span.score for span in spans] for spans in BioDecoder(LABELS, measure).decode_batch(documents)]
        nearest = [
            min((abs(log_odds(score) - log_odds(least)) for score in of_document), default=np.inf) for of_document in scores
        ]
        for margin in (0.1, 1.0, 5.0):
            near = decoder.at_border(together, begins, margin)
            assert near.tolist() == [distance < margin for distance in nearest]
            assert 0 < near.sum() < len(documents)
            assert near.tolist() == [bool(decoder.at_border(one, np.array([0]), margin)[0]) for one in documents]


def log_odds(probability):
    return np.log(probability) - np.log1p(-probability)


def test_small_changes_of_the_emissions_change_no_entity_unseen():
    decoder = BioDecoder(LABELS, least_estimate=0.6)
    draw = np.random.default_rng(5)
    changed = seen = 0
    for begins in draw.uniform(0.3, 0.42, 2000):
        rest = (1 - begins) * draw.dirichlet([9] * 4)
        emissions = np.log([[rest[0], begins, *rest[1:]]]).astype(np.float32)
        others = emissions + draw.normal(0, 0.04, emissions.shape).astype(np.float32)
        best = np.sort(emissions, axis=1)
        if (best[:, -1] - best[:, -2]).min() < 0.5:
            continue  # two tags are about as likely: another reason to look again
        unsure = bool(decoder.at_border(emissions, np.array([0]), 0.5)[0])
        seen += unsure
        if [span[:3] for span in decoder.decode(emissions)] != [span[:3] for span in decoder.decode(others)]:
            changed += 1
            assert unsure
    assert 10 < changed < seen < 2000


def test_tags_stand_in_the_order_of_the_outputs():
    assert bio_tags(["A", "B"]) == ["O", "B-A", "I-A", "B-B", "I-B"]
    assert bio_tags([]) == ["O"]


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 5), max_size=6))
def test_the_uncertainty_is_one_minus_the_geometric_mean_of_the_tags_probabilities(seed, lengths):
    documents = [random_emissions(seed + index, words) for index, words in enumerate(lengths)]
    decoder = BioDecoder(LABELS)
    judged = decoder.judge_batch(documents)
    assert [spans for spans, _ in judged] == decoder.decode_batch(documents)
    for emissions, (_, uncertainty) in zip(documents, judged, strict=True):
        probabilities = [
            np.exp(row[tag]) / np.exp(row).sum()
            for row, tag in zip(
                emissions.astype(np.float64), brute_force(emissions.astype(np.float64)) if len(emissions) else (), strict=True
            )
        ]
        expected = 1 - np.prod(probabilities) ** (1 / len(probabilities)) if probabilities else 0.0
        assert uncertainty == pytest.approx(expected, abs=1e-5)


def test_the_uncertainty_does_not_grow_with_length():
    word = np.log(np.array([[0.7, 0.2, 0.1 / 3, 0.1 / 3, 0.1 / 3]])).astype(np.float32)
    (_, short), (_, long) = BioDecoder(LABELS).judge_batch([word, np.repeat(word, 1000, axis=0)])
    assert short == pytest.approx(0.3, abs=1e-6)
    assert long == pytest.approx(short, abs=1e-6)
    assert BioDecoder(LABELS).judge_batch([np.zeros((0, 5), dtype=np.float32)]) == [([], 0.0)]


def test_probabilities_of_classes_are_those_of_their_tags_together():
    emissions = np.log(np.array([[0.5, 0.1, 0.2, 0.15, 0.05], [0.2, 0.2, 0.2, 0.2, 0.2]], dtype=np.float32))
    assert np.allclose(class_probabilities(emissions + 3), [[0.5, 0.3, 0.2], [0.2, 0.4, 0.4]], atol=1e-6)
    assert class_probabilities(emissions[:0]).shape == (0, 3)
