"""The console of every language, mounted into one FastAPI app. Importing this module imports Gradio."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.routing import Mount

from viner.console.folder import UPLOADS
from viner.console.lazy_package import defer
from viner.console.recognizer import FeedbackLike, RecognizerLike, entity_types
from viner.console.studio import StudioLike
from viner.console.theme import color_rules
from viner.evaluation.page import parts_style
from viner.languages import LANGUAGES
from viner.samples.examples import NOTICES, Example

AuthDependency = Callable[[Request], str | Awaitable[str | None] | None]


def console_app(
    parent: FastAPI,
    recognizer: RecognizerLike,
    *,
    max_file_size: int,
    feedback: FeedbackLike | None = None,
    examples: Sequence[Example] = NOTICES,
    public: bool = False,
) -> FastAPI:
    """Mounts the console of one recognizer, in language ``xx`` at ``/xx`` for every interface language.

    Args:
        parent: The app to mount into. It must have a ``CORSMiddleware``; without one Gradio admits every origin.
        recognizer: What recognizes.
        max_file_size: Largest upload in bytes.
        feedback: What takes answers that visitors flag as wrong; None takes none.
        examples: Texts to try.
        public: Whether programs may call ``/recognize`` through gradio_client.

    Returns:
        The parent, whose lifespan now starts and stops the console.
    """

    def build(language: str) -> Any:
        from viner.console.page import build_console

        return build_console(recognizer, language, feedback, examples, public=public)

    return _mount(parent, build, color_rules(entity_types(recognizer.schema)), max_file_size, None)


def studio_console_app(
    parent: FastAPI, studio: StudioLike, *, max_file_size: int, auth_dependency: AuthDependency | None = None
) -> FastAPI:
    """Mounts the console of a project: pages Documents (``/xx/``), Train, Errors, Labels, Recognize (``/xx/train`` and so on).

    Args:
        parent: The app to mount into. It must have a ``CORSMiddleware``; without one Gradio admits every origin.
        studio: The project at work.
        max_file_size: Largest upload in bytes.
        auth_dependency: Who sent a request; None refuses it. Without it everybody is "local".

    Returns:
        The parent, whose lifespan now starts and stops the console.
    """

    def build(language: str) -> Any:
        from viner.console.studio_console import build_studio_console

        return build_studio_console(studio, language)

    return _mount(parent, build, parts_style(), max_file_size, auth_dependency)


def _mount(
    parent: FastAPI, build: Callable[[str], Any], rules: str, max_file_size: int, auth_dependency: AuthDependency | None
) -> FastAPI:
    UPLOADS.make()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    defer("pandas")
    try:
        import gradio as gr
    except ImportError as error:
        from viner.errors import MissingExtraError

        raise MissingExtraError("the page", "app") from error

    static = files("viner.console") / "static"
    css = "".join((static / name).read_text(encoding="utf-8") for name in ("console.css", "feedback.css", "studio.css")) + rules
    script = "".join((static / name).read_text(encoding="utf-8") for name in ("console.js", "studio.js"))
    theme = gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        radius_size="md",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    # Gradio warns of what it was told not to do, once for each language.
    warnings.filterwarnings("ignore", "SSR mode is not supported with multi-page apps", UserWarning)
    for language in LANGUAGES:
        blocks = build(language)
        blocks.close_doors()
        gr.mount_gradio_app(
            parent,
            blocks,
            path=f"/{language}",
            auth_dependency=auth_dependency,
            footer_links=[],
            run_history=False,
            show_error=False,
            max_file_size=max_file_size,
            ssr_mode=False,
            enable_monitoring=False,
            pwa=False,
            mcp_server=False,
            theme=theme,
            css=css,
            head='<link rel="icon" href="../favicon.ico" type="image/svg+xml">'
            f'<script>document.documentElement.lang = "{language}";\n{script}</script>',
        )
        for route in parent.routes:
            if isinstance(route, Mount) and route.path == f"/{language}" and isinstance(route.app, FastAPI):
                _refuse_unknown_events(route.app)
    mounted = parent.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with UPLOADS.used():
            async with mounted(app):
                yield

    parent.router.lifespan_context = lifespan
    return parent


def _refuse_unknown_events(gradio: FastAPI) -> None:
    """Has Gradio refuse an event that its page does not have, at which it fails otherwise, as the server refuses an address."""
    from gradio.route_utils import FnIndexInferError, get_fn

    async def refuse(request: Request, error: Exception) -> JSONResponse:
        if traceback.extract_tb(error.__traceback__)[-1].name != get_fn.__name__:
            raise error
        unknown = {"code": "not_found", "message": "the page has no such event", "where": None, "hint": "Reload the page"}
        return JSONResponse({"error": unknown}, HTTPStatus.NOT_FOUND)

    for kind in (KeyError, FnIndexInferError):
        gradio.add_exception_handler(kind, refuse)
