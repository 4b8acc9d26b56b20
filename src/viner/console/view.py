"""Recognized documents as the HTML parts of the page. Pure: no model, no Gradio, no state."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

from viner.console.filters import keep
from viner.console.messages import Messages
from viner.console.pages import PAGE_CHARACTERS, split_pages
from viner.document import Document
from viner.formats.html.marks import entity_anchor, highlight, percent, visible

TABLE_ROWS = 2_000
"""The table ends after so many rows; downloads hold all."""


@dataclass(frozen=True, slots=True)
class View:
    """What the page shows of a result.

    Args:
        summary: One line of HTML: how many entities, documents, seconds.
        text: HTML of the page's documents with their entities marked.
        table: HTML table of the page's entities; empty when there are none.
        page: Number of the page, from 0, moved into the range of pages.
        pages: How many pages there are, at least 1.
        position: Which documents the page holds, as plain text.
    """

    summary: str
    text: str
    table: str
    page: int
    pages: int
    position: str


def render(
    documents: Sequence[Document],
    types: Sequence[str],
    say: Messages,
    *,
    labels: Collection[str],
    least: float,
    page: int = 0,
    seconds: float | None = None,
) -> View:
    """One page of a result.

    Args:
        documents: Recognized documents.
        types: Names of all types in display order.
        say: The interface's messages.
        labels: Names of the types to show.
        least: Lowest score to show, in [0, 1].
        page: Number of the page, from 0.
        seconds: How long recognition took; None leaves it out.
    """
    kept = tuple(keep(document, labels, least) for document in documents)
    # Pages are cut from the unfiltered result, so that a filter never moves a document to another page.
    pages = split_pages(documents)
    page = min(max(page, 0), len(pages) - 1)
    first, last = pages[page]
    shown = kept[first:last]
    return View(
        summary=_summary(documents, kept, say, seconds),
        text=_note(documents, kept, say) + _texts(shown, types, say, first, numbered=len(documents) > 1),
        table=_table(shown, types, say, first, several=len(documents) > 1, paged=len(pages) > 1),
        page=page,
        pages=len(pages),
        position=say("page", first=say.number(first + 1), last=say.number(last), count=say.number(len(documents))),
    )


def empty_view(say: Messages) -> str:
    """HTML of the result area before anything was recognized."""
    return f'<div class="viner-empty"><strong>{escape(say("empty_title"))}</strong><p>{escape(say("empty_text"))}</p></div>'


def expired_view(say: Messages) -> str:
    """HTML of the result area when the server has forgotten the result, with a button that recognizes again."""
    return (
        f'<div class="viner-error" role="alert"><strong>{escape(say("expired_title"))}</strong>'
        f'<p>{escape(say("expired_text"))}</p><button type="button" class="viner-again">{escape(say("again"))}</button></div>'
    )


def error_view(
    say: Messages, message: str, where: str | None = None, hint: str | None = None, detail: str | None = None
) -> str:
    """HTML of the result area when something went wrong; every part is escaped. A detail is in English and folded away."""
    place = f"<code>{visible(where)}</code>" if where else ""
    advice = f"<p>{visible(hint)}</p>" if hint else ""
    more = ""
    if detail:
        more = f'<details><summary>{escape(say("detail"))}</summary><code lang="en">{visible(detail)}</code></details>'
    return (
        f'<div class="viner-error" role="alert"><strong>{escape(say("error_title"))}</strong>'
        f"<p>{visible(message)}</p>{place}{advice}{more}</div>"
    )


def _summary(documents: Sequence[Document], kept: Sequence[Document], say: Messages, seconds: float | None) -> str:
    count, shown = (sum(len(document.entities or ()) for document in group) for group in (documents, kept))
    if shown != count:
        parts = [say("shown_of", shown=say.number(shown), count=say.number(count))]
    else:
        parts = [say("one_entity") if count == 1 else say("count_entities", count=say.number(count))]
    if len(documents) != 1:
        parts.append(say("count_documents", count=say.number(len(documents))))
    if seconds is not None and seconds < 1:
        parts.append(say("milliseconds", count=max(1, round(seconds * 1000))))
    elif seconds is not None:
        parts.append(say("seconds", seconds=say.decimal(seconds, 1)))
    return f'<p class="viner-summary" role="status">{" · ".join(map(escape, parts))}</p>'


def _note(documents: Sequence[Document], kept: Sequence[Document], say: Messages) -> str:
    if any(document.entities for document in kept):
        return ""
    key = "none_shown" if any(document.entities for document in documents) else "none_found"
    return f'<p class="viner-note">{escape(say(key))}</p>'


def _texts(documents: Sequence[Document], types: Sequence[str], say: Messages, first: int, *, numbered: bool) -> str:
    parts = []
    for number, document in enumerate(documents):
        name = f'<div class="viner-name">{visible(document.id or say.number(first + number + 1))}</div>' if numbered else ""
        marked = highlight(document, types, number=number, limit=PAGE_CHARACTERS)
        parts.append(f'<article class="viner-text" dir="auto">{name}{marked}</article>')
        length = len(document.text)
        if length > PAGE_CHARACTERS:
            note = say("cut", shown=say.number(PAGE_CHARACTERS), count=say.number(length))
            parts.append(f'<p class="viner-note">{escape(note)}</p>')
    return "".join(parts)


def _table(
    documents: Sequence[Document], types: Sequence[str], say: Messages, first: int, *, several: bool, paged: bool
) -> str:
    numbers = {name: index for index, name in enumerate(types)}
    rows = [
        (number, index, document, entity)
        for number, document in enumerate(documents)
        for index, entity in sorted(enumerate(document.entities or ()), key=lambda item: (item[1].start, item[1].end))
    ]
    if not rows:
        return ""
    columns = [*(["document"] if several else []), "entity", "type", "score", "position"]
    head = "".join(f'<th scope="col">{escape(say(column))}</th>' for column in columns)
    body = []
    for number, index, document, entity in rows[:TABLE_ROWS]:
        name = f"<td>{visible(document.id or say.number(first + number + 1))}</td>" if several else ""
        surface = visible(entity.text or "")
        if entity.end <= PAGE_CHARACTERS:
            surface = f'<a href="#{entity_anchor(number, index)}">{surface}</a>'
        color = f"t{numbers[entity.label]}" if entity.label in numbers else "t-other"
        body.append(
            f'<tr>{name}<td class="surface" dir="auto">{surface}</td>'
            f'<td><span class="type {color}">{visible(entity.label).replace("_", "_<wbr>")}</span></td>'
            f'<td class="number">{percent(entity.score)}</td><td class="number">{entity.start}–{entity.end}</td></tr>'
        )
    caption = escape(say("entities_of_page" if paged else "entities"))
    more = ""
    if len(rows) > TABLE_ROWS:
        note = say("rows_cut", shown=say.number(TABLE_ROWS), count=say.number(len(rows)))
        more = f'<p class="viner-note">{escape(note)}</p>'
    return (
        f'<div class="viner-table" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{more}"
    )
