from __future__ import annotations

import random
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Document, Entity
from viner.formats.html.marks import highlight, percent, visible

TYPES = ("LOC", "ORG", "PER")


class Page(HTMLParser):
    """Reads a highlighted text back: its characters, and for each of them the labels that cover it."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.covers: list[list[str]] = []
        self.tags: list[str] = []
        self.focusable: list[str] = []
        self.shown_labels: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, "every mark is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        assert set(values) <= {"class", "id", "tabindex", "role", "aria-label", "data-tip", "data-label"}
        tip = values["data-tip"] or ""
        self._open.append(tip.split(" · ")[0])
        if values.get("tabindex") == "0":
            self.focusable.append(values["aria-label"] or "")
        if "data-label" in values:
            self.shown_labels.append(values["data-label"] or "")

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        self.covers += [sorted(self._open)] * len(data)


def covers_of(document: Document) -> list[list[str]]:
    return [
        sorted(entity.label for entity in document.entities or () if entity.start <= index < entity.end)
        for index in range(len(document.text))
    ]


def marked(text: str, *spans: tuple[int, int, str]) -> tuple[Document, str]:
    document = Document(text, entities=[Entity(*span, score=0.97) for span in spans])
    return document, highlight(document, TYPES)


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [(0, 3, "LOC")],
        [(0, 10, "LOC")],
        [(0, 3, "LOC"), (3, 6, "ORG")],
        [(0, 8, "ORG"), (2, 5, "LOC")],
        [(0, 8, "ORG"), (0, 5, "LOC"), (0, 2, "PER")],
        [(0, 8, "ORG"), (3, 8, "LOC"), (6, 8, "PER")],
        [(0, 5, "ORG"), (3, 8, "LOC")],
        [(0, 5, "ORG"), (2, 7, "LOC"), (4, 9, "PER")],
        [(0, 9, "ORG"), (2, 5, "LOC"), (4, 7, "PER")],
        [(1, 4, "ORG"), (1, 4, "LOC")],
        [(1, 4, "ORG"), (1, 4, "ORG")],
        [(2, 5, "LOC"), (0, 8, "ORG")],
    ],
)
def test_flat_nested_and_crossing_entities_cover_exactly_their_characters(spans: list[tuple[int, int, str]]) -> None:
    document, html = marked("0123456789", *spans)
    page = Page(html)
    assert page.text == document.text
    assert page.covers == covers_of(document)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30), st.integers(0, 2**32))
def test_any_text_with_any_entities_comes_back_with_every_entity_focusable_once(text: str, seed: int) -> None:
    source = random.Random(seed)
    spans = []
    for _ in range(source.randrange(8)):
        start = source.randrange(len(text))
        spans.append((start, source.randrange(start + 1, len(text) + 1), source.choice(TYPES)))
    document, html = marked(text, *spans)
    page = Page(html)
    assert page.text == text
    assert page.covers == covers_of(document)
    assert sorted(page.focusable) == sorted(f"{label} · 97 %" for _, _, label in spans)
    assert sorted(page.shown_labels) == sorted(label for _, _, label in spans)


def test_a_crossing_entity_opens_again_behind_the_one_that_ends() -> None:
    _, html = marked("abcdef", (0, 4, "ORG"), (2, 6, "LOC"))
    assert html.count("first") == 2
    assert html.count("last") == 2
    assert html.count("<span") == 3


def test_marks_know_how_many_marks_lie_inside() -> None:
    _, html = marked("abcdef", (0, 6, "ORG"), (1, 5, "LOC"), (2, 3, "PER"))
    assert [part.split('"')[0].split()[2] for part in html.split('class="')[1:]] == ["h2", "h1", "h0"]


def test_a_thousand_nested_entities_are_drawn() -> None:
    _, html = marked("x" * 2001, *[(index, 2001 - index, "LOC") for index in range(1000)])
    assert len(Page(html).focusable) == 1000


HOSTILE = [
    "<script>window.hacked = 1</script>",
    '<img src=x onerror="window.hacked = 1">',
    "</span></article><svg onload='window.hacked = 1'>",
    "\"><iframe srcdoc='<script>parent.hacked = 1</script>'>",
    "${window.hacked = 1} `${window.hacked = 1}`",
    "{{constructor.constructor('window.hacked = 1')()}} {{#each value}}",
    "&lt;script&gt; &#60;b&#62; &amp;amp;",
    "<!-- --> <![CDATA[ ]]> <style>*{display:none}</style>",
    "\u202ereversed\u2066 isolate",
    "javascript:window.hacked=1",
    "\\u003cscript\\u003e \\${x}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    page = Page(highlight(Document(text, entities=[Entity(0, 4, "LOC", score=0.5), Entity(2, len(text), "ORG")]), TYPES))
    assert page.text == text
    assert set(page.tags) == {"span"}


@pytest.mark.parametrize("label", HOSTILE)
def test_hostile_labels_stay_labels(label: str) -> None:
    page = Page(highlight(Document("abc", entities=[Entity(0, 3, label, score=0.5)]), TYPES))
    assert page.shown_labels == [label]
    assert page.focusable == [f"{label} · 50 %"]


def test_control_characters_are_shown_as_pictures() -> None:
    assert visible("a\x00b\x1b\tc\r\nd\x7f") == "a␀b␛\tc\nd␡"


@pytest.mark.parametrize(("score", "text"), [(None, ""), (1.0, "100 %"), (0.999, "99 %"), (0.57, "57 %"), (0.0, "0 %")])
def test_only_certainty_is_a_hundred_percent(score: float | None, text: str) -> None:
    assert percent(score) == text


def test_a_limit_cuts_the_text_and_drops_what_reaches_beyond() -> None:
    document = Document("abcdefgh", entities=[Entity(0, 2, "LOC"), Entity(3, 6, "ORG")])
    page = Page(highlight(document, TYPES, limit=4))
    assert page.text == "abcd"
    assert page.shown_labels == ["LOC"]
