"""Flagging an answer as wrong: what the page says about it, the form, the receipt, and erasing again.

Nothing leaves the page's session before *Send*; what is sent is the text that the form shows, whatever was recognized since.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import gradio as gr

from viner.console.filters import keep
from viner.console.frame import notice
from viner.console.messages import Messages
from viner.console.pages import split_pages
from viner.console.recognizer import FeedbackLike
from viner.console.view import error_view, expired_view
from viner.document import Document, Span
from viner.errors import VinerError, outline
from viner.feedback import LONGEST_COMMENT, LONGEST_TEXT, new_receipt
from viner.formats.html.marks import visible

_log = logging.getLogger("viner.console")
_MOST_CHOICES = 200
"""Entities that can be ticked; others are told in words."""
_TOLD = "viner-flag-told"
_QUOTED = 400
"""Code points of the text, or of an entity, that the form shows."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that is being filled in.

    Args:
        answers: The documents of the page as the model gave them.
        shown: The same with the entities that the page shows.
        index: Which of them is flagged.
        receipt: Under which it will be kept. Pressing *Send* again after an error keeps it once.
    """

    answers: tuple[Document, ...]
    shown: tuple[Document, ...]
    index: int
    receipt: str


class FeedbackPanel:
    """Components as attributes, events as methods, as in :class:`viner.console.page.RecognizePage`.

    Args:
        feedback: What takes flagged answers.
        say: The interface's messages.
        forget_after: Seconds for which an open form is kept.
    """

    def __init__(self, feedback: FeedbackLike, say: Messages, *, forget_after: int) -> None:
        self._feedback = feedback
        self._say = say
        self._forget_after = forget_after

    def add_terms(self) -> None:
        """Adds what every visitor should know, and the way to erase later."""
        say = self._say
        gr.HTML(terms_view(say, self._feedback.note), js_on_load=None, elem_id="viner-flag-terms")
        with gr.Accordion(say("flag_erase_later"), open=False, elem_id="viner-erase-later"):
            self._pasted = gr.Textbox(label=say("flag_receipt"), max_lines=1, max_length=100, elem_id="viner-pasted")
            self._erase_pasted = gr.Button(say("flag_erase"), size="sm", elem_id="viner-erase-pasted")
            self._told = gr.HTML(js_on_load=None, elem_id="viner-erase-told")

    def add_form(self) -> None:
        """Adds the button, the form and the place of the receipt."""
        say = self._say
        self._draft = gr.State(None, time_to_live=self._forget_after)
        self._flag = gr.Button(say("flag_answer"), size="sm", visible=False, elem_id="viner-flag")
        with gr.Column(visible=False, elem_id="viner-flag-form") as self._form:
            gr.HTML(kept_view(say, self._feedback.note), js_on_load=None)
            self._which = gr.Dropdown(label=say("flag_which"), visible=False, elem_id="viner-flag-which")
            self._quote = gr.HTML(js_on_load=None, elem_id="viner-flag-text")
            self._wrong = gr.CheckboxGroup(label=say("flag_wrong"), elem_id="viner-flag-wrong")
            self._comment = gr.Textbox(
                label=say("flag_comment"), lines=3, max_lines=8, max_length=LONGEST_COMMENT, elem_id="viner-flag-comment"
            )
            with gr.Row(elem_classes="viner-flag-actions"):
                self._send = gr.Button(say("flag_send"), variant="primary", size="sm", min_width=90, elem_id="viner-flag-send")
                self._cancel = gr.Button(say("cancel"), size="sm", min_width=90, elem_id="viner-flag-cancel")
        self._said = gr.HTML(js_on_load=None, elem_id="viner-flag-said")
        self._receipt = gr.State("", time_to_live=self._forget_after)
        self._erase = gr.Button(say("flag_erase"), size="sm", visible=False, elem_id="viner-flag-erase")

    def connect(self, result: gr.State, choice: Sequence[Any], page: gr.State, answered: Sequence[Any]) -> None:
        """Connects the events.

        Args:
            result: The documents that were recognized.
            choice: The labels and the lowest score that the page shows.
            page: Which page of the result it shows.
            answered: Events after which there is another result, or none.
        """
        quick: dict[str, Any] = {
            "concurrency_limit": 4,
            "concurrency_id": "feedback",
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        form = [self._draft, self._flag, self._form, self._said]
        filled = [self._which, self._quote, self._wrong, self._comment, self._erase]
        opened = self._flag.click(self._begin, [result, *choice, page], [*form, *filled], **quick)
        self._then_focus(opened, "viner-flag-title")
        self._which.input(self._choose, [self._draft, self._which], [self._draft, self._quote, self._wrong], **quick)
        sending = self._send.click(
            self._finish, [self._draft, self._wrong, self._comment], [*form, self._erase, self._receipt], **quick
        )
        self._then_focus(sending, _TOLD)
        self._then_focus(self._cancel.click(self._close, None, form, **quick), "viner-flag")
        self._then_focus(self._erase.click(self._erase_sent, self._receipt, [self._said, self._erase], **quick), _TOLD)
        for event in (self._erase_pasted.click, self._pasted.submit):
            event(self._erase_any, self._pasted, [self._told, self._pasted], **quick)
        for event in answered:
            event.then(self._renew, result, form, **quick)

    @staticmethod
    def _then_focus(event: Any, name: str) -> None:
        event.then(None, None, None, js=f"() => viner.focus('{name}')", api_visibility="private")

    def _begin(self, result: tuple[Document, ...], labels: list[str], least: float, page: int) -> list[Any]:
        """Outputs form and content of a new form, or why there is none."""
        nothing = [gr.skip()] * 5
        if not result:
            return [*self._shut(expired_view(self._say)), *nothing]
        first, last = split_pages(result)[page]
        numbered = [
            (number, document) for number, document in enumerate(result[first:last], first + 1) if document.text.strip()
        ]
        if not numbered:
            return [*self._shut(""), *nothing]
        answers = tuple(document for _, document in numbered)
        shown = tuple(keep(document, labels, least / 100) for document in answers)
        draft = Draft(answers, shown, 0, new_receipt())
        names = [
            (f"{document.id or self._say.number(number)}: {_short(document.text, 60)}", index)
            for index, (number, document) in enumerate(numbered)
        ]
        which = gr.update(choices=names, value=0, visible=len(names) > 1)
        return [
            *[draft, gr.update(visible=False), gr.update(visible=True), ""],
            *[which, *self._content(draft), "", gr.update(visible=False)],
        ]

    def _choose(self, draft: Draft | None, index: int | None) -> list[Any]:
        if draft is None or index is None:
            return [gr.skip()] * 3
        draft = replace(draft, index=index, receipt=new_receipt())
        return [draft, *self._content(draft)]

    def _content(self, draft: Draft) -> list[Any]:
        document = draft.shown[draft.index]
        choices = _choices(document)
        return [quote_view(self._say, document.text), gr.update(choices=choices, value=[], visible=bool(choices))]

    def _finish(self, draft: Draft | None, wrong: list[str], comment: str, request: gr.Request) -> list[Any]:
        """Outputs the receipt, or what went wrong with the form left open."""
        if draft is None:
            return [*self._shut(expired_view(self._say)), gr.skip(), gr.skip()]
        answer = draft.answers[draft.index]

        def work() -> list[Any]:
            self._feedback.send(
                answer,
                receipt=draft.receipt,
                comment=comment or "",
                wrong=[_read_choice(value) for value in wrong],
                address=_address(request),
            )
            told = _focusable(sent_view(self._say, draft.receipt))
            return [None, gr.update(visible=True), gr.update(visible=False), told, gr.update(visible=True), draft.receipt]

        open_still = [gr.skip(), gr.skip(), gr.skip()]
        if len(answer.text) > LONGEST_TEXT:
            told = error_view(self._say, self._say("flag_too_long", count=self._say.number(LONGEST_TEXT)))
            return [*open_still, told, gr.skip(), gr.skip()]
        return self._attempt(work, lambda told: [*open_still, told, gr.skip(), gr.skip()])

    def _close(self) -> list[Any]:
        return [None, gr.update(visible=True), gr.update(visible=False), ""]

    def _renew(self, result: tuple[Document, ...]) -> list[Any]:
        """Outputs the form closed, and the button where there is something to flag."""
        return [None, gr.update(visible=bool(result)), gr.update(visible=False), ""]

    def _shut(self, told: str) -> list[Any]:
        return [None, gr.update(visible=False), gr.update(visible=False), told]

    def _erase_sent(self, receipt: str, request: gr.Request) -> list[Any]:
        return self._attempt(
            lambda: [_focusable(self._gone(receipt, request)), gr.update(visible=False)], lambda told: [told, gr.skip()]
        )

    def _erase_any(self, receipt: str, request: gr.Request) -> list[Any]:
        return self._attempt(lambda: [self._gone(receipt, request), ""], lambda told: [told, gr.skip()])

    def _gone(self, receipt: str, request: gr.Request) -> str:
        exact = self._feedback.erase(receipt, address=_address(request))
        return notice(self._say("flag_erased"), self._say("flag_erased_text", receipt=exact))

    def _attempt(self, work: Callable[[], list[Any]], otherwise: Callable[[str], list[Any]]) -> list[Any]:
        """What the work outputs, or what went wrong in its place. Nothing of the text reaches the log."""
        try:
            return work()
        except VinerError as error:
            message, hint, detail = self._say.explain(error, otherwise="feedback_failed")
            return otherwise(error_view(self._say, message, None, hint, detail))
        except Exception as error:
            _log.error("feedback failed: %s", outline(error))
            return otherwise(error_view(self._say, self._say("error_feedback_failed"), None, self._say("hint_feedback_failed")))


def terms_view(say: Messages, note: str) -> str:
    """HTML that says, wherever the page is open, that flagged answers are collected."""
    told = f" {escape(say('flag_note', note=''))}<q>{visible(note)}</q>" if note else ""
    return f'<p class="viner-hint">{escape(say("flag_terms"))}{told}</p>'


def kept_view(say: Messages, note: str) -> str:
    """HTML that says what will be kept, by whom, and for how long as far as the operator said so."""
    kept = "".join(f"<li>{escape(say(key))}</li>" for key in ("flag_kept_text", "flag_kept_comment", "flag_kept_model"))
    told = f"{escape(say('flag_note', note=''))}<q>{visible(note)}</q>" if note else escape(say("flag_no_note"))
    return (
        f'<h2 class="viner-flag-title" id="viner-flag-title" tabindex="-1">{escape(say("flag_answer"))}</h2>'
        f'<p class="viner-flag-kept">{escape(say("flag_kept"))}</p><ul class="viner-flag-kept">{kept}</ul>'
        f'<p class="viner-flag-kept">{escape(say("flag_kept_not"))}</p><p class="viner-flag-kept">{told}</p>'
    )


def quote_view(say: Messages, text: str) -> str:
    """HTML of the text that will be sent, its beginning at least."""
    return (
        f'<p class="viner-flag-kept">{escape(say("flag_text", count=say.number(len(text))))}</p>'
        f'<blockquote dir="auto">{visible(_short(text, _QUOTED))}</blockquote>'
    )


def sent_view(say: Messages, receipt: str) -> str:
    """HTML that says that an answer was sent, and gives its receipt."""
    data = f'data-text="{receipt}" data-copied="{escape(say("copied"))}"'
    button = f'<button type="button" class="viner-copier" {data}>{escape(say("copy"))}</button>'
    named = f'<p class="viner-receipt">{escape(say("flag_receipt"))} <code>{receipt}</code>{button}</p>'
    return notice(say("flag_sent"), say("flag_sent_text")) + named


def _focusable(told: str) -> str:
    return f'<div id="{_TOLD}" tabindex="-1">{told}</div>'


def _choices(document: Document) -> list[tuple[str, str]]:
    """What can be ticked, and the value of each: its span."""
    entities = sorted(document.entities or (), key=lambda entity: (entity.start, entity.end))
    names: dict[Span, list[str]] = {}
    for entity in entities[:_MOST_CHOICES]:
        names.setdefault((entity.start, entity.end), []).append(entity.label)
    return [
        (f"{_short(document.text[start:end], 80)} · {', '.join(labels)}", f"{start}-{end}")
        for (start, end), labels in names.items()
    ]


def _read_choice(value: str) -> Span:
    start, _, end = value.partition("-")
    return int(start), int(end)


def _short(text: str, most: int) -> str:
    line = " ".join(text[: 2 * most].split())
    return line if len(text) <= 2 * most and len(line) <= most else f"{line[:most]}…"


def _address(request: gr.Request) -> str:
    return request.client.host if request.client else ""
