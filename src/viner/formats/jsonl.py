"""viner's own format: one document a line, in the JSON shape that REST and ``predict`` use too. It says everything.

Lines of tokens and tags, as data sets of the Hugging Face Hub have them, are read as well (:mod:`viner.formats.token_rows`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from viner.document import Document
from viner.errors import FormatError, InputError
from viner.formats.conll.tags import Scheme
from viner.formats.files import Source, strip_line_end
from viner.formats.format import Format
from viner.formats.report import WriteReport
from viner.formats.token_rows import TokenRows

# An array of objects is no JSON Lines, but its error should be that of JSON, not a document for each of its lines.
_BEGINNING = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*\{)")

_ONE_A_LINE = (
    'Each line is one JSON object, such as {"text": "…"}; objects over several lines are put so by: jq -c . FILE, an array by:'
    " jq -c '.[]' FILE"
)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""One half of a UTF-16 pair, with or without the other one."""
_KINDS = {list: "array", str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}


def _read(
    source: Source, *, tags: str | None = None, names: Sequence[str] | None = None, scheme: Scheme | None = None
) -> Iterator[Document]:
    """Reads the lines of a file.

    Args:
        source: The file.
        tags: Of lines with ``tokens``: the key of their tags; None takes "ner_tags", "ner", "tags" or "labels".
        names: Names of tags that are numbers, in their order.
        scheme: "IO" if tags are bare labels.
    """
    rows = TokenRows(tags, names, scheme)
    for number, line in source.each_line():
        default_id = f"{source.stem}:{number}"
        document = _document(line, source.where(number), rows, default_id) if isinstance(line, str) else line
        if isinstance(document, FormatError):
            source.refuse(document)
        elif document is not None:
            source.line = number
            yield document


def _document(line: str, where: str, rows: TokenRows, default_id: str) -> Document | FormatError | None:
    """The document of a line, or why there is none; None for a blank line."""
    if not line.strip():
        return None
    try:
        data = json.loads(strip_line_end(line), parse_constant=_refuse)  # else the end of a line counts as the next one
        if not isinstance(data, dict):
            return FormatError(f"a JSON {_KINDS[type(data)]}, not an object", where=where, hint=_ONE_A_LINE)
        document = rows.document(data, where, default_id) if rows.matches(data) else Document.from_dict(data)
        if isinstance(document, Document) and document.meta:
            json.dumps(dict(document.meta), allow_nan=False)  # 1e400 is read as infinite, which is no JSON
        if _HALF.search(line):
            json.dumps(data, ensure_ascii=False).encode()
        return document
    except UnicodeEncodeError as error:
        return FormatError(
            f"a lone surrogate (U+{ord(error.object[error.start]):04X}) outside of the text",
            where=where,
            hint="It was cut inside a UTF-16 pair; write id, meta and labels anew, or remove that character",
        )
    except json.JSONDecodeError as error:
        return FormatError(f"not JSON: {error.msg} (column {error.colno})", where=where, hint=_ONE_A_LINE)
    except InputError as error:
        message = error.message if error.where is None else f"{error.where}: {error.message}"
        return FormatError(message, where=where, hint=error.hint)
    except (ValueError, RecursionError) as error:
        # Numbers of thousands of digits, nesting without end.
        return FormatError(f"not usable JSON: {error}", where=where)


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON number")


def _write(documents: Iterable[Document], sink: Callable[[str], None], report: WriteReport) -> None:
    for document in documents:
        sink(document.to_json() + "\n")
        report.documents += 1
        report.entities += len(document.entities or ())


def _matches(head: str) -> bool:
    return _BEGINNING.match(head) is not None


FORMAT = Format("jsonl", "one JSON document a line", (".jsonl", ".ndjson"), _matches, _read, _write)
