r"""A markup that people read and write: entities in brackets, right in the text.

::

    # id: notice-12
    # lang: vi
    Bệnh nhân [91](PATIENT_ID), phi công của [Vietnam Airlines](ORGANIZATION).

    # id: notice-13
    …

Documents are parted by blank lines, and their header lines ``# key: value`` come first: ``id`` names the document, all others
go to ``meta``. The lines below are the text. Entities may be nested, on one line each. ``\[ \] \\ \#`` and backslash-space
stand for these characters, ``\n``, ``\r``, ``\t`` and ``\0`` for those that cannot stand as themselves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, pairwise

from viner.document import Document, Entity
from viner.errors import FormatError
from viner.formats.files import BOM, Source, strip_line_end
from viner.formats.format import Format
from viner.formats.report import WriteReport

_HEADER = re.compile(r"# ?(?P<key>[A-Za-z_][\w-]*): ?(?P<value>.*)")
_LABEL = r"[^\s()\[\]\\/:]+"
_TOKEN = re.compile(rf"\\(?P<escape>.?)|(?P<open>\[)|\]\((?P<label>{_LABEL})\)|(?P<close>\])")
_ESCAPES = {"[": "[", "]": "]", "\\": "\\", "#": "#", " ": " ", "n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_SPECIAL = re.compile(r"[\[\]\\\r\0]")
_SPELLED = {"\r": "\\r", "\0": "\\0"}
# Capitals only, so that links and footnotes of plain texts are not taken for entities.
_MARKED = re.compile(r"(?<!\\)\[[^\[\]\n]+\]\([A-Z][A-Z0-9_-]*\)")


def _read(source: Source) -> Iterator[Document]:
    numbered = ((number, strip_line_end(line)) for number, line in source.lines())
    count = 0
    for blank, group in groupby(numbered, key=lambda item: _is_blank(item[1])):
        if not blank:
            count += 1
            lines = list(group)
            try:
                document = _parse(source, lines, f"{source.stem}:{count}")
            except FormatError as error:
                source.refuse(error)
            else:
                source.line = lines[0][0]
                yield document


def _parse(source: Source, lines: list[tuple[int, str]], default_id: str) -> Document:
    meta: dict[str, str] = {}
    first = 0
    while first < len(lines) and (header := _HEADER.fullmatch(lines[first][1])):
        meta[header["key"]] = header["value"].strip()
        first += 1
    parts: list[str] = []
    entities: list[Entity] = []
    length = 0
    for number, line in lines[first:]:
        if parts:
            parts.append("\n")
            length += 1
        text, found = _parse_line(line, length, source.where(number))
        parts.append(text)
        entities += found
        length += len(text)
    entities.sort(key=lambda entity: (entity.start, -entity.end))
    return Document("".join(parts), id=meta.pop("id", default_id), meta=meta, entities=entities)


def _parse_line(line: str, offset: int, where: str) -> tuple[str, list[Entity]]:
    parts: list[str] = []
    length = 0
    open_at: list[int] = []
    entities: list[Entity] = []
    last = 0
    for match in _TOKEN.finditer(line):
        parts.append(line[last : match.start()])
        length += match.start() - last
        last = match.end()
        column = match.start() + 1
        if match["open"]:
            open_at.append(length)
        elif match["escape"] is not None:
            if match["escape"] not in _ESCAPES:
                raise FormatError(
                    f"unknown escape {match[0]!r} (column {column})", where=where, hint=r"A backslash itself is written \\"
                )
            parts.append(_ESCAPES[match["escape"]])
            length += 1
        elif match["close"]:
            raise FormatError(
                f"']' without a label after it (column {column})",
                where=where,
                hint=r"Write [surface](LABEL), or \] for a plain bracket",
            )
        else:
            if not open_at:
                raise FormatError(f"']' closes nothing (column {column})", where=where, hint=r"A plain bracket is written \]")
            start = open_at.pop()
            if start == length:
                raise FormatError(f"an empty entity (column {column})", where=where)
            entities.append(Entity(offset + start, offset + length, match["label"]))
    if open_at:
        raise FormatError(
            "'[' is not closed on its line", where=where, hint=r"Write [surface](LABEL), or \[ for a plain bracket"
        )
    parts.append(line[last:])
    return "".join(parts), entities


def _write(documents: Iterable[Document], sink: Callable[[str], None], report: WriteReport) -> None:
    for index, document in enumerate(documents):
        block = _format(document, report)
        sink(("\n" if index else BOM if block.startswith(BOM) else "") + block + "\n")
        report.documents += 1
        report.lose_layers(document, "words", "tags", "labels", "relations", "suggestions")
        report.lose_state(document)


def _format(document: Document, report: WriteReport) -> str:
    headers = [("id", document.id)] if document.id is not None else []
    headers += list(document.meta.items())
    lines = []
    for key, value in headers:
        line = f"# {key}: {value}"
        if (
            (key == "id") == (value is document.id)
            and isinstance(value, str)
            and value == value.strip()
            and "\n" not in value
            and _HEADER.fullmatch(line)
        ):
            lines.append(line)
        else:
            report.lose(document, f"meta {key}", "a header holds a name and one line of text")
    body = _mark(document.text, _sayable(document, report))
    if not body and not lines:
        report.lose(document, "the document", "an empty text without id leaves nothing to write")
    return "\n".join([*lines, body] if body else lines)


def _sayable(document: Document, report: WriteReport) -> list[Entity]:
    """The entities in the order in which their brackets open, without those that cross another or a line end."""
    kept: list[Entity] = []
    stack: list[Entity] = []
    for entity in sorted(document.entities or (), key=lambda entity: (entity.start, -entity.end)):
        while stack and stack[-1].end <= entity.start:
            stack.pop()
        if "\n" in document.text[entity.start : entity.end]:
            report.lose_entity(document, entity, "it runs over a line end")
        elif stack and entity.end > stack[-1].end:
            report.lose_entity(document, entity, "it crosses another entity")
        elif not re.fullmatch(_LABEL, entity.label):
            report.lose_entity(document, entity, "its label holds a space or a bracket")
        else:
            stack.append(entity)
            kept.append(entity)
    report.entities += len(kept)
    return kept


def _mark(text: str, entities: list[Entity]) -> str:
    # Brackets close before others open; inner ones close first, outer ones open first.
    opening = [(entity.start, 1, order, "[") for order, entity in enumerate(entities)]
    closing = [(entity.end, 0, -order, f"]({entity.label})") for order, entity in enumerate(entities)]
    parts: list[str] = []
    last = 0
    for position, _, _, mark in sorted(opening + closing):
        parts += [_escape(text[last:position]), mark]
        last = position
    parts.append(_escape(text[last:]))
    lines = "".join(parts).split("\n")
    marked = [lines[0]]
    for previous, line in pairwise(lines):
        # A line that looks blank would part documents, so the line ends beside it are spelled out.
        marked += ["\\n" if _is_blank(previous) or _is_blank(line) else "\n", line]
    body = "".join(marked)
    if body and (body[0] == "#" or _is_blank(body)):
        return "\\" + body.replace("\t", "t", 1) if body[0] == "\t" else "\\" + body
    return body


def _is_blank(line: str) -> bool:
    return not line.strip(" \t")


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda match: _SPELLED.get(match[0], "\\" + match[0]), text)


def _matches(head: str) -> bool:
    return _MARKED.search(head) is not None


FORMAT = Format("inline", "text with [entities](LABEL) marked in place", (".inline",), _matches, _read, _write)
