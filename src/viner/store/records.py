"""What goes into a store and comes out of it: plain values with their JSON forms.

``from_dict`` reads what came over the wire and refuses what has the wrong type (:class:`~viner.store.errors.RefusedError`,
``where`` names the field); whether it fits the document is the store's business. Offsets are code points of the raw text,
end-exclusive. Times are ISO 8601 in UTC, such as ``2026-03-01T08:30:00.123Z``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from viner.document import Entity, Span
from viner.store.errors import RefusedError

Status = Literal["todo", "started", "done", "skipped"]
State = Literal["accepted", "suggested", "rejected"]
Split = Literal["train", "dev", "test"]
STATUSES: tuple[Status, ...] = get_args(Status)
STATES: tuple[State, ...] = get_args(State)
SPLITS: tuple[Split, ...] = get_args(Split)

LONGEST_ID = 64
"""Code points in the id of an operation, an entity or a comment."""
LONGEST_COMMENT = 10_000
"""Code points in a comment."""


@dataclass(frozen=True, slots=True)
class StoredEntity:
    """An entity in the store.

    Args:
        id: Unique within its document.
        start: First code point.
        end: One past the last code point.
        label: Name of the entity type.
        state: "accepted" (a person said so), "suggested" (nobody has yet) or "rejected" (a person said no).
        score: Confidence of what suggested it, in [0, 1].
        source: What made it, such as "model 003", "dictionary", "import"; None for a person.
    """

    id: str
    start: int
    end: int
    label: str
    state: State = "accepted"
    score: float | None = None
    source: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form without fields that are None."""
        data: dict[str, Any] = {"id": self.id, "start": self.start, "end": self.end, "label": self.label, "state": self.state}
        if self.score is not None:
            data["score"] = self.score
        if self.source is not None:
            data["source"] = self.source
        return data

    @classmethod
    def from_dict(cls, data: Any, where: str = "entity") -> StoredEntity:
        """Reads the JSON form.

        Raises:
            RefusedError: If a field is missing or of the wrong type.
        """
        fields = _object(data, where, _ENTITY_KEYS)
        return cls(
            id=_id(fields, "id", where),
            start=_integer(fields, "start", where),
            end=_integer(fields, "end", where),
            label=_string(fields, "label", where, LABEL_LIMIT),
            state=_choice(fields, "state", where, STATES, "accepted"),
            score=_score(fields, where),
            source=_optional_string(fields, "source", where),
        )

    def to_entity(self) -> Entity:
        """The entity as documents hold it."""
        return Entity(self.start, self.end, self.label, self.id, self.score, self.source)


