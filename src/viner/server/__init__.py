"""The HTTP server: REST API and console in one FastAPI app (recognize profile), and the command that runs it."""

from __future__ import annotations

from viner.errors import MissingExtraError

try:
    import fastapi  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as error:
    raise MissingExtraError("serving a model", "app") from error

from viner.server.app import create_app
from viner.server.runner import check_address, serve
from viner.server.settings import Settings

__all__ = ["Settings", "check_address", "create_app", "serve"]
