"""Labeling every occurrence of a surface at once, in all documents: looked at first, then one event that can be taken back."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from viner.errors import InputError
from viner.project import Dictionary
from viner.rules.dictionaries import DictionaryMatcher, Hit
from viner.store import RefusedError, StoredEntity
from viner.store.delta import Delta
from viner.store.reading import unflatten
from viner.store.tables import contents, documents, entities
from viner.store.transaction import batches
from viner.store.values import LABEL_LIMIT
from viner.text import nfc, split_words, tone_style

if TYPE_CHECKING:
    from viner.store import Store

SAMPLES = 20
AROUND = 40
"""Code points shown before and after a sample."""
SOURCE = "everywhere"
"""How the source of suggestions begins. Suggesters take them for imported ones, which stay until somebody decides."""

_PAGE = 500
_CHARACTERS = 2_000_000
"""A page of texts ends at either number."""
_BATCH = 100


@dataclass(frozen=True, slots=True)
class LabelAll:
    """What is to be labeled.

    A surface is found where its words stand as whole words. They are compared as dictionaries compare them: NFC or decomposed,
    with the tone mark on either vowel (*Hòa*, *Hoà*), with any white space between them. The entity has the text as it is.

    Args:
        surface: The text to find.
        label: The label to give.
        match_case: Whether case matters.
        statuses: Only documents of these statuses. Done ones are meant only by saying so.
        splits: Only documents of these splits. Test is meant only by saying so.
        as_suggestions: Whether occurrences are only suggested, for people to decide on. No document is begun by that, and what
            is done stays done.
    """

    surface: str
    label: str
    match_case: bool = True
    statuses: tuple[str, ...] = ("todo", "started")
    splits: tuple[str, ...] = ("train", "dev")
    as_suggestions: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "surface": self.surface,
            "label": self.label,
            "match_case": self.match_case,
            "statuses": list(self.statuses),
            "splits": list(self.splits),
            "as_suggestions": self.as_suggestions,
        }

    @property
    def source(self) -> str:
        """What its suggestions have as source: it names the text that was looked for."""
        return f"{SOURCE}: {' '.join(self.surface.split())}"[:LABEL_LIMIT]


@dataclass(frozen=True, slots=True)
class Sample:
    """One occurrence in its surroundings."""

    id: str
    before: str
    surface: str
    after: str

    def to_dict(self) -> dict[str, str]:
        """The JSON form."""
        return {"id": self.id, "before": self.before, "surface": self.surface, "after": self.after}


@dataclass(frozen=True, slots=True)
class Preview:
    """What :func:`apply` would do.

    Args:
        documents: Documents that would change.
        matches: Entities that would be accepted, or suggested.
        already: Occurrences left alone, since they lie in an accepted entity of the label, or a person rejected it there; where
            they are to be suggested also those that are.
        otherwise: Occurrences left alone, since they are an accepted entity of another label.
        samples: Some of the matches.
    """

    documents: int
    matches: int
    already: int
    otherwise: int
    samples: tuple[Sample, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "documents": self.documents,
            "matches": self.matches,
            "already": self.already,
            "otherwise": self.otherwise,
            "samples": [sample.to_dict() for sample in self.samples],
        }


@dataclass(frozen=True, slots=True)
class Labeled:
    """What :func:`apply` did: documents changed, entities accepted or suggested, whether it had been done before."""

    documents: int
    matches: int
    replayed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"documents": self.documents, "matches": self.matches, "replayed": self.replayed}


def preview(store: Store, request: LabelAll, *, samples: int = SAMPLES) -> Preview:
    """Says what labeling everywhere would do, and changes nothing.

    All documents of the splits and statuses are read, a page at a time.

    Raises:
        RefusedError: If the schema does not know the label, or the surface has no word.
    """
    finder = _Finder(request)
    touched = matches = already = otherwise = 0
    shown: list[Sample] = []
    with store.reading() as connection:
        finder.check(store.schema()[0].entity_labels)
        for page in _pages(connection, request):
            texts = {document.number: document for document in page}
            for number, hits, covered, others in finder.decide(connection, finder.find_all(page)):
                touched += bool(hits)
                matches += len(hits)
                already += covered
                otherwise += others
                shown += [_sample(texts[number], hit) for hit, _ in hits[: samples - len(shown)]]
    return Preview(touched, matches, already, otherwise, tuple(shown))


def apply(
    store: Store, request: LabelAll, *, operation: str, who: str, progress: Callable[[int], None] | None = None
) -> Labeled:
    """Labels every occurrence: one event, which :meth:`Store.undo <viner.store.Store.undo>` takes back.

    A suggestion with the very span and label is accepted; otherwise an accepted entity is added, unless there is one of another
    label on the very span: no span gets a second label unseen. Documents that were to do are begun by it. Where occurrences are
    only to be suggested, suggestions are added, and nothing else of a document changes.
    Texts are searched before other writers are held up; these wait only while the documents found are changed.

    Args:
        store: The store.
        request: What to label.
        operation: Id of the operation; sent again, it is not done again.
        who: Who does it.
        progress: Told how many documents were changed since it was told last.

    Raises:
        RefusedError: If the schema does not know the label, the surface has no word, or the id was used for something else.
    """
    finder = _Finder(request)
    found: dict[int, list[Hit]] = {}
    with store.reading() as connection:
        for page in _pages(connection, request):
            found |= finder.find_all(page)  # stays true: a text never changes, and no number comes again
    matches = 0
    with store.transaction(exclusive=True) as transaction:
        event = transaction.event(operation, who=who, kind="label-all", body=request.to_dict())
        if event.answer is not None:
            return Labeled(event.answer.documents, 0, replayed=True)
        finder.check(transaction.schema()[0].entity_labels)
        for some in batches(found, _BATCH):
            statuses = _statuses(transaction.connection, request, some)
            deltas = {}
            for number, hits, *_ in finder.decide(transaction.connection, {number: found[number] for number in statuses}):
                if hits:
                    deltas[number] = _delta(statuses[number], hits, request, who)
                    matches += len(hits)
            event.apply(deltas)
            if progress is not None:
                progress(len(deltas))
        saved = event.finish()
    return Labeled(saved.documents, matches)


@dataclass(frozen=True, slots=True)
class _Text:
    """A document as it is searched."""

    number: int
    id: str
    text: str
    words: list[tuple[int, int]] | None


class _Finder:
    """Finds the surface of a request in texts."""

    def __init__(self, request: LabelAll) -> None:
        self._label = request.label
        self._suggests = request.as_suggestions
        try:
            self._matcher = DictionaryMatcher([Dictionary(request.label, (request.surface,), not request.match_case)])
        except InputError as error:
            raise RefusedError(
                error.message.replace("the term", "the text to find"), where="surface", hint=error.hint
            ) from None
        self._folds = not request.match_case
        # A look at the longest word spares most texts being cut into words.
        longest = max((request.surface[start:end] for start, end in split_words(request.surface)), key=len)
        word = nfc(longest.casefold() if self._folds else longest)
        self._spellings = {word, tone_style(word, "old"), tone_style(word, "new")}

    def check(self, labels: Sequence[str]) -> None:
        if self._label not in labels:
            raise RefusedError(
                f"the schema has no entity label {self._label!r}", where="label", hint=f"Known: {', '.join(labels) or 'none'}"
            )

    def find_all(self, page: Sequence[_Text]) -> dict[int, list[Hit]]:
        """The occurrences of each document that has some, by its number."""
        return {document.number: hits for document in page if (hits := self._find(document))}

    def _find(self, document: _Text) -> list[Hit]:
        view = nfc(document.text.casefold() if self._folds else document.text)
        if not any(spelling in view for spelling in self._spellings):
            return []
        return sorted(self._matcher.find(document.text, document.words))

    def decide(
        self, connection: Connection, found: Mapping[int, list[Hit]]
    ) -> Iterator[tuple[int, list[tuple[Hit, StoredEntity | None]], int, int]]:
        """For each document, by its number, those of its occurrences to label, each with the suggestion that says the same.

        Beside them how many are decided on already, and how many are of another label.
        """
        held: dict[int, list[StoredEntity]] = {number: [] for number in found}
        meant = (entities.c.label == self._label) | (entities.c.state == "accepted")
        statement = select(entities).where(entities.c.document.in_(found), meant)
        for row in connection.execute(statement):
            held[row.document].append(StoredEntity(row.id, row.start, row.end, row.label, row.state, row.score, row.source))
        for number, hits in found.items():
            own = [entity for entity in held[number] if entity.label == self._label]
            others = {(entity.start, entity.end) for entity in held[number] if entity.label != self._label}
            undecided = _undecided(hits, own)
            chosen = [(hit, suggestion) for hit, suggestion in undecided if (hit.start, hit.end) not in others]
            otherwise = len(undecided) - len(chosen)
            if self._suggests:
                chosen = [(hit, suggestion) for hit, suggestion in chosen if suggestion is None]
            yield number, chosen, len(hits) - len(chosen) - otherwise, otherwise


def _undecided(hits: Sequence[Hit], held: Sequence[StoredEntity]) -> list[tuple[Hit, StoredEntity | None]]:
    """Occurrences that lie in no accepted entity and were not rejected. Linear: hits do not overlap and are in order."""
    accepted = sorted((entity.start, entity.end) for entity in held if entity.state == "accepted")
    rejected = {(entity.start, entity.end) for entity in held if entity.state == "rejected"}
    suggested = {(entity.start, entity.end): entity for entity in held if entity.state == "suggested"}
    chosen = []
    next_one, reach = 0, 0
    for hit in hits:
        while next_one < len(accepted) and accepted[next_one][0] <= hit.start:
            reach = max(reach, accepted[next_one][1])
            next_one += 1
        if reach < hit.end and (hit.start, hit.end) not in rejected:
            chosen.append((hit, suggested.get((hit.start, hit.end))))
    return chosen


def _delta(status: str, hits: Sequence[tuple[Hit, StoredEntity | None]], request: LabelAll, who: str) -> Delta:
    if request.as_suggestions:
        suggested = [
            StoredEntity(uuid.uuid4().hex, hit.start, hit.end, request.label, "suggested", source=request.source)
            for hit, _ in hits
        ]
        return Delta({entity.id: entity for entity in suggested})
    changed: dict[str, StoredEntity | None] = {}
    for hit, suggestion in hits:
        key = uuid.uuid4().hex if suggestion is None else suggestion.id
        score, source = (None, None) if suggestion is None else (suggestion.score, suggestion.source)
        changed[key] = StoredEntity(key, hit.start, hit.end, request.label, "accepted", score, source)
    fields = {"annotator": who} | ({"status": "started"} if status == "todo" else {})
    return Delta(changed, fields=fields)


def _pages(connection: Connection, request: LabelAll) -> Iterator[list[_Text]]:
    """All documents asked for, a page at a time."""
    for split, status in itertools.product(dict.fromkeys(request.splits), dict.fromkeys(request.statuses)):
        after = 0
        while True:
            stretch = (documents.c.split == split, documents.c.status == status, documents.c.number > after)
            page = _read(connection, *stretch)
            if not page:
                break
            yield page
            after = page[-1].number


def _read(connection: Connection, *asked: Any) -> list[_Text]:
    """Documents in order, as many as make a page."""
    statement = (
        select(documents.c.number, documents.c.id, contents.c.text, contents.c.words)
        .join(contents, contents.c.document == documents.c.number)
        .where(*asked)
        .order_by(documents.c.number)
        .limit(_PAGE)
        .execution_options(yield_per=50)
    )
    page: list[_Text] = []
    length = 0
    rows = connection.execute(statement)
    for row in rows:
        words = None if row.words is None else unflatten(row.words)
        page.append(_Text(row.number, row.id, row.text, words))
        length += len(row.text)
        if length >= _CHARACTERS:
            break
    rows.close()
    return page


def _statuses(connection: Connection, request: LabelAll, numbers: Sequence[int]) -> dict[int, str]:
    """The status of each of these documents, by number and in order, that is still there and still asked for."""
    statement = (
        select(documents.c.number, documents.c.status)
        .where(documents.c.number.in_(numbers), documents.c.split.in_(request.splits), documents.c.status.in_(request.statuses))
        .order_by(documents.c.number)
    )
    return {row.number: row.status for row in connection.execute(statement)}


def _sample(document: _Text, hit: Hit) -> Sample:
    text = document.text
    return Sample(
        document.id,
        text[max(0, hit.start - AROUND) : hit.start],
        text[hit.start : hit.end],
        text[hit.end : hit.end + AROUND],
    )
