"""Where and how the server listens: argument over environment over default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from viner.errors import UsageError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 7860
DEFAULT_MAX_BODY = 10 * 1024 * 1024
DEFAULT_MAX_TEXTS = 1_000
_NO = {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one server.

    Args:
        host: Address to listen on.
        port: Port to listen on; 0 lets the system choose a free one.
        open_browser: Open the page in a browser as soon as it is there.
        max_body: Largest request body in bytes, uploads included; larger ones are answered with 413.
        max_texts: Most texts in one REST request; more are answered with 413.
        space: Whether the app runs as a Hugging Face Space, within a frame of huggingface.co.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    open_browser: bool = True
    max_body: int = DEFAULT_MAX_BODY
    max_texts: int = DEFAULT_MAX_TEXTS
    space: bool = False

    @classmethod
    def resolve(
        cls,
        host: str | None = None,
        port: int | None = None,
        open_browser: bool | None = None,
        max_body: int | None = None,
        max_texts: int | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """Settings from arguments, environment and defaults, in this order; None means *not given*.

        Reads ``VINER_HOST``, ``VINER_PORT``, ``VINER_NO_BROWSER``, ``VINER_MAX_BODY`` (bytes), ``VINER_MAX_TEXTS`` and
        ``SPACE_ID``.

        Raises:
            UsageError: If a value cannot be used; ``where`` names the variable or argument.
        """
        env = os.environ if environ is None else environ
        if open_browser is None:
            open_browser = env.get("VINER_NO_BROWSER", "").strip().lower() in _NO
        return cls(
            host=host or env.get("VINER_HOST") or DEFAULT_HOST,
            port=_number("port", port, env, "VINER_PORT", DEFAULT_PORT, range(65536)),
            open_browser=open_browser,
            max_body=_number("max_body", max_body, env, "VINER_MAX_BODY", DEFAULT_MAX_BODY, range(1, 2**40)),
            max_texts=_number("max_texts", max_texts, env, "VINER_MAX_TEXTS", DEFAULT_MAX_TEXTS, range(1, 2**31)),
            space=bool(env.get("SPACE_ID")),
        )


def _number(name: str, given: int | None, env: Mapping[str, str], variable: str, default: int, allowed: range) -> int:
    where = name if given is not None else variable
    value = given if given is not None else env.get(variable) or default
    try:
        number = int(value)
    except ValueError:
        number = -1
    if number not in allowed:
        raise UsageError(f"{value!r} is not a number from {allowed.start} to {allowed.stop - 1}", where=where)
    return number
