"""Figures about errors as HTML tables: every number is text, bars and shades only repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from viner.evaluation.analysis import ErrorAnalysis
from viner.evaluation.errors import KINDS, f1, f1_without, totals
from viner.evaluation.messages import ERROR_MESSAGES
from viner.evaluation.page.lines import Link, document_name, shortened
from viner.evaluation.stress_report import Stress, StressReport
from viner.evaluation.surfaces import Surface
from viner.formats.html.marks import visible
from viner.languages import Say
from viner.metrics import Scores

MOST_LABELS = 24
"""Types that have a row of their own in the matrix."""


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = (), kind: str = "") -> str:
    """A table that scrolls where it is too wide.

    Args:
        columns: Headings, plain text.
        rows: Cells as HTML; the first one of a row is its heading.
        numbers: Indices of columns that hold figures.
        kind: Further CSS class.
    """
    kinds = [' class="ve-number"' if index in numbers else "" for index in range(len(columns))]
    head = "".join(f'<th scope="col"{name}>{escape(column)}</th>' for name, column in zip(kinds, columns, strict=True))
    body = "".join(
        f'<tr><th scope="row"{kinds[0]}>{row[0]}</th>'
        + "".join(f"<td{name}>{cell}</td>" for name, cell in zip(kinds[1:], row[1:], strict=True))
        + "</tr>\n"
        for row in rows
    )
    label = escape(" · ".join(column for column in columns if column), quote=True)
    return (
        f'<div class="ve-table {kind}" role="region" tabindex="0" aria-label="{label}"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>"
    )


def remark(text: str) -> str:
    """A remark below a heading, a plot or a table.

    Args:
        text: Plain text.
    """
    return f'<p class="ve-note">{escape(text)}</p>'


def kind_table(analysis: ErrorAnalysis, say: Say) -> str:
    """How many errors of each kind there are, what they cost, and what usually helps; the costliest first."""
    if not analysis.errors:
        return remark(say("err_none"))
    best = f1(analysis.counts)
    gains = {kind: f1_without(analysis.counts, kind) - best for kind in KINDS}
    rows = []
    for kind in sorted(KINDS, key=lambda kind: -gains[kind]):
        count = analysis.counts[kind]
        share = 100 * count / analysis.errors
        advice = f"<small>{escape(say(f'err_do_{kind}'))}</small>" if count else ""
        bar = f'<span class="ve-bar"><span style="width:{share:.1f}%"></span></span>'
        rows.append(
            [
                f"{escape(say(f'err_kind_{kind}'))}{advice}",
                bar,
                say.number(count),
                f"{say.decimal(share, 1)} %",
                f"{say.decimal(best + gains[kind], 4)} <small>+{say.decimal(gains[kind], 4)}</small>",
            ]
        )
    columns = [say("err_kind"), "", say("err_count"), say("err_share"), say("err_gain")]
    return table(columns, rows, numbers=(2, 3, 4), kind="ve-kinds") + remark(say("err_kinds_note"))


def confusion_matrix(analysis: ErrorAnalysis, say: Say) -> str:
    """Annotated types by recognized ones, with what was missed and what is spurious."""
    labels = analysis.labels
    shown = labels[:MOST_LABELS]
    names: dict[str | None, str | None] = {label: label if label in shown else "" for label in labels} | {None: None}
    cells: dict[tuple[str | None, str | None], int] = {}
    for (gold, predicted), count in analysis.confusion.items():
        place = names[gold], names[predicted]
        cells[place] = cells.get(place, 0) + count
    order: list[str | None] = [*shown, *([""] if len(shown) < len(labels) else []), None]
    head = "".join(f'<th scope="col"><span>{_name(label, "missed", say)}</span></th>' for label in order)
    body = ""
    for gold in order:
        counts = [cells.get((gold, predicted), 0) for predicted in order]
        total = sum(counts)
        body += f'<tr><th scope="row">{_name(gold, "spurious", say)}</th>'
        for predicted, count in zip(order, counts, strict=True):
            if gold is None and predicted is None:
                body += "<td></td>"
                continue
            kind = "ve-right" if gold == predicted else "ve-wrong"
            shade = f' class="{kind}" style="--share:{8 + round(40 * count / total)}%"' if count else ' class="ve-zero"'
            body += f"<td{shade}>{say.number(count)}</td>"
        body += "</tr>\n"
    label = escape(say("err_matrix"), quote=True)
    return (
        f'<div class="ve-table ve-matrix" role="region" tabindex="0" aria-label="{label}"><table><thead><tr>'
        f'<td><span class="ve-gold">{escape(say("err_gold"))} ↓</span> '
        f'<span class="ve-predicted">{escape(say("err_predicted"))} →</span></td>{head}</tr></thead>'
        f"<tbody>\n{body}</tbody></table></div>{remark(say('err_matrix_note'))}"
    )


def surface_table(surfaces: Sequence[Surface], say: Say) -> str:
    """Texts with how they are annotated and recognized, and how often that is wrong."""
    rows = [
        [
            f'<bdi class="ve-surface">{visible(shortened(surface.text))}</bdi>',
            say.number(surface.errors),
            _counts(surface.gold, say),
            _counts(surface.predicted, say),
        ]
        for surface in surfaces
    ]
    return table([say("err_surface"), say("err_count"), say("err_gold"), say("err_predicted")], rows, numbers=(1,))


def document_table(analysis: ErrorAnalysis, say: Say, link: Link | None = None) -> str:
    """The documents with the most errors, and how many documents hold half of all."""
    documents, errors = analysis.half()
    told = say(
        "err_half",
        documents=say.number(documents),
        count=say.number(analysis.documents),
        errors=say.number(errors),
        all=say.number(analysis.errors),
    )
    rows = []
    for document in analysis.worst():
        _, support, predicted = totals(document.counts)
        rows.append(
            [
                document_name(document.name, say, link),
                say.number(document.errors),
                say.number(support),
                say.number(predicted),
                say.decimal(f1(document.counts), 3) if support else "–",
            ]
        )
    columns = [say("err_document"), say("err_count"), say("err_gold"), say("err_predicted"), "F1"]
    return remark(told) + table(columns, rows, numbers=(1, 2, 3, 4))


def length_table(lengths: Mapping[str, Scores], say: Say) -> str:
    """Which share of the entities was found, and which is right, by their length in words.

    Args:
        lengths: As in :class:`viner.evaluation.Evaluation`.
        say: The messages of the page.
    """
    rows = [
        [
            escape(length),
            *_share(scores.correct, scores.support, say),
            *_share(scores.correct, scores.predicted, say),
            say.decimal(scores.f1, 4) if scores.support else "–",
        ]
        for length, scores in lengths.items()
    ]
    columns = [say("err_words"), say("err_gold"), say("err_recall"), say("err_predicted"), say("err_precision"), "F1"]
    return table(columns, rows, numbers=(0, 1, 2, 3, 4, 5))


def stress_table(report: StressReport, say: Say) -> str:
    """F1 on the documents as they are and under each perturbation, and what that costs; what costs most first."""
    clean = report.clean.scores.micro
    rows = [[f"<b>{escape(say('err_stress_none'))}</b>", _f1_bar(clean.f1), say.decimal(clean.f1, 4), "", "", ""]]
    for outcome in sorted(report.outcomes, key=report.lost, reverse=True):
        rows.append(
            [
                f"{escape(outcome.name)}<small>{escape(_what_it_does(outcome, say))}</small>",
                _f1_bar(outcome.scores.micro.f1),
                say.decimal(outcome.scores.micro.f1, 4),
                say.decimal(report.lost(outcome), 1) if outcome.changed else "–",
                say.number(outcome.scores.micro.support),
                say("err_of", shown=say.number(outcome.changed), count=say.number(outcome.documents)),
            ]
        )
    columns = [say("err_stress_what"), "", "F1", say("err_stress_lost"), say("err_gold"), say("err_stress_changed")]
    told = [say("err_stress_note"), *report.remarks(say)]
    return table(columns, rows, numbers=(2, 3, 4, 5), kind="ve-kinds") + "".join(map(remark, told))


def _what_it_does(outcome: Stress, say: Say) -> str:
    """The title of a perturbation in the language of the page; that of one that is not viner's is told as it is."""
    key = f"err_perturbed_{outcome.name}"
    return say(key) if key in ERROR_MESSAGES else outcome.title


def _f1_bar(score: float) -> str:
    return f'<span class="ve-bar"><span style="width:{100 * score:.1f}%"></span></span>'


def _share(part: int, whole: int, say: Say) -> list[str]:
    return [say.number(whole), f"{say.decimal(100 * part / whole, 1)} %" if whole else "–"]


def _counts(counts: Mapping[str, int], say: Say) -> str:
    return ", ".join(f"{visible(label)}&nbsp;{say.number(count)}" for label, count in counts.items()) or "–"


def _name(label: str | None, missing: str, say: Say) -> str:
    if label is None:
        return f"<i>{escape(say(f'err_kind_{missing}'))}</i>"
    return visible(label) if label else f"<i>{escape(say('err_others'))}</i>"
