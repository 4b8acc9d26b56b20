"""What a person asks of the store: entities and comments to put and to delete in a document, under an id of its own.

``from_dict`` reads what came over the wire and refuses what has the wrong type (:class:`~viner.store.errors.RefusedError`,
``where`` names the field); whether it fits the document is the store's business. Offsets are code points of the raw text,
end-exclusive. Times are ISO 8601 in UTC, such as ``2026-03-01T08:30:00.123Z``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from viner.document import Entity
from viner.store.errors import RefusedError
from viner.store.fields import choice, id_of, ids_of, integer, labels_of, list_of, object_of, optional_string, score_of, string
from viner.store.values import LABEL_LIMIT, LONGEST_COMMENT, STATES, STATUSES, State, Status

_ENTITY_KEYS = {"id", "start", "end", "label", "state", "score", "source"}
_OPERATION_KEYS = {
    "operation", "document", "version", "schema", "put", "delete", "labels", "status", "flagged", "comments", "undoes",
}  # fmt: skip


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
        fields = object_of(data, where, _ENTITY_KEYS)
        return cls(
            id=id_of(fields, "id", where),
            start=integer(fields, "start", where),
            end=integer(fields, "end", where),
            label=string(fields, "label", where, LABEL_LIMIT),
            state=choice(fields, "state", where, STATES, "accepted"),
            score=score_of(fields, where),
            source=optional_string(fields, "source", where),
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
        fields = object_of(data, where, _ENTITY_KEYS | {"surface"})
        surface = string(fields, "surface", where, None)
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
        fields = object_of(data, where, {"id", "text", "entity", "who", "at"})
        return cls(
            id=id_of(fields, "id", where),
            text=string(fields, "text", where, LONGEST_COMMENT),
            entity=None if fields.get("entity") is None else id_of(fields, "entity", where),
            who=optional_string(fields, "who", where),
            at=optional_string(fields, "at", where),
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
        fields = object_of(data, "", _OPERATION_KEYS)
        comments = object_of(fields.get("comments") or {}, "comments", {"put", "delete"})
        flagged = fields.get("flagged")
        if flagged is not None and not isinstance(flagged, bool):
            raise RefusedError("must be true or false", where="flagged")
        return cls(
            operation=id_of(fields, "operation", ""),
            document=string(fields, "document", "", None),
            version=integer(fields, "version", ""),
            schema=integer(fields, "schema", ""),
            put=tuple(Put.from_dict(item, f"put[{index}]") for index, item in enumerate(list_of(fields, "put", ""))),
            delete=ids_of(fields, "delete", ""),
            labels=labels_of(fields.get("labels")),
            status=None if fields.get("status") is None else choice(fields, "status", "", STATUSES, None),
            flagged=flagged,
            comments_put=tuple(
                Comment.from_dict(item, f"comments.put[{index}]")
                for index, item in enumerate(list_of(comments, "put", "comments"))
            ),
            comments_delete=ids_of(comments, "delete", "comments"),
            undoes=None if fields.get("undoes") is None else id_of(fields, "undoes", ""),
        )
