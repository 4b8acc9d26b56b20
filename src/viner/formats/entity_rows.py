"""CSV as viner writes it: a row for each document with its text, and below it a row for each of its entities.

    id,text,entities,start,end,label,surface,score,source,meta
    n1,"Lan ở Huế, với Minh.",2,,,,,,,"{""day"": ""2024-05-01""}"
    n1,,,0,3,PERSON,Lan,0.98,model,
    n1,,,6,9,LOCATION,Huế,,dictionary,

``entities`` is how many rows of entities follow, and empty where nobody annotated; ``meta`` is JSON. So a text stands there
once, however many entities it has, and a table that lost or mixed up rows is told. Tables of earlier versions have no ``meta``.

Rows end as RFC 4180 says, and a byte order mark tells spreadsheets that this is UTF-8. Cells hold what the document holds, to
the character: nothing is put before a text that begins as a formula does, or offsets would no longer be those of the text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from viner.document import Document
from viner.errors import FormatError, InputError
from viner.formats.files import Source
from viner.formats.report import WriteReport

HEAD = ("id", "text", "entities", "start", "end", "label", "surface", "score", "source", "meta")
"""The columns."""
HEADS = (HEAD, HEAD[:-1])
"""Those of tables that are read: earlier versions wrote no ``meta``."""

_META = HEAD.index("meta")
_NO_PLACE = ("words", "tags", "labels", "relations", "suggestions")


def write_rows(documents: Iterable[Document], sink: Callable[[str], None], report: WriteReport) -> None:
    """Writes documents, one by one."""
    sink("\ufeff" + _lines([HEAD]))
    for document in documents:
        if _holds_zero_bytes(document):
            report.lose(document, "the document", "it holds a zero byte, which no reader of tables takes")
            continue
        entities = document.entities or ()
        count = None if document.entities is None else len(entities)
        meta = json.dumps(dict(document.meta), ensure_ascii=False) if document.meta else None
        rows: list[tuple[Any, ...]] = [(document.id, document.text, count, *[None] * 6, meta)]
        rows += [
            (document.id, None, None, item.start, item.end, item.label, item.text, item.score, item.source, None)
            for item in entities
        ]
        sink(_lines(rows))
        report.lose_layers(document, *_NO_PLACE)
        if any(item.id is not None for item in entities):
            report.lose(document, "ids of entities", "the format has no place for ids of entities")
        report.documents += 1
        report.entities += len(entities)


def _holds_zero_bytes(document: Document) -> bool:
    held = (document.id, document.text, *(part for item in document.entities or () for part in (item.label, item.source)))
    return any(part is not None and "\0" in part for part in held)


def read_rows(
    rows: Iterable[tuple[int, list[str] | FormatError]], source: Source, width: int
) -> Iterator[Document | FormatError]:
    """Reads documents back, and what is wrong with those that cannot be.

    Args:
        rows: The rows below the head with their lines, or what is wrong with them.
        source: Where they come from.
        width: How many columns the head has, one of :data:`HEADS`.
    """
    document: _Open | None = None
    for number, row in rows:
        if isinstance(row, FormatError):
            yield row
        elif (problem := _checked(row, document, source.where(number), width)) is not None:
            yield problem
        elif _is_document(row):
            if document is not None:
                yield document.close(source)
            document = _Open(number, row)
        elif document is not None:
            document.rows.append(row)
    if document is not None:
        yield document.close(source)


@dataclass(slots=True)
class _Open:
    """A document whose entities are being read."""

    number: int
    row: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def close(self, source: Source) -> Document | FormatError:
        where = source.where(self.number)
        name, text, count = self.row[:3]
        if count != str(len(self.rows)) and (count or self.rows):
            return FormatError(
                f"the document has {count or 'no'} entities, and {len(self.rows)} rows of them follow", where=where, hint=_HINT
            )
        source.line = self.number
        data: dict[str, Any] = {"id": name or f"{source.stem}:{self.number}", "text": text}
        try:
            if meta := "".join(self.row[_META:]):
                data["meta"] = _object(meta)
        except (ValueError, RecursionError):
            return FormatError("meta is not JSON", where=where, hint="Write it anew as a JSON object, or empty the cell")
        try:
            if count:
                data["entities"] = [_entity(row) for row in self.rows]
            return Document.from_dict(data)
        except InputError as error:
            place = f"{error.where}: " if error.where else ""
            return FormatError(f"{place}{error.message}", where=where, hint=error.hint)
        except ValueError as error:
            return FormatError(f"an entity has {error}", where=where, hint="Offsets are whole numbers, scores 0 to 1")


_HINT = "The rows of a document stand together, its text first: write the table again, or put its rows back in order"


def _is_document(row: list[str]) -> bool:
    return not any(row[3:_META])


def _checked(row: list[str], document: _Open | None, where: str, width: int) -> FormatError | None:
    """What is wrong with a row where it stands."""
    if len(row) != width:
        return FormatError(f"the row has {len(row)} field{'s' * (len(row) != 1)}, the table {width} columns", where=where)
    if not _is_document(row) and (document is None or row[0] != document.row[0]):
        return FormatError("the entity does not stand below its document", where=where, hint=_HINT)
    return None


def _object(cell: str) -> Any:
    value = json.loads(cell)
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # neither infinite numbers nor halves of UTF-16 pairs
    return value


def _entity(row: list[str]) -> dict[str, Any]:
    start, end, label, surface, score, origin = row[3:_META]
    data: dict[str, Any] = {"start": int(start), "end": int(end), "label": label, "text": surface}
    if score:
        data["score"] = float(score)
    return {**data, "source": origin} if origin else data


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    return lines.getvalue()