@dataclass(frozen=True, slots=True)
class Put:
    """An entity that an operation makes or changes, with the surface its maker saw.

    Args:
        entity: The entity as it is to be.
        surface: What must stand at ``text[start:end]``.
    """

    entity: StoredEntity
    surface: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: that of the entity with ``surface``."""
        return {**self.entity.to_dict(), "surface": self.surface}

    @classmethod
    def from_dict(cls, data: Any, where: str = "put") -> Put:
        """Reads the JSON form.

        Raises:
            RefusedError: If a field is missing or of the wrong type.
        """
        fields = _object(data, where, _ENTITY_KEYS | {"surface"})
        surface = _string(fields, "surface", where, None)
        return cls(StoredEntity.from_dict({key: value for key, value in fields.items() if key != "surface"}, where), surface)


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody remarked on a document or on one of its entities.

    Args:
        id: Unique within its document.
        text: The remark.
        entity: Id of the entity it is about; None for the whole document.
        who: Its author; the store fills it in.
        at: When it was written; the store fills it in.
    """

    id: str
    text: str
    entity: str | None = None
    who: str | None = None
    at: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: ``{"id", "entity", "who", "at", "text"}``."""
        return {"id": self.id, "entity": self.entity, "who": self.who, "at": self.at, "text": self.text}

    @classmethod
    def from_dict(cls, data: Any, where: str = "comment") -> Comment:
        """Reads the JSON form.

        Raises:
            RefusedError: If a field is missing or of the wrong type.
        """
        fields = _object(data, where, {"id", "text", "entity", "who", "at"})
        return cls(
            id=_id(fields, "id", where),
            text=_string(fields, "text", where, LONGEST_COMMENT),
            entity=None if fields.get("entity") is None else _id(fields, "entity", where),
            who=_optional_string(fields, "who", where),
            at=_optional_string(fields, "at", where),
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of an annotator on one document: it is saved whole or not at all, is one event, and one undo step.

    Args:
        operation: Id that its maker chose, such as a UUID. Sent twice, it is done once.
        document: Id of the document.
        version: Version of the document it was made on.
        schema: Version of the schema it was made under.
        put: Entities to make or change.
        delete: Ids of entities to remove.
        labels: For some label layers, the classes of the document; an empty list clears the layer. None changes nothing.
        status: The document's new status; None leaves it, except that a first decision moves "todo" to "started".
        flagged: Whether the document is flagged; None leaves it.
        comments_put: Comments to make or change.
        comments_delete: Ids of comments to remove.
        undoes: The operation that this one takes back, where its maker worked out how.
    """

    operation: str
    document: str
    version: int
    schema: int
    put: tuple[Put, ...] = ()
    delete: tuple[str, ...] = ()
    labels: Mapping[str, tuple[str, ...]] | None = None
    status: Status | None = None
    flagged: bool | None = None
    comments_put: tuple[Comment, ...] = ()
    comments_delete: tuple[str, ...] = ()
    undoes: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; what changes nothing is left out, except ``put`` and ``delete``."""
        data: dict[str, Any] = {
            "operation": self.operation,
            "document": self.document,
            "version": self.version,
            "schema": self.schema,
            "put": [put.to_dict() for put in self.put],
            "delete": list(self.delete),
        }
        if self.labels is not None:
            data["labels"] = {layer: list(classes) for layer, classes in self.labels.items()}
        if self.status is not None:
            data["status"] = self.status
        if self.flagged is not None:
            data["flagged"] = self.flagged
        if self.comments_put or self.comments_delete:
            data["comments"] = {
                "put": [{"id": item.id, "text": item.text, "entity": item.entity} for item in self.comments_put],
                "delete": list(self.comments_delete),
            }
        if self.undoes is not None:
            data["undoes"] = self.undoes
        return data

    @classmethod
    def from_dict(cls, data: Any) -> Operation:
        """Reads the JSON form.

        Raises:
            RefusedError: If a field is unknown, missing or of the wrong type; ``where`` names it.
        """
        fields = _object(data, "", _OPERATION_KEYS)
        comments = _object(fields.get("comments") or {}, "comments", {"put", "delete"})
        flagged = fields.get("flagged")
        if flagged is not None and not isinstance(flagged, bool):
            raise RefusedError("must be true or false", where="flagged")
        return cls(
            operation=_id(fields, "operation", ""),
            document=_string(fields, "document", "", None),
            version=_integer(fields, "version", ""),
            schema=_integer(fields, "schema", ""),
            put=tuple(Put.from_dict(item, f"put[{index}]") for index, item in enumerate(_list(fields, "put", ""))),
            delete=_ids(fields, "delete", ""),
            labels=_labels(fields.get("labels")),
            status=None if fields.get("status") is None else _choice(fields, "status", "", STATUSES, None),
            flagged=flagged,
            comments_put=tuple(
                Comment.from_dict(item, f"comments.put[{index}]")
                for index, item in enumerate(_list(comments, "put", "comments"))
            ),
            comments_delete=_ids(comments, "delete", "comments"),
            undoes=None if fields.get("undoes") is None else _id(fields, "undoes", ""),
        )


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

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
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
        text: Whose text or id contains this, whatever the case.
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


LABEL_LIMIT = 200
_ENTITY_KEYS = {"id", "start", "end", "label", "state", "score", "source"}
_OPERATION_KEYS = {
    "operation", "document", "version", "schema", "put", "delete", "labels", "status", "flagged", "comments", "undoes",
}  # fmt: skip


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _object(data: Any, where: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise RefusedError(f"must be a JSON object, not {type(data).__name__}", where=where or None)
    unknown = sorted(str(key) for key in data if key not in known)
    if unknown:
        raise RefusedError(
            f"unknown key {unknown[0]!r}", where=_at(where, unknown[0]), hint=f"Known keys: {', '.join(sorted(known))}"
        )
    return data


def _integer(data: Mapping[str, Any], key: str, where: str) -> int:
    value = data.get(key)
    if type(value) is not int:  # a bool is an int to Python, and no offset
        raise RefusedError("must be an integer", where=_at(where, key))
    return value


def _string(data: Mapping[str, Any], key: str, where: str, limit: int | None) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise RefusedError("must be a string, and not an empty one", where=_at(where, key))
    if limit is not None and len(value) > limit:
        raise RefusedError(f"is longer than {limit:,} characters", where=_at(where, key))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise RefusedError("holds a lone surrogate", where=_at(where, key), hint="Cut no character in two") from None
    if "\0" in value:
        raise RefusedError("holds a zero character", where=_at(where, key))
    return value


def _optional_string(data: Mapping[str, Any], key: str, where: str) -> str | None:
    return None if data.get(key) is None else _string(data, key, where, LABEL_LIMIT)


def _id(data: Mapping[str, Any], key: str, where: str) -> str:
    return _string(data, key, where, LONGEST_ID)


def _list(data: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RefusedError("must be a list", where=_at(where, key))
    return value


def _ids(data: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = _list(data, key, where)
    return tuple(_id({"id": value}, "id", f"{_at(where, key)}[{index}]") for index, value in enumerate(values))


def _choice(data: Mapping[str, Any], key: str, where: str, choices: tuple[Any, ...], default: Any) -> Any:
    value = data.get(key, default)
    if not isinstance(value, str) or value not in choices:
        raise RefusedError(f"must be one of {', '.join(choices)}", where=_at(where, key))
    return value


def _score(data: Mapping[str, Any], where: str) -> float | None:
    value = data.get("score")
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise RefusedError("must be a number from 0 to 1", where=_at(where, "score"))
    return float(value)


def _labels(data: Any) -> dict[str, tuple[str, ...]] | None:
    if data is None:
        return None
    if not isinstance(data, Mapping):
        raise RefusedError("must be a JSON object", where="labels")
    labels = {}
    for layer, classes in data.items():
        if not isinstance(classes, list):
            raise RefusedError("must be a list", where=f"labels.{layer}")
        labels[_string({"layer": layer}, "layer", "labels", LABEL_LIMIT)] = tuple(
            _string({"class": name}, "class", f"labels.{layer}[{index}]", LABEL_LIMIT) for index, name in enumerate(classes)
        )
    return labels
