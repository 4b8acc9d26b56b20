"""Options that several verbs share, so that they read and behave the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)
"""A path that the API checks, with its own message; click only turns it into a Path."""


def json_option(function: F) -> F:
    """``--json``: one JSON object on stdout instead of text for people."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(function)


def format_option(function: F) -> F:
    """``--format``: how the input is read."""
    return click.option("--format", "format", metavar="NAME", help="Format of the input; found out if not given.")(function)


def address_options(function: F) -> F:
    """``--host``, ``--port`` and ``--no-browser``. What is not given, the server takes from the environment."""
    for option in (
        click.option("--no-browser", is_flag=True, help="Do not open a browser.  [env: VINER_NO_BROWSER]"),
        click.option("--port", type=click.IntRange(0, 65535), help="Port, 0 for a free one.  [env: VINER_PORT; default: 7860]"),
        click.option("--host", help="Address to listen on.  [env: VINER_HOST; default: 127.0.0.1]"),
    ):
        function = option(function)
    return function
