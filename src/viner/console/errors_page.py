"""The page *Errors*: what the model in service has wrong, and which annotations it doubts."""

from __future__ import annotations

import gradio as gr

from viner.console.errors_view import PUT_ASIDE, curve_view, doubts_view, errors_view
from viner.console.frame import notice
from viner.console.recognize_page import no_model_view
from viner.console.studio_page import LONG, QUICK, StudioPage
from viner.studio.doubts import open_doubts, put_aside, take_back
from viner.studio.errors import find_errors

_SPLITS = ("dev", "train")
"""Test is not among them: a model that was mended by its errors there could not be measured on it any more."""

_BUTTONS = """
let place = null;
element.addEventListener("click", event => {
  const button = event.target.closest("button.viner-doubt");
  if (!button || button.disabled) return;
  const { action, doubt } = button.dataset;
  const all = [...element.querySelectorAll(`button[data-action=${action}]`)];
  place = { action, index: all.indexOf(button), open: element.querySelector("details.viner-aside")?.open };
  const others = [...element.querySelectorAll("button.viner-doubt")];
  for (const other of others) other.disabled = true;
  setTimeout(() => { for (const other of others) other.disabled = false; }, 20000);  // no answer came
  trigger("submit", { action, doubt });
});
watch("value", () => {
  if (!place) return;
  const details = element.querySelector("details.viner-aside");
  if (details) details.open = !!place.open;
  const left = [...element.querySelectorAll(`button[data-action=${place.action}]`)];
  const next = left[Math.min(place.index, left.length - 1)] ?? element.querySelector("button.viner-doubt, summary");
  next?.focus();
  place = null;
});
"""
"""Has the server put doubts aside. The button behind the one that was pressed gets the focus when the list is drawn anew."""


class ErrorsPage(StudioPage):
    """The page *Errors*."""

    key = "errors"

    def build(self, blocks: gr.Blocks) -> None:
        """Adds the components and their events to the page."""
        say = self._say
        self._frame(blocks)
        with gr.Row(elem_id="viner-errors-of", elem_classes="viner-inline"):
            self._split = gr.Radio(
                [(say(f"split_{split}"), split) for split in _SPLITS],
                value="dev",
                label=say("errors_which"),
                elem_id="viner-errors-split",
                scale=2,
            )
            self._look = gr.Button(say("errors_look"), variant="primary", min_width=160, scale=1, elem_id="viner-errors-look")
        self._curve = gr.HTML(js_on_load=None, elem_id="viner-curve")
        self._errors = gr.HTML(js_on_load=None, elem_id="viner-errors")
        self._doubts = gr.HTML(js_on_load=_BUTTONS, elem_id="viner-doubts")
        blocks.load(self._draw_curve, None, self._curve, **QUICK)
        blocks.load(self._list_doubts, None, self._doubts, **QUICK)
        self._doubts.submit(self._decide, None, self._doubts, **QUICK)
        told = self._look.click(lambda: notice(say("errors_looking"), kind="neutral"), None, self._errors, **QUICK)
        told.then(self._find, self._split, self._errors, show_progress_on=self._errors, **LONG)

    def _draw_curve(self) -> str:
        return self._guard(lambda: curve_view([version.to_dict() for version in self._studio.versions.list()], self._say), str)

    def _list_doubts(self) -> str:
        return self._guard(lambda: doubts_view(open_doubts(self._studio.project, self._studio.store), self._say), str)

    def _decide(self, event: gr.EventData) -> str:
        project, store = self._studio.project, self._studio.store

        def work() -> str:
            decide = put_aside if event.action == PUT_ASIDE else take_back
            decide(project, store, str(event.doubt))
            return ""

        return self._guard(work, str) + self._list_doubts()

    def _find(self, split: str) -> str:
        def work() -> str:
            recognizer = self._studio.recognizer
            name = recognizer.name
            if name is None:
                return no_model_view(self._say)
            analysis = find_errors(self._studio.store, recognizer, "train" if split == "train" else "dev")
            return errors_view(analysis, name, split, self._say)

        return self._guard(work, str)
