"""Reading CoNLL files: documents with exact offsets, and in their ``meta`` all that it takes to write the same file again."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from viner.conll_meta import KEY
from viner.document import Document, Entity, Span
from viner.errors import FormatError, UsageError
from viner.formats.conll.layout import Layout, find_layout, is_blank, shorten
from viner.formats.conll.lines import RAW_TEXT, keep_lines, keep_raw_rows
from viner.formats.conll.spacing import locate, rebuild
from viner.formats.conll.tags import OUTSIDE, Scheme, decode, encode, odd_tags, split_tag
from viner.formats.files import Source, strip_line_end

_TEXT = re.compile(r"#\s*text\s*= ?(?P<text>.*)", re.DOTALL)
_NEW_DOCUMENT_ID = re.compile(r"#\s*newdoc(?:\s+id\s*=\s*(?P<id>.*\S))?\s*")


@dataclass(slots=True)
class _Chunk:
    """The lines of one document as they come."""

    number: int = 0
    line: int = 0
    rows: list[list[str]] = field(default_factory=list)
    row_lines: list[int] = field(default_factory=list)
    raw_rows: list[str] = field(default_factory=list)
    other: list[tuple[int, str]] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)
    id: str | None = None
    raw_text: str | None = None

    def add_break(self) -> None:
        if self.rows and (not self.breaks or self.breaks[-1] != len(self.rows)):
            self.breaks.append(len(self.rows))


def read(
    source: Source,
    *,
    separator: str | None = None,
    token_column: int | None = None,
    tag_column: int | None = None,
    tag_columns: Sequence[int] | None = None,
    scheme: Scheme | None = None,
    comments: bool | None = None,
    segments: str | None = None,
    drop_labels: Sequence[str] = (),
    sentences: int | None = None,
) -> Iterator[Document]:
    """Yields the documents of a CoNLL file; what the options leave open is found out by a look at the whole file.

    A file that marks its documents (``-DOCSTART-``, ``# newdoc``) gives these, their sentences joined by a line end; in any
    other file each sentence is a document, or so many in a row as ``sentences`` says. Words are the tokens. ``meta["conll"]``
    tells scheme, columns, sentences, odd tags, and which columns hold tags that were not read.

    Args:
        source: The file.
        separator: Tab or space.
        token_column: Column of the tokens, from 0; negative ones count from the end.
        tag_column: Column of the tags.
        tag_columns: Several of them, outer layer first, for nested entities (GermEval: ``(2, 3)``).
        scheme: "IOB1", "IOB2", "IOBES", "BILOU", or "IO" for bare labels.
        comments: Whether lines that begin with ``#`` and hold no tag are comments.
        segments: "underscore" gives the text spaces for the underscores inside tokens, "none" leaves them; "syllables" gives
            spaces as well and no words, so that they are those of any raw text instead of the file's segments.
        drop_labels: Labels to read as ``O``; ``meta["conll"]["dropped"]`` counts their tags.
        sentences: How many neighbors become one document, the last one of those that are left, in a file that does not mark
            its documents though its sentences follow one another: they are read with what stands around them (Schweter and
            Akbik, 2020). The file comes back byte for byte all the same.

    Raises:
        FormatError: If the file marks its documents, and ``sentences`` is given; or if a line is broken.
        UsageError: If options mean nothing.
    """
    if sentences is not None and (isinstance(sentences, bool) or not isinstance(sentences, int) or sentences < 1):
        raise UsageError(f"sentences must be a number from 1, not {sentences!r}")
    if tag_column is not None:
        if tag_columns is not None:
            raise UsageError("tag_column and tag_columns exclude each other")
        tag_columns = (tag_column,)
    elif isinstance(tag_columns, int | str):
        raise UsageError(f"tag_columns must name several columns, as in 2,3, not {tag_columns!r}")
    layout = find_layout(
        source.rewindable(),
        separator=separator,
        token_column=token_column,
        tag_columns=tag_columns,
        scheme=scheme,
        comments=comments,
        segments=segments,
    )
    if layout is not None:
        if layout.marked and sentences is not None:
            raise FormatError(
                "the file marks its documents (-DOCSTART-, # newdoc), so its sentences are not counted off",
                where=source.name,
                hint="Leave out --option sentences",
            )
        dropped = frozenset([drop_labels] if isinstance(drop_labels, str) else drop_labels)
        for chunk in _chunks(source, layout, sentences or 1):
            document = _document(chunk, layout, source, dropped)
            source.line = chunk.line or None
            yield document.with_(words=None) if segments == "syllables" else document


def _is_row(cells: Sequence[str]) -> bool:
    """Whether cells are those of a token with a tag, whatever else the file's rows have."""
    tag = split_tag(cells[-1]) if len(cells) > 1 and not cells[0].startswith("#") else None
    return tag is not None and (cells[-1] == OUTSIDE or bool(tag[1]))


def _chunks(source: Source, layout: Layout, sentences: int) -> Iterator[_Chunk]:
    """Cuts the file into documents, of so many sentences where none are marked.

    Lines without tokens at its end go to the last one, so that none is lost.
    """
    held: _Chunk | None = None
    chunk = _Chunk(1)
    ended = False
    for number, line_with_end in source.lines():
        line = line_with_end.removesuffix("\n")
        content = strip_line_end(line_with_end)
        if "\r" in content and sum(_is_row(layout.columns(part)) for part in content.split("\r")) > 1:
            raise FormatError(
                "a carriage return with another row behind it",
                where=source.where(number),
                hint=r"Where lines end so, convert them: tr '\r' '\n' < OLD > NEW",
            )
        blank = is_blank(content)
        columns = [] if blank else layout.columns(content)
        mark = not blank and layout.starts_document(content, columns)
        # A document is over at the next mark, or in a file without marks at the first line after the blank ones behind its last
        # sentence. One whose whole text is told is a document by itself.
        full = len(chunk.breaks) >= sentences or chunk.raw_text is not None or content.startswith(RAW_TEXT)
        if (mark if layout.marked else ended and full and not blank) and (chunk.rows or chunk.raw_text is not None):
            if held is not None:
                yield held
            held, chunk = chunk, _Chunk(chunk.number + 1)
        ended = False
        if blank:
            ended = bool(chunk.rows)
            chunk.add_break()
            chunk.other.append((len(chunk.rows), line))
        elif mark or layout.is_comment(content, columns):
            _take_comment(chunk, content, mark, source, number)
            chunk.other.append((len(chunk.rows), line))
        else:
            _check_row(columns, content, layout, source, number)
            chunk.line = chunk.line or number
            chunk.rows.append(columns)
            chunk.row_lines.append(number)
            chunk.raw_rows.append(line)
        unfinished = not line_with_end.endswith("\n")
        if unfinished:
            chunk.other.append((-1, ""))
    if chunk.rows or chunk.raw_text is not None or held is None:
        if held is not None:
            yield held
        held = chunk
    else:
        # A comment or mark without tokens follows the last document.
        held.other += [(position if position < 0 else len(held.rows), line) for position, line in chunk.other]
    if held.rows or held.raw_text is not None:
        yield held


def _take_comment(chunk: _Chunk, content: str, mark: bool, source: Source, number: int) -> None:
    if mark:
        chunk.add_break()
        match = _NEW_DOCUMENT_ID.fullmatch(content)
        chunk.id = match["id"] if match else None
    elif content.startswith(RAW_TEXT):
        try:
            text = json.loads(content.removeprefix(RAW_TEXT))
        except ValueError:
            text = None
        if not isinstance(text, str):
            raise FormatError(f"'{RAW_TEXT.strip()}' is not followed by a JSON string", where=source.where(number))
        chunk.raw_text = text
    elif match := _TEXT.fullmatch(content):
        chunk.texts[len(chunk.rows)] = match["text"]


def _check_row(columns: list[str], content: str, layout: Layout, source: Source, number: int) -> None:
    tag_column = layout.tag_columns[0]
    width = len(columns)
    if width <= max(tag_column, layout.token_column):
        hint = f"Columns are parted by {'tabs' if layout.separator == chr(9) else 'spaces'}, sentences by blank lines"
        if content.startswith("#"):
            hint += "; if lines that begin with # are comments: --option comments=true"
        raise FormatError(
            f"the line has {width} column{'s' * (width != 1)}, but tags are in column {tag_column + 1}: {shorten(content)}",
            where=source.where(number),
            hint=hint,
        )
    if width not in layout.widths and split_tag(columns[tag_column], layout.scheme == "IO") is None:
        others = ", ".join(map(str, sorted(layout.widths)))
        raise FormatError(
            f"the line has {width} columns, others have {others}, and {columns[tag_column]!r} is no tag: {shorten(content)}",
            where=source.where(number),
            hint="Look for a separator too many, or a space inside a token",
        )
    if not columns[layout.token_column]:
        raise FormatError(f"the token is empty: {shorten(content)}", where=source.where(number))


def _document(chunk: _Chunk, layout: Layout, source: Source, dropped: frozenset[str]) -> Document:
    tokens = [columns[layout.token_column] for columns in chunk.rows]
    bounds = _sentence_bounds(chunk)
    text, words, sentences = _text_of(chunk, layout, tokens, bounds)
    odd: list[list[Any]] = []
    entities: list[Entity] = []
    counts: Counter[str] = Counter()
    tag_lists: dict[str, list[str]] = {}
    regular = len(layout.tag_columns) == 1
    for column in layout.tag_columns:
        tags = [_tag(columns, column, dropped, layout, counts) for columns in chunk.rows]
        tag_lists[str(column)] = tags
        for first, last in bounds:
            spans = decode(tags[first:last], layout.scheme)
            entities += [Entity(words[first + start][0], words[first + end - 1][1], label) for start, end, label in spans]
            odd += [
                [chunk.row_lines[first + token], tags[first + token], what]
                for token, what in odd_tags(tags[first:last], layout.scheme)
            ]
            regular = regular and encode(spans, last - first, layout.scheme) == tags[first:last]
    entities.sort(key=lambda entity: (entity.start, -entity.end))
    conll: dict[str, Any] = {
        "line": chunk.line,
        "scheme": layout.scheme,
        "separator": layout.separator,
        "token_column": layout.token_column,
        "tag_columns": list(layout.tag_columns),
    }
    if layout.unread:
        conll["unread_tag_columns"] = list(layout.unread)
    if layout.underscores:
        conll["segments"] = "underscore"
    if len(sentences) > 1:
        conll["sentences"] = [list(span) for span in sentences]
    if odd:
        conll["odd"] = odd
    if counts:
        conll["dropped"] = dict(counts)
    if not regular:
        conll["tags"] = tag_lists
    conll.update(keep_lines(chunk.rows, chunk.raw_rows, chunk.other, layout))
    if source.bom and chunk.number == 1:
        conll["bom"] = True
    conll.update(keep_raw_rows([text[start:end] for start, end in words], tag_lists, chunk.raw_rows, conll))
    return Document(text, id=chunk.id or f"{source.stem}:{chunk.number}", words=words, entities=entities, meta={KEY: conll})


def _tag(columns: list[str], column: int, dropped: frozenset[str], layout: Layout, counts: Counter[str]) -> str:
    tag = columns[column] if column < len(columns) else OUTSIDE
    parsed = split_tag(tag, layout.scheme == "IO")
    label = tag if parsed is None else parsed[1]
    if label in dropped:
        counts[label] += 1
        return OUTSIDE
    return tag


def _sentence_bounds(chunk: _Chunk) -> list[tuple[int, int]]:
    borders = [0, *chunk.breaks]
    if borders[-1] != len(chunk.rows):
        borders.append(len(chunk.rows))
    return list(pairwise(borders))


def _text_of(
    chunk: _Chunk, layout: Layout, tokens: list[str], bounds: list[tuple[int, int]]
) -> tuple[str, list[Span], list[Span]]:
    """Text, words and sentences, from the texts that the file gives where they agree with its tokens."""
    shown = [token.replace("_", " ") if len(token) > 1 else token for token in tokens] if layout.underscores else tokens
    if chunk.raw_text is not None and (words := locate(tokens, chunk.raw_text)) is not None:
        return chunk.raw_text, words, [(words[first][0], words[last - 1][1]) for first, last in bounds]
    words = []
    sentences: list[Span] = []
    pieces: list[str] = []
    offset = 0
    for first, last in bounds:
        given, spans = _sentence_text(tokens[first:last], shown[first:last], chunk.texts.get(first))
        words += [(start + offset, end + offset) for start, end in spans]
        sentences.append((offset, offset + len(given)))
        pieces.append(given)
        offset += len(given) + 1
    return "\n".join(pieces), words, sentences


def _sentence_text(tokens: list[str], shown: list[str], given: str | None) -> tuple[str, list[Span]]:
    if given is not None:
        # Either may agree: a file's text can hold the underscores of its tokens, or the spaces that they stand for.
        spans = locate(tokens, given) or locate(shown, given)
        if spans:
            return given, spans
    return rebuild(shown)
