"""A change of one document: the values it is to have, and, once applied, those it had."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viner.store.operation import Comment, StoredEntity

FIELDS = ("status", "flagged", "annotator")


@dataclass(frozen=True, slots=True)
class Delta:
    """What is to change in one document; what is not named stays.

    Args:
        entities: New entities by id; None removes one.
        labels: New classes by layer; None takes the layer away.
        comments: New comments by id; None removes one.
        fields: New values of "status", "flagged", "annotator".
    """

    entities: Mapping[str, StoredEntity | None] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    comments: Mapping[str, Comment | None] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, which events hold as "before" and "after"; parts without a change are left out."""
        data: dict[str, Any] = {}
        for name, values in (("entities", self.entities), ("comments", self.comments)):
            if values:
                data[name] = {key: None if value is None else value.to_dict() for key, value in values.items()}
        if self.labels:
            data["labels"] = {layer: None if classes is None else list(classes) for layer, classes in self.labels.items()}
        return data | dict(self.fields)

    def to_json(self) -> str:
        """The JSON form as text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Delta:
        """Reads what :meth:`to_json` wrote."""
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Delta:
        """Reads the JSON form."""
        return cls(
            {key: None if value is None else StoredEntity(**value) for key, value in data.get("entities", {}).items()},
            {layer: None if classes is None else tuple(classes) for layer, classes in data.get("labels", {}).items()},
            {key: None if value is None else Comment(**value) for key, value in data.get("comments", {}).items()},
            {name: data[name] for name in FIELDS if name in data},
        )

    def over(self, other: Delta) -> Delta:
        """This change made after another one: both, and this one's values where they touch the same."""
        return Delta(
            {**other.entities, **self.entities},
            {**other.labels, **self.labels},
            {**other.comments, **self.comments},
            {**other.fields, **self.fields},
        )
