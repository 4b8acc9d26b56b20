"""The page *Recognize*: Gradio components, and what happens when somebody uses them."""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from html import escape
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from viner.console.blocks import ConsoleBlocks
from viner.console.exports import EXPORTS, export
from viner.console.feedback import FeedbackPanel
from viner.console.filters import count_labels, keep
from viner.console.messages import Messages
from viner.console.recognizer import FeedbackLike, RecognizerLike, entity_types
from viner.console.view import View, empty_view, error_view, expired_view, render
from viner.document import Document, check_text
from viner.errors import VinerError, outline
from viner.languages import LANGUAGE_NAMES
from viner.samples.examples import NOTICES, Example, in_order

_log = logging.getLogger("viner.console")
FORGET_AFTER = 3600
"""Seconds that results, uploads and files for download are kept."""
SWEEP_EVERY = 600
"""Seconds between two looks at what is to be forgotten."""
_AT_ONCE = 2 * (os.cpu_count() or 1)
_MOST_DOCUMENTS, _MOST_CHARACTERS = 20_000, 10_000_000
"""What one answer of the page may hold; it stays in memory for as long as the page may ask for it."""
_KINDS = (".txt", ".jsonl")
Result = tuple[Document, ...]


def build_console(
    recognizer: RecognizerLike,
    language: str,
    feedback: FeedbackLike | None = None,
    examples: Sequence[Example] = NOTICES,
    *,
    public: bool = False,
) -> ConsoleBlocks:
    """The console of one interface language.

    Results stay in the session on the server for an hour at most. A file for download is written when somebody asks for it, and
    deleted with the next one, or after the same time.

    Args:
        recognizer: What recognizes; called from worker threads.
        language: One of :data:`viner.languages.LANGUAGES`.
        feedback: What takes answers that visitors flag as wrong; None takes none.
        examples: Texts to try.
        public: Whether programs may call ``/recognize`` through gradio_client; everything else is private to the page.
    """
    say = Messages(language)
    with ConsoleBlocks(title=say("title"), analytics_enabled=False, delete_cache=(SWEEP_EVERY, FORGET_AFTER)) as blocks:
        gr.HTML(_header(say), js_on_load=None, elem_id="viner-header")
        RecognizePage(recognizer, say, feedback, examples).build(tuple(entity_types(recognizer.schema)))
        if public:
            gr.api(_endpoint(recognizer), api_name="recognize", concurrency_limit=_AT_ONCE)
    return blocks


def _endpoint(recognizer: RecognizerLike) -> Callable[[str], dict[str, Any]]:
    # The name, the annotations and the docstring are what programs see.
    def recognize(text: str) -> dict[str, Any]:
        """The document of a raw text: words and entities with offsets in code points, as the REST API answers it."""
        try:
            return recognizer(check_text(text)).to_dict(surfaces=True)
        except VinerError as error:
            raise gr.Error(str(error), print_exception=False) from error

    return recognize


