"""A stretch of text with what is annotated above it and what was recognized below it, and where that is.

Every character of a document reaches the page through :func:`viner.formats.html.marks.visible`. Labels stand in attributes that
the style sheet shows, so copying a line copies the text alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from html import escape
from itertools import pairwise

from viner.document import Entity
from viner.evaluation.errors import Pair
from viner.evaluation.excerpts import Excerpt, clipped
from viner.formats.html.marks import percent, visible
from viner.languages import Say

Link = Callable[[str], str]
"""The address at which a document, given by its id, is opened."""
_LONGEST = 60
"""Code points of an entity that stands outside of its context."""


def marked_line(excerpt: Excerpt, gold: Collection[Entity], predicted: Collection[Entity]) -> str:
    """The text of an excerpt as HTML. What it is about has its label and is drawn strongly, its neighbors thinly.

    Args:
        excerpt: The excerpt.
        gold: Annotated entities that it is about.
        predicted: Recognized entities that it is about.
    """
    sides = (("g", excerpt.gold, gold), ("p", excerpt.predicted, predicted))
    spans = [
        (start, end, side, entity, entity in focus)
        for side, entities, focus in sides
        for entity, (start, end) in zip(entities, clipped(entities, excerpt), strict=True)
    ]
    borders = sorted({0, len(excerpt.text), *(border for start, end, *_ in spans for border in (start, end))})
    parts = ['<span class="ve-cut">… </span>'] if excerpt.before else []
    for first, last in pairwise(borders):
        over = [span for span in spans if span[0] <= first and last <= span[1]]
        names = dict.fromkeys(f"ve-{side}{'f' if strong else ''}" for _, _, side, _, strong in over)
        flags = "".join(
            f'<span class="ve-flag ve-{side}l" data-label="{visible(entity.label)}"></span>'
            for start, _, side, entity, strong in over
            if strong and start == first
        )
        text = visible(excerpt.text[first:last])
        parts.append(f'<span class="{" ".join(names)}">{flags}{text}</span>' if names else text)
    parts += ['<span class="ve-cut"> …</span>'] if excerpt.after else []
    return f'<p class="ve-text" dir="auto">{"".join(parts)}</p>'


def pair_line(pair: Pair, excerpt: Excerpt) -> str:
    """The line of an error."""
    gold, predicted = ([] if entity is None else [entity] for entity in (pair.gold, pair.predicted))
    return marked_line(excerpt, gold, predicted)


def sides(pair: Pair, say: Say) -> str:
    """Both entities in words: label, offsets in the document and score; for screen readers, and where colors do not help."""
    parts = []
    for side, entity in (("gold", pair.gold), ("predicted", pair.predicted)):
        if entity is not None:
            score = percent(entity.score)
            score = f" · {score}" if score else ""
            parts.append(
                f'<span class="ve-side ve-{side}"><i>{escape(say(f"err_{side}"))}</i> <b>{visible(entity.label)}</b> '
                f"{entity.start}–{entity.end}{score}</span>"
            )
    return " ".join(parts)


def shortened(text: str) -> str:
    """The text of an entity, cut off where it is very long."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def document_name(name: str, say: Say, link: Link | None) -> str:
    """A document as HTML: its id, a link where it can be opened."""
    if link is None:
        return visible(name)
    label = visible(say("err_open", name=name))
    return f'<a href="{escape(link(name), quote=True)}" aria-label="{label}">{visible(name)}</a>'


def place(excerpt: Excerpt, say: Say, link: Link | None) -> str:
    """The document of an excerpt and its line, as a link where it can be opened."""
    name = visible(excerpt.name) if excerpt.document is None else document_name(excerpt.document, say, link)
    line = "" if excerpt.line is None else f" · {escape(say('err_line', line=excerpt.line))}"
    return f'<span class="ve-place">{name}{line}</span>'
