"""What the apps of all profiles share: the order of the layers around them, and the console that is built beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from viner.languages import LANGUAGES
from viner.server import errors
from viner.server.counters import Counters
from viner.server.deferred import DeferredApp
from viner.server.limits import BodyLimit
from viner.server.observe import Observer
from viner.server.recognition import Recognition
from viner.server.security import GradioRoutes, SameOrigin, SecurityHeaders
from viner.server.settings import Settings
from viner.version import __version__

Gate = Callable[[FastAPI], None]
"""Adds the layer that lets in who may come in, if there is one."""


def bare_app(title: str, description: str, page: DeferredApp | None, recognition: Recognition) -> FastAPI:
    """An app without routes that keeps a page alive while it runs.

    ``app.state.console`` is that page, or None; ``app.state.recognition`` is what recognizes, which whoever stops the server
    drains first.

    Args:
        title: Heads the description of the API.
        description: One sentence about it.
        page: The console, mounted by :func:`mount_console`; None without one.
        recognition: Closed when the app ends.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            if page is None:
                yield
            else:
                async with page.running():
                    yield
        finally:
            recognition.batcher.close()

    app = FastAPI(
        title=title,
        version=__version__,
        description=description,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.console = page
    app.state.recognition = recognition
    errors.install(app)
    return app


def mount_console(app: FastAPI, page: DeferredApp) -> None:
    """Mounts the console in language ``xx`` at ``/xx``."""
    for language in LANGUAGES:
        app.mount(f"/{language}", page)


def add_layers(app: FastAPI, counters: Counters, settings: Settings, gate: Gate) -> None:
    """Puts the layers around an app that every request passes.

    Args:
        app: The app, complete with its routes.
        counters: Count the requests.
        settings: Limits and surroundings.
        gate: Who may come in.
    """
    # The last one added is the outermost.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    gate(app)
    app.add_middleware(GradioRoutes)
    app.add_middleware(SameOrigin)
    app.add_middleware(BodyLimit, settings=settings, counters=counters)
    app.add_middleware(SecurityHeaders, space=settings.space)
    app.add_middleware(Observer, counters=counters)


def console_parent(mount: Callable[[FastAPI], FastAPI]) -> FastAPI:
    """The parent of Gradio's apps: it must have a CORSMiddleware, or Gradio adds its own, which admits every origin.

    Args:
        mount: Mounts the console into it.
    """
    parent = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    parent.add_middleware(CORSMiddleware, allow_origins=[])
    errors.install(parent)
    return mount(parent)
