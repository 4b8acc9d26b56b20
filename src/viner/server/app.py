"""The FastAPI app of the recognize profile: REST API first, the console beside it as soon as it is built."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from viner.console import LANGUAGES
from viner.console.recognizer import RecognizerLike
from viner.server import errors, openapi
from viner.server.counters import Counters, CountingRecognizer
from viner.server.deferred import DeferredApp
from viner.server.entrance import entrance_router
from viner.server.observe import Observer
from viner.server.rest import rest_router
from viner.server.security import BodyLimit, SameOrigin, SecurityHeaders
from viner.server.settings import Settings
from viner.version import __version__


def create_app(recognizer: RecognizerLike, settings: Settings | None = None, *, console: bool = True) -> FastAPI:
    """The app that serves one recognizer.

    The console is imported and built while the app already answers the REST API; ``app.state.console`` is its
    :class:`~viner.server.deferred.DeferredApp`, or None without one.

    Args:
        recognizer: What answers; called from several threads at once.
        settings: Limits and surroundings; None reads the environment.
        console: Serve the page as well, which needs Gradio.
    """
    settings = settings or Settings.resolve()
    counters = Counters()
    counted = CountingRecognizer(recognizer, counters)
    page = DeferredApp(lambda: _build_console(counted, settings)) if console else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if page is None:
            yield
        else:
            async with page.running():
                yield

    app = FastAPI(
        title="viner REST API",
        version=__version__,
        description="Named entities of raw text, with exact offsets.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.console = page
    errors.install(app)
    app.include_router(
        rest_router(counted, counters, lambda: "off" if page is None else page.state, max_texts=settings.max_texts)
    )
    openapi.install(app)
    if page is not None:
        app.include_router(entrance_router(LANGUAGES, space=settings.space))
        for language in LANGUAGES:
            app.mount(f"/{language}", page)
    # The last one added is the outermost.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    app.add_middleware(SameOrigin)
    app.add_middleware(BodyLimit, limit=settings.max_body)
    app.add_middleware(SecurityHeaders, space=settings.space)
    app.add_middleware(Observer, counters=counters)
    return app


def _build_console(recognizer: RecognizerLike, settings: Settings) -> FastAPI:
    from viner.console.app import console_app

    # The parent of Gradio's apps: it must have a CORSMiddleware, or Gradio adds its own, which admits every origin.
    parent = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    parent.add_middleware(CORSMiddleware, allow_origins=[])
    errors.install(parent)
    return console_app(parent, recognizer, max_file_size=settings.max_body)
