"""The error report: one page that stands alone, for whoever wants to know what to do next."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path

from viner.evaluation.analysis import EXAMPLES, ErrorAnalysis
from viner.evaluation.curve import Curve
from viner.evaluation.doubts import SURE, Doubt
from viner.evaluation.messages import error_messages
from viner.evaluation.page.browse import browse_examples
from viner.evaluation.page.cases import browse_cases, versus_figures
from viner.evaluation.page.confidence import confidence_part
from viner.evaluation.page.curve import curve_parts
from viner.evaluation.page.suspects import doubt_list
from viner.evaluation.page.tables import (
    confusion_matrix,
    document_table,
    kind_table,
    length_table,
    remark,
    stress_table,
    surface_table,
)
from viner.evaluation.report import Evaluation
from viner.evaluation.stress_report import StressReport
from viner.evaluation.versus import Versus
from viner.formats import speakable
from viner.formats.files import replacing
from viner.formats.html.frame import CLOSE, open_page
from viner.languages import Say

MOST_DOUBTS = 500
"""Doubts of cross-validation that a page shows."""


def error_report(
    evaluation: Evaluation,
    analysis: ErrorAnalysis,
    *,
    model: str,
    file: str,
    versus: Versus | None = None,
    second: str | None = None,
    stress: StressReport | None = None,
    curve: Curve | None = None,
    least_score: float | None = None,
    rules: str | None = None,
    language: str = "en",
) -> str:
    """The page of an evaluation.

    Args:
        evaluation: The figures.
        analysis: The errors, collected while they were made.
        model: What was evaluated, for people.
        file: What it was evaluated on.
        versus: The comparison with another model, if there is one.
        second: What that one is called.
        stress: What perturbations of the documents cost, if that was tried.
        curve: The learning curve, if there is one.
        least_score: Below which entities of the model were left out, if somebody asked for that.
        rules: The file of the rules that answered, too, if any did.
        language: One of :data:`viner.languages.LANGUAGES`.

    Raises:
        UsageError: If there is no page in that language.
    """
    say = error_messages(language)
    parts = [
        ("kinds", say("err_kinds"), kind_table(analysis, say)),
        ("matrix", say("err_matrix"), confusion_matrix(analysis, say)),
    ]
    if stress is not None:
        parts.append(("stress", say("err_stress"), stress_table(stress, say)))
    if versus is not None:
        title = say("err_versus", first=model, second=second or say("err_second"))
        parts.append(("versus", title, versus_figures(versus, say) + browse_cases(versus, say)))
    if analysis.errors:
        note = f"{say('err_examples_note')} {say('err_drawn', count=EXAMPLES)}"
        parts.append(("examples", say("err_examples"), remark(note) + browse_examples(analysis, say)))
    if analysis.scores.outcomes().entities:
        doubts = remark(say("err_doubts_note", sure=say.decimal(SURE, 1))) + doubt_list(analysis.doubts.found(), say)
    else:
        doubts = remark(say("err_doubts_unscored"))
    parts.append(("doubts", say("err_doubts"), doubts))
    if analysis.errors:
        parts.append(("surfaces", say("err_surfaces"), surface_table(analysis.surfaces.hardest(), say)))
    disputed = analysis.surfaces.disputed()
    if disputed:
        parts.append(("disputed", say("err_disputed"), remark(say("err_disputed_note")) + surface_table(disputed, say)))
    parts.append(("confidence", say("err_confidence"), confidence_part(analysis.scores.outcomes(), say)))
    if evaluation.lengths:
        parts.append(("lengths", say("err_lengths"), length_table(evaluation.lengths, say)))
    if analysis.errors:
        parts.append(("documents", say("err_documents"), document_table(analysis, say)))
    if curve is not None:
        parts.append(("curve", say("err_curve"), curve_parts(curve, say)))
    contents = "".join(f'<a href="#ve-{name}">{escape(title)}</a>\n' for name, title, _ in parts)
    return (
        open_page(
            say("err_title", model=model),
            page_style(),
            say("err_on", file=file),
            f'<nav aria-label="{escape(say("err_contents"))}">{contents}</nav>\n',
            language=language,
        )
        + _figures(evaluation, analysis, _asked(least_score, rules, say), say)
        + "".join(section(*part) for part in parts)
        + CLOSE
    )


def doubt_report(doubts: Sequence[Doubt], *, file: str, told: str, language: str = "en") -> str:
    """The page of doubts that were found by models that did not learn from the documents.

    Args:
        doubts: The doubts, in the order in which they are shown.
        file: What they are about.
        told: How they were found, plain text in that language.
        language: One of :data:`viner.languages.LANGUAGES`.

    Raises:
        UsageError: If there is no page in that language.
    """
    say = error_messages(language)
    notes = [told, say("err_examples_note")]
    if len(doubts) > MOST_DOUBTS:
        notes.append(say("err_crossed_most", shown=say.number(MOST_DOUBTS), count=say.number(len(doubts))))
    notes_html = "".join(map(remark, notes))
    main = f'<section class="ve">{notes_html}{doubt_list(doubts[:MOST_DOUBTS], say)}</section>'
    return open_page(say("err_doubts"), page_style(), say("err_in", file=file), language=language) + main + CLOSE


def curve_report(curve: Curve, *, file: str, language: str = "en") -> str:
    """The page of a learning curve.

    Args:
        curve: The curve.
        file: What was learned from, for people.
        language: One of :data:`viner.languages.LANGUAGES`.

    Raises:
        UsageError: If there is no page in that language.
    """
    say = error_messages(language)
    main = f'<section class="ve">{curve_parts(curve, say)}</section>'
    return open_page(say("err_curve_title"), page_style(), say("err_from", file=file), language=language) + main + CLOSE


def write_report(page: str, path: str | os.PathLike[str]) -> None:
    """Writes a page to a file, which appears whole or not at all.

    Raises:
        VinerError: If it cannot be written.
    """
    with replacing(path) as sink:
        sink(speakable(page))  # it names files and models


@cache
def page_style() -> str:
    """The style sheet of a page that stands alone, behind the common one."""
    return "\n".join(_sheet(name) for name in ("errors.css", "page.css"))


@cache
def parts_style() -> str:
    """The style sheet of the parts alone, for a page that has its own ground and colors."""
    return _sheet("errors.css")


def section(name: str, title: str, content: str) -> str:
    """A part of the page with its heading."""
    return f'<section class="ve" aria-labelledby="ve-{name}"><h2 id="ve-{name}">{escape(title)}</h2>\n{content}</section>\n'


def _asked(least_score: float | None, rules: str | None, say: Say) -> list[str]:
    """What was asked for beside the model."""
    # Where this machine keeps them is nobody's business: the page is passed on.
    told = [] if rules is None else [say("err_rules", file=Path(rules).name)]
    if least_score is not None:
        told.append(say("err_least", score=say.short(least_score)) if least_score else say("err_all_found"))
    return told


def _figures(evaluation: Evaluation, analysis: ErrorAnalysis, asked: Sequence[str], say: Say) -> str:
    micro = evaluation.scores.micro
    interval = evaluation.interval
    within = "" if interval is None else f" ({say.decimal(interval.low, 3)}–{say.decimal(interval.high, 3)})"
    cells = [
        (f"F1{within}", say.decimal(micro.f1, 4)),
        (say("err_figure_precision"), say.decimal(micro.precision, 4)),
        (say("err_figure_recall"), say.decimal(micro.recall, 4)),
        (say("err_figure_macro"), say.decimal(evaluation.scores.macro.f1, 4)),
        (say("err_figure_errors"), say.number(analysis.errors)),
        (say("err_gold"), say.number(micro.support)),
        (say("err_figure_documents"), say.number(evaluation.documents)),
    ]
    body = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in cells)
    remarks = [*asked]
    for name, count in (
        ("err_unannotated", evaluation.unannotated),
        ("err_overlapping", evaluation.overlapping_entities),
        ("err_truncated", evaluation.truncated_entities),
    ):
        if count:
            remarks.append(say(name, count=say.number(count)))
    if unknown := evaluation.unknown_labels:
        told = ", ".join(f"{label} ({say.number(count)})" for label, count in unknown.items())
        remarks.append(say("err_unknown", count=say.number(sum(unknown.values())), labels=told))
    if evaluation.cut_entities:
        remarks.append(say("err_cut", count=say.number(evaluation.cut_entities)))
    return f'<dl class="ve-figures">{body}</dl>' + "".join(map(remark, remarks))


def _sheet(name: str) -> str:
    return files("viner.evaluation.page").joinpath(name).read_text(encoding="utf-8")
