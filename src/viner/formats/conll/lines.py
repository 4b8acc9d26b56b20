"""The part of ``meta["conll"]`` that gives a document's lines back byte for byte, kept small.

Tokens are in the text, tags in the entities; kept are the other columns (``spare``), the lines that are no tokens (``lines``:
``[tokens before it, line]``, left out when it is one blank line at the end), and whole rows (``raw``) where the parts do not
give the line back, such as one with two spaces between its columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from viner.formats.conll.layout import Layout, is_blank, split_columns
from viner.formats.conll.spacing import safe

RAW_TEXT = "# viner.text = "
"""Comment with the whole text of a document as a JSON string, where sentences and spacing rules do not give it."""

UNFINISHED = -1
"""Position that says in ``lines`` that the last line of the file has no line end."""


def keep_lines(
    rows: Sequence[Sequence[str]], raw_rows: Sequence[str], other: Sequence[tuple[int, str]], layout: Layout
) -> dict[str, Any]:
    r"""The fields ``rows`` (their number), ``newline``, ``spare`` and ``lines``, those without news left out.

    Args:
        rows: The columns of each token.
        raw_rows: The same lines as they stand in the file, without ``\\n``.
        other: Position and content of every other line, without ``\\n``.
        layout: How the file is laid out.
    """
    kept: dict[str, Any] = {"rows": len(rows)}
    carriage_return = "\r" if raw_rows and raw_rows[0].endswith("\r") else ""
    if carriage_return:
        kept["newline"] = "\r\n"
    known = {layout.token_column, *layout.tag_columns}
    spare = [[cell for index, cell in enumerate(columns) if index not in known] for columns in rows]
    if any(spare):
        kept["spare"] = spare
    lines = [[position, line] for position, line in other]
    if lines != [[len(rows), carriage_return]]:
        kept["lines"] = lines
    return kept


def keep_raw_rows(
    surfaces: Sequence[str], tags: Mapping[str, Sequence[str]], raw_rows: Sequence[str], conll: Mapping[str, Any]
) -> dict[str, Any]:
    """The field ``raw`` for those rows that :func:`render_rows` would not give back, or nothing."""
    rendered = render_rows(surfaces, tags, conll)
    raw = {str(index): row for index, (row, again) in enumerate(zip(raw_rows, rendered, strict=True)) if row != again}
    return {"raw": raw} if raw else {}


def render_rows(surfaces: Sequence[str], tags: Mapping[str, Sequence[str]], conll: Mapping[str, Any]) -> list[str]:
    r"""The lines of the tokens, without ``\\n``.

    Args:
        surfaces: The words' surfaces in the text.
        tags: For each tag column, named by its number, a tag for each word.
        conll: The kept fields.
    """
    separator = conll["separator"]
    token_column = conll["token_column"]
    underscores = conll.get("segments") == "underscore"
    spare = conll.get("spare")
    raw = conll.get("raw", {})
    carriage_return = "\r" if conll.get("newline") == "\r\n" else ""
    columns_in_order = sorted([(token_column, None), *((int(column), cells) for column, cells in tags.items())])
    if not (spare or raw or underscores) and token_column == 0 and list(tags) == ["1"]:
        # Most files: a token and its tag. Several times faster than the general way below.
        return [f"{safe(surface)}{separator}{tag}{carriage_return}" for surface, tag in zip(surfaces, tags["1"], strict=True)]
    rendered = []
    for index, surface in enumerate(surfaces):
        kept = raw.get(str(index))
        if kept is not None and _has_tags(kept, index, tags, separator):
            rendered.append(kept)
            continue
        token = safe(surface)
        cells = list(spare[index]) if spare else []
        for column, column_tags in columns_in_order:
            cells.insert(
                column, (token.replace(" ", "_") if underscores else token) if column_tags is None else column_tags[index]
            )
        rendered.append(separator.join(cells) + carriage_return)
    return rendered


def _has_tags(line: str, index: int, tags: Mapping[str, Sequence[str]], separator: str) -> bool:
    columns = split_columns(line.removesuffix("\r"), separator)
    return all(int(column) >= len(columns) or columns[int(column)] == cells[index] for column, cells in tags.items())


def other_lines(conll: Mapping[str, Any]) -> list[tuple[int, str]]:
    r"""Position and content of every line that is no token, without ``\\n``."""
    default = [[conll["rows"], "\r" if conll.get("newline") == "\r\n" else ""]]
    return [(position, line) for position, line in conll.get("lines", default)]


def sentence_bounds(conll: Mapping[str, Any]) -> list[tuple[int, int]]:
    """``(first token, one past the last)`` of each sentence, as the kept blank lines part them."""
    count = conll["rows"]
    borders = {position for position, line in other_lines(conll) if 0 < position < count and is_blank(line.removesuffix("\r"))}
    edges = [0, *sorted(borders), count]
    return list(pairwise(edges)) if count else []
