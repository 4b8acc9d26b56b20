"""What is written about requests: a line of JSON or of text on stderr for each, never with anything of a document."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from viner.errors import outline

_VINER = logging.getLogger("viner")


class JsonLines(logging.Formatter):
    """A record as a JSON object in one line: time, level, message, and the fields of a request.

    Of an exception it tells type and place. Its message could quote a document.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
        }
        fields = getattr(record, "viner", None)
        if isinstance(fields, dict):
            line.update(fields)
        else:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = outline(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True)


class TextLines(logging.Formatter):
    """A record as one line for people; of an exception, too, it tells no more than type and place."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(" ", timespec="milliseconds")
        told = f": {outline(record.exc_info[1])}" if record.exc_info and record.exc_info[1] is not None else ""
        return f"{time} {record.levelname.lower()} {record.getMessage()}{told}"


def write_log(kind: str, stream: TextIO | None = None) -> logging.Handler | None:
    """Writes what the server logs to stderr from now on.

    Args:
        kind: "json" or "text" for a line about each request; empty for what Python does by itself, warnings and errors alone.
        stream: Where to instead of stderr.

    Returns:
        What writes, for :func:`end_log`.
    """
    if not kind:
        return None
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if kind == "json" else TextLines())
    _VINER.addHandler(handler)
    _VINER.setLevel(logging.INFO)
    return handler


def end_log(handler: logging.Handler | None) -> None:
    """Takes back what :func:`write_log` did."""
    if handler is not None:
        _VINER.removeHandler(handler)
        _VINER.setLevel(logging.NOTSET)
