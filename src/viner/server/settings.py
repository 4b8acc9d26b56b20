"""Where and how the server listens: argument over environment over default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from viner.errors import UsageError
from viner.feedback import QUOTA
from viner.paths import expanded

DEFAULT_HOST = "127.0.0.1"
SPACE_HOST = "0.0.0.0"
"""Where a Space listens: only its proxy reaches it."""
DEFAULT_PORT = 7860
DEFAULT_MAX_BODY = 10 * 1024 * 1024
DEFAULT_MAX_TEXTS = 1_000
DEFAULT_MAX_TEXT = 10 * 1024 * 1024
DEFAULT_MAX_LINE = 1024 * 1024
DEFAULT_MAX_STREAM = 1024 * 1024 * 1024
DEFAULT_MAX_QUEUE = 5_000
DEFAULT_TIMEOUT = 30
DEFAULT_GRACE = 8
LOGS = ("json", "text")
"""Kinds of lines that can be written about requests."""
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
        max_text: Longest text in code points; longer ones are answered with 413.
        max_line: Longest line of a stream of documents in bytes; a longer one gets an error in its place.
        max_stream: Most bytes of a whole stream; what comes after that is not recognized.
        max_queue: Most texts that may wait to be recognized; then requests are answered with 429.
        timeout: Seconds for which a client may let the server wait for the rest of a request, or take nothing of its answer.
        grace: Seconds that requests have to be answered when the server is told to stop.
        api_keys: File of the keys that programs need, or these keys themselves (:class:`viner.server.keys.ApiKeys`); empty if
            nobody needs one.
        log: "json" or "text" for a line on stderr about each request; empty for warnings and errors alone.
        page: Serve the page of a model beside its REST API.
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
    max_text: int = DEFAULT_MAX_TEXT
    max_line: int = DEFAULT_MAX_LINE
    max_stream: int = DEFAULT_MAX_STREAM
    max_queue: int = DEFAULT_MAX_QUEUE
    timeout: int = DEFAULT_TIMEOUT
    grace: int = DEFAULT_GRACE
    api_keys: str = ""
    log: str = ""
    page: bool = True

    @classmethod
    def resolve(
        cls,
        host: str | None = None,
        port: int | None = None,
        open_browser: bool | None = None,
        max_body: int | None = None,
        max_texts: int | None = None,
        feedback: str | Path | None = None,
        api_keys: str | Path | None = None,
        log: str | None = None,
        page: bool | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        """Settings from arguments, environment and defaults, in this order; None means *not given*.

        Reads the variables of docs/reference/settings.md, and ``SPACE_ID``, under which the default is to listen on all
        interfaces and to open no browser.

        Raises:
            UsageError: If a value cannot be used; ``where`` names the variable or argument.
        """
        env = os.environ if environ is None else environ
        space = bool(env.get("SPACE_ID"))
        if open_browser is None:
            open_browser = not space and not _set(env, "VINER_NO_BROWSER")
        return cls(
            host=host or env.get("VINER_HOST") or (SPACE_HOST if space else DEFAULT_HOST),
            port=_number("port", port, env, "VINER_PORT", DEFAULT_PORT, range(65536)),
            open_browser=open_browser,
            max_body=_number("max_body", max_body, env, "VINER_MAX_BODY", DEFAULT_MAX_BODY, range(1, 2**40)),
            max_texts=_number("max_texts", max_texts, env, "VINER_MAX_TEXTS", DEFAULT_MAX_TEXTS, range(1, 2**31)),
            space=space,
            feedback=expanded(folder) if (folder := feedback or env.get("VINER_FEEDBACK")) else None,
            feedback_note=_note(env),
            feedback_quota=_number("feedback_quota", None, env, "VINER_FEEDBACK_QUOTA", QUOTA, range(1024, 2**40)),
            max_text=_number("max_text", None, env, "VINER_MAX_TEXT", DEFAULT_MAX_TEXT, range(1, 2**40)),
            max_line=_number("max_line", None, env, "VINER_MAX_LINE", DEFAULT_MAX_LINE, range(1, 2**40)),
            max_stream=_number("max_stream", None, env, "VINER_MAX_STREAM", DEFAULT_MAX_STREAM, range(1, 2**60)),
            max_queue=_number("max_queue", None, env, "VINER_MAX_QUEUE", DEFAULT_MAX_QUEUE, range(1, 2**31)),
            timeout=_number("timeout", None, env, "VINER_TIMEOUT", DEFAULT_TIMEOUT, range(1, 86_401)),
            grace=_number("grace", None, env, "VINER_GRACE", DEFAULT_GRACE, range(86_401)),
            api_keys=str(api_keys or env.get("VINER_API_KEYS", "")).strip(),
            log=_log(log, env),
            page=not _set(env, "VINER_NO_PAGE") if page is None else page,
        )


def _set(env: Mapping[str, str], variable: str) -> bool:
    return env.get(variable, "").strip().lower() not in _NO


def _log(given: str | None, env: Mapping[str, str]) -> str:
    value = (given if given is not None else env.get("VINER_LOG", "")).strip().lower()
    if value in _NO:
        return ""
    if value not in LOGS:
        where = "log" if given is not None else "VINER_LOG"
        raise UsageError(f"unknown kind of log {value!r}", where=where, hint=f"Use {' or '.join(LOGS)}")
    return value


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
