"""What the pages of a project share: frame, errors, and how their listeners run."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr

from viner.console.frame import LOCAL, header, heading, problem, who_is
from viner.console.messages import Messages
from viner.console.studio import StudioLike
from viner.console.view import error_view
from viner.errors import VinerError, outline

T = TypeVar("T")
_log = logging.getLogger("viner.console")
_AT_ONCE = 2 * (os.cpu_count() or 1)

QUICK: dict[str, Any] = {
    "concurrency_limit": _AT_ONCE,
    "concurrency_id": "quick",
    "show_progress": "hidden",
    "api_visibility": "private",
}
"""Of listeners that answer at once."""

LONG: dict[str, Any] = {
    "concurrency_limit": 2,
    "concurrency_id": "long",
    "show_progress": "minimal",
    "api_visibility": "private",
}
"""Of listeners that read or write many documents: so few at once that everybody else is answered."""

SCRIPT: dict[str, Any] = {"fn": None, "api_visibility": "private"}
"""Of listeners that run in the browser alone."""


class StudioPage:
    """One page: its components are attributes, its events methods. Built within the route of the page.

    Args:
        studio: The project.
        say: The interface's messages.
    """

    key = ""
    """Key of the section that the page is."""

    def __init__(self, studio: StudioLike, say: Messages) -> None:
        self._studio = studio
        self._say = say

    def _frame(self, blocks: gr.Blocks) -> None:
        """The header, and above all other parts the heading of the page."""
        gr.Navbar(visible=False)
        self._header = gr.HTML(header(self._say, self.key, self._studio.settings.name), js_on_load=None, elem_id="viner-header")
        gr.HTML(heading(self._say, self.key), js_on_load=None)
        blocks.load(self._who, None, self._header, **QUICK)

    def _who(self, request: gr.Request) -> Any:
        if who_is(request) == LOCAL:
            return gr.skip()
        return header(self._say, self.key, self._studio.settings.name, who=request.username)

    def _guard(self, work: Callable[[], T], failed: Callable[[str], T]) -> T:
        """What ``work`` gives, or what ``failed`` makes of the error as HTML. No text of a document reaches the log."""
        try:
            return work()
        except VinerError as error:
            return failed(problem(self._say, error))
        except Exception as error:
            _log.error("the page %s failed: %s", self.key, outline(error))
            return failed(error_view(self._say, self._say("error_failed")))
