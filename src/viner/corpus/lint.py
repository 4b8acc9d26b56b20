"""Finding annotations that will not train, score or publish well."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viner.conll_meta import conll_of
from viner.corpus.reviewed import is_partial, reviewed_spans
from viner.corpus.sentences import FileLines, sentences_of
from viner.document import Document, Entity, Span
from viner.errors import InputError
from viner.schema import ENTITIES, Schema
from viner.text import Segmenter, nfc, segment_words, words_of

SHORTEST_LEAK = 5
"""Sentences of fewer words stand in several splits by chance and are no leak."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One doubtful annotation.

    Args:
        code: What kind of problem, for programs: "cuts-word", "no-word", "cuts-segment", "crossing", "nested", "duplicate",
            "two-labels", "space-edge", "unknown-label", "new-label", "odd-tag", "repeated-id", "leak", "partial",
            "bad-reviewed".
        message: The problem for people, with the surface concerned.
        document: Id of the document.
        file: Name of the file or split, where several are looked at.
        line: Line in the file, where known.
    """

    code: str
    message: str
    document: str | None = None
    file: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        place = self.file or ""
        if self.line is not None:
            place = f"{place or 'line'}:{self.line}"
        if self.document is not None:
            place = f"{place} ({self.document})" if place else self.document
        return f"{place}: {self.message} [{self.code}]" if place else f"{self.message} [{self.code}]"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form without empty fields."""
        fields = {"code": self.code, "message": self.message, "document": self.document, "file": self.file, "line": self.line}
        return {key: value for key, value in fields.items() if value is not None}


def lint(
    documents: Iterable[Document] | Mapping[str, Iterable[Document]],
    schema: Schema | None = None,
    *,
    segmenter: Segmenter | None = None,
) -> Iterator[Finding]:
    """Yields what is doubtful in documents, one document after the other.

    Args:
        documents: The documents of one file, or those of several splits by name; only the latter can show leaks.
        schema: Labels outside of its entity layer are reported. None takes any label of the first split, and reports others
            once for each later split.
        segmenter: Groups words into segments; entities that begin or end inside one are reported, since a model that reads
            its segments cannot find them.

    Models are scored on every split but the first, so documents that are annotated only in part are reported there.
    """
    splits = documents if isinstance(documents, Mapping) else {None: documents}
    known = None if schema is None or all(layer.name != ENTITIES for layer in schema) else frozenset(schema[ENTITIES].names)
    leaks = _Leaks()
    first = next(iter(splits), None)
    learned: set[str] = set()
    for index, (name, members) in enumerate(splits.items()):
        ids: set[str] = set()
        new: set[str] = set()
        for document in members:
            lines = FileLines(document)
            if document.id is not None:
                if document.id in ids:
                    yield Finding("repeated-id", "an earlier document has the same id", document.id, name, lines.at())
                ids.add(document.id)
            if is_partial(document):
                yield from _partial(document, lines, name, whole=index > 0)
            for code, message, offset in _in_document(document, known, segmenter):
                yield Finding(code, message, document.id, name, lines.at(offset))
            for entity in document.entities or () if known is None else ():
                if index == 0:
                    learned.add(entity.label)
                elif entity.label not in learned and entity.label not in new:
                    new.add(entity.label)
                    message = f"{_show(entity)} has a label that {first} has nowhere"
                    yield Finding("new-label", message, document.id, name, lines.at(entity.start))
            for line, tag, what in (conll_of(document) or {}).get("odd", ()):
                yield Finding("odd-tag", f"the tag {tag!r} {what}", document.id, name, line)
            if name is not None and len(splits) > 1:
                yield from leaks.add(document, lines, name)


def _partial(document: Document, lines: FileLines, split: str | None, *, whole: bool) -> Iterator[Finding]:
    try:
        reviewed_spans(document)
    except InputError as error:
        yield Finding("bad-reviewed", f"{error.where}: {error.message}", document.id, split, lines.at())
        return
    if whole:
        message = "the document is annotated only in part, and what nobody looked at cannot be scored"
        yield Finding("partial", message, document.id, split, lines.at())


