"""What the store answers: documents, their history, the lists of the page, and reports of what was done, as plain values.

Offsets are code points of the raw text, end-exclusive. Times are ISO 8601 in UTC, such as ``2026-03-01T08:30:00.123Z``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viner.document import Span
from viner.store.operation import Comment, StoredEntity
from viner.store.values import Split, State, Status


@dataclass(frozen=True, slots=True)
class Saved:
    """The answer to a saved operation.

    Args:
        version: Version of the document now; 0 where several documents changed at once.
        schema: Version of the schema now.
        status: Status of the document now; None where several documents changed.
        replayed: Whether the operation had been saved before, so that nothing was done now.
        documents: How many documents changed.
    """

    version: int
    schema: int
    status: Status | None
    replayed: bool = False
    documents: int = 1

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"version", "schema", "replayed", "status"}``, and ``documents`` where it is not one."""
        data: dict[str, Any] = {
            "version": self.version,
            "schema": self.schema,
            "replayed": self.replayed,
            "status": self.status,
        }
        if self.documents != 1:
            data["documents"] = self.documents
        return data


@dataclass(frozen=True, slots=True)
class Sampled:
    """How the queue came to serve a document.

    Args:
        by: The order, such as "random" or "uncertain".
        model: Version of the model that ranked it, if one did.
        score: Its uncertainty at that time.
    """

    by: str
    model: str | None = None
    score: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"by": self.by, "model": self.model, "score": self.score}


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it stands in the store.

    Args:
        id: Its name, unique in the store.
        number: Its place in the order of import, from 1.
        text: The raw text.
        words: Spans of its words, from the file or from the splitter.
        version: Counts its changes, from 1.
        schema: Version of the current schema.
        status: "todo", "started", "done" or "skipped".
        flagged: Whether somebody put a flag on it.
        split: "train", "dev" or "test".
        meta: What the file said about it.
        entities: In the order of the text.
        labels: For each label layer the classes of the document.
        comments: Oldest first.
        annotator: Who decided last; None while nobody has.
        sampled: How the queue came to serve it.
        suggested_by: Whose suggestions it holds, such as "model 003"; not part of the JSON form.
    """

    id: str
    number: int
    text: str
    words: tuple[Span, ...]
    version: int
    schema: int
    status: Status
    flagged: bool
    split: Split
    meta: Mapping[str, Any] = field(default_factory=dict)
    entities: tuple[StoredEntity, ...] = ()
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comments: tuple[Comment, ...] = ()
    annotator: str | None = None
    sampled: Sampled | None = None
    suggested_by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, which the annotation page reads; ``words`` is one flat list of starts and ends."""
        return {
            "id": self.id,
            "number": self.number,
            "text": self.text,
            "words": [offset for span in self.words for offset in span],
            "version": self.version,
            "schema": self.schema,
            "status": self.status,
            "flagged": self.flagged,
            "split": self.split,
            "meta": dict(self.meta),
            "entities": [entity.to_dict() for entity in self.entities],
            "labels": {layer: list(classes) for layer, classes in self.labels.items()},
            "comments": [comment.to_dict() for comment in self.comments],
            "annotator": self.annotator,
            "sampled": None if self.sampled is None else self.sampled.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Event:
    """One change, as it happened. Events are never changed; only erasing a document removes its own.

    Args:
        number: Its place in the order of all events.
        operation: Id of the operation.
        document: Id of the document; None where several documents changed.
        who: Who did it.
        at: When.
        kind: "edit", "undo", "restore", "add", "erase", "schema" or another name that its maker chose.
        version: Version of the document after it; None where several documents changed.
        before: What was changed, as it was: ``{"entities": {id: entity | None}, "labels": {layer: [class] | None}, "status",
            "flagged", "annotator", "comments": {id: comment | None}}``, each key only where something changed.
        after: The same, as it is since then.
        undoes: The operation that it took back.
        undone: Whether it has been taken back.
        schema: Version of the schema that ``after`` was made under.
        schema_before: That of ``before``, which is another one where a change of the schema did it.
    """

    number: int
    operation: str
    document: str | None
    who: str
    at: str
    kind: str
    version: int | None
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    undoes: str | None = None
    undone: bool = False
    schema: int | None = None
    schema_before: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, without the versions of the schema."""
        return {
            "number": self.number,
            "operation": self.operation,
            "document": self.document,
            "who": self.who,
            "at": self.at,
            "kind": self.kind,
            "version": self.version,
            "before": dict(self.before),
            "after": dict(self.after),
            "undoes": self.undoes,
            "undone": self.undone,
        }


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents are meant; fields that are None leave none out.

    Args:
        ids: Documents of these ids.
        statuses: Of one of these statuses.
        splits: In one of these splits.
        label: With an entity of this label.
        state: With an entity in this state, together with ``label`` where both are given.
        flagged: Whether they are flagged.
        commented: Whether they have comments.
        text: Whose text or id contains this, whatever the case, composed or not, with the tone mark on either vowel (*Hòa*,
            *Hoà*).
    """

    ids: tuple[str, ...] | None = None
    statuses: tuple[Status, ...] | None = None
    splits: tuple[Split, ...] | None = None
    label: str | None = None
    state: State | None = None
    flagged: bool | None = None
    commented: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list of documents.

    Args:
        id: Id of the document.
        number: Its place in the order of import.
        status: Its status.
        split: Its split.
        flagged: Whether it is flagged.
        comments: Number of comments.
        accepted: Number of accepted entities.
        suggested: Number of open suggestions.
        excerpt: The beginning of the text on one line.
    """

    id: str
    number: int
    status: Status
    split: Split
    flagged: bool
    comments: int
    accepted: int
    suggested: int
    excerpt: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines of a list of documents.

    Args:
        rows: The lines, in the order of import.
        next: What to give as ``after`` for the following page; None at the end.
    """

    rows: tuple[Row, ...]
    next: int | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"documents", "next"}``."""
        return {"documents": [row.to_dict() for row in self.rows], "next": self.next}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is.

    Args:
        splits: ``{split: {status: documents}}``, every split and status present.
        labels: ``{label: {state: entities}}``, for labels that occur, every state present.
        flagged: Flagged documents.
        comments: Comments.
    """

    splits: Mapping[str, Mapping[str, int]]
    labels: Mapping[str, Mapping[str, int]]
    flagged: int = 0
    comments: int = 0

    @property
    def documents(self) -> int:
        """Documents in all."""
        return sum(sum(statuses.values()) for statuses in self.splits.values())

    def status(self, status: Status) -> int:
        """Documents of a status, over all splits."""
        return sum(statuses[status] for statuses in self.splits.values())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "splits": {split: dict(statuses) for split, statuses in self.splits.items()},
            "labels": {label: dict(states) for label, states in self.labels.items()},
            "flagged": self.flagged,
            "comments": self.comments,
        }


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of the documents of an import.

    Args:
        added: New documents.
        updated: Documents that were there and took over what the file says.
        skipped: Documents that were there and stayed as they are.
        entities: Accepted entities that came in.
        suggestions: Open suggestions that came in.
        splits: New documents in each split.
        labels: Labels that the schema did not know and has now.
        withdrawn: Ids of documents that were there, and that their senders have erased since where they were collected.
    """

    added: int = 0
    updated: int = 0
    skipped: int = 0
    entities: int = 0
    suggestions: int = 0
    splits: Mapping[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "added": self.added,
            "updated": self.updated,
            "skipped": self.skipped,
            "entities": self.entities,
            "suggestions": self.suggestions,
            "splits": dict(self.splits),
            "labels": list(self.labels),
            "withdrawn": list(self.withdrawn),
        }
