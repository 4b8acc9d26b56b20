"""Texts of people in Markdown: shown as they are, whatever they hold."""

from __future__ import annotations

import re

# Underscores within a word mean nothing, and labels are full of them.
_SPECIAL = re.compile(r"[\\`*\[\]~|$#]|(?<![^\W_])_|_(?![^\W_])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    """A text as Markdown that shows just this text on one line, in a paragraph, a heading or a cell of a table."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    marked = _SPECIAL.sub(lambda found: f"\\{found[0]}", line)
    return re.sub(r"[&<>]", lambda found: _HTML[found[0]], marked)
