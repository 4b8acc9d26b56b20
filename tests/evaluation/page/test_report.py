from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.evaluation.analysis import ErrorAnalysis
from viner.evaluation.curve import Curve, CurveRun
from viner.evaluation.page import curve_report, doubt_report, error_report
from viner.evaluation.report import Evaluation
from viner.evaluation.versus import Versus
from viner.metrics import Scores, evaluate

NASTY = "</span></style><script>alert(1)</script>\"'<img src=x onerror=alert(1)><style>*{display:none}</style>"


class Page(HTMLParser):
    """What a browser would find on the page."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.lines: list[str] = []
        self.cells: list[list[str]] = []
        self._open: list[tuple[str, str]] = []
        self.feed(content)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = dict(attrs).get("class") or ""
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "br", "input"):
            self._open.append((tag, kind))
        if kind == "ve-text":
            self.lines.append("")
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        kinds = [kind for _, kind in self._open]
        if "ve-text" in kinds and "ve-cut" not in kinds:
            self.lines[-1] += data
        if {"td", "th"} & {tag for tag, _ in self._open}:
            self.cells[-1][-1] += data


def doc(text: str, *entities: tuple[str, str], score: float | None = None, name: str = "d1") -> Document:
    words = [match.span() for match in re.finditer(r"\S+", text)]
    found = [Entity(text.index(s), text.index(s) + len(s), label, score=score) for s, label in entities]
    return Document(text, id=name, entities=found, words=words)


def report(
    *pairs: tuple[Document, Document],
    versus: Versus | None = None,
    unknown: Mapping[str, int] | None = None,
    least_score: float | None = None,
    **names: str,
) -> str:
    analysis = ErrorAnalysis()
    spans: list[list[tuple[str, int, int, str]]] = [[], []]
    for number, pair in enumerate(pairs):
        analysis.observe(*pair)
        for side, document in zip(spans, pair, strict=True):
            side += [(str(number), e.start, e.end, e.label) for e in document.entities or ()]
    evaluation = Evaluation(evaluate(*spans), len(pairs), 0, 0, 0, {})
    evaluation = replace(evaluation, lengths={"1": Scores.from_counts(support=4, predicted=3, correct=3)})
    evaluation = replace(evaluation, unknown_labels=unknown or {})
    told = {"model": "m", "file": "dev.conll", **names}
    return error_report(evaluation, analysis, versus=versus, least_score=least_score, **told)


PAIRS = [
    (doc("Lan ở Huế", ("Lan", "PER"), ("Huế", "LOC")), doc("Lan ở Huế", ("Lan", "LOC"), ("ở Huế", "LOC"), score=0.97)),
    (doc("Minh nghỉ", ("Minh", "PER"), name="d2"), doc("Minh nghỉ", ("nghỉ", "LOC"), score=0.5)),
]


def test_the_page_stands_alone_and_neither_fetches_nor_runs_anything():
    content = report(*PAIRS)
    page = Page(content)
    assert not re.search(r"https?://|@import|url\(", content)
    assert not {"script", "img", "link", "iframe", "object", "form"} & set(page.tags)
    assert "default-src 'none'; style-src 'unsafe-inline'" in content
    assert {value for name, value in page.attributes if name == "href"} <= {
        f"#{value}" for name, value in page.attributes if name == "id"
    }


def test_texts_are_whole_and_every_error_is_in_words_with_its_offsets():
    content = report(*PAIRS)
    assert Page(content).lines.count("Lan ở Huế") == 4  # two errors, both doubted
    text = re.sub(r"<[^>]+>", "", content)
    assert "annotated LOC 6–9 recognized LOC 4–9 · 97 %" in text
    assert "wrong borders" in text


def test_kinds_come_with_their_share_and_what_they_cost_the_costliest_first():
    rows = Page(report(*PAIRS)).cells
    table = rows[1:6]
    assert [row[2:4] for row in table if row[2] != "0"] == [["1", "25.0 %"]] * 4
    costs = [float(row[4].split("+")[0]) for row in table]
    assert costs == sorted(costs, reverse=True)


def test_lengths_are_those_of_the_evaluation():
    lengths = report(*PAIRS).split('id="ve-lengths"')[1].split("</section>")[0]
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", lengths.split("<tbody>")[1])
    assert cells == ["1", "4", "75.0 %", "3", "100.0 %", "0.8571"]


def test_the_matrix_has_a_row_and_a_column_for_what_is_missing():
    rows = [row for row in Page(report(*PAIRS)).cells if len(row) == 4]
    assert rows[0][1:] == ["LOC", "PER", "missed"]
    assert rows[1:4] == [["LOC", "1", "0", "0"], ["PER", "1", "0", "1"], ["spurious", "1", "0", ""]]


def test_types_beyond_those_that_fit_the_matrix_are_counted_together():
    names = [f"T{number:02}" for number in range(30)]
    pairs = [(doc(name, (name, name)), doc(name, (name, name))) for name in names]
    (total,) = [row for row in Page(report(*pairs)).cells if row[0] == "other types"]
    assert total[-2] == "6"


def test_a_model_without_errors_gets_a_page_that_says_so():
    same = doc("Lan", ("Lan", "PER"))
    content = report((same, same))
    assert "There is no error." in content
    assert "ve-examples" not in Page(content).cells


def test_nothing_of_a_document_becomes_markup_or_style():
    text = f"Lan {NASTY}"
    gold = doc(text, ("Lan", NASTY), name=NASTY)
    answer = doc(text, ("Lan", "PER"), (NASTY, f"L{NASTY}"), score=0.99)
    versus = Versus()
    versus.observe(gold, answer, gold)
    content = report((gold, answer), versus=versus, model=NASTY, file=NASTY, second=NASTY)
    page = Page(content)
    assert not {"script", "img"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert NASTY in page.lines[0]
    styles = "".join(re.findall(r"<style>(.*?)</style>", content, re.DOTALL))
    assert "alert" not in styles
    assert not re.search(r"\*\s*\{\s*display", styles)


def test_both_answers_of_a_sentence_stand_under_each_other():
    gold, answer = PAIRS[0]
    versus = Versus()
    versus.observe(gold, answer, gold)
    page = Page(report(PAIRS[0], versus=versus, second="m2"))
    assert page.lines[:2] == ["Lan ở Huế", "Lan ở Huế"]
    assert "What m2 changes, compared with m" in report(PAIRS[0], versus=versus, second="m2")


def test_doubts_of_cross_validation_have_a_page_of_their_own():
    analysis = ErrorAnalysis()
    analysis.observe(*PAIRS[0])
    content = doubt_report(analysis.doubts.found(), file="train.conll", told="2 of 9 are doubtful")
    assert "2 of 9 are doubtful" in content
    assert "according to the model: LOC “ở Huế”" in content
    assert len(Page(content).lines) == 2
    assert "nowhere sure" in doubt_report([], file="a", told="b")
    many = doubt_report(analysis.doubts.found() * 400, file="a", told="b")
    assert "the 500 most doubtful of 800" in many
    assert len(Page(many).lines) == 500


@settings(max_examples=12, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40), st.data())
def test_any_text_comes_back_whatever_is_marked_in_it(text, data):
    def entities():
        starts = data.draw(st.lists(st.integers(0, len(text) - 1), max_size=4))
        return [
            Entity(start, data.draw(st.integers(start + 1, len(text))), data.draw(st.sampled_from("AB"))) for start in starts
        ]

    gold, answer = Document(text, entities=entities()), Document(text, entities=entities(), words=[(0, len(text))])
    assert set(Page(report((gold, answer))).lines) <= {text}


@pytest.mark.parametrize("count", [1, 300])
def test_the_page_stays_small_however_many_errors_there_are(count):
    gold = doc("Lan ở Huế " * 40, ("Lan", "PER"))
    content = report(*[(gold, doc(gold.text, ("ở", "LOC"), score=0.95))] * count)
    assert len(content.encode()) < 400_000
    assert ("60 of 300" in content) == (count > 60)


def test_types_that_the_model_does_not_know_stand_in_one_line():
    page = report(*PAIRS, unknown={"AGE": 1200, "<JOB>": 3})
    assert "1,203 annotated entities are of types that the model does not know: AGE (1,200), &lt;JOB&gt; (3)." in page
    assert "does not know" not in report(*PAIRS)


@pytest.mark.parametrize(
    ("score", "said"),
    [
        (0.9, "whose score is below 0.9 are left out, as somebody asked"),
        (0.999, "whose score is below 0.999 are left out, as somebody asked"),
        (0.0, "All that the model finds is counted"),
        (None, None),
    ],
)
def test_what_somebody_asked_to_leave_out_is_told(score, said):
    page = report(*PAIRS, least_score=score)
    assert (said in page) if said else ("as somebody asked" not in page)


def test_a_curve_without_a_point_says_so_without_a_plot():
    empty = Curve([CurveRun(1.0, 10, 5, 1, None, 1.0, "k", "it failed")], 10, 5)
    page = curve_report(empty, file="f")
    assert "no two points" in page
    assert "<svg" not in page


def test_what_must_be_known_to_trust_the_figures_stands_on_the_page():
    figures = Evaluation(evaluate([("1", 0, 3, "A")], [("1", 0, 3, "A")]), 2, 1, 5, 0, {}, overlapping_entities=2)
    page = error_report(figures, ErrorAnalysis(), model="m", file="f", rules="r.toml")
    for told in ("annotated are left out: 1.", "annotated twice: 2.", "was not looked at: 5.", "rules of r.toml answer"):
        assert told in page
    assert "The answers have no scores" in page
