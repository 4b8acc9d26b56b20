"""The HTTP server: one FastAPI app for a model (recognize profile) or a project (studio profile), and what runs it."""

from __future__ import annotations

from viner.errors import MissingExtraError

try:
    import fastapi  # noqa: F401
    import uvicorn  # noqa: F401
except ImportError as error:
    raise MissingExtraError("serving a model", "app") from error

from viner.server.app import create_app
from viner.server.runner import check_address, check_feedback, check_keys, serve, serve_studio
from viner.server.settings import Settings

__all__ = ["Settings", "check_address", "check_feedback", "check_keys", "create_app", "serve", "serve_studio"]
