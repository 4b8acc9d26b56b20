"""Raw text without annotations: a document a line, or the whole file as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from viner.document import Document
from viner.errors import FormatError
from viner.formats.files import BOM, Source, strip_line_end
from viner.formats.format import Format
from viner.formats.report import WriteReport

_LINE_BREAK = re.compile(r"\r\n|[\r\n]")


def _read(source: Source, *, whole: bool = False) -> Iterator[Document]:
    if whole:
        try:
            document = Document("".join(line for _, line in source.lines()), id=source.stem)
        except FormatError as error:
            source.refuse(error)
        else:
            source.line = 1
            yield document
        return
    for number, line in source.each_line():
        if isinstance(line, FormatError):
            source.refuse(line)
        elif line.strip():  # a file of a byte order mark alone has a line of nothing
            source.line = number
            # The line number makes the id, so that an answer finds its line although empty lines give no document.
            yield Document(strip_line_end(line), id=f"{source.stem}:{number}")


def _write(documents: Iterable[Document], sink: Callable[[str], None], report: WriteReport) -> None:
    for index, document in enumerate(documents):
        line, breaks = _LINE_BREAK.subn(" ", document.text)
        if breaks:
            report.lose(document, f"{breaks} line breaks", "line breaks became spaces")
        if "\0" in line:
            # Readers, our own too, would take the file for binary.
            line = line.replace("\0", "\ufffd")
            report.lose(document, "zero characters", "zero characters became U+FFFD")
        report.lose_layers(document, "entities", "tags", "labels", "relations", "suggestions")
        sink((BOM if index == 0 and line.startswith(BOM) else "") + line + "\n")
        report.documents += 1


def _matches(head: str) -> bool:
    return True


FORMAT = Format("text", "one document a line, or with whole=True the file as one", (".txt", ".text"), _matches, _read, _write)
