"""Parquet: typed columns, read and written by batches of rows. Needs the extra "files".

A file that viner wrote says everything that a document can:

    id: string, text: string, meta: string (JSON),
    words: list<struct<start: int32, end: int32>>,
    entities: list<struct<id: string, start: int32, end: int32, label: string, score: double, source: string, text: string>>,
    more: string (JSON of tags, labels, relations and suggestions)

All but ``text`` may be null, a list that is null is a layer that is not annotated. ``text`` of an entity is its surface, for
those who query the file; offsets are Unicode code points. Of any other file, one column is the text, or ``tokens`` and their
tags are (:mod:`viner.formats.token_rows`), and all others go to ``meta``.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any, cast

from viner.document import Document
from viner.errors import FormatError, InputError, MissingExtraError
from viner.formats.conll.tags import Scheme
from viner.formats.files import Source
from viner.formats.format import Format
from viner.formats.report import WriteReport
from viner.formats.table import Columns, find_columns
from viner.formats.token_rows import TOKENS, TokenRows

ROWS = 1024
"""Rows that are in memory at once when reading."""
GROUP_ROWS = 8192
GROUP_CHARACTERS = 16 << 20
"""A row group is written when it reaches either; both are in memory until then."""
MARK = b"viner"
"""Key of the file's metadata that says that viner wrote it; the value is the version of its columns."""
VERSION = b"1"

_MORE = ("tags", "labels", "relations", "suggestions")
_WHOLE = 2.0**53
"""Up to which a float holds every whole number."""
_ENTITY = ("id", "start", "end", "label", "score", "source")


def _read(
    source: Source,
    *,
    text_column: str | int | None = None,
    id_column: str | int | None = None,
    tags: str | None = None,
    names: Sequence[str] | None = None,
    scheme: Scheme | None = None,
) -> Iterator[Document]:
    """Reads the rows of a file.

    Args:
        source: The file.
        text_column: Name of the column that holds the text, or its number from 1; None takes the one called "text".
        id_column: The same for the documents' ids; None takes "id" if there is one, else the file's name and row make them.
        tags: In a file of tokens: the column of their tags; None takes "ner_tags", "ner", "tags" or "labels".
        names: Names of tags that are numbers, in their order; None takes those that the file tells.
        scheme: "IO" if tags are bare labels.
    """
    by_tokens = TokenRows(tags, names, scheme)
    for row, (kind, cells) in enumerate(_rows(source, text_column, id_column), 1):
        document: Document | FormatError
        if isinstance(cells, FormatError):
            document = cells
        elif kind is None:
            document = _own(cells, source.where(row))
        elif isinstance(kind, Columns):
            document = _foreign(cells, kind, source, row)
        else:
            if by_tokens.told is not kind:  # once for the file
                by_tokens = replace(by_tokens, told=kind)
            document = by_tokens.document(cells, source.where(row), f"{source.stem}:{row}", _plain)
        if isinstance(document, FormatError):
            source.refuse(document)
        else:
            source.line = row
            yield document


_Kind = Columns | Mapping[str, Sequence[str]] | None
"""Where texts are; or, in a file of tokens, names of tags by column; None in a file that viner wrote."""


_Cells = dict[str, Any] | FormatError


def _rows(source: Source, text_column: str | int | None, id_column: str | int | None) -> Iterator[tuple[_Kind, _Cells]]:
    """Every row, or what is wrong with it, and what kind of file it is in."""
    arrow, parquet = _pyarrow("reading Parquet files")
    # With a buffer, a row group of any size is read by and by.
    with (
        source.binary() as content,
        _explained(source, arrow),
        closing(parquet.ParquetFile(content, buffer_size=1 << 20)) as file,
    ):
        version = (file.schema_arrow.metadata or {}).get(MARK)
        ours = version is not None and text_column is None
        if ours and version != VERSION:
            raise FormatError(
                "written by a later version of viner", where=source.where(1), hint="Upgrade viner, or name text_column"
            )
        kind: _Kind = None
        if not ours and text_column is None and _holds_tokens(file.schema_arrow, arrow):
            kind = _tag_names(file.schema_arrow)
        elif not ours:
            kind = find_columns(file.schema_arrow.names, text_column, id_column, where=source.where(1))
        done = 0
        for batch in file.iter_batches(batch_size=ROWS):
            for cells in _cells(batch, arrow, source, done):
                yield kind, cells
            done += batch.num_rows
            source.advance(done / file.metadata.num_rows)


