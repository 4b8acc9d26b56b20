"""Writing CoNLL files: the very same lines for documents that came from one, token and tag for all others."""

from __future__ import annotations

import json
import re
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, pairwise
from typing import Any

from viner.conll_meta import KEY, conll_of
from viner.document import Document, Entity, Span
from viner.errors import UsageError
from viner.formats.conll.layout import DOCSTART, is_blank
from viner.formats.conll.lines import RAW_TEXT, UNFINISHED, other_lines, render_rows, sentence_bounds
from viner.formats.conll.spacing import rebuild, safe
from viner.formats.conll.tags import SCHEMES, Scheme, TagSpan, decode, encode
from viner.formats.files import BOM
from viner.formats.report import WriteReport
from viner.text import split_words

_NEEDED = {"rows", "separator", "scheme", "token_column", "tag_columns"}
_UNLIKE = "documents of unlike files are written as tokens and tags alone"
_OTHER_WORDS = "a document whose words are not those of its file's lines is written as tokens and tags alone"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BREAK = re.compile(r"[\t\n\0]|\r\Z")
_MARK = re.compile(rf"{DOCSTART}|#\s*newdoc\b")


def write(
    documents: Iterable[Document],
    sink: Callable[[str], None],
    report: WriteReport,
    *,
    scheme: Scheme = "IOB2",
    comments: bool = True,
) -> None:
    """Writes documents as CoNLL.

    Documents that were read from CoNLL and still have their words give back their lines as they were, with new tags in the
    sentences whose entities changed, if one file can hold them all. Else, and for any other, each document gives ``token TAB
    tag`` for its words, a sentence a line of its text, and comments from which the reader gets the exact text and id again.

    Args:
        documents: Consumed one by one. If the first one comes from CoNLL, all are laid aside on the disk before any is written.
        sink: Takes the text.
        report: Counts entities that the tags cannot say: those inside or across others, those that cut words.
        scheme: Tag scheme of documents that do not bring one.
        comments: Whether to write ``# newdoc id =`` and ``# text =``; without them id and spacing are lost.
    """
    if scheme not in SCHEMES:
        raise UsageError(f"unknown tag scheme {scheme!r}", hint=f"Schemes: {', '.join(SCHEMES)}")
    with _looked_through(documents) as (found, alike):
        _write(found, sink, report, scheme, comments, alike=alike)


def _write(
    documents: Iterable[Document],
    sink: Callable[[str], None],
    report: WriteReport,
    scheme: Scheme,
    comments: bool,
    *,
    alike: bool,
) -> None:
    previous = "\n"
    marked = False
    for index, document in enumerate(documents):
        told = conll_of(document)
        own = _kept(document, told)
        kept = own if alike else None
        lines = _fresh(document, report, scheme, comments) if kept is None else _again(document, kept, report)
        if index == 0 and kept is not None and kept.get("bom"):
            sink(BOM)
        elif index == 0 and lines and lines[0].startswith(BOM):
            sink(BOM)  # readers take the first one off
        if lines and not _MARK.match(lines[0]):
            if marked:
                lines.insert(0, _mark(document, report))
            elif not is_blank(previous.rstrip("\r\n")):
                lines.insert(0, "")
        if not previous.endswith("\n"):
            sink("\n")
        marked = marked or (kept is None and comments)
        unfinished = kept is not None and any(position == UNFINISHED for position, _ in other_lines(kept))
        if lines:
            sink("\n".join(lines) + ("" if unfinished else "\n"))
            previous = lines[-1] + ("" if unfinished else "\n")
        report.documents += 1
        report.lose_layers(document, "tags", "labels", "relations", "suggestions")
        report.lose_state(document)
        if kept is None and told is not None and "spare" in told:
            report.lose(document, "other columns", _OTHER_WORDS if own is None else _UNLIKE)
        if set(document.meta) - {KEY} or (told is None and KEY in document.meta):
            report.lose(document, "meta", "the format has no place for meta")


@contextmanager
def _looked_through(documents: Iterable[Document]) -> Iterator[tuple[Iterable[Document], bool]]:
    """The documents, and whether one file can hold the lines that all of them came with.

    It cannot if separator, scheme or columns differ, if some have no lines, or if only some mark where a document begins.
    """
    waiting = iter(documents)
    first = next(waiting, None)
    if first is None or (kept := _kept(first, conll_of(first))) is None:
        yield ([] if first is None else chain([first], waiting)), False
        return
    layout, first_is_marked = _layout(kept), _is_marked(kept)
    alike, marked = True, set()
    with tempfile.TemporaryFile() as aside:
        aside.write(first.to_json().encode() + b"\n")
        for document in waiting:
            aside.write(document.to_json().encode() + b"\n")
            other = _kept(document, conll_of(document)) if alike else None
            alike = other is not None and _layout(other) == layout
            if other is not None:
                marked.add(_is_marked(other))
        aside.seek(0)
        # What stands before the first mark of a file is a document without one.
        alike = alike and marked in (set(), {True}, {first_is_marked})
        yield (Document.from_dict(json.loads(line)) for line in aside), alike


