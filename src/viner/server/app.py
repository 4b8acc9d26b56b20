"""The FastAPI app of the recognize profile: REST API first, the console beside it as soon as it is built."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI

from viner.console.recognizer import RecognizerLike
from viner.feedback import FeedbackBox
from viner.languages import LANGUAGES
from viner.samples.examples import NOTICES, Example
from viner.server import openapi
from viner.server.base import add_layers, bare_app, console_parent, mount_console
from viner.server.batcher import Batcher
from viner.server.counters import Counters, CountingRecognizer
from viner.server.deferred import DeferredApp
from viner.server.entrance import entrance_router
from viner.server.feedback import Collector, feedback_router, model_mark
from viner.server.keys import ApiKeys, KeyGate
from viner.server.recognition import Recognition
from viner.server.relay import mount_for_programs
from viner.server.rest import rest_router
from viner.server.settings import Settings


def create_app(
    recognizer: RecognizerLike,
    settings: Settings | None = None,
    *,
    console: bool = True,
    examples: Sequence[Example] = NOTICES,
) -> FastAPI:
    """The app that serves one recognizer.

    The console is imported and built while the app already answers the REST API; ``app.state.console`` is its
    ``DeferredApp``, or None without one.

    Args:
        recognizer: What answers; called from several threads at once.
        settings: Limits and surroundings; None reads the environment.
        console: Serve the page if the settings say so, which needs Gradio; where the API needs keys, there is none.
        examples: Texts to try on the page.

    Raises:
        VinerError: If flagged answers cannot be collected where the settings say, or the API keys cannot be read.
    """
    settings = settings or Settings.resolve()
    keys = ApiKeys(settings.api_keys) if settings.api_keys else None
    counters = Counters()
    counted = CountingRecognizer(recognizer, counters)
    collector = _collector(recognizer, settings)
    # A page that answers everybody would be a way around the keys.
    paged = console and settings.page and keys is None
    page = DeferredApp(lambda: _build_console(counted, settings, collector, examples)) if paged else None
    recognition = Recognition(lambda: recognizer, Batcher(counters, most_texts=settings.max_queue), settings)
    app = bare_app("viner REST API", "Named entities of raw text, with exact offsets.", page, recognition)
    app.include_router(rest_router(recognition, counters, lambda: "off" if page is None else page.state))
    if collector is not None:
        app.include_router(feedback_router(collector, recognizer))
    openapi.install(app)
    if page is not None:
        app.include_router(entrance_router(LANGUAGES, space=settings.space))
        mount_console(app, page)
        if settings.space:
            mount_for_programs(app, page, LANGUAGES[0])
    add_layers(app, counters, settings, lambda app: None if keys is None else app.add_middleware(KeyGate, keys=keys))
    return app


def _collector(recognizer: RecognizerLike, settings: Settings) -> Collector | None:
    if settings.feedback is None:
        return None
    box = FeedbackBox.open(settings.feedback, quota=settings.feedback_quota)
    return Collector(box, model_mark(recognizer), note=settings.feedback_note)


def _build_console(
    recognizer: RecognizerLike, settings: Settings, collector: Collector | None, examples: Sequence[Example]
) -> FastAPI:
    from viner.console.app import console_app

    return console_parent(
        lambda parent: console_app(
            parent,
            recognizer,
            max_file_size=settings.max_body,
            feedback=collector,
            examples=examples,
            public=settings.space,
        )
    )
