"""The errors of the model in service as HTML. Pure: no model, no Gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from viner.console.frame import annotate_address, section
from viner.console.messages import Messages
from viner.console.plots import line_plot
from viner.evaluation.analysis import EXAMPLES, ErrorAnalysis
from viner.evaluation.doubts import SURE, Doubt
from viner.evaluation.errors import f1, totals
from viner.evaluation.page import (
    browse_examples,
    confidence_part,
    confusion_matrix,
    document_table,
    doubt_list,
    kind_table,
    surface_table,
)
from viner.evaluation.page.lines import shortened
from viner.studio.doubts import OpenDoubts, doubt_key

PUT_ASIDE, TAKE_BACK = "put_aside", "take_back"
"""What the buttons of doubts do."""


def errors_view(analysis: ErrorAnalysis, name: str, split: str, say: Messages) -> str:
    """What is wrong, what to do about it, and where; every document can be opened in the annotator.

    Args:
        analysis: The errors.
        name: Version of the model.
        split: Which documents they are in.
        say: The interface's messages.
    """
    if not analysis.documents:
        return _note(say(f"errors_none_{split}"))
    annotated = totals(analysis.counts)[1]
    told = say(
        "errors_told" if annotated else "errors_told_unannotated",
        name=name,
        count=say.number(analysis.documents),
        split=say(f"split_{split}"),
        f1=say.decimal(f1(analysis.counts), 4),
        errors=say.number(analysis.errors),
        entities=say.number(annotated),
    )
    parts = [f'<p class="viner-summary" role="status">{escape(told)}</p>', _part(say("err_kinds"), kind_table(analysis, say))]
    doubts = _note(say("err_doubts_note", sure=say.decimal(SURE, 1))) if split == "dev" else _note(say("errors_learned"))
    doubts += doubt_list(analysis.doubts.found(), say, annotate_address)
    parts.append(_part(say("err_doubts"), doubts))
    if analysis.errors:
        note = _note(f"{say('err_examples_note')} {say('err_drawn', count=EXAMPLES)}")
        parts.append(_part(say("err_examples"), note + browse_examples(analysis, say, annotate_address)))
        parts.append(_part(say("err_matrix"), confusion_matrix(analysis, say)))
        parts.append(_part(say("err_surfaces"), surface_table(analysis.surfaces.hardest(), say)))
        parts.append(_part(say("err_documents"), document_table(analysis, say, annotate_address)))
    if split == "dev":  # of what it learned from, a model is too sure
        parts.append(_part(say("err_confidence"), confidence_part(analysis.scores.outcomes(), say)))
    return "".join(parts)


def doubts_view(open_doubts: OpenDoubts | None, say: Messages) -> str:
    """The doubts by cross-validation that are not settled; every one opens its document in the annotator.

    Args:
        open_doubts: The doubts; None where none were looked for.
        say: The interface's messages.
    """
    if open_doubts is None:
        return _part(say("crossed"), _note(say("crossed_none")))
    doubts, aside = open_doubts.doubts, open_doubts.aside
    figures = {
        "found": say.number(open_doubts.found),
        "open": say.number(open_doubts.open),
        "day": f"{open_doubts.when:%Y-%m-%d}",
    }
    if doubts:
        told = _note(say("crossed_told", **figures), role="status")
        if len(doubts) < open_doubts.open:
            told += _note(say("crossed_first", count=say.number(len(doubts))))
        told += doubt_list(doubts, say, annotate_address, button=lambda doubt: _button(doubt, PUT_ASIDE, say))
    else:
        told = _note(say("crossed_settled" if open_doubts.found else "crossed_nothing", **figures), role="status")
    if aside:
        listed = doubt_list(aside, say, annotate_address, button=lambda doubt: _button(doubt, TAKE_BACK, say))
        headline = escape(say("crossed_aside", count=say.number(open_doubts.put)))
        last = _note(say("crossed_last", count=say.number(len(aside)))) if len(aside) < open_doubts.put else ""
        told += f'<details class="viner-aside"><summary>{headline}</summary>{last}{listed}</details>'
    return _part(say("crossed"), told)


def _button(doubt: Doubt, action: str, say: Messages) -> str:
    name = say(f"{action}_nothing" if action == PUT_ASIDE and doubt.pair.gold is None else action)
    entity = doubt.pair.gold or doubt.pair.predicted
    surface = shortened(" ".join(((entity and entity.text) or "").split()))
    described = say(f"{action}_what", action=name, text=surface, name=doubt.excerpt.name, start=doubt.pair.start)
    return (
        f'<button type="button" class="viner-doubt" data-action="{action}" data-doubt="{doubt_key(doubt)}" '
        f'aria-label="{escape(described)}">{escape(name)}</button>'
    )


def curve_view(versions: Sequence[Mapping[str, Any]], say: Messages) -> str:
    """F1 of the versions by how many documents they learned from; empty where there are not two sizes to compare.

    Args:
        versions: ``{"documents", "metrics": {"dev"}}`` each.
        say: The interface's messages.
    """
    best: dict[int, float] = {}
    for version in versions:
        documents, score = version.get("documents"), (version.get("metrics") or {}).get("dev")
        if isinstance(documents, int) and isinstance(score, int | float):
            best[documents] = max(best.get(documents, 0.0), score)
    if len(best) < 2:
        return ""
    return line_plot(sorted(best.items()), say("curve"), say, kind="f1", share=True) + _note(say("curve_note"))


def _part(title: str, content: str) -> str:
    return f'<section class="ve">{section(title)}{content}</section>'


def _note(text: str, *, role: str = "") -> str:
    spoken = f' role="{role}"' if role else ""
    return f'<p class="viner-note"{spoken}>{escape(text)}</p>'