_UNREADABLE = (ValueError, OverflowError, LookupError, TypeError)
"""What pyarrow raises of values that Python has no form for, such as dates after the year 9999."""


def _cells(batch: Any, arrow: Any, source: Source, done: int) -> Iterator[_Cells]:
    """The rows of a batch; those with a value that cannot be read as errors."""
    names = batch.schema.names
    columns = [_as_python_has_it(column, arrow) for column in batch.columns]
    try:
        read = [column.to_pylist() for column in columns]
    except _UNREADABLE:
        for row in range(batch.num_rows):
            cells: dict[str, Any] = {}
            for name, column in zip(names, columns, strict=True):
                try:
                    cells[name] = column[row].as_py()
                except _UNREADABLE as error:
                    where, reason = source.where(done + row + 1), str(error).strip().splitlines() or [type(error).__name__]
                    yield FormatError(
                        f"column {name!r} cannot be read: {reason[0]}",
                        where=where,
                        hint=f"It is {column.type}; write it as text, or leave the column out",
                    )
                    break
            else:
                yield cells
    else:
        for values in zip(*read, strict=True):
            yield dict(zip(names, values, strict=True))


def _as_python_has_it(column: Any, arrow: Any) -> Any:
    """A column of nanoseconds, which Python's own types do not have, as text, or as seconds for lengths of time."""
    kind, types = column.type, arrow.types
    if getattr(kind, "unit", None) != "ns":
        return column
    if types.is_duration(kind):
        return arrow.compute.divide(column.cast(arrow.int64()).cast(arrow.float64(), safe=False), 1e9)
    text = column.cast(arrow.string())
    return arrow.compute.replace_substring(text, " ", "T", max_replacements=1) if types.is_timestamp(kind) else text


def _holds_tokens(schema: Any, arrow: Any) -> bool:
    """Whether there is a column of tokens, and none of entities."""
    if TOKENS not in schema.names or "entities" in schema.names:
        return False
    kind = schema.field(TOKENS).type
    return bool(arrow.types.is_list(kind) or arrow.types.is_large_list(kind))


def _tag_names(schema: Any) -> dict[str, Sequence[str]]:
    """Names of the numbers in a column, as the Hub's library ``datasets`` keeps them: ``ClassLabel`` of each item of a list."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
    except (ValueError, LookupError, TypeError):
        return {}
    found: dict[str, Sequence[str]] = {}
    for column, feature in features.items() if isinstance(features, dict) else ():
        item = feature.get("feature") if isinstance(feature, dict) else None
        if item is None and isinstance(feature, list) and len(feature) == 1:
            item = feature[0]
        names = item.get("names") if isinstance(item, dict) else None
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            found[column] = names
    return found


def _own(cells: dict[str, Any], where: str) -> Document | FormatError:
    try:
        data = {
            **json.loads(cells.get("more") or "{}"),
            "id": cells.get("id"),
            "text": cells["text"],
            "meta": json.loads(cells.get("meta") or "{}"),
        }
        if cells.get("words") is not None:
            data["words"] = [[word["start"], word["end"]] for word in cells["words"]]
        if cells.get("entities") is not None:
            data["entities"] = [{k: v for k, v in entity.items() if v is not None} for entity in cells["entities"]]
        return Document.from_dict(data)
    except InputError as error:
        return FormatError(f"{error.where}: {error.message}" if error.where else error.message, where=where, hint=error.hint)
    except (ValueError, LookupError, TypeError) as error:
        return FormatError(f"not a row of viner's: {error}", where=where)


def _foreign(cells: dict[str, Any], columns: Columns, source: Source, row: int) -> Document | FormatError:
    text = cells[columns.names[columns.text]]
    if not isinstance(text, str):
        what = "empty (null)" if text is None else f"no text but a value of type {type(text).__name__}"
        return FormatError(f"column {columns.names[columns.text]!r} is {what}", where=source.where(row))
    name = _name(cells[columns.names[columns.id]]) if columns.id is not None else None
    meta = {name: _plain(cells[name]) for index, name in enumerate(columns.names) if index not in (columns.text, columns.id)}
    try:
        return Document(text, id=f"{source.stem}:{row}" if name is None else name, meta=meta)
    except InputError as error:
        return FormatError(error.message, where=source.where(row), hint=error.hint)


def _name(value: Any) -> str | None:
    """A cell as an id; None where there is none. Whole numbers beside empty cells are floats in many a program."""
    plain = _plain(value)
    if isinstance(plain, float) and plain.is_integer() and abs(plain) < _WHOLE:
        plain = int(plain)
    return None if plain is None else str(plain)


def _plain(value: Any) -> Any:
    """A cell as JSON can hold it: dates in ISO 8601, decimals and bytes as text, what is no number as null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)