def _layout(kept: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the documents of one file have in common."""
    columns = (kept["token_column"], *kept["tag_columns"])
    return kept["separator"], kept["scheme"], kept.get("segments"), columns


def _is_marked(kept: Mapping[str, Any]) -> bool:
    return any(_MARK.match(line) for _, line in other_lines(kept))


def _kept(document: Document, kept: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """What the reader kept of the document's lines, if it is enough to write them and the words are still theirs."""
    if kept is None or not kept.keys() >= _NEEDED or document.words is None or kept["rows"] != len(document.words):
        return None
    columns = kept["tag_columns"]
    laid_out = columns and len({*columns, kept["token_column"]}) == len(columns) + 1 and kept["scheme"] in SCHEMES
    return kept if laid_out and kept.get("tags", {}).keys() in (set(), {str(column) for column in columns}) else None


def _again(document: Document, kept: Mapping[str, Any], report: WriteReport) -> list[str]:
    words = document.words or ()
    spans = _word_spans(document, words, report)
    tags = _tags_again(document, kept, spans, report)
    rows = render_rows([document.text[start:end] for start, end in words], tags, kept)
    lines: list[str] = []
    last = 0
    for position, line in other_lines(kept):
        if position == UNFINISHED:
            continue
        lines += rows[last:position]
        lines.append(line)
        last = position
    return lines + rows[last:]


def _tags_again(
    document: Document, kept: Mapping[str, Any], spans: list[tuple[TagSpan, Entity]], report: WriteReport
) -> dict[str, list[str]]:
    """Tags for each tag column: the file's own where they still say the entities of their sentence, new ones elsewhere."""
    scheme: Scheme = kept["scheme"]
    columns = [str(column) for column in kept["tag_columns"]]
    original: Mapping[str, list[str]] = kept.get("tags", {})
    tags: dict[str, list[str]] = {column: [] for column in columns}
    bounds = sentence_bounds(kept)
    starts = [first for first, _ in bounds]
    by_sentence: list[list[tuple[TagSpan, Entity]]] = [[] for _ in bounds]
    for span, entity in spans:
        sentence = bisect_right(starts, span[0]) - 1
        if span[1] > bounds[sentence][1]:
            report.lose_entity(document, entity, "it runs over a sentence border")
        else:
            by_sentence[sentence].append((span, entity))
    for (first, last), found in zip(bounds, by_sentence, strict=True):
        local = [((start - first, end - first, label), entity) for (start, end, label), entity in found]
        if original:
            slices = [original[column][first:last] for column in columns]
            said = sorted(span for cells in slices for span in decode(cells, scheme))
            if said == sorted(span for span, _ in local):
                report.entities += len(local)
                for column, cells in zip(columns, slices, strict=True):
                    tags[column] += cells
                continue
        local = _sayable(local, kept["separator"], document, report)
        for column in columns:
            chosen, local = _disjoint(local)
            chosen = _parted(chosen, scheme, document, report)
            report.entities += len(chosen)
            tags[column] += encode([span for span, _ in chosen], last - first, scheme)
        for _, entity in local:
            report.lose_entity(document, entity, "it lies in or across another entity")
    return tags


def _word_spans(document: Document, words: Sequence[Span], report: WriteReport) -> list[tuple[TagSpan, Entity]]:
    """The entities as spans of words; those that cut words are reported."""
    starts = [start for start, _ in words]
    ends = [end for _, end in words]
    found = []
    for entity in document.entities or ():
        first, last = bisect_left(starts, entity.start), bisect_left(ends, entity.end)
        if first < len(starts) and last < len(ends) and starts[first] == entity.start and ends[last] == entity.end:
            found.append(((first, last + 1, entity.label), entity))
        else:
            report.lose_entity(document, entity, "it begins or ends inside a word")
    return found


def _sayable(
    spans: list[tuple[TagSpan, Entity]], separator: str, document: Document, report: WriteReport
) -> list[tuple[TagSpan, Entity]]:
    """Those whose label a tag can hold; others are reported."""
    kept = []
    for span, entity in spans:
        if separator in entity.label or _BREAK.search(entity.label):
            report.lose_entity(document, entity, "its label holds what parts columns or lines")
        else:
            kept.append((span, entity))
    return kept


def _disjoint(
    spans: list[tuple[TagSpan, Entity]],
) -> tuple[list[tuple[TagSpan, Entity]], list[tuple[TagSpan, Entity]]]:
    """Splits spans into disjoint ones, the outermost first chosen, and the rest."""
    chosen: list[tuple[TagSpan, Entity]] = []
    rest: list[tuple[TagSpan, Entity]] = []
    end = 0
    for item in sorted(spans, key=lambda item: (item[0][0], -item[0][1])):
        if item[0][0] >= end:
            chosen.append(item)
            end = item[0][1]
        else:
            rest.append(item)
    return chosen, rest


def _parted(
    spans: list[tuple[TagSpan, Entity]], scheme: Scheme, document: Document, report: WriteReport
) -> list[tuple[TagSpan, Entity]]:
    """Those that stay apart under the scheme: bare labels make one of two that touch, of which the second is reported."""
    if scheme != "IO":
        return spans
    kept: list[tuple[TagSpan, Entity]] = []
    for span, entity in spans:
        if kept and kept[-1][0][1:] == (span[0], span[2]):
            report.lose_entity(document, entity, "bare labels cannot part it from the entity before it")
        else:
            kept.append((span, entity))
    return kept


def _without_mark(text: str, word: Span) -> list[Span]:
    """A word, in two parts where it would be read as the mark between documents."""
    start, end = word
    inside = start + len(DOCSTART) - 1
    return [(start, inside), (inside, end)] if text.startswith(DOCSTART, start, end) else [word]


def _fresh(document: Document, report: WriteReport, scheme: Scheme, comments: bool) -> list[str]:
    text = document.text
    words = _all_words(document)
    if any(text.startswith(DOCSTART, start, end) for start, end in words):
        words = [part for word in words for part in _without_mark(text, word)]
        report.lose(document, "words", f"a word {DOCSTART} would begin a document, and is written as two")
    chosen, rest = _disjoint(_sayable(_word_spans(document, words, report), "\t", document, report))
    for _, entity in rest:
        report.lose_entity(document, entity, "it lies in or across another entity")
    chosen = _parted(chosen, scheme, document, report)
    report.entities += len(chosen)
    spans = [span for span, _ in chosen]
    bounds = _lines_as_sentences(text, words, spans)
    lines = [_mark(document, report)] if comments else []
    given = [text[words[first][0] : words[last - 1][1]] for first, last in bounds]
    simple = bool(given) and "\n".join(given) == text and not any(_CONTROL.search(sentence) for sentence in given)
    if comments and not simple:
        lines.append(RAW_TEXT + json.dumps(text, ensure_ascii=False))
    tags = encode(spans, len(words), scheme)
    for (first, last), sentence in zip(bounds, given, strict=True):
        tokens = [safe(text[start:end]) for start, end in words[first:last]]
        if comments and simple:
            lines.append(f"# text = {sentence}")
        elif not comments and rebuild(tokens)[0] != sentence:
            report.lose(document, "spacing", "without comments the spaces between tokens are not told")
        lines += [f"{token}\t{tag}" for token, tag in zip(tokens, tags[first:last], strict=True)]
        lines.append("")
    if lines and lines[-1]:
        lines.append("")
    return lines


def _all_words(document: Document) -> list[Span]:
    """The words of a document, and those of what they leave out: without them its text could not be read back."""
    text = document.text
    if document.words is None:
        return list(split_words(text))
    words: list[Span] = []
    end = 0
    for start, stop in (*document.words, (len(text), len(text))):
        if text[end:start].strip():
            words += [(first + end, last + end) for first, last in split_words(text[end:start])]
        if start < stop:
            words.append((start, stop))
        end = stop
    return words


def _lines_as_sentences(text: str, words: Sequence[Span], spans: Sequence[TagSpan]) -> list[tuple[int, int]]:
    """Bounds in words of the text's lines; a line end inside an entity parts nothing."""
    inside = {index for start, end, _ in spans for index in range(start + 1, end)}
    borders = [0]
    for index in range(1, len(words)):
        if index not in inside and "\n" in text[words[index - 1][1] : words[index][0]]:
            borders.append(index)
    borders.append(len(words))
    return list(pairwise(borders)) if words else []


def _mark(document: Document, report: WriteReport) -> str:
    name = document.id
    if name is None:
        return "# newdoc"
    if not name or name != name.strip() or _CONTROL.search(name):
        report.lose(document, "id", "an id that is empty, begins or ends with a space or holds a line end cannot be told")
        return "# newdoc"
    return f"# newdoc id = {name}"
