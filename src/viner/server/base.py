"""What the apps of all profiles share: the order of the layers around them, and the console that is built beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from viner.console import LANGUAGES
from viner.server import errors
from viner.server.counters import Counters
from viner.server.deferred import DeferredApp
from viner.server.observe import Observer
from viner.server.security import BodyLimit, SameOrigin, SecurityHeaders
from viner.server.settings import Settings
from viner.server.visitors import Gate, Visitors
from viner.version import __version__


def bare_app(title: str, description: str, page: DeferredApp | None) -> FastAPI:
    """An app without routes that keeps a page alive while it runs; ``app.state.console`` is that page, or None.

    Args:
        title: Heads the description of the API.
        description: One sentence about it.
        page: The console, mounted by :func:`mount_console`; None without one.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if page is None:
            yield
        else:
            async with page.running():
                yield

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
    errors.install(app)
    return app


def mount_console(app: FastAPI, page: DeferredApp) -> None:
    """Mounts the console in language ``xx`` at ``/xx``."""
    for language in LANGUAGES:
        app.mount(f"/{language}", page)


def add_layers(app: FastAPI, counters: Counters, settings: Settings, visitors: Visitors | None = None) -> None:
    """Puts the layers around an app that every request passes.

    Args:
        app: The app, complete with its routes.
        counters: Count the requests.
        settings: Limits and surroundings.
        visitors: Who may come in; None admits everybody who reaches the port.
    """
    # The last one added is the outermost.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    if visitors is not None:
        app.add_middleware(Gate, visitors=visitors)
    app.add_middleware(SameOrigin)
    app.add_middleware(BodyLimit, limit=settings.max_body)
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
