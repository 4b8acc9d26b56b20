"""What a model learned from beside its training data: models that taught it, texts without annotations, and what taught those.

Who may use a model depends on all of it, so a student carries on what its teachers learned from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from viner.bundle import BundleInfo, Chosen, Origin, base_origin

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
"""Key of a teacher: what it is made of beside its own training data, one origin each."""

_ADAPTED_TO = "Texts that the base encoder was adapted to"


def distilled_from(info: BundleInfo) -> list[Mapping[str, Any]]:
    """What is known of the larger model that this one is a part of, if it is."""
    known = info.base.get(DISTILLED)
    return [known] if isinstance(known, Mapping) else []


def taught_by(info: BundleInfo) -> list[Mapping[str, Any]]:
    """What is known of the models whose answer it learned."""
    known = info.base.get(TAUGHT)
    return _mappings(known.get("models")) if isinstance(known, Mapping) else []


def teachers_data(info: BundleInfo) -> list[Origin]:
    """Where the training data of its teachers comes from."""
    return _distinct(teacher.get("data") for teacher in (*distilled_from(info), *taught_by(info)))


def inherited(info: BundleInfo) -> list[Origin]:
    """What its teachers are made of beside that: their bases, other models and texts."""
    found = (_mappings(teacher.get(_LEARNED)) for teacher in (*distilled_from(info), *taught_by(info)))
    return _distinct(origin for origins in found for origin in origins)


def learned_texts(info: BundleInfo) -> list[str]:
    """What it has learned from beside its training data, and of which nobody says what license it has."""
    known = info.base.get(ADAPTED)
    adapted = isinstance(known, Mapping) and known.get("kept") is not False
    found = [_ADAPTED_TO] if adapted else []
    return [*found, *(["Texts without annotations"] if info.data.get(UNLABELED) else [])]


def as_teacher(info: BundleInfo, name: str, *, with_base: bool) -> dict[str, Any]:
    """What is kept of a model in those that learn from it: ``{"data"?, "learned"?}``.

    Args:
        info: The model.
        name: Its name: where it was published under a license, a student is bound by that, too.
        with_base: Whether its base is told, and what that was adapted to, since the other model has another one.
    """
    data = info.data.get("source")
    texts = learned_texts(info)
    if not with_base:
        texts = [known for known in texts if known != _ADAPTED_TO]
    license_ = Chosen.of(info).license
    itself = [Origin(name, license=license_)] if license_ else []
    bases = [base_origin(info)] if with_base else []
    learned = [*itself, *bases, *teachers_data(info), *inherited(info), *map(Origin, texts)]
    told = [origin.to_dict() for origin in dict.fromkeys(learned)]
    return {**({"data": data} if data else {}), **({_LEARNED: told} if told else {})}


def _distinct(origins: Iterable[object]) -> list[Origin]:
    return [*dict.fromkeys(map(Origin.from_dict, origins))]


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
