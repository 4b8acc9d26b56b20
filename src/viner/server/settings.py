"""Where and how the server listens: argument over environment over default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viner.errors import UsageError
from viner.feedback import QUOTA

DEFAULT_HOST = "127.0.0.1"
SPACE_HOST = "0.0.0.0"
"""Where a Space listens: only its proxy reaches it."""
DEFAULT_PORT = 7860
DEFAULT_MAX_BODY = 10 * 1024 * 1024
DEFAULT_MAX_TEXTS = 1_000
_LONGEST_NOTE = 500
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
        feedback: Folder for answers that visitors flag as wrong; None collects none.
        feedback_note: What the operator says about them, one sentence; empty if nothing.
        feedback_quota: Most bytes of flagged answers.
    """

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    open_browser: bool = True
    max_body: int = DEFAULT_MAX_BODY
    max_texts: int = DEFAULT_MAX_TEXTS
    space: bool = False
    feedback: Path | None = None
    feedback_note: str = ""
    feedback_quota: int = QUOTA

    @classmethod
    def resolve(
        cls,
        host: str | None = None,
        port: int | None = None,
        open_browser: bool | None = None,
        max_body: int | None = None,
        max_texts: int | None = None,
        feedback: str | Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """Settings from arguments, environment and defaults, in this order; None means *not given*.

        Reads ``VINER_HOST``, ``VINER_PORT``, ``VINER_NO_BROWSER``, ``VINER_MAX_BODY`` (bytes), ``VINER_MAX_TEXTS``,
        ``VINER_FEEDBACK`` (folder), ``VINER_FEEDBACK_NOTE``, ``VINER_FEEDBACK_QUOTA`` (bytes) and ``SPACE_ID``,
        under which the default is to listen on all interfaces and to open no browser.

        Raises:
            UsageError: If a value cannot be used; ``where`` names the variable or argument.
        """
        env = os.environ if environ is None else environ
        space = bool(env.get("SPACE_ID"))
        if open_browser is None:
            open_browser = not space and env.get("VINER_NO_BROWSER", "").strip().lower() in _NO
        return cls(
            host=host or env.get("VINER_HOST") or (SPACE_HOST if space else DEFAULT_HOST),
            port=_number("port", port, env, "VINER_PORT", DEFAULT_PORT, range(65536)),
            open_browser=open_browser,
            max_body=_number("max_body", max_body, env, "VINER_MAX_BODY", DEFAULT_MAX_BODY, range(1, 2**40)),
            max_texts=_number("max_texts", max_texts, env, "VINER_MAX_TEXTS", DEFAULT_MAX_TEXTS, range(1, 2**31)),
            space=space,
            feedback=Path(folder).expanduser() if (folder := feedback or env.get("VINER_FEEDBACK")) else None,
            feedback_note=_note(env),
            feedback_quota=_number("feedback_quota", None, env, "VINER_FEEDBACK_QUOTA", QUOTA, range(1024, 2**40)),
        )


def _note(env: Mapping[str, str]) -> str:
    note = " ".join(env.get("VINER_FEEDBACK_NOTE", "").split())
    if len(note) > _LONGEST_NOTE:
        raise UsageError(f"the note has {len(note)} characters; one sentence is enough", where="VINER_FEEDBACK_NOTE")
    return note


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
