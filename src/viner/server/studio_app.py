"""The FastAPI app of the studio profile: a project at work, with its console, its annotation page, and the REST API."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI

from viner import annotator
from viner.errors import UsageError
from viner.languages import LANGUAGES
from viner.server import openapi
from viner.server.annotate.describe import SCHEMAS
from viner.server.annotate.desk import Desk
from viner.server.annotate.documents import documents_router
from viner.server.annotate.labeling import labeling_router
from viner.server.annotate.operations import operations_router
from viner.server.annotate.page import Assets, page_router
from viner.server.annotate.schema import schema_router
from viner.server.annotate.training import training_router
from viner.server.base import add_layers, bare_app, console_parent, mount_console
from viner.server.batcher import Batcher
from viner.server.counters import Counters
from viner.server.deferred import DeferredApp
from viner.server.entrance import entrance_router
from viner.server.keys import ApiKeys
from viner.server.login import login_router
from viner.server.recognition import Recognition
from viner.server.rest import rest_router
from viner.server.settings import Settings
from viner.server.throttle import Throttle
from viner.server.visitors import Gate, Visitors, is_loopback, who_of

if TYPE_CHECKING:
    from viner.studio import Studio

_log = logging.getLogger("viner.server")

STORAGE = Path("/data")
"""Where the persistent storage of a Space is mounted, if it has one."""


def create_studio_app(studio: Studio, settings: Settings | None = None, *, console: bool = True) -> FastAPI:
    """The app that serves a project.

    Args:
        studio: The project at work; whoever made it closes it after the app has stopped.
        settings: Limits and surroundings; None reads the environment.
        console: Serve the console as well, which needs Gradio.

    Raises:
        UsageError: If others could reach the server and the project has no account, or a Space would not keep its store.
    """
    settings = settings or Settings.resolve()
    check_kept(studio, settings)
    check_accounts(studio, settings)
    keys = ApiKeys(settings.api_keys) if settings.api_keys else None
    counters = Counters()
    page = DeferredApp(lambda: _build_console(studio, settings)) if console else None
    visitors = Visitors(studio.store.accounts, studio.project.path, loopback=is_loopback(settings.host))

    recognition = Recognition(studio.recognizer.current, Batcher(counters, most_texts=settings.max_queue), settings)
    app = bare_app("viner", "A project: annotation, training, and recognition with exact offsets.", page, recognition)
    app.include_router(
        rest_router(
            recognition,
            counters,
            lambda: "off" if page is None else page.state,
            model_state=lambda: "none" if studio.recognizer.name is None else "ready",
        )
    )
    desk = Desk(studio)
    for router in (documents_router, operations_router, labeling_router, schema_router, training_router):
        app.include_router(router(desk))
    openapi.install(app, SCHEMAS)
    app.include_router(login_router(visitors, Throttle(), LANGUAGES, space=settings.space))
    app.include_router(entrance_router(LANGUAGES, space=settings.space))
    assets = Assets.read(annotator.static_folder())
    app.include_router(page_router(assets, {language: annotator.page(language) for language in LANGUAGES}, LANGUAGES))
    if page is not None:
        mount_console(app, page)
    add_layers(app, counters, settings, lambda app: app.add_middleware(Gate, visitors=visitors, keys=keys))
    return app


def check_kept(studio: Studio, settings: Settings) -> None:
    """Makes sure that a Space keeps what people annotate: its own disk is empty after each restart.

    Raises:
        UsageError: If the store lies on that disk.
    """
    if not settings.space:
        return
    file = studio.settings.database_file
    if file is not None and not file.is_relative_to(STORAGE):
        raise UsageError(
            "what is annotated here would be lost: the disk of a Space is empty after each restart",
            where=file,
            hint=f"Set the secret VINER_DATABASE_URL (PostgreSQL), or keep the project on persistent storage, below {STORAGE}",
        )
    if not studio.project.path.resolve().is_relative_to(STORAGE):
        _log.warning("annotations are kept; models that are trained here, and logins, last until this Space restarts")


def check_accounts(studio: Studio, settings: Settings) -> None:
    """Makes sure that a server others can reach asks who they are.

    Raises:
        UsageError: If it listens beyond this machine and the project has no account.
    """
    if not is_loopback(settings.host) and not studio.store.accounts:
        raise UsageError(
            f"{settings.host} can be reached by others, and the project has no accounts",
            where="host",
            hint=f"Make one with: viner accounts add NAME --project {studio.project.path}",
        )


def _build_console(studio: Studio, settings: Settings) -> FastAPI:
    from viner.console.app import studio_console_app

    return console_parent(
        lambda parent: studio_console_app(parent, studio, max_file_size=settings.max_body, auth_dependency=who_of)
    )
