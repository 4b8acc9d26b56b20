"""What every page of a project has around it: the header with its sections, messages, the bar chart of a table."""

from __future__ import annotations

from html import escape
from typing import Any
from urllib.parse import quote

from viner.console.messages import Messages
from viner.console.view import error_view
from viner.errors import VinerError
from viner.formats.html.marks import visible
from viner.languages import LANGUAGE_NAMES

LOCAL = "local"
"""Who works on a machine where nobody needs to log in."""

SECTIONS = (
    ("documents", "./"),
    ("annotate", "../annotate/"),
    ("train", "train"),
    ("errors", "errors"),
    ("labels", "labels"),
    ("recognize", "recognize"),
)
"""Keys of the sections and their addresses, relative to a page of the console."""


def annotate_address(document: str) -> str:
    """Where a document is opened in the annotator, relative to a page of the console.

    Args:
        document: Its id.
    """
    return f"../annotate/?document={quote(document, safe='')}"


def header(say: Messages, page: str, project: str, *, who: str | None = None) -> str:
    """The header of a page.

    Args:
        say: The interface's messages.
        page: Key of the section that the page is.
        project: Name of the project.
        who: Who is logged in; None where nobody needs to.
    """
    sections = ""
    for key, address in SECTIONS:
        current = ' aria-current="page"' if key == page else ""
        sections += f'<a href="{address}"{current}>{escape(say(key))}</a>'
    languages = ""
    for code, name in LANGUAGE_NAMES.items():
        current = ' aria-current="true"' if code == say.language else ""
        suffix = "" if page == "documents" else f"?page={page}"
        languages += f'<a href="../language/{code}{suffix}" lang="{code}" hreflang="{code}"{current}>{name}</a>'
    title = f"{say(page)} · {project} · viner"
    return (
        f'<header class="viner-header viner-studio" data-title="{visible(title)}">'
        f'<a class="viner-skip" href="#viner-content">{escape(say("skip"))}</a>'
        f'<a class="viner-brand" href="./">viner</a><p>{visible(project)}</p>'
        f'<nav class="viner-sections" aria-label="{escape(say("sections"))}">{sections}</nav>'
        f'<nav class="viner-languages" aria-label="{escape(say("language"))}">{languages}</nav>'
        f"{_account(say, who) if who else ''}</header>"
    )


def _account(say: Messages, who: str) -> str:
    return (
        f'<form class="viner-account" method="post" action="../logout"><span>{visible(say("logged_in", who=who))}</span>'
        f'<button type="submit">{escape(say("logout"))}</button></form>'
    )


def heading(say: Messages, page: str) -> str:
    """The page's own heading, to which the skip link leads."""
    return (
        f'<div class="viner-title" id="viner-content" tabindex="-1"><h1>{escape(say(page))}</h1>'
        f"<p>{escape(say(f'{page}_tagline'))}</p></div>"
    )


def section(title: str) -> str:
    """The heading of a part of a page."""
    return f'<h2 class="viner-section">{escape(title)}</h2>'


def notice(*lines: str, kind: str = "good") -> str:
    """A message that a screen reader says at once. Lines are plain text; the first one is the headline."""
    first, *rest = lines
    more = "".join(f"<p>{visible(line)}</p>" for line in rest if line)
    return f'<div class="viner-notice {kind}" role="status"><strong>{visible(first)}</strong>{more}</div>'


def problem(say: Messages, error: VinerError) -> str:
    """An error as the page shows it, in its language."""
    if isinstance(error, PageError):
        return error_view(say, error.message, error.where, error.hint, error.detail)
    message, hint, detail = say.explain(error, otherwise="general")
    return error_view(say, message, error.where, hint, detail)


class PageError(VinerError):
    """Something that the person at the page can mend, said in the language of the page."""

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None, detail: str | None = None) -> None:
        super().__init__(message, where=where, hint=hint)
        self.detail = detail


def bar(parts: list[tuple[str, int, str]], whole: int) -> str:
    """A stacked bar; for eyes only, since a table beside it has the figures.

    Args:
        parts: ``(CSS class, count, what it is)`` from left to right.
        whole: The count that fills the bar.
    """
    spans = ""
    for name, count, title in parts:
        if count and whole:
            spans += f'<span class="{name}" style="width:{100 * count / whole:.3f}%" title="{visible(title)}"></span>'
    return f'<div class="viner-bar" aria-hidden="true">{spans}</div>'


def table(caption: str, columns: list[str], rows: list[list[str]], *, kind: str = "", numbers: tuple[int, ...] = ()) -> str:
    """A table within a region that scrolls.

    Args:
        caption: What it shows.
        columns: Headings, plain text.
        rows: Cells as HTML; the first cell of a row is its heading.
        kind: Further CSS class.
        numbers: Indices of the columns that hold figures.
    """
    kinds = [' class="number"' if index in numbers else "" for index in range(len(columns))]
    head = "".join(f'<th scope="col"{name}>{escape(column)}</th>' for name, column in zip(kinds, columns, strict=True))
    body = ""
    for row in rows:
        cells = f'<th scope="row"{kinds[0]}>{row[0]}</th>'
        cells += "".join(f"<td{name}>{cell}</td>" for name, cell in zip(kinds[1:], row[1:], strict=True))
        body += f"<tr>{cells}</tr>"
    return (
        f'<div class="viner-grid {kind}" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f'<caption class="viner-hidden">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def chip(label: str, index: int | None) -> str:
    """A label on its color (:func:`viner.console.theme.color_rules` gives the n-th its color)."""
    color = "t-other" if index is None else f"t{index}"
    return f'<span class="type {color}">{visible(label)}</span>'


def who_is(request: Any) -> str:
    """Name of who sent a request: that of the account, or "local" where nobody needs to log in."""
    return getattr(request, "username", None) or LOCAL
