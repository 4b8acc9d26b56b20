"""Doubtful annotations as HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from viner.evaluation.doubts import Doubt
from viner.evaluation.page.browse import entry
from viner.evaluation.page.lines import Link, pair_line, place, shortened, sides
from viner.evaluation.page.tables import remark
from viner.formats.html.marks import percent, visible
from viner.languages import Say


def doubt_list(
    doubts: Sequence[Doubt], say: Say, link: Link | None = None, *, button: Callable[[Doubt], str] = lambda doubt: ""
) -> str:
    """Doubts in context, each with its evidence, as HTML.

    Args:
        doubts: The doubts in the order in which they are shown.
        say: The messages of the page.
        link: Where a document is opened; None where it cannot be.
        button: HTML of what can be done with a doubt.
    """
    if not doubts:
        return remark(say("err_doubts_none"))
    entries = []
    for doubt in doubts:
        answer = visible(say("err_should", answer=_answer(doubt, say)))
        evidence = [say("err_sure", percent=percent(doubt.confidence))]
        if doubt.elsewhere:
            counts = ", ".join(f"{name} {say.number(count)}" for name, count in list(doubt.elsewhere.items())[:5])
            evidence.append(say("err_elsewhere", labels=counts))
        caption = (
            f'<strong class="ve-answer">{answer}</strong> <span class="ve-evidence">{visible(" · ".join(evidence))}</span> '
            f"{sides(doubt.pair, say)} {place(doubt.excerpt, say, link)}{button(doubt)}"
        )
        entries.append(entry([f"ve-k-{doubt.pair.kind}"], caption, pair_line(doubt.pair, doubt.excerpt)))
    return f'<ol class="ve-list">\n{"".join(entries)}</ol>'


def _answer(doubt: Doubt, say: Say) -> str:
    entity = doubt.pair.predicted
    if entity is None:
        return say("err_no_entity")
    return f"{entity.label} “{shortened(' '.join((entity.text or '').split()))}”"
