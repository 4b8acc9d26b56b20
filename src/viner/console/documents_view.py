"""The documents of a project as HTML: progress, labels, the list. Pure: no store, no Gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from viner.console.frame import annotate_address, bar, chip, table
from viner.console.messages import Messages
from viner.formats.html.marks import visible
from viner.store import SPLITS, STATUSES, AddReport, Counts, Row
from viner.store.values import Status

_MOST_LABELS = 200
_MOST_FILES = 8


def progress_view(counts: Counts, say: Messages) -> str:
    """How far the annotation is, by split and status; what to do first where there is no document."""
    total = counts.documents
    if not total:
        steps = "".join(f"<li>{escape(say(f'start_{step}'))}</li>" for step in (1, 2, 3))
        return (
            f'<div class="viner-empty viner-start"><strong>{escape(say("start_title"))}</strong>'
            f"<p>{escape(say('start_text'))}</p><ol>{steps}</ol></div>"
        )
    done = counts.status("done")
    summary = say("progress_summary", done=say.number(done), count=say.number(total), percent=100 * done // total)
    more = say("progress_more", flagged=say.number(counts.flagged), comments=say.number(counts.comments))
    order: tuple[Status, ...] = ("done", "started", "skipped", "todo")
    whole = [(status, counts.status(status)) for status in order]
    picture = bar([(status, n, f"{say(f'status_{status}')}: {say.number(n)}") for status, n in whole], total)
    rows = []
    for split in SPLITS:
        statuses = counts.splits[split]
        rows.append(
            [
                escape(say(f"split_{split}")),
                *(say.number(statuses[status]) for status in STATUSES),
                say.number(sum(statuses.values())),
            ]
        )
    columns = [say("split"), *(say(f"status_{status}") for status in STATUSES), say("total")]
    figures = table(say("progress"), columns, rows, numbers=tuple(range(1, len(columns))))
    return f'<p class="viner-summary">{escape(summary)}</p>{picture}<p class="viner-note">{escape(more)}</p>{figures}'


def distribution_view(counts: Counts, labels: Sequence[str], say: Messages) -> str:
    """Bars of how many entities each label has, accepted and suggested; labels of the schema come first, in its order."""
    names = [*labels, *(name for name in counts.labels if name not in labels)][:_MOST_LABELS]
    figures = {name: counts.labels.get(name, {}) for name in names}
    most = max((states.get("accepted", 0) + states.get("suggested", 0) for states in figures.values()), default=0)
    if not most:
        return f'<p class="viner-note">{escape(say("distribution_none"))}</p>'
    rows = []
    for index, name in enumerate(names):
        accepted, suggested = (figures[name].get(state, 0) for state in ("accepted", "suggested"))
        color = f"t{index}" if index < len(labels) else "t-other"
        picture = bar(
            [
                (f"accepted {color}", accepted, f"{say('accepted')}: {say.number(accepted)}"),
                (f"suggested {color}", suggested, f"{say('suggested')}: {say.number(suggested)}"),
            ],
            most,
        )
        mark = chip(name, index if index < len(labels) else None)
        rows.append([mark, picture, say.number(accepted), say.number(suggested)])
    columns = [say("label"), "", say("accepted"), say("suggested")]
    return table(say("distribution"), columns, rows, kind="viner-distribution", numbers=(2, 3))


def list_view(rows: Sequence[Row], say: Messages, *, filtered: bool = True) -> str:
    """The list of documents; each row has a box to select it and leads to the annotation page.

    Args:
        rows: The rows.
        say: The interface's messages.
        filtered: Whether a filter may be why there are none.
    """
    if not rows:
        return f'<div class="viner-empty small"><p>{escape(say("no_match" if filtered else "list_empty"))}</p></div>'
    cells = []
    for row in rows:
        shown = visible(row.id)
        box = (
            f'<input type="checkbox" class="viner-select" value="{escape(row.id, quote=True)}" '
            f'aria-label="{escape(say("select_document", id=row.id), quote=True)}">'
        )
        link = (
            f'<a href="{escape(annotate_address(row.id))}" '
            f'aria-label="{escape(say("open_document", id=row.id), quote=True)}">{shown}</a>'
        )
        notes = [say(f"split_{row.split}")]
        flag = f'<span class="viner-flag">{escape(say("flag"))}</span>' if row.flagged else ""
        if row.comments:
            notes.append(say("column_comments", count=say.number(row.comments)))
        entities = say.number(row.accepted)
        if row.suggested:
            entities += f"<small>{escape(say('column_suggested', count=say.number(row.suggested)))}</small>"
        cells.append(
            [
                say.number(row.number),
                box,
                f'{link}<span class="excerpt" dir="auto">{visible(row.excerpt)}</span>',
                f'<span class="viner-status {row.status}">{escape(say(f"status_{row.status}"))}</span>{flag}'
                f"<small>{escape(' · '.join(notes))}</small>",
                entities,
            ]
        )
    columns = [say("column_number"), say("column_select"), say("column_text"), say("status"), say("column_entities")]
    return table(say("list"), columns, cells, kind="viner-list", numbers=(0, 4))


def chosen_view(names: Sequence[str], say: Messages) -> str:
    """Which files were chosen."""
    if not names:
        return ""
    shown = ", ".join(names[:_MOST_FILES])
    more = f" … ({say.number(len(names))})" if len(names) > _MOST_FILES else ""
    return f'<p class="viner-chosen" role="status"><strong>{escape(say("chosen"))}</strong> {visible(shown + more)}</p>'


def imported_lines(report: AddReport, say: Messages) -> list[str]:
    """What became of an import, line by line, plain text."""
    numbers = {key: say.number(getattr(report, key)) for key in ("added", "updated", "skipped", "entities", "suggestions")}
    lines = [say("imported", **numbers)]
    if report.entities or report.suggestions:
        lines.append(say("imported_entities", **numbers))
    if report.labels:
        lines.append(say("imported_labels", labels=", ".join(report.labels)))
    if report.withdrawn:
        lines.append(say("imported_withdrawn", ids=", ".join(report.withdrawn)))
    return lines


def lost_view(lost: Mapping[str, int], say: Messages) -> list[str]:
    """What a format could not say, line by line, plain text."""
    if not lost:
        return [say("nothing_lost")]
    reasons = sorted(lost.items(), key=lambda item: -item[1])
    return [say("lost"), *(say("lost_reason", count=say.number(count), reason=reason) for reason, count in reasons)]
