"""The rules that ``viner.toml`` holds: lists of terms and regular expressions, and what each does at recognition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viner.project.values import Table, reason

NEVER, UNDER, OVER = "never", "under", "over"
PRECEDENCES = (NEVER, UNDER, OVER)
"""What a rule does at recognition: nothing, or it fills in where the model found nothing, or it wins against the model."""


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Terms that get a label wherever they stand as whole words.

    Args:
        label: The label.
        terms: The terms, no two the same, none empty.
        ignore_case: Whether upper and lower case are the same.
        recognize: One of :data:`PRECEDENCES`. While annotating, the terms are suggested either way.
        place: Where it stands in its file, such as ``rules.dictionaries[2]``, for errors; empty where nobody knows.
        file: The file that terms were read from; None if they stand in ``viner.toml`` itself.
    """

    label: str
    terms: tuple[str, ...]
    ignore_case: bool = False
    recognize: str = NEVER
    place: str = field(default="", compare=False)
    file: Path | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression in RE2's language whose matches get a label.

    Args:
        label: The label.
        pattern: The expression.
        recognize: As for :class:`Dictionary`.
        place: As for :class:`Dictionary`.
    """

    label: str
    pattern: str
    recognize: str = NEVER
    place: str = field(default="", compare=False)


def read_rules(table: Table, *, recognizing: bool = False) -> tuple[tuple[Dictionary, ...], tuple[Pattern, ...]]:
    """The dictionaries and patterns of a table ``[rules]``.

    Args:
        table: The table.
        recognizing: Take only rules that recognize. Lists of terms of the others are not even opened.

    Raises:
        InputError: If a key is unknown or its value cannot be used, or a list of terms cannot be read or lies outside the
            file's folder; ``where`` is the file and the key.
    """
    table.know("recognize", "dictionaries", "patterns")
    default = table.choice("recognize", NEVER, PRECEDENCES)

    def wanted(key: str, *keys: str) -> Iterable[tuple[Table, str]]:
        for item in table.tables(key):
            item.know("label", *keys, "recognize")
            recognize = item.choice("recognize", default, PRECEDENCES)
            if recognize != NEVER or not recognizing:
                yield item, recognize

    dictionaries = tuple(_dictionary(*item) for item in wanted("dictionaries", "terms", "file", "ignore_case"))
    return dictionaries, tuple(_pattern(*item) for item in wanted("patterns", "pattern"))


def labeled_rules(data: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The rules in the content of a ``viner.toml`` that have a label, dictionaries first, in the order of the file.

    What is no rule is passed over, so nothing of it need be checked before.

    Returns:
        Pairs of "dictionaries" or "patterns" and the rule's table, with which the content changes.
    """
    rules = data.get("rules")
    found = []
    for kind in ("dictionaries", "patterns"):
        tables = rules.get(kind) if isinstance(rules, Mapping) else None
        for table in tables if isinstance(tables, list) else ():
            if isinstance(table, Mapping) and isinstance(table.get("label"), str):
                found.append((kind, table))
    return found


def _dictionary(table: Table, recognize: str) -> Dictionary:
    terms = list(table.texts("terms"))
    name = table.text("file", "")
    file = table.inner_file("file", name) if name else None
    if file is not None:
        terms += _lines(file, table)
    if not terms:
        raise table.error("terms", "the dictionary has no terms", hint='Give terms = ["…"] or file = "places.txt"')
    ignore_case = table.truth("ignore_case", False)
    return Dictionary(table.text("label"), tuple(dict.fromkeys(terms)), ignore_case, recognize, table.name, file)


def _lines(path: Path, table: Table) -> Iterable[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")  # splitlines() would cut at U+2028 and others as well
    except (OSError, ValueError) as error:
        raise table.error("file", f"{path} cannot be read ({reason(error)})") from error
    return [line.strip() for line in lines if line.strip()]


def _pattern(table: Table, recognize: str) -> Pattern:
    return Pattern(table.text("label"), table.text("pattern"), recognize, table.name)
