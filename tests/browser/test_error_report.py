"""The page of errors, opened as a file in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from viner.document import Document, Entity
from viner.evaluation.analysis import ErrorAnalysis
from viner.evaluation.page import error_report, write_report
from viner.evaluation.report import Evaluation
from viner.metrics import evaluate
from viner.text import split_words

pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror=document.title=1><script>document.title=1"


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    """Two wrong types, one of them in a hostile text, and a missed entity."""
    pairs = [
        (Document(f"Lan ở Huế {NASTY}", entities=[Entity(0, 3, "PER")]), [Entity(0, 3, "LOC", score=0.95)]),
        (Document("Lan ở Huế", entities=[Entity(6, 9, "LOC")]), [Entity(6, 9, "ORG", score=0.6)]),
        (Document("Nam ở Huế", entities=[Entity(0, 3, "PER")]), []),
    ]
    analysis = ErrorAnalysis()
    for gold, found in pairs:
        analysis.observe(gold, Document(gold.text, entities=found, words=split_words(gold.text)))
    scores = evaluate([(0, 3, "PER")], [])
    write_report(
        error_report(Evaluation(scores, 3, 0, 0, 0, {}), analysis, model="m", file="dev.conll"), tmp_path / "errors.html"
    )
    return tmp_path / "errors.html"


def test_the_filter_works_with_the_keyboard_and_without_a_script(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    entries = page.locator(".ve-e .ve-entry:visible")
    assert entries.count() == 3
    page.locator("#ve-e-kall").focus()
    page.keyboard.press("ArrowRight")
    assert entries.count() == 2
    page.get_by_label("ORG", exact=True).check()
    assert entries.count() == 1
    assert "annotated LOC 6–9" in entries.inner_text()
    assert asked == [page_file.as_uri()]
    context.close()


def test_hostile_text_is_shown_and_does_not_run(browser: Browser, page_file: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.title() == "Errors of m"
    assert NASTY in page.locator(".ve-text").first.inner_text()
    assert page.locator("main script, main img").count() == 0
    context.close()
