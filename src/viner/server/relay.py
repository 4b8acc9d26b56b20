"""The console of one language at the root, where gradio_client looks for an app's ``/config`` and ``/gradio_api/``."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import FastAPI
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send


class Relay:
    """Passes requests on as if they had been made below a prefix. No address is told to go elsewhere.

    Args:
        app: The app that answers them.
        prefix: Comes before their paths, such as "/en".
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        root = scope.get("app_root_path", scope.get("root_path", ""))
        path = f"{root}{self._prefix}{scope['path'].removeprefix(root)}"
        inner = {**scope, "app_root_path": root, "root_path": root, "path": path, "raw_path": quote(path).encode("ascii")}
        await self._app(inner, receive, send)


def mount_for_programs(app: FastAPI, page: ASGIApp, language: str) -> None:
    """Lets gradio_client reach the console of a language by the address of the app alone.

    The page itself is not there: the root leads people to the one in their language.
    """
    relay = Relay(page, f"/{language}")
    app.router.routes += [Route("/config", relay, include_in_schema=False), Mount("/gradio_api", relay)]
