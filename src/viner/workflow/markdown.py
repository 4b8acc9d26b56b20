"""Texts of people in Markdown: shown as they are, whatever they hold."""

from __future__ import annotations

import re

# Underscores within a word mean nothing, and labels are full of them.
_SPECIAL = re.compile(r"[\\`*\[\]~|$#]|(?<![^\W_])_|_(?![^\W_])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def one_line(text: str) -> str:
    """A text without line breaks, other control characters and doubled spaces."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def escape(text: str) -> str:
    """A text as Markdown that shows just this text on one line, in a paragraph, a heading or a cell of a table."""
    marked = _SPECIAL.sub(lambda found: f"\\{found[0]}", one_line(text))
    return re.sub(r"[&<>]", lambda found: _HTML[found[0]], marked)