@contextmanager
def _explained(source: Source, arrow: Any) -> Iterator[None]:
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise FormatError(
            f"cannot be read as Parquet: {reason}", where=source.where(1), hint="Fetch or write the file again"
        ) from None


def _write(documents: Iterable[Document], sink: Callable[[bytes], None], report: WriteReport) -> None:
    arrow, parquet = _pyarrow("writing Parquet files")
    schema = _schema(arrow)
    with closing(parquet.ParquetWriter(_Tail(sink), schema, compression="zstd")) as writer:
        source = iter(documents)
        while rows := list(_group(source, report)):
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))


def _group(source: Iterator[Document], report: WriteReport) -> Iterator[dict[str, Any]]:
    """The rows of the next row group."""
    characters = 0
    for document in islice(source, GROUP_ROWS):
        yield _row(document)
        report.documents += 1
        report.entities += len(document.entities or ())
        characters += len(document.text)
        if characters >= GROUP_CHARACTERS:
            return


def _row(document: Document) -> dict[str, Any]:
    data = document.to_dict()
    more = {layer: data[layer] for layer in _MORE if layer in data}
    words, entities = document.words, document.entities
    return {
        "id": document.id,
        "text": document.text,
        "meta": json.dumps(data["meta"], ensure_ascii=False) if document.meta else None,
        "words": None if words is None else [{"start": start, "end": end} for start, end in words],
        "entities": None
        if entities is None
        else [{**{key: getattr(entity, key) for key in _ENTITY}, "text": entity.text} for entity in entities],
        "more": json.dumps(more, ensure_ascii=False) if more else None,
    }


def _schema(arrow: Any) -> Any:
    span = [("start", arrow.int32()), ("end", arrow.int32())]
    entity = [
        ("id", arrow.string()), *span, ("label", arrow.string()), ("score", arrow.float64()), ("source", arrow.string()),
        ("text", arrow.string()),
    ]  # fmt: skip
    columns = [
        ("id", arrow.string()), ("text", arrow.string()), ("meta", arrow.string()), ("words", arrow.list_(arrow.struct(span))),
        ("entities", arrow.list_(arrow.struct(entity))), ("more", arrow.string()),
    ]  # fmt: skip
    return arrow.schema(columns, metadata={MARK: VERSION})


class _Tail(io.RawIOBase):
    """A sink as a file that only grows, as pyarrow wants one."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._length = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._length

    def write(self, data: Any, /) -> int:
        part = bytes(data)
        self._sink(part)
        self._length += len(part)
        return len(part)


def _pyarrow(feature: str) -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError(feature, "files") from None
    return pyarrow, cast(Any, pyarrow.parquet)


FORMAT = Format(
    "parquet", "typed columns (needs viner[files])", (".parquet", ".pq"), lambda head: False, _read, _write, binary=True
)
