"""Annotated documents as one HTML file: nothing fetched, no script, light and dark, with a legend and its counts."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.resources import files

from viner.document import Document
from viner.errors import InputError
from viner.formats.files import Source
from viner.formats.format import Format
from viner.formats.html.frame import CLOSE, open_page
from viner.formats.html.marks import highlight, visible
from viner.formats.report import WriteReport
from viner.schema import Schema, default_color

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_BLOCK = 1 << 20


def _write(
    documents: Iterable[Document],
    sink: Callable[[str], None],
    report: WriteReport,
    *,
    schema: Schema | None = None,
    title: str = "Annotated documents",
) -> None:
    """Writes documents as a page.

    Args:
        documents: Consumed one by one.
        sink: Takes the page.
        report: Counts what the page does not show.
        schema: Gives the types their order, colors and descriptions; types that it lacks come behind, in order of appearance.
        title: Of the page.
    """
    colors = _Colors(schema)
    # The legend stands above the documents and knows what is in them, so they wait on the disk.
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as body:
        for number, document in enumerate(documents):
            body.write(_article(document, number, colors))
            report.documents += 1
            report.entities += len(document.entities or ())
            report.lose_layers(document, "tags", "labels", "relations", "suggestions")
        sink(_head(title, report, colors))
        body.seek(0)
        while part := body.read(_BLOCK):
            sink(part)
    sink(CLOSE)


class _Colors:
    """The types of the page in display order, what they look like and how often they occur."""

    def __init__(self, schema: Schema | None) -> None:
        layers = [layer for layer in schema or () if layer.kind == "entities"]
        self._given = {item.name: (layer.color(item.name), item.description) for layer in layers for item in layer.types}
        self.counts: Counter[str] = Counter(dict.fromkeys(self._given, 0))

    def add(self, document: Document) -> None:
        self.counts.update(entity.label for entity in document.entities or ())

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.counts)  # in order of insertion

    def color(self, name: str) -> str:
        """``#rrggbb``; a color of the schema that is no color is replaced, since it would be part of a style sheet."""
        color, _ = self._given.get(name, ("", None))
        return color if _HEX.fullmatch(color) else default_color(self.names.index(name))

    def description(self, name: str) -> str | None:
        return self._given.get(name, ("", None))[1]


def _article(document: Document, number: int, colors: _Colors) -> str:
    colors.add(document)
    name = document.id if document.id is not None else f"{number + 1}"
    meta = visible(json.dumps(dict(document.meta), ensure_ascii=False, indent=1)) if document.meta else ""
    details = f'<details><summary>meta</summary><pre dir="auto">{meta}</pre></details>\n' if meta else ""
    text = highlight(document, colors.names, number=number)
    anchor = f"d{number + 1}"
    return (
        f'<article aria-labelledby="{anchor}">\n<h2 id="{anchor}">{visible(name)}</h2>\n'
        f'<p class="text" dir="auto">{text}</p>\n{details}</article>\n'
    )


def _head(title: str, report: WriteReport, colors: _Colors) -> str:
    counted = f"{report.documents:,} documents, {report.entities:,} entities"
    return open_page(title, _style() + "".join(_rules(colors)), counted, _legend(colors))


def _rules(colors: _Colors) -> Iterator[str]:
    for index, name in enumerate(colors.names):
        yield f".t{index} {{ --type: {colors.color(name)}; }}\n"


def _legend(colors: _Colors) -> str:
    if not colors.names:
        return ""
    items = []
    for index, name in enumerate(colors.names):
        description = colors.description(name)
        tip = f' title="{visible(description)}"' if description else ""
        items.append(f'<li class="t{index}"{tip}>{visible(name)} <span>{colors.counts[name]:,}</span></li>\n')
    return f'<ul class="legend" aria-label="Types of entities">\n{"".join(items)}</ul>\n'


@cache
def _style() -> str:
    return files("viner.formats.html").joinpath("page.css").read_text(encoding="utf-8")


def _read(source: Source) -> Iterator[Document]:
    raise InputError(
        f"viner does not read {source.suffix or 'HTML'} files of this kind",
        where=source.name,
        hint="Take the texts out into a .txt file, one a line, or write annotated documents as JSONL (docs/formats.md); "
        "--format text takes each line as it stands",
    )


FORMAT = Format(
    "html", "a page for people (written only)", (".html", ".htm"), lambda head: False, _read, _write, readable=False
)
