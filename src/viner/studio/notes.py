"""What a person should know of a run: a sentence in English, and a code with its values for interfaces in other languages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SENTENCES: Mapping[str, str] = {
    "documents_erased": "{count:,} documents were erased; the training starts anew without them",
    "model_first": "Model {name} is the first, and now in service.",
    "model_uncompared": "Model {name} is now in service. It could not be compared with {former}: {reason}.",
    "model_promoted": (
        "Model {name} is now in service: F1 {f1:.4f} against {former_f1:.4f} on the {documents:,} dev documents of today."
    ),
    "model_worse": (
        "Model {former} stays in service, since {name} is worse: F1 {f1:.4f} against {former_f1:.4f} on the {documents:,} dev "
        "documents of today. Activate it if you prefer it."
    ),
}
"""The sentence of each code, with its values."""


@dataclass(frozen=True, slots=True)
class Note:
    """One note of a run.

    Args:
        message: The English sentence.
        code: Its key in :data:`SENTENCES`; None for a note that is only a sentence, as earlier versions wrote them.
        values: What stands in the sentence: names and reasons as texts, counts as whole numbers, F1 as fractions.
    """

    message: str
    code: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, code: str, **values: Any) -> Note:
        """The note of a code."""
        return cls(SENTENCES[code].format(**values), code, values)

    @classmethod
    def from_state(cls, state: Any) -> Note:
        """The note that ``run.json`` holds; one of a code or with values that are not known here is its sentence."""
        if not isinstance(state, Mapping):
            return cls(str(state))
        try:
            return cls.of(state["code"], **state["values"])
        except (KeyError, TypeError, ValueError):
            return cls(str(state.get("message", "")))

    def to_dict(self) -> dict[str, Any]:
        """The form in ``run.json``: ``{"code", "values", "message"}``."""
        return {"code": self.code, "values": dict(self.values), "message": self.message}
