"""An ASGI app that is built in the background while its server already answers other requests.

Importing Gradio takes seconds; a server that waits for it is late with its first REST answer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from viner.server.errors import RequestError, error_response

_log = logging.getLogger("viner.server")

State = Literal["starting", "ready", "failed"]


class DeferredApp:
    """Builds an app in a thread and passes requests on to it; requests that come too early wait.

    Args:
        build: Makes the app; called once for each :meth:`running`, in a thread of its own.
    """

    def __init__(self, build: Callable[[], FastAPI]) -> None:
        self._build = build
        self._app: FastAPI | None = None
        self._settled = asyncio.Event()
        self.state: State = "starting"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Builds the app and keeps it alive, its own startup and shutdown included, as long as the context is open."""
        stop = asyncio.Event()
        life = asyncio.create_task(self._live(stop))
        try:
            yield
        finally:
            stop.set()
            if self.state == "starting":
                life.cancel()
            await asyncio.gather(life, return_exceptions=True)
            self._app, self.state = None, "starting"
            self._settled.clear()

    async def wait(self) -> State:
        """Waits until the app is built or has failed to build."""
        await self._settled.wait()
        return self.state

    async def _live(self, stop: asyncio.Event) -> None:
        try:
            app = await self._built()
            async with app.router.lifespan_context(app):
                self._app, self.state = app, "ready"
                self._settled.set()
                await stop.wait()
        except Exception:
            _log.exception("the page cannot be shown; the REST API works")
            self.state = "failed"
            self._settled.set()

    async def _built(self) -> FastAPI:
        # A daemon thread, not an executor: Ctrl-C must not wait for an import to end.
        loop = asyncio.get_running_loop()
        future: asyncio.Future[FastAPI] = loop.create_future()

        def settle(app: FastAPI | None, error: Exception | None) -> None:
            if future.cancelled():
                return
            if app is None:
                future.set_exception(error or RuntimeError("nothing was built"))
            else:
                future.set_result(app)

        def work() -> None:
            app, problem = None, None
            try:
                app = self._build()
            except Exception as error:
                problem = error
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, app, problem)

        threading.Thread(target=work, name="viner-console", daemon=True).start()
        return await future

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        await self._settled.wait()
        if self._app is None:
            refusal = RequestError(503, "page_unavailable", "the page could not be started", hint="See the server's log")
            await error_response(refusal)(scope, receive, send)
            return
        # Mounted at several paths, it routes by the whole path itself.
        await self._app({**scope, "root_path": scope.get("app_root_path", "")}, receive, send)
