"""The page *Recognize* of a project: the model in service answers, whichever it is."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from viner.console.frame import problem
from viner.console.messages import Messages
from viner.console.page import RecognizePage
from viner.console.recognizer import entity_types
from viner.console.studio_page import QUICK, StudioPage
from viner.console.theme import color_rules
from viner.errors import VinerError

_LOOK_EVERY = 15  # seconds


class StudioRecognizePage(StudioPage):
    """The page *Recognize*; without a model it says how to get one."""

    key = "recognize"

    def build(self, blocks: gr.Blocks) -> None:
        """Adds the components and their events to the page."""
        self._frame(blocks)
        self._style = gr.HTML(js_on_load=None, elem_classes="viner-style")
        self._answers = gr.HTML(js_on_load=None, elem_id="viner-answers")
        self._none = gr.HTML(no_model_view(self._say), js_on_load=None, visible=False, elem_id="viner-no-model")
        self._seen = gr.State(None)
        page = RecognizePage(self._studio.recognizer, self._say)
        page.build(())
        outputs = [self._seen, self._style, self._answers, self._none, page.main]
        blocks.load(self._look, self._seen, outputs, **QUICK)
        gr.Timer(_LOOK_EVERY).tick(self._look, self._seen, outputs, **QUICK)
        page.summary.change(self._look, self._seen, outputs, **QUICK)

    def _look(self, seen: Any) -> list[Any]:
        """Outputs which version answers and the colors of its types; nothing where nothing has changed."""
        serving = self._studio.recognizer
        try:
            name, types = serving.name, entity_types(serving.schema)
        except VinerError as error:
            if error.code != "no_model":
                return [None, gr.skip(), problem(self._say, error), gr.update(visible=False), gr.skip()]
            name, types = None, {}
        now = (name, types)
        if now == seen:
            return [gr.skip()] * 5
        told = "" if name is None else f'<p class="viner-note">{escape(self._say("answers", name=name))}</p>'
        return [
            now,
            f"<style>{color_rules(types)}</style>",
            told,
            gr.update(visible=name is None),
            gr.update(visible=name is not None),
        ]


def no_model_view(say: Messages) -> str:
    """HTML in the place of the page while there is no model."""
    return (
        f'<div class="viner-empty viner-start"><strong>{escape(say("no_model_title"))}</strong>'
        f"<p>{escape(say('no_model_text'))}</p>"
        f'<p><a class="viner-link" href="train">{escape(say("no_model_link"))}</a></p></div>'
    )
