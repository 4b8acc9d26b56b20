"""How a CoNLL file is laid out: separator, columns, comments, marks and scheme, found out in one pass over it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from viner.errors import FormatError, UsageError
from viner.formats.conll.tags import OUTSIDE, SCHEMES, Scheme, SchemeFinder, split_tag
from viner.formats.files import Source, strip_line_end

_SPACES = re.compile(" +")
_DIGITS = frozenset("0123456789")
_INDEX = re.compile(r"([0-9]{1,9})([-.][0-9]+)?")
_KEY_VALUE = re.compile(r"#\s*(?:[A-Za-z_][\w.]*(?: \w+)?\s*=|newdoc\s*$)")
_NEW_DOCUMENT = re.compile(r"#\s*newdoc\b")
DOCSTART = "-DOCSTART-"

# A column holds tags when at least this share of its cells are tags: a few junk cells are no reason to look elsewhere.
_TAG_SHARE = 0.8
# A column that holds as many, yet fewer than that, is the tag column of a short file with broken lines.
_HALF = 0.5
# Rows with a number of columns that fewer rows than this share have are suspicious.
_COMMON_SHARE = 0.01
# A first column of numbers is an index when at least this share of them go 1, 2, 3 in each sentence.
_INDEX_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Layout:
    """How the lines of one file are to be read.

    Args:
        separator: Tab, or a space for any run of spaces.
        token_column: Column of the token, from 0.
        tag_columns: Columns of the tags, from 0; each is an entity layer of its own, so that entities may be nested.
        scheme: The scheme of the tags.
        comments: Whether lines that begin with ``#`` and hold no tag are comments.
        marked: Whether the file marks its documents (``-DOCSTART-``, ``# newdoc``).
        widths: Numbers of columns that are common in the file.
        underscores: Whether tokens are segments joined by ``_``, as Vietnamese segmenters write them.
        unread: Further columns that hold tags, such as those of nested entities, or of chunks.
    """

    separator: str
    token_column: int
    tag_columns: tuple[int, ...]
    scheme: Scheme
    comments: bool
    marked: bool
    widths: frozenset[int]
    underscores: bool
    unread: tuple[int, ...] = ()

    def columns(self, line: str) -> list[str]:
        """The cells of a line without its line end."""
        return split_columns(line, self.separator)

    def is_comment(self, line: str, columns: Sequence[str]) -> bool:
        """Whether the line is a comment rather than a token that begins with ``#``."""
        if not self.comments or not line.startswith("#"):
            return False
        return not all(index < len(columns) and split_tag(columns[index]) for index in self.tag_columns)

    def starts_document(self, line: str, columns: Sequence[str]) -> bool:
        """Whether the line marks the start of a document."""
        return columns[0] == DOCSTART or (_NEW_DOCUMENT.match(line) is not None and self.is_comment(line, columns))


def split_columns(line: str, separator: str) -> list[str]:
    """The cells of a line: at each tab, or at each run of spaces."""
    return line.split("\t") if separator == "\t" else _SPACES.split(line.strip(" "))


def is_blank(line: str) -> bool:
    """Whether the line parts sentences: nothing on it but spaces and tabs."""
    return not line.strip(" \t")


class _Survey:
    """Counts over the lines of a file, or of its beginning."""

    def __init__(self, lines: Iterable[str], separator: str | None) -> None:
        tabs = spaces = 0
        expected = 1
        self._rows: dict[str, Counter[int]] = {"\t": Counter(), " ": Counter()}
        self._tags: dict[str, Counter[int]] = {"\t": Counter(), " ": Counter()}
        self._named: dict[str, set[int]] = {"\t": set(), " ": set()}
        self._indices = {"\t": 0, " ": 0}
        self.key_values = 0
        self.new_documents = 0
        self.docstarts = 0
        for line in lines:
            if is_blank(line):
                expected = 1
                continue
            if line.startswith("#") and _KEY_VALUE.match(line):
                self.key_values += 1
                self.new_documents += _NEW_DOCUMENT.match(line) is not None
                continue
            if line.startswith(DOCSTART):
                self.docstarts += 1
                continue
            kind = "\t" if "\t" in line else " "
            tabs += kind == "\t"
            spaces += kind == " "
            columns = split_columns(line, separator or kind)
            self._rows[kind][len(columns)] += 1
            if columns[0] and columns[0][0] in _DIGITS and (index_match := _INDEX.fullmatch(columns[0])):
                self._indices[kind] += int(index_match[1]) == expected
                # The range 1-2 of a contracted token, and an empty node 1.1, stand beside the numbering.
                expected = int(index_match[1]) + (index_match[2] is None)
            tags = self._tags[kind]
            for index in range(1, len(columns)):
                if (tag := split_tag(columns[index])) is not None:
                    tags[index] += 1
                    if tag[1]:
                        self._named[kind].add(index)
        # A lone tab parts sentences in some files, so only lines with something on them say what the separator is.
        self.kind = "\t" if tabs and tabs >= spaces else " "
        self.separator = separator or self.kind

    @property
    def widths(self) -> Counter[int]:
        return self._rows[self.kind]

    @property
    def rows(self) -> int:
        return self.widths.total()

    @property
    def has_index(self) -> bool:
        """Whether the first column counts the tokens of each sentence, so that the token is in the second."""
        return self._indices[self.kind] >= _INDEX_SHARE * self.rows > 0 and any(index >= 2 for index in self._tag_like)

    @property
    def tag_columns(self) -> list[int]:
        first = 2 if self.has_index else 1
        return [index for index in self._tag_like if index >= first]

    @property
    def named_columns(self) -> list[int]:
        """Those that name a label somewhere."""
        return [index for index in self.tag_columns if index in self._named[self.kind]]

    @property
    def best_column(self) -> tuple[int, float]:
        """The column that holds most tags, and the share of rows in which it does."""
        tags = self._tags[self.kind]
        column = max(tags, key=lambda index: tags[index], default=0)
        return column, tags[column] / max(self.rows, 1)

    @property
    def _tag_like(self) -> list[int]:
        return sorted(index for index, count in self._tags[self.kind].items() if count >= _TAG_SHARE * self.rows)


def find_layout(
    source: Source,
    *,
    separator: str | None = None,
    token_column: int | None = None,
    tag_columns: Sequence[int] | None = None,
    scheme: Scheme | None = None,
    comments: bool | None = None,
    segments: str | None = None,
) -> Layout | None:
    """Finds out the layout of a file in two passes over it, what the caller says taken for granted.

    Returns:
        The layout; None for a file without any token.

    Raises:
        UsageError: If an argument has no meaning.
        FormatError: If no column holds tags.
    """
    if scheme is not None and scheme not in SCHEMES:
        raise UsageError(f"unknown tag scheme {scheme!r}", hint=f"Schemes: {', '.join(SCHEMES)}")
    if separator not in (None, "\t", " "):
        raise UsageError(f"the separator must be a tab or a space, not {separator!r}")
    for name, index in (("token_column", token_column), *(("tag_column", index) for index in tag_columns or ())):
        if index is not None and (not isinstance(index, int) or isinstance(index, bool)):
            raise UsageError(f"{name} must be the number of a column, from 0, not {index!r}")
    if comments not in (None, True, False):
        raise UsageError(f"comments must be true or false, not {comments!r}")
    if segments not in (None, "underscore", "syllables", "none"):
        raise UsageError(f"segments must be 'underscore', 'syllables' or 'none', not {segments!r}")
    survey = _Survey((strip_line_end(line) for _, line in source.lines()), separator)
    if not (survey.rows or survey.docstarts or survey.new_documents):
        return None
    columns = survey.tag_columns
    if token_column is None:
        token_column = 1 if survey.has_index else 0
    if tag_columns is None:
        if not columns and survey.rows:
            raise _no_tags(source, survey)
        # Where a column counts the tokens, the outer layer of nested tags comes first; elsewhere part of speech and chunk
        # tags come before the entity tags.
        tag_columns = [columns[0] if survey.has_index else columns[-1]] if columns else [token_column + 1]
    widest = max(survey.widths, default=0)
    tag_columns = [index if index >= 0 else widest + index for index in tag_columns]
    token_column = token_column if token_column >= 0 else widest + token_column
    if not tag_columns or token_column in tag_columns or min(tag_columns) < 0:
        raise UsageError(f"token column {token_column} and tag columns {list(tag_columns)} do not fit {widest} columns")
    if comments is None:
        comments = survey.key_values > 0 or survey.has_index
    draft = Layout(
        survey.separator,
        token_column,
        tuple(tag_columns),
        scheme or "IOB2",
        comments,
        survey.docstarts > 0 or (comments and survey.new_documents > 0),
        frozenset(width for width, count in survey.widths.items() if count >= _COMMON_SHARE * survey.rows),
        segments in ("underscore", "syllables"),
        tuple(index for index in survey.named_columns if index not in tag_columns),
    )
    return _with_tokens_seen(source, draft, find_scheme=scheme is None, find_segments=segments is None)


_UNDERSCORE = re.compile(r"[^\W\d_]_[^\W\d_]")
_UNDERSCORE_SHARE = 0.05


def _with_tokens_seen(source: Source, draft: Layout, *, find_scheme: bool, find_segments: bool) -> Layout:
    if not find_scheme and not find_segments:
        return draft
    finder = SchemeFinder()
    tokens = joined = 0
    tag_column = draft.tag_columns[0]
    last_column = max(tag_column, draft.token_column)
    for _, ended in source.lines():
        line = strip_line_end(ended)
        if is_blank(line) or line.startswith(DOCSTART):
            finder.end_sentence()
            continue
        columns = draft.columns(line)
        if len(columns) <= last_column or (line[0] == "#" and draft.is_comment(line, columns)):
            continue
        finder.add(columns[tag_column])
        tokens += 1
        token = columns[draft.token_column]
        joined += "_" in token and _UNDERSCORE.search(token) is not None
    return Layout(
        draft.separator,
        draft.token_column,
        draft.tag_columns,
        finder.scheme if find_scheme else draft.scheme,
        draft.comments,
        draft.marked,
        draft.widths,
        joined >= _UNDERSCORE_SHARE * tokens > 0 if find_segments else draft.underscores,
        draft.unread,
    )


def _no_tags(source: Source, survey: _Survey) -> FormatError:
    rows = [(number, line) for number, line in _lines(source) if not is_blank(line)]
    column, share = survey.best_column
    broken = [(number, line) for number, line in rows if _is_short(line, survey.separator, column)] if share >= _HALF else []
    if broken:
        number, line = broken[0]
        return FormatError(
            f"no column {column + 1}, which holds the tags of other lines: {shorten(line)}",
            where=source.where(number),
            hint=f"Columns are parted by {'tabs' if survey.separator == chr(9) else 'spaces'}, sentences by blank lines",
        )
    if share >= _HALF and (odd := _odd_among_tags(rows, survey.separator, column)) is not None:
        number, cell = odd
        return FormatError(
            f"no tag: {shorten(cell)} in column {column + 1}, which holds the tags of other lines",
            where=source.where(number),
            hint="Tags are O, or a prefix such as B- or I- and a label",
        )
    if (otherwise := _otherwise(rows, survey.separator)) is not None:
        number, cell = otherwise
        return FormatError(
            f"the tag {shorten(cell)} is written otherwise than B-PER: nothing is read from it",
            where=source.where(number),
            hint="Write tags as O, or as a capital letter, a hyphen and the label, in this order; as bare labels (scheme=IO)"
            " they would tear entities apart",
        )
    widths = ", ".join(str(width) for width, _ in survey.widths.most_common(3))
    return FormatError(
        f"no column holds entity tags such as O and B-PER (columns a line: {widths}): {shorten(rows[0][1])}",
        where=source.where(rows[0][0]),
        hint="Tags that are bare labels are read with --option tag_column=1 --option scheme=IO (columns count from 0; in "
        "Python: tag_column=1, scheme='IO'); a table of texts is no CoNLL file: take out its texts, as in: cut -f 3 FILE",
    )


_OTHERWISE = re.compile(r"[bieslu][-_].+|[BIESLU]_.+|.+[-_][BIESLU]", re.DOTALL)
"""Tags in spellings that others use: ``b-per``, ``B_PER``, ``PER-B``."""


def _otherwise(rows: Iterable[tuple[int, str]], separator: str) -> tuple[int, str] | None:
    """The first tag, with its line, of last cells that are all ``O`` or such a spelling, begin entities and continue them."""
    first: tuple[int, str] | None = None
    outside = False
    letters: set[str] = set()
    for number, line in rows:
        cell = split_columns(line, separator)[-1]
        if line.startswith((DOCSTART, "#")):
            continue
        if cell.upper() == OUTSIDE:
            outside = True
        elif _OTHERWISE.fullmatch(cell):
            first = first or (number, cell)
            letters.add((cell[0] if cell[1] in "-_" and cell[0].upper() in "BIESLU" else cell[-1]).upper())
        else:
            return None
    return first if outside and "B" in letters else None


def _odd_among_tags(rows: Iterable[tuple[int, str]], separator: str, column: int) -> tuple[int, str] | None:
    """The first cell of a column that is no tag, with its line; None if all tags are ``O``: it might hold labels alone."""
    odd: tuple[int, str] | None = None
    prefixed = False
    for number, line in rows:
        cells = split_columns(line, separator)
        if line.startswith((DOCSTART, "#")) or len(cells) <= column:
            continue
        tag = split_tag(cells[column])
        if tag is None:
            odd = odd or (number, cells[column])
        else:
            prefixed = prefixed or bool(tag[1])
    return odd if prefixed else None


def _lines(source: Source) -> Iterator[tuple[int, str]]:
    return ((number, strip_line_end(line)) for number, line in source.lines())


def _is_short(line: str, separator: str, column: int) -> bool:
    return not line.startswith((DOCSTART, "#")) and len(split_columns(line, separator)) <= column


def shorten(line: str, length: int = 60) -> str:
    """The line in quotes for a message, its end left out where it is long."""
    return repr(line if len(line) <= length else line[: length - 1] + "…")


def looks_like_conll(head: str) -> bool:
    """Whether the beginning of a file has columns, one of them tags.

    A word of a plain text may be a tag by chance (``E-mail``, ``B-12``, ``máu O``), so one line is not enough, and where no row
    is ``O``, all must be tags of labels such as names have.
    """
    lines = [line.removesuffix("\r") for line in head.split("\n", 400)]
    lines = lines[:-1] if len(lines) > 1 else lines
    survey = _Survey(lines, None)
    if survey.rows == 0 or not survey.tag_columns or survey.widths.most_common(1)[0][1] < _TAG_SHARE * survey.rows:
        return False
    if survey.docstarts or survey.new_documents:
        return True
    rows = [split_columns(line, survey.separator) for line in lines if not is_blank(line)]
    cells = [[row[index] for row in rows if index < len(row)] for index in survey.tag_columns]
    return survey.rows > 1 and any(OUTSIDE in column or all(map(_names_label, column)) for column in cells)


def _names_label(cell: str) -> bool:
    """Whether a cell is a tag whose label begins with a capital letter."""
    tag = split_tag(cell)
    return tag is not None and tag[1][:1].isupper()