def _in_document(
    document: Document, known: frozenset[str] | None, segmenter: Segmenter | None
) -> Iterator[tuple[str, str, int]]:
    """Yields code, message and offset."""
    entities = sorted(document.entities or (), key=lambda entity: (entity.start, -entity.end, entity.label))
    if not entities:
        return
    words = words_of(document)
    starts = [start for start, _ in words]
    begins, ends = set(starts), {end for _, end in words}
    segments = [] if segmenter is None else segment_words(document.text, words, segmenter)
    segment_starts = [start for start, _ in segments]
    for entity in entities:
        if known is not None and entity.label not in known:
            yield "unknown-label", f"{_show(entity)} has a label that the schema does not know", entity.start
        surface = document.text[entity.start : entity.end]
        if surface != surface.strip():
            yield "space-edge", f"{_show(entity)} begins or ends with a space", entity.start
        for verb, offset, borders, sign in (
            ("begins", entity.start, begins, surface[:1]),
            ("ends", entity.end, ends, surface[-1:]),
        ):
            word = _around(words, starts, offset)
            if word is not None:
                yield "cuts-word", f"{_show(entity)} {verb} inside the word {document.text[slice(*word)]!r}", entity.start
                continue
            if offset not in borders and not sign.isspace():  # else it is told of the space
                yield "no-word", f"{_show(entity)} {verb} outside of all words", entity.start
                continue
            segment = _around(segments, segment_starts, offset)
            if segment is not None:
                shown = document.text[slice(*segment)]
                yield "cuts-segment", f"{_show(entity)} {verb} inside the segment {shown!r}", entity.start
    yield from _overlaps(entities)


def _overlaps(entities: list[Entity]) -> Iterator[tuple[str, str, int]]:
    open_entities: list[Entity] = []
    for entity in entities:
        open_entities = [other for other in open_entities if other.end > entity.start]
        for other in open_entities:
            pair = f"{_show(entity)} and {_show(other)}"
            if (other.start, other.end) == (entity.start, entity.end):
                if other.label == entity.label:
                    yield "duplicate", f"{_show(entity)} is annotated twice", entity.start
                else:
                    yield "two-labels", f"{pair} are the same span", entity.start
            elif entity.end > other.end:
                yield "crossing", f"{pair} cross", entity.start
            else:
                yield "nested", f"{_show(entity)} lies inside {_show(other)}, which alone flat heads learn", entity.start
        open_entities.append(entity)


def _around(words: Sequence[Span], starts: list[int], offset: int) -> Span | None:
    """The word that an offset cuts, if any."""
    index = bisect_right(starts, offset) - 1
    if index < 0:
        return None
    start, end = words[index]
    return (start, end) if start < offset < end else None


def _show(entity: Entity) -> str:
    surface = entity.text or ""
    return f"{entity.label} {surface if len(surface) <= 40 else surface[:39] + '…'!r} [{entity.start}, {entity.end}]"


class _Leaks:
    """Sentences that stand in more than one split. It keeps a hash and a place of each sentence."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, str | None]] = {}
        self._reported: set[tuple[int, str]] = set()

    def add(self, document: Document, lines: FileLines, split: str) -> Iterator[Finding]:
        words = words_of(document)
        starts = [start for start, _ in words]
        for start, end in sentences_of(document):
            members = words[bisect_left(starts, start) : bisect_left(starts, end)]
            if len(members) < SHORTEST_LEAK:
                continue
            key = hash(tuple(nfc(document.text[first:last]) for first, last in members))
            place = self._seen.setdefault(key, (split, document.id))
            if place[0] != split and (key, split) not in self._reported:
                self._reported.add((key, split))
                sentence = document.text[start:end]
                shown = sentence if len(sentence) <= 60 else sentence[:59] + "…"
                other = place[0] if place[1] is None else f"{place[0]} ({place[1]})"
                message = f"the sentence {shown!r} stands in {other} too"
                yield Finding("leak", message, document.id, split, lines.at(start))
