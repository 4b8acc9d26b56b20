"""Errors in context, and a filter by kind and by type that needs no script: radio buttons, which the style sheet looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from viner.evaluation.analysis import ErrorAnalysis, Example
from viner.evaluation.errors import KINDS
from viner.evaluation.page.lines import Link, pair_line, place, sides
from viner.formats.html.marks import visible
from viner.languages import Say

_MOST_TYPES = 60
"""Types that can be chosen."""


def browse_examples(analysis: ErrorAnalysis, say: Say, link: Link | None = None) -> str:
    """Examples of all kinds with the filter, as HTML.

    Args:
        analysis: The errors.
        say: The messages of the page.
        link: Where a document is opened; None where it cannot be.
    """
    examples = {kind: analysis.examples(kind) for kind in KINDS}
    labels = _labels([item for items in examples.values() for item in items], analysis.labels)
    kinds = {}
    for kind, items in examples.items():
        kinds[kind] = (escape(say(f"err_kind_{kind}")), counted(len(items), analysis.counts[kind], say))
    entries = [
        entry(
            [f"ve-k-{kind}", *(f"ve-y{labels.index(label)}" for label in item.pair.labels if label in labels)],
            f'<span class="ve-kind ve-k-{kind}">{escape(say(f"err_kind_{kind}"))}</span> '
            f"{sides(item.pair, say)} {place(item.excerpt, say, link)}",
            pair_line(item.pair, item.excerpt),
        )
        for kind, items in examples.items()
        for item in items
    ]
    return browser("ve-e", say("err_kind"), {f"k-{kind}": told for kind, told in kinds.items()}, labels, entries, say)


def counted(shown: int, count: int, say: Say) -> str:
    """How many there are, and how many of them are shown if not all are; plain text."""
    told = say.number(count)
    return say("err_of", shown=say.number(shown), count=told) if count > shown else told


def _labels(examples: Sequence[Example], order: Sequence[str]) -> list[str]:
    found = {label for example in examples for label in example.pair.labels if label is not None}
    return [label for label in order if label in found][:_MOST_TYPES]


def entry(classes: Sequence[str], caption: str, *lines: str) -> str:
    """One entry of a list that can be filtered.

    Args:
        classes: What the filter looks at: ``ve-k-KIND`` and ``ve-yN`` for the n-th type.
        caption: HTML that says what it is and where.
        lines: HTML of its lines.
    """
    return f'<li class="ve-entry {" ".join(classes)}">{"".join(lines)}<p class="ve-caption">{caption}</p></li>\n'


def browser(
    prefix: str, legend: str, kinds: Mapping[str, tuple[str, str]], labels: Sequence[str], entries: Sequence[str], say: Say
) -> str:
    """A list with a filter.

    Args:
        prefix: Begins the ids on the page.
        legend: What the first choice is about, plain text.
        kinds: For each class, without ``ve-``, its name as HTML and its count as text.
        labels: The types of the second choice, in the order of their classes.
        entries: HTML of the entries.
        say: The messages of the page.
    """
    rules = [f".{prefix}:has(#{prefix}-{name}:checked) .ve-entry:not(.ve-{name}) {{ display: none; }}" for name in kinds]
    rules += [
        f".{prefix}:has(#{prefix}-y{index}:checked) .ve-entry:not(.ve-y{index}) {{ display: none; }}"
        for index in range(len(labels))
    ]
    first = [("kall", escape(say("err_all")), ""), *((name, told, count) for name, (told, count) in kinds.items())]
    second = [("yall", escape(say("err_all")), ""), *((f"y{index}", visible(label), "") for index, label in enumerate(labels))]
    choices = _choices(prefix, "kind", legend, first)
    if len(labels) > 1:
        choices += _choices(prefix, "type", say("err_type"), second)
    style = "<style>" + "\n".join(rules) + "</style>"
    return (
        f'<div class="ve-browse {prefix}">{style}{choices}<ol class="ve-list">\n{"".join(entries)}</ol>'
        f'<p class="ve-shown">{escape(say("err_shown"))} </p></div>'
    )


def _choices(prefix: str, group: str, legend: str, items: Sequence[tuple[str, str, str]]) -> str:
    radios = "".join(
        f'<label><input type="radio" name="{prefix}-{group}" id="{prefix}-{name}"{" checked" if not index else ""}> '
        f"{told}{f' <small>{escape(count)}</small>' if count else ''}</label>\n"
        for index, (name, told, count) in enumerate(items)
    )
    return f'<fieldset class="ve-choice"><legend>{escape(legend)}</legend>{radios}</fieldset>\n'
