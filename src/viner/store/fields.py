"""Fields of JSON that came over the wire, each read with its type or refused.

Every reader takes the object, the key and ``where``, the path that leads to the object, such as ``put[0]``; "" is the top.
:class:`~viner.store.errors.RefusedError` names the field by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viner.store.errors import RefusedError
from viner.store.values import LABEL_LIMIT, LONGEST_ID


def _at(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def object_of(data: Any, where: str, known: set[str]) -> Mapping[str, Any]:
    """What came over the wire, if it is an object of these keys alone."""
    if not isinstance(data, Mapping):
        raise RefusedError(f"must be a JSON object, not {type(data).__name__}", where=where or None)
    unknown = sorted(str(key) for key in data if key not in known)
    if unknown:
        raise RefusedError(
            f"unknown key {unknown[0]!r}", where=_at(where, unknown[0]), hint=f"Known keys: {', '.join(sorted(known))}"
        )
    return data


def integer(data: Mapping[str, Any], key: str, where: str) -> int:
    """A whole number."""
    value = data.get(key)
    if type(value) is not int:  # a bool is an int to Python, and no offset
        raise RefusedError("must be an integer", where=_at(where, key))
    return value


def string(data: Mapping[str, Any], key: str, where: str, limit: int | None) -> str:
    """Text that is not empty, at most ``limit`` code points long, and can be stored anywhere."""
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


def optional_string(data: Mapping[str, Any], key: str, where: str) -> str | None:
    """The same within the limit of labels; None if it is not there."""
    return None if data.get(key) is None else string(data, key, where, LABEL_LIMIT)


def id_of(data: Mapping[str, Any], key: str, where: str) -> str:
    """An id."""
    return string(data, key, where, LONGEST_ID)


def list_of(data: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """A list; an empty one if it is not there."""
    value = data.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RefusedError("must be a list", where=_at(where, key))
    return value


def ids_of(data: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    """A list of ids."""
    values = list_of(data, key, where)
    return tuple(id_of({"id": value}, "id", f"{_at(where, key)}[{index}]") for index, value in enumerate(values))


def choice(data: Mapping[str, Any], key: str, where: str, choices: tuple[Any, ...], default: Any) -> Any:
    """One of the choices; ``default`` if it is not there."""
    value = data.get(key, default)
    if not isinstance(value, str) or value not in choices:
        raise RefusedError(f"must be one of {', '.join(choices)}", where=_at(where, key))
    return value


def score_of(data: Mapping[str, Any], where: str) -> float | None:
    """The confidence under "score", in [0, 1]; None if it is not there."""
    value = data.get("score")
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 1:
        raise RefusedError("must be a number from 0 to 1", where=_at(where, "score"))
    return float(value)


def labels_of(data: Any) -> dict[str, tuple[str, ...]] | None:
    """Classes by layer; None if there are none."""
    if data is None:
        return None
    if not isinstance(data, Mapping):
        raise RefusedError("must be a JSON object", where="labels")
    labels = {}
    for layer, classes in data.items():
        if not isinstance(classes, list):
            raise RefusedError("must be a list", where=f"labels.{layer}")
        labels[string({"layer": layer}, "layer", "labels", LABEL_LIMIT)] = tuple(
            string({"class": name}, "class", f"labels.{layer}[{index}]", LABEL_LIMIT) for index, name in enumerate(classes)
        )
    return labels