class RecognizePage:
    """The components as attributes, the events as methods.

    Args:
        recognizer: What recognizes. Its types may change while the page is open.
        say: The interface's messages.
        feedback: What takes answers that visitors flag as wrong; None takes none.
        examples: Texts to try.
    """

    def __init__(
        self,
        recognizer: RecognizerLike,
        say: Messages,
        feedback: FeedbackLike | None = None,
        examples: Sequence[Example] = NOTICES,
    ) -> None:
        self._recognizer = recognizer
        self._say = say
        self._examples = examples
        self._panel = None if feedback is None else FeedbackPanel(feedback, say, forget_after=FORGET_AFTER)

    @property
    def _types(self) -> tuple[str, ...]:
        return tuple(entity_types(self._recognizer.schema))

    def build(self, types: tuple[str, ...]) -> None:
        """Adds the components and their events to the page that is being built.

        Args:
            types: Names of the types that can be chosen from at first.
        """
        self._add(types)
        self._connect()

    def _add(self, types: tuple[str, ...]) -> None:
        say = self._say
        small: dict[str, Any] = {"size": "sm", "min_width": 80}
        self._result = gr.State((), time_to_live=FORGET_AFTER)
        self._exported = gr.State(None, time_to_live=FORGET_AFTER, delete_callback=_discard)
        self._page = gr.State(0)
        self._offered = gr.State(list(types))
        with gr.Row(elem_id="viner-main", equal_height=False) as self.main:
            with gr.Column(scale=5, min_width=320, elem_id="viner-input"):
                self._text = gr.Textbox(
                    label=say("text"),
                    placeholder=say("placeholder"),
                    lines=11,
                    max_lines=22,
                    autofocus=True,
                    elem_id="viner-text",
                )
                with gr.Row(elem_id="viner-actions"):
                    self._run = gr.Button(say("recognize"), variant="primary", elem_id="viner-run", min_width=120, scale=3)
                    # No file_types: Gradio would refuse other kinds in English; _read says it in the page's language.
                    self._file = gr.UploadButton(
                        say("open"), file_count="multiple", elem_id="viner-file", min_width=90, scale=2
                    )
                    self._clear = gr.Button(say("clear"), elem_id="viner-clear", min_width=70, scale=1)
                gr.HTML(f'<p class="viner-hint">{escape(say("input_hint"))}</p>', js_on_load=None)
                if self._examples:
                    gr.HTML(f'<h2 class="viner-heading">{escape(say("examples"))}</h2>', js_on_load=None)
                with gr.Row(elem_id="viner-samples", visible=bool(self._examples)):
                    self._samples = [
                        (gr.Button(example.title, size="sm", min_width=130), example.text)
                        for example in in_order(self._examples, say.language)
                    ]
                if self._panel is not None:
                    self._panel.add_terms()
            with gr.Column(scale=7, min_width=320, elem_id="viner-output"):
                with gr.Column(visible=False, elem_id="viner-filters") as self._filters:
                    self.summary = gr.HTML(js_on_load=None)
                    self._legend = gr.CheckboxGroup(
                        choices=list(types), value=list(types), label=say("types"), elem_id="viner-legend"
                    )
                    self._least = gr.Slider(0, 100, value=0, step=1, label=say("confidence"), buttons=[], elem_id="viner-least")
                self._marked = gr.HTML(empty_view(say), js_on_load=None, elem_id="viner-marked")
                with gr.Row(visible=False, elem_id="viner-pager") as self._pager:
                    self._previous = gr.Button(say("previous"), **small)
                    self._position = gr.HTML(js_on_load=None)
                    self._next = gr.Button(say("next"), **small)
                self._table = gr.HTML(js_on_load=None, elem_id="viner-table")
                with gr.Column(visible=False, elem_id="viner-exports") as self._exports:
                    with gr.Row(elem_classes="viner-files"):
                        gr.HTML(f"<span>{escape(say('download'))}</span>", js_on_load=None)
                        self._downloads = [gr.Button(_kind_name(kind), elem_id=f"viner-{kind}", **small) for kind in EXPORTS]
                    with gr.Row(elem_classes="viner-files"):
                        gr.HTML(f"<span>{escape(say('copy'))}</span>", js_on_load=None)
                        self._copies = [gr.Button(_kind_name(kind), elem_id=f"viner-copy-{kind}", **small) for kind in EXPORTS]
                if self._panel is not None:
                    self._panel.add_form()
        # Never seen: through them a file that was just written reaches the script of the page. Outside of the row, which shows
        # all that is in it when it is shown itself.
        self._files = [gr.DownloadButton(visible="hidden") for _ in EXPORTS]

    def _connect(self) -> None:
        choice = [self._legend, self._least]
        view = [
            self._page,
            self.summary,
            self._marked,
            self._pager,
            self._position,
            self._previous,
            self._next,
            self._table,
            self._exports,
        ]
        everything = [self._result, self._filters, self._legend, self._offered, *view]
        busy: dict[str, Any] = {
            "outputs": everything,
            "concurrency_limit": os.cpu_count() or 1,
            "concurrency_id": "recognize",
            "show_progress": "minimal",
            "show_progress_on": self._marked,
            "api_visibility": "private",
        }
        quick: dict[str, Any] = {
            "concurrency_limit": _AT_ONCE,
            "concurrency_id": "show",
            "show_progress": "hidden",
            "api_visibility": "private",
        }

        reveal: dict[str, Any] = {"fn": None, "js": "() => viner.reveal()", "api_visibility": "private"}
        answered = [
            self._run.click(self._recognize_text, [self._text, *choice, self._offered], **busy),
            self._file.upload(self._recognize_files, [self._file, *choice, self._offered], **busy),
        ]
        for button, text in self._samples:
            filled = button.click(lambda text=text: text, None, self._text, **quick)
            answered.append(filled.then(self._recognize_text, [self._text, *choice, self._offered], **busy))
        for event in answered:
            event.then(**reveal)
        cleared = self._clear.click(self._forget, None, [self._text, *everything], **quick)
        if self._panel is not None:
            self._panel.connect(self._result, choice, self._page, [*answered, cleared])

        for change in (self._legend.input, self._least.input):
            change(self._show, [self._result, *choice, self._page], view, trigger_mode="always_last", **quick)
        self._previous.click(self._back, [self._result, *choice, self._page], view, **quick)
        self._next.click(self._forward, [self._result, *choice, self._page], view, **quick)
        done = json.dumps(self._say("copied"))
        # Not a DownloadButton: one whose click prepares its own file downloads nothing the first time.
        for kind, save, copy, file in zip(EXPORTS, self._downloads, self._copies, self._files, strict=True):
            for button, js in (
                (save, "(file) => { viner.saveFile(file); }"),
                (copy, f"(file) => {{ viner.copyFile(file, 'viner-copy-{kind}', {done}); }}"),
            ):
                written = button.click(
                    partial(self._export, kind),
                    [self._result, *choice, self._exported],
                    [file, self._exported, self._marked],
                    concurrency_limit=_AT_ONCE,
                    concurrency_id="export",
                    show_progress="minimal",
                    show_progress_on=button,
                    api_visibility="private",
                )
                written.success(None, file, None, js=js, api_visibility="private")

    def _recognize_text(self, text: str, labels: list[str], least: float, offered: list[str]) -> list[Any]:
        def work() -> Result:
            if not text or not text.strip():
                raise _PageError(self._say("error_empty"))
            return (self._recognizer(text),)

        return self._attempt(work, labels, least, offered)

    def _recognize_files(self, paths: list[str], labels: list[str], least: float, offered: list[str]) -> list[Any]:
        def work() -> Result:
            documents = self._documents(paths)
            if not any(document.text.strip() for document in documents):
                raise _PageError(self._say("error_empty_file"))
            return tuple(self._recognizer.stream(documents))

        return self._attempt(work, labels, least, offered)

    def _documents(self, paths: Sequence[str]) -> list[Document]:
        """What the files hold, as far as a page can show it."""
        documents: list[Document] = []
        characters = 0
        for path in dict.fromkeys(paths):
            for document in self._read(Path(path)):
                documents.append(document)
                characters += len(document.text)
                if len(documents) > _MOST_DOCUMENTS or characters > _MOST_CHARACTERS:
                    say = self._say
                    texts, most = say.number(_MOST_DOCUMENTS), say.number(_MOST_CHARACTERS)
                    raise _PageError(say("error_many", texts=texts, characters=most))
        return documents

    def _read(self, path: Path) -> Iterator[Document]:
        from viner.formats import read

        if path.suffix.lower() not in _KINDS:
            raise _PageError(self._say("error_kind", name=path.name))
        try:
            yield from read(path, format="jsonl" if path.suffix.lower() == ".jsonl" else "text")
        except VinerError as error:
            # The person knows the file by its name, not by the folder that the upload went to.
            where = error.where.replace(str(path), path.name) if error.where else path.name
            message, hint, detail = self._say.explain(error)
            raise _PageError(message, where=where, hint=hint, detail=detail) from None

    def _attempt(self, work: Callable[[], Result], labels: Sequence[str], least: float, offered: Sequence[str]) -> list[Any]:
        """Outputs ``everything``: the result, or what went wrong. Nothing of the text reaches the log."""
        began = time.perf_counter()
        try:
            result = work()
            seconds = time.perf_counter() - began
            types = self._types
            # Types that a new model brought are shown at first, those that went with the old one are no choice any more.
            chosen = [name for name in types if name in labels or name not in offered]
            view = render(result, types, self._say, labels=chosen, least=least / 100, seconds=seconds)
            counts = count_labels(result)
            choices = [(f"{name} {self._say.number(counts[name])}", name) for name in types]
            legend = gr.update(choices=choices) if list(types) == list(offered) else gr.update(choices=choices, value=chosen)
            return [result, gr.update(visible=True), legend, list(types), *self._updates(view)]
        except _PageError as error:
            return self._problem(error_view(self._say, error.message, error.where, error.hint, error.detail))
        except VinerError as error:
            message, hint, detail = self._say.explain(error)
            return self._problem(error_view(self._say, message, error.where, hint, detail))
        except Exception as error:
            _log.error("recognition failed: %s", outline(error))
            return self._problem(error_view(self._say, self._say("error_internal")))

    def _show(self, result: Result, labels: list[str], least: float, page: int) -> list[Any]:
        if not result:
            # The page is still open, the result is not: an hour has passed, or the server was started anew.
            hidden = gr.update(visible=False)
            return [0, "", expired_view(self._say), hidden, "", gr.skip(), gr.skip(), "", hidden]
        return self._updates(render(result, self._types, self._say, labels=labels, least=least / 100, page=page))

    def _back(self, result: Result, labels: list[str], least: float, page: int) -> list[Any]:
        return self._show(result, labels, least, page - 1)

    def _forward(self, result: Result, labels: list[str], least: float, page: int) -> list[Any]:
        return self._show(result, labels, least, page + 1)

    def _forget(self) -> list[Any]:
        return ["", *self._problem(empty_view(self._say))]

    def _updates(self, view: View) -> list[Any]:
        """Outputs ``view``."""
        return [
            view.page,
            view.summary,
            view.text,
            gr.update(visible=view.pages > 1),
            f'<p class="viner-position" role="status">{escape(view.position)}</p>',
            gr.update(interactive=view.page > 0),
            gr.update(interactive=view.page < view.pages - 1),
            view.table,
            gr.update(visible=True),
        ]

    def _export(self, kind: str, result: Result, labels: list[str], least: float, previous: str | None) -> list[Any]:
        """Outputs the file, its path, and a message in the place of the texts if the result is gone."""
        _discard(previous)
        if not result:
            return [None, None, expired_view(self._say)]
        path = export(
            [keep(document, labels, least / 100) for document in result], kind, Path(mkdtemp(dir=get_upload_folder()))
        )
        return [str(path), str(path), gr.skip()]

    def _problem(self, message: str) -> list[Any]:
        """Outputs ``everything``: no result, a message in its place."""
        hidden = gr.update(visible=False)
        view = [0, "", message, hidden, "", gr.skip(), gr.skip(), "", hidden]
        return [(), hidden, gr.skip(), gr.skip(), *view]


class _PageError(VinerError):
    """Something that the person at the page can mend, said in the language of the page."""

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None, detail: str | None = None) -> None:
        super().__init__(message, where=where, hint=hint)
        self.detail = detail


def _discard(exported: str | None) -> None:
    """Deletes a file for download, with the folder that it has for itself."""
    if exported is not None:
        shutil.rmtree(Path(exported).parent, ignore_errors=True)


def _kind_name(kind: str) -> str:
    return "CoNLL" if kind == "conll" else kind.upper()


def _header(say: Messages) -> str:
    links = ""
    for code, name in LANGUAGE_NAMES.items():
        current = ' aria-current="true"' if code == say.language else ""
        links += f'<a href="../language/{code}" lang="{code}" hreflang="{code}"{current}>{name}</a>'
    links += f'<a class="api" href="../api/docs">{escape(say("api"))}</a>'
    return (
        f'<header class="viner-header"><h1>viner</h1><p>{escape(say("tagline"))}</p>'
        f'<nav aria-label="{escape(say("language"))}">{links}</nav></header>'
    )
