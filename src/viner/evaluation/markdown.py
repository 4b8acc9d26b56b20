"""Tables that are good to read on a terminal and stay tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], *, names: int = 1) -> str:
    """A table: names on the left, figures on the right, columns as wide as they must be.

    Args:
        head: What the columns are.
        rows: The cells, as they are.
        names: How many columns hold names, or other words.
    """
    cells = [tuple(head), *map(tuple, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(f"{cell:{'<' if at < names else '>'}{widths[at]}}" for at, cell in enumerate(row)) + " |"
        for row in cells
    ]
    rule = "|".join("-" * (width + 2) if at < names else "-" * (width + 1) + ":" for at, width in enumerate(widths))
    return "\n".join([lines[0], f"|{rule}|", *lines[1:]]) + "\n"


def shorten(name: str, width: int = 40) -> str:
    """A name on one line, as a cell of a table can hold it, cut in front where it is too long: the end of a path tells more."""
    name = " ".join(name.split()).replace("|", "¦")  # which would part the cells of a table
    return name if len(name) <= width else "…" + name[1 - width :]
