from __future__ import annotations

from datetime import UTC, datetime

import pytest

from viner.console.errors_view import curve_view, doubts_view, errors_view
from viner.console.messages import Messages
from viner.document import Document, Entity
from viner.evaluation.analysis import ErrorAnalysis
from viner.evaluation.doubts import Doubt
from viner.evaluation.errors import Pair
from viner.evaluation.excerpts import Excerpts
from viner.studio.doubts import OpenDoubts

EN, VI = Messages("en"), Messages("vi")


@pytest.fixture
def analysis() -> ErrorAnalysis:
    """A document with a wrong type, of which the model is sure."""
    found = ErrorAnalysis()
    words = [(0, 3), (4, 5), (6, 9)]
    found.observe(
        Document("Lan ở <b>", id="a/b?c", entities=[Entity(0, 3, "LOCATION")], words=words),
        Document("Lan ở <b>", entities=[Entity(0, 3, "PERSON", score=0.97)], words=words),
    )
    return found


def test_figures_say_which_model_on_which_documents(analysis) -> None:
    view = errors_view(analysis, "003", "dev", EN)
    assert "Version 003 on 1 documents (Dev): F1 0.0000, 1 errors, 1 annotated entities" in view
    assert "wrong type" in view


def test_without_annotated_entities_there_is_no_figure_and_it_is_said() -> None:
    found = ErrorAnalysis()
    words = [(0, 3)]
    found.observe(Document("Lan", entities=[], words=words), Document("Lan", entities=[Entity(0, 3, "PERSON")], words=words))
    view = errors_view(found, "003", "dev", EN)
    assert "no entity is annotated in them, so there is no F1; 1 recognized entities are errors" in view
    assert "0.000" not in view.split('role="status"')[1].split("</p>")[0]
    assert "không có F1" in errors_view(found, "003", "dev", VI)


def test_every_error_opens_in_the_annotator(analysis) -> None:
    view = errors_view(analysis, "003", "dev", EN)
    assert view.count('href="../annotate/?document=a%2Fb%3Fc"') == 3  # as a doubt, as an error, as a document
    assert "Open a/b?c in the annotator" in view


def test_a_text_is_no_markup(analysis) -> None:
    view = errors_view(analysis, "003", "dev", EN)
    assert "ở &lt;b&gt;" in view
    assert "<b>" not in view.replace("<b>PERSON</b>", "").replace("<b>LOCATION</b>", "")


def test_doubts_about_what_was_learned_are_told_as_such(analysis) -> None:
    assert "learned from these annotations and still is sure" in errors_view(analysis, "003", "train", EN)
    assert "learned from these annotations and still is sure" not in errors_view(analysis, "003", "dev", EN)


def crossed(count: int, found: int, shown: int = 100, aside: int = 0) -> OpenDoubts:
    document = Document("Lan ở <b>", id="a/b?c", entities=[Entity(0, 3, "LOCATION")])
    pair = Pair(document.entities[0], None)
    doubts = [Doubt(pair, Excerpts(document, document, number).cut(0, 3), 0.9) for number in range(min(count, shown))]
    put = tuple(doubts[:1] * aside)
    return OpenDoubts(tuple(doubts), count, found, datetime(2026, 3, 9, tzinfo=UTC), put, 3 * aside)


def test_doubts_of_other_models_open_in_the_annotator_until_they_are_settled() -> None:
    view = doubts_view(crossed(2, 5), EN)
    assert "doubted 5 annotations on 2026-03-09; 2 of them were neither" in view
    assert view.count('href="../annotate/?document=a%2Fb%3Fc"') == 2
    assert "<b>" not in view.replace("<b>LOCATION</b>", "")
    assert EN("crossed_first", count=100) in doubts_view(crossed(101, 101), EN)
    assert doubts_view(crossed(101, 101), EN).count("href=") == 100


def test_each_can_be_put_aside_or_taken_back_and_says_which_it_is() -> None:
    view = doubts_view(crossed(2, 5, aside=1), EN)
    assert view.count('data-action="put_aside"') == 2
    assert view.count('data-action="take_back"') == 1
    assert view.count('aria-label="It is right: “Lan” at 0 in a/b?c, do not doubt it again"') == 2
    assert "Said to be right: 3" in view
    assert "These are the last 1." in view
    assert "<details" not in doubts_view(crossed(2, 5), EN)
    assert "viner-doubt" not in errors_view(ErrorAnalysis(), "003", "dev", EN)


def test_where_there_are_none_it_says_why() -> None:
    assert "viner doubts --project DIR" in doubts_view(None, EN)
    assert "All 5 doubts of 2026-03-09 are settled" in doubts_view(crossed(0, 5), EN)
    assert "doubted none" in doubts_view(crossed(0, 0), EN)
    assert "nghi ngờ" in doubts_view(None, VI)


def test_scores_are_drawn_where_the_model_did_not_learn(analysis) -> None:
    assert "Reliability diagram" in errors_view(analysis, "003", "dev", EN)
    assert "Reliability diagram" not in errors_view(analysis, "003", "train", EN)


def test_it_speaks_vietnamese(analysis) -> None:
    view = errors_view(analysis, "003", "dev", VI)
    assert "sai loại" in view
    assert "wrong type" not in view
    assert "theo mô hình: PERSON" in view


@pytest.mark.parametrize(("split", "said"), [("dev", "No dev document is done"), ("train", "No train document is done")])
def test_without_documents_it_says_what_to_do(split: str, said: str) -> None:
    assert said in errors_view(ErrorAnalysis(), "003", split, EN)


def test_the_curve_takes_the_best_version_of_each_size_in_order_of_size() -> None:
    versions = [
        {"documents": 200, "metrics": {"dev": 0.8}},
        {"documents": 100, "metrics": {"dev": 0.6}},
        {"documents": 200, "metrics": {"dev": 0.7}},
        {"documents": None, "metrics": {}},
    ]
    view = curve_view(versions, EN)
    assert view.count("<circle") == 2
    assert "0.800" in view
    assert "0.700" not in view
    assert curve_view(versions[:1], EN) == curve_view([versions[0], versions[2]], EN) == ""
