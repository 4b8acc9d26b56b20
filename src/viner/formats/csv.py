r"""CSV: a row a document, one column the text, all others ``meta``; or as viner writes it (:mod:`viner.formats.entity_rows`).

What is found out: the delimiter (comma, semicolon, tab, bar). The first row names the columns unless ``header=false`` says
otherwise. Fields in quotes may hold delimiters, line ends and, doubled, quotes (RFC 4180).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import suppress

from viner.document import Document
from viner.errors import FormatError, InputError, UsageError
from viner.formats.entity_rows import HEADS, read_rows, write_rows
from viner.formats.files import Source
from viner.formats.format import Format
from viner.formats.table import Columns, find_columns

DELIMITERS = (",", ";", "\t", "|")
LONGEST_FIELD = 64 << 20
"""Characters in a field. A quote that nobody closes takes in all that follows, and memory has an end."""
_LOOKED_AT = 50  # rows, to find out the delimiter


def _read(
    source: Source,
    *,
    text_column: str | int | None = None,
    id_column: str | int | None = None,
    delimiter: str | None = None,
    header: bool = True,
    quotes: bool = True,
) -> Iterator[Document]:
    """Reads the rows of a table.

    Args:
        source: The file.
        text_column: Name of the column that holds the text, or its number from 1; None takes the one called "text".
        id_column: The same for the documents' ids; None takes "id" if there is one, else the file's name and line make them.
        delimiter: What parts the fields; None finds it out.
        header: Whether the first row names the columns.
        quotes: Whether quotes hold fields together; without, they are characters like others.
    """
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1):
        raise UsageError(f"a delimiter is one character, not {delimiter!r}", hint="Such as --option delimiter=tab")
    delimiter = delimiter or find_delimiter(source.rewindable().head(), quotes)
    columns: Columns | None = None
    rows = _rows(source, delimiter, quotes)
    for number, row in rows:
        if columns is None:
            if isinstance(row, FormatError):
                raise row
            if header and tuple(row) in HEADS and text_column is None:
                yield from _own(rows, source, len(row))
                return
            names = row if header else [str(index) for index in range(1, len(row) + 1)]
            columns = find_columns(names, text_column, id_column, where=source.where(number), numbered=not header)
            if header:
                continue
        document = row if isinstance(row, FormatError) else _document(row, columns, source, number)
        if isinstance(document, FormatError):
            source.refuse(document)
        else:
            source.line = number
            yield document


def find_delimiter(head: str, quotes: bool = True) -> str:
    """The delimiter with which the first rows have most columns, and all the same number of them.

    Where none is so, as single rows may be broken, more than half of the rows have to be as wide as the first one; a comma if
    none is so, either.
    """
    complete = head[: head.rfind("\n") + 1] or head
    found: list[tuple[bool, int, str]] = []
    for delimiter in DELIMITERS:
        widths: list[int] = []
        with suppress(csv.Error):  # what was read until then has to do
            for row in csv.reader(io.StringIO(complete, newline="\n"), **_dialect(delimiter, quotes)):  # type: ignore[arg-type]
                if row:
                    widths.append(len(row))
                if len(widths) == _LOOKED_AT:
                    break
        # The last row may be cut, and a quote that nobody closes makes rows of any width.
        whole = widths[:-1] or widths
        if whole and whole[0] > 1 and 2 * whole.count(whole[0]) > len(whole):
            found.append((min(whole) == max(whole), whole[0], delimiter))
    return max(found, key=lambda each: each[:2])[2] if found else DELIMITERS[0]


def _dialect(delimiter: str, quotes: bool) -> dict[str, object]:
    return {"delimiter": delimiter, "strict": True, "quoting": csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE}


def _rows(source: Source, delimiter: str, quotes: bool) -> Iterator[tuple[int, list[str] | FormatError]]:
    """Rows that are not empty with the number of their first line, or what is wrong with them.

    Raises:
        FormatError: If what is wrong goes on over several lines, which may well be rows of their own.
    """
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_FIELD))
    broken: list[FormatError] = []

    def lines() -> Iterator[str]:
        for _, line in source.each_line():
            if isinstance(line, FormatError):
                broken.append(line)
                line = line.readable  # quotes hold over lines: without this one's, what it began would be a row of its own
            yield line

    reader = csv.reader(lines(), **_dialect(delimiter, quotes))  # type: ignore[arg-type]
    while True:
        first = reader.line_num + 1
        row: list[str] | FormatError
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            row = _unquotable(error, source, first, reader.line_num)
            if reader.line_num > first:
                raise row from None  # the rows that a quote has taken in would be lost in silence
        if broken:
            row = broken[0]
            broken.clear()
        if row:
            yield first, row


def _unquotable(error: csv.Error, source: Source, first: int, last: int) -> FormatError:
    what = "a carriage return outside of quotes" if "new-line character" in str(error) else str(error)
    ends = "" if last <= first else f", which goes on to line {last}"
    return FormatError(
        f"not CSV: {what}{ends}",
        where=source.where(first),
        hint='A quote within a quoted field is written twice (""); if quotes are plain characters here: --option quotes=false',
    )


def _document(row: list[str], columns: Columns, source: Source, number: int) -> Document | FormatError:
    if len(row) != len(columns.names):
        return FormatError(
            f"the row has {len(row)} field{'s' * (len(row) != 1)}, the table {len(columns.names)} columns",
            where=source.where(number),
            hint="Put fields that hold the delimiter in quotes, or name the delimiter: --option delimiter=tab",
        )
    meta = {name: row[index] for index, name in enumerate(columns.names) if index not in (columns.text, columns.id)}
    name = row[columns.id] if columns.id is not None and row[columns.id] else f"{source.stem}:{number}"
    try:
        return Document(row[columns.text], id=name, meta=meta)
    except InputError as error:
        return FormatError(error.message, where=source.where(number), hint=error.hint)


def _own(rows: Iterator[tuple[int, list[str] | FormatError]], source: Source, width: int) -> Iterator[Document]:
    for document in read_rows(rows, source, width):
        if isinstance(document, FormatError):
            source.refuse(document)
        else:
            yield document


FORMAT = Format("csv", "a table whose column text_column holds the texts", (".csv",), lambda head: False, _read, write_rows)
