"""What a model learned from beside its training data: models that taught it, texts without annotations, and what taught those.

Who may use a model depends on all of it, so a student carries on what its teachers learned from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viner.bundle import BundleInfo, Origin

DISTILLED = "distilled_from"
"""Key in a model's ``base``: the larger model that it is a part of, ``{"name", "id"?, "data"?, "learned"?, "sha256", "layers",
"kept", "dev_f1"}``."""

TAUGHT = "taught_by"
"""Key in a model's ``base``: ``{"models", "dev_f1"}`` of the models whose answer it learned, each ``{"name", "id"?, "data"?,
"learned"?, "sha256"}``."""

ADAPTED = "adapted"
"""Key in a model's ``base``: what that read before the task, ``{"documents", "left_out", "passages", "words", "pieces",
"held_out", "sha256", "epochs", "seconds", "rate", "before", "after", "kept"}``; before and after have loss and accuracy."""

UNLABELED = "unlabeled"
"""Key in a model's ``data``: the texts in which teachers alone said what there is, ``{"documents", "left_out", "sha256"}``."""

_LEARNED = "learned"
"""Key of a teacher: what it learned from beside its own training data, one origin each."""


def distilled_from(info: BundleInfo) -> list[Mapping[str, Any]]:
    """What is known of the larger model that this one is a part of, if it is."""
    known = info.base.get(DISTILLED)
    return [known] if isinstance(known, Mapping) else []


def taught_by(info: BundleInfo) -> list[Mapping[str, Any]]:
    """What is known of the models whose answer it learned."""
    known = info.base.get(TAUGHT)
    return _mappings(known.get("models")) if isinstance(known, Mapping) else []


def teachers_data(info: BundleInfo) -> list[Origin]:
    """Where the data comes from that its teachers learned from, and theirs."""
    found: dict[Origin, None] = {}
    for teacher in (*distilled_from(info), *taught_by(info)):
        for data in (teacher.get("data"), *_mappings(teacher.get(_LEARNED))):
            found[Origin.from_dict(data)] = None
    return [*found]


def learned_texts(info: BundleInfo) -> list[str]:
    """What it has learned from beside its training data, and of which nobody says what license it has."""
    known = info.base.get(ADAPTED)
    adapted = isinstance(known, Mapping) and known.get("kept") is not False
    found = ["Texts that the base encoder was adapted to"] if adapted else []
    return [*found, *(["Texts without annotations"] if info.data.get(UNLABELED) else [])]


def as_teacher(info: BundleInfo) -> dict[str, Any]:
    """What is kept of a model in those that learn from it: ``{"data"?, "learned"?}``."""
    data = info.data.get("source")
    learned = [origin.to_dict() for origin in teachers_data(info)]
    learned += [Origin(texts).to_dict() for texts in learned_texts(info)]
    return {**({"data": data} if data else {}), **({_LEARNED: learned} if learned else {})}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
