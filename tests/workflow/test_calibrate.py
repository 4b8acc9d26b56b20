from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from viner.document import Document, Entity
from viner.metrics.calibration import brier_score, expected_calibration_error
from viner.workflow.calibrate import calibrate


class NumberReader:
    """Finds every number in a text, and is as sure of it as it says."""

    labels = ("NUMBER",)

    def stream(self, documents: Iterable[Document], *, unanswered: object) -> Iterator[Document]:
        for document in documents:
            entities = [
                Entity(start, start + 6, "NUMBER", score=float(document.text[start : start + 6])) for start in (0, 7, 14)
            ]
            yield document.with_(entities=entities, words=[(entity.start, entity.end) for entity in entities])


def numbers(count: int, *, seed: int, slope: float = 0.4, offset: float = 0.2) -> list[Document]:
    """Documents of three numbers, of which the higher ones are right more often, though less often than they say."""
    draw = np.random.default_rng(seed)
    odds = draw.normal(3, 2, (count, 3))
    right = draw.random((count, 3)) < 1 / (1 + np.exp(offset - slope * odds))
    scores = 1 / (1 + np.exp(-odds))
    return [
        Document(
            " ".join(f"{score:.4f}" for score in row),
            entities=[Entity(7 * place, 7 * place + 6, "NUMBER") for place in np.flatnonzero(known).tolist()],
        )
        for row, known in zip(scores, right, strict=True)
    ]


def test_scores_become_the_share_of_right_entities_also_in_other_documents():
    fitted = calibrate(NumberReader(), numbers(400, seed=1))
    assert "1,200 entities of dev" in fitted.summary()
    unseen = calibrate(NumberReader(), numbers(400, seed=2)).outcomes
    assert fitted.calibration is not None
    after = fitted.calibration.applied(unseen)
    assert expected_calibration_error(unseen) > 0.15
    assert expected_calibration_error(after) < 0.05
    assert brier_score(after) < brier_score(unseen)


def test_few_entities_leave_scores_as_they_are_and_it_is_said():
    fitted = calibrate(NumberReader(), numbers(5, seed=1))
    assert fitted.calibration is None
    assert "not calibrated: 15 found entities" in fitted.summary()


def test_entities_that_cost_f1_are_left_out_where_dev_says_so():
    # Nearly all that is unsure is wrong: six in ten are right, the sure ones.
    fitted = calibrate(NumberReader(), numbers(400, seed=1, slope=1.2, offset=3.0))
    assert fitted.least is not None
    assert fitted.calibration is not None
    assert fitted.least.f1 > fitted.least.f1_of_all
    assert fitted.to_dict()["least"] == fitted.least.to_dict()
    (score,) = fitted.calibration(np.array([fitted.least_estimate]))
    assert score == pytest.approx(fitted.least.score)
    assert f"Entities with a score below {score:.2f} are left out: F1 " in fitted.summary()


def test_where_all_entities_bring_f1_none_is_left_out():
    fitted = calibrate(NumberReader(), numbers(400, seed=1, slope=0.1, offset=-1.0))
    assert fitted.calibration is not None
    assert (fitted.least, fitted.least_estimate) == (None, 0.0)
    assert "left out" not in fitted.summary()
    assert "least" not in fitted.to_dict()
