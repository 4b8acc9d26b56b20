"""Pages that stand alone, in each language of the interface."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import ClassVar

import pytest

from viner.corpus.perturb import PERTURBATIONS
from viner.document import Document, Entity
from viner.errors import UsageError
from viner.evaluation.analysis import ErrorAnalysis
from viner.evaluation.curve import Curve, CurveRun
from viner.evaluation.messages import ERROR_MESSAGES, error_messages
from viner.evaluation.page import curve_report, doubt_report, error_report
from viner.evaluation.report import Evaluation
from viner.evaluation.stress_report import Stress, StressReport
from viner.evaluation.versus import Versus
from viner.languages import LANGUAGES
from viner.metrics import Interval, Scores, evaluate
from viner.workflow.doubts import Doubts


class Told(HTMLParser):
    """What a page says to eyes and ears."""

    _SAID: ClassVar[set[str]] = {"aria-label", "title", "alt"}

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.language: str | None = None
        self.texts: list[str] = []
        self._silent = False
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent = tag == "style"
        if tag == "html":
            self.language = dict(attrs)["lang"]
        self.texts += [value for name, value in attrs if name in self._SAID and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent = False

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.texts.append(data)


def documents() -> list[tuple[Document, Document]]:
    """Annotated and recognized ones, with an error of each kind and a text that is annotated in two ways."""
    text = "An o Hue va Da Nang gap Binh cung Cuong Dung o Lao Cai"
    words = [match.span() for match in re.finditer(r"\S+", text)]

    def doc(name: str, *entities: tuple[str, str]) -> Document:
        found = [Entity(text.index(s), text.index(s) + len(s), label, score=0.97) for s, label in entities]
        return Document(text, id=name, entities=found, words=words)

    gold = doc("d1", ("An", "A"), ("Hue", "B"), ("Da Nang", "B"), ("Binh", "A"), ("Cuong", "A"), ("Lao Cai", "B"))
    answer = doc("d1", ("An", "A"), ("Hue", "A"), ("Nang", "B"), ("Cuong Dung", "B"), ("gap", "B"), ("Lao Cai", "B"))
    return [(gold, answer), (doc("d2", ("An", "B"), ("Hue", "B")), doc("d2", ("An", "B"), ("Hue", "B")))]


def curve(*sizes: int, f1: tuple[float, ...] = (0.5, 0.55), seeds: int = 2) -> Curve:
    runs = [
        CurveRun(size / sizes[-1], size, size, seed, score + seed / 1000, 1.0, f"{size}-{seed}")
        for size, score in zip(sizes, f1, strict=True)
        for seed in range(seeds)
    ]
    return Curve([*runs, CurveRun(1.0, sizes[-1], sizes[-1], 9, None, 1.0, "failed", "why")], 1234, 80)


def pages(language: str) -> list[str]:
    """Every page, with all that it can say."""
    analysis, versus = ErrorAnalysis(), Versus()
    spans: list[list[tuple[str, int, int, str]]] = [[], []]
    for gold, answer in documents():
        analysis.observe(gold, answer)
        versus.observe(gold, answer, gold)
        for side, document in zip(spans, (gold, answer), strict=True):
            side += [(str(document.id), e.start, e.end, e.label) for e in document.entities or ()]
    scores = evaluate(*spans)
    figures = replace(
        Evaluation(scores, 2, 1, 5, 3, {"Q": 4}),
        overlapping_entities=2,
        lengths={"1": Scores.from_counts(support=4, predicted=3, correct=3)},
        interval=Interval(0.4, 0.6, 0.95),
    )
    outcomes = tuple(Stress(item.name, item.title, index, 2, scores, 0, 5) for index, item in enumerate(PERTURBATIONS))
    stress = StressReport(figures, outcomes)
    say = error_messages(language)
    doubts = analysis.doubts.found()
    assert doubts
    told = Doubts(tuple(doubts), 2, 8, 5, 0.4).summary(say)
    named = {"model": "m1", "file": "f1", "language": language}
    return [
        error_report(
            figures,
            analysis,
            versus=versus,
            second="m2",
            stress=stress,
            curve=curve(500, 1000),
            least_score=0.9,
            rules="r1.toml",
            **named,
        ),
        error_report(figures, ErrorAnalysis(), least_score=0.0, **named),
        doubt_report(doubts * 300, file="f1", told=told, language=language),
        doubt_report([], file="f1", told=told, language=language),
        curve_report(curve(100, f1=(0.5,)), file="f1", language=language),
        curve_report(curve(100, 300), file="f1", language=language),
        *(curve_report(curve(100, 200, f1=(0.5, f1), seeds=1), file="f1", language=language) for f1 in (0.5, 0.507, 0.6)),
        curve_report(curve(100, 200, f1=(0.5, 0.5)), file="f1", language=language),
    ]


def literal(text: str) -> str:
    """The longest part of a message that is not filled in."""
    return max(re.split(r"{\w+}", text), key=len).strip()


NOT_ON_THESE_PAGES = {"err_open", "err_others"}
"""What is said where documents can be opened, and of types that do not fit the matrix."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_said_in_the_language_of_the_page(language):
    made = [Told(page) for page in pages(language)]
    assert {page.language for page in made} == {language}
    told = "\n".join(text for page in made for text in page.texts)
    own, other = LANGUAGES.index(language), 1 - LANGUAGES.index(language)
    for key, message in ERROR_MESSAGES.items():
        if key not in NOT_ON_THESE_PAGES:
            assert literal(message[own]) in told, key
        foreign = literal(message[other])
        if len(foreign) > 9 and not any(foreign in texts[own] for texts in ERROR_MESSAGES.values()):
            assert foreign not in told, key


def test_numbers_are_written_as_the_language_writes_them():
    english, vietnamese = (Told(pages(language)[0]).texts for language in LANGUAGES)
    assert any("1,234 documents" in text for text in english)
    assert any("1.234 văn bản" in text for text in vietnamese)
    assert not [text for text in vietnamese if re.fullmatch(r"0\.\d{2,4}", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_entry_of_the_contents_leads_to_a_part(language):
    page = pages(language)[0]
    led = re.findall(r'<a href="#([^"]*)">', page)
    assert set(led) <= set(re.findall(r'\bid="([\w-]+)"', page, re.ASCII))
    assert len(led) == 12


def test_a_perturbation_of_somebody_else_is_told_in_its_own_words():
    scores = evaluate([], [])
    figures = Evaluation(scores, 0, 0, 0, 0, {})
    stress = StressReport(figures, (Stress("leet", "h3ll0 <for> hello", 1, 1, scores, 0, 0),))
    page = error_report(figures, ErrorAnalysis(), model="m", file="f", stress=stress, language="vi")
    assert "h3ll0 &lt;for&gt; hello" in page


def test_a_page_in_no_language_of_ours_is_refused():
    with pytest.raises(UsageError, match="no interface in 'de'"):
        curve_report(curve(100, 200), file="f", language="de")
