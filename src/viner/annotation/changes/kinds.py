"""Changes of the schema in mid-project: what each one is, and where it takes the labels.

A change names one layer. What it would do to a store, :mod:`~viner.annotation.changes.preview` says, and
:mod:`~viner.annotation.changes.apply` does it.
"""

from __future__ import annotations

import dataclasses
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from viner.errors import SchemaError
from viner.schema import ENTITIES, Layer, Schema, Type, is_color, is_key
from viner.text import nfc

PAGE_KEYS = "-=/?'!*,.+"
"""Keys that the annotation page keeps for its own commands: a type that has one gets no key there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(ABC):
    """A change of one layer of the schema.

    Args:
        layer: Name of the layer.
    """

    kind: ClassVar[str]
    layer: str = ENTITIES

    def schema(self, schema: Schema) -> Schema:
        """The schema after the change.

        Raises:
            SchemaError: If the change does not fit the schema.
        """
        layer = schema[self.layer]
        changed = replace(layer, types=self.types(layer))
        return Schema(tuple(changed if item.name == self.layer else item for item in schema))

    @abstractmethod
    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types of the layer after the change.

        Raises:
            SchemaError: If the change does not fit the layer.
        """

    def sources(self) -> tuple[str, ...]:
        """Labels whose annotations change."""
        return ()

    def mapping(self) -> dict[str, str | None]:
        """Where labels go that do not stay: to another label, or to None where no single one follows them."""
        return {}

    def reason(self) -> str:
        """Why a label has no successor."""
        return "it was deleted"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, which :func:`change_from_dict` reads."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {"kind": self.kind, **{name: _plain(value) for name, value in fields.items() if value is not None}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename(Change):
    """One label gets another name.

    Args:
        label: The label.
        to: Its new name.
    """

    kind = "rename"
    label: str
    to: str

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The same types, one under its new name."""
        _find(layer, self.label)
        _check_new(layer, self.to, instead=(self.label,))
        return tuple(replace(item, name=self.to) if item.name == self.label else item for item in layer.types)

    def sources(self) -> tuple[str, ...]:
        """The label."""
        return (self.label,)

    def mapping(self) -> dict[str, str | None]:
        """The old name to the new one."""
        return {self.label: self.to}


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Change):
    """Several labels become one. Where that makes two equal entities of one span, one of them stays.

    Args:
        labels: The labels, at least two counting ``into``.
        into: What they become: one of them, another label, or a new one.
    """

    kind = "merge"
    labels: tuple[str, ...]
    into: str

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types without the labels that went; a new label stands where the first of them stood."""
        merged = [_find(layer, label) for label in self.labels]
        if len({*self.labels, self.into}) < 2 or len(set(self.labels)) < len(self.labels) or not merged:
            raise SchemaError("a merge needs two different labels or more", where=f"layer {self.layer}")
        if self.into in layer.names:
            return tuple(item for item in layer.types if item.name == self.into or item.name not in self.labels)
        _check_new(layer, self.into, instead=self.labels)
        made = replace(merged[0], name=self.into)
        return tuple(made if item is merged[0] else item for item in layer.types if item is merged[0] or item not in merged)

    def sources(self) -> tuple[str, ...]:
        """The labels that go."""
        return tuple(label for label in self.labels if label != self.into)

    def mapping(self) -> dict[str, str | None]:
        """Each label that goes to the one it became."""
        return dict.fromkeys(self.sources(), self.into)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Change):
    """One label becomes several; which one an entity gets, its surface decides.

    Entities of a surface that is not assigned become suggestions of the first new label, to be reviewed one by one.

    Args:
        label: The label.
        into: The new labels, at least two. The old one may be among them.
        assign: The new label of each surface, whatever the Unicode normal form.
    """

    kind = "split"
    label: str
    into: tuple[str, ...]
    assign: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types with the new ones in place of the old one."""
        old = _find(layer, self.label)
        if len(set(self.into)) < 2 or len(set(self.into)) < len(self.into):
            raise SchemaError("a split needs two different labels or more", where=f"layer {self.layer}")
        for surface, label in self.assign.items():
            if label not in self.into:
                raise SchemaError(
                    f"{surface!r} is assigned to {label!r}, which is none of the new labels",
                    hint=f"New: {', '.join(self.into)}",
                )
        for name in self.into:
            if name != self.label:
                _check_new(layer, name, instead=() if self.label in self.into else (self.label,))
        # Colors and keys are told apart by their place; the old one's would stand for two.
        made = tuple(old if name == self.label else Type(name, old.description) for name in self.into)
        place = layer.types.index(old)
        return (*layer.types[:place], *made, *layer.types[place + 1 :])

    def sources(self) -> tuple[str, ...]:
        """The label."""
        return (self.label,)

    def mapping(self) -> dict[str, str | None]:
        """None: no single label follows."""
        return {self.label: None}

    def reason(self) -> str:
        """Says what it was split into."""
        return f"it was split into {', '.join(self.into)}"

    def assigned(self, surface: str) -> str | None:
        """The new label of a surface; None where it is to be reviewed."""
        found = self.assign.get(surface)
        if found is not None:
            return found
        wanted = nfc(surface)
        return next((label for given, label in self.assign.items() if nfc(given) == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recolor(Change):
    """A label gets another color.

    Args:
        label: The label.
        color: ``#rrggbb``; None for the default one.
    """

    kind = "recolor"
    label: str
    color: str | None = None

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types, one with another color."""
        _find(layer, self.label)
        _check_color(self.color)
        return tuple(replace(item, color=self.color) if item.name == self.label else item for item in layer.types)


@dataclass(frozen=True, slots=True, kw_only=True)
class Describe(Change):
    """A label gets another description and key.

    Args:
        label: The label.
        description: What annotators should mark; None for none.
        key: Keyboard key of the annotation page; None for none.
    """

    kind = "describe"
    label: str
    description: str | None = None
    key: str | None = None

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types, one described anew."""
        _find(layer, self.label)
        _check_key(layer, self.label, self.key)
        return tuple(
            replace(item, description=self.description, key=self.key) if item.name == self.label else item
            for item in layer.types
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Change):
    """A new label, at the end.

    Args:
        label: Its name.
        description: What annotators should mark.
        color: ``#rrggbb``.
        key: Keyboard key of the annotation page.
    """

    kind = "add"
    label: str
    description: str | None = None
    color: str | None = None
    key: str | None = None

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types with the new one."""
        _check_new(layer, self.label)
        _check_color(self.color)
        _check_key(layer, self.label, self.key)
        return (*layer.types, Type(self.label, self.description, self.color, self.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Delete(Change):
    """A label goes, with everything that has it.

    Args:
        label: The label.
    """

    kind = "delete"
    label: str

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types without it."""
        _find(layer, self.label)
        return tuple(item for item in layer.types if item.name != self.label)

    def sources(self) -> tuple[str, ...]:
        """The label."""
        return (self.label,)

    def mapping(self) -> dict[str, str | None]:
        """None: nothing follows."""
        return {self.label: None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reorder(Change):
    """The labels in another order, which is that of their default colors and digit keys.

    Args:
        labels: All labels of the layer.
    """

    kind = "reorder"
    labels: tuple[str, ...]

    def types(self, layer: Layer) -> tuple[Type, ...]:
        """The types in the new order."""
        if sorted(self.labels) != sorted(layer.names):
            raise SchemaError(
                "a new order must name each label once", where=f"layer {self.layer}", hint=f"Labels: {', '.join(layer.names)}"
            )
        return tuple(_find(layer, label) for label in self.labels)


KINDS: dict[str, type[Change]] = {kind.kind: kind for kind in (Rename, Merge, Split, Recolor, Describe, Add, Delete, Reorder)}


def change_from_dict(data: Any) -> Change:
    """Reads the JSON form: ``{"kind": "rename", "layer"?: …, fields of the kind}``.

    Raises:
        SchemaError: If it is none; ``where`` names the field.
    """
    if not isinstance(data, Mapping) or not isinstance(data.get("kind"), str) or data["kind"] not in KINDS:
        raise SchemaError("no change of the schema", where="change.kind", hint=f"Kinds: {', '.join(KINDS)}")
    kind = KINDS[data["kind"]]
    known = {field.name: field for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name == "kind" or (value is None and name in known):
            continue
        if name not in known:
            raise SchemaError(f"unknown key {name!r}", where=f"change.{name}", hint=f"Known keys: {', '.join(known)}")
        values[name] = _read(kind, name, value)
    for name, field in known.items():
        if name not in values and field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise SchemaError(f"a {kind.kind} needs {name!r}", where=f"change.{name}")
    return kind(**values)


def _read(kind: type[Change], name: str, value: Any) -> Any:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise SchemaError("holds a lone surrogate", where=f"change.{name}", hint="Cut no character in two") from None
    if name == "assign":
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for pair in value.items() for item in pair):
            raise SchemaError("must be an object of surfaces and labels", where="change.assign")
        return dict(value)
    several = name == "labels" or (kind is Split and name == "into")
    if several and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if several or not isinstance(value, str):
        raise SchemaError(f"must be a {'list of strings' if several else 'string'}", where=f"change.{name}")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _find(layer: Layer, label: str) -> Type:
    for item in layer.types:
        if item.name == label:
            return item
    raise SchemaError(
        f"there is no label {label!r}", where=f"layer {layer.name}", hint=f"Labels: {', '.join(layer.names) or 'none'}"
    )


def _check_new(layer: Layer, name: str, instead: Sequence[str] = ()) -> None:
    if not name or name != name.strip() or not name.isprintable() or len(name) > 200:
        raise SchemaError(
            f"{name!r} is no name for a label", where=f"layer {layer.name}", hint="1 to 200 characters, no spaces at its ends"
        )
    if name in layer.names:
        raise SchemaError(
            f"there is a label {name!r} already", where=f"layer {layer.name}", hint="To join two labels, merge them"
        )
    for other in layer.names:
        if nfc(other) == nfc(name) and other not in instead:
            raise SchemaError(
                f"the label {other!r} looks the same as {name!r}: both are the same characters, composed in two ways",
                where=f"layer {layer.name}",
                hint="Use the label that is there, or give the new one another name",
            )


def _check_color(color: str | None) -> None:
    if color is not None and not is_color(color):
        raise SchemaError(f"{color!r} is no color", where="change.color", hint="Write it as #rrggbb")


def _check_key(layer: Layer, label: str, key: str | None) -> None:
    if key is None:
        return
    if not is_key(key):
        raise SchemaError(f"{key!r} is no key", where="change.key", hint="One character, such as 'p'")
    if key in PAGE_KEYS and not any(item.name == label and item.key == key for item in layer.types):
        raise SchemaError(
            f"the annotation page uses the key {key!r} itself",
            where="change.key",
            hint=f"Any character but {' '.join(PAGE_KEYS)}, such as 'p'",
        )
    for item in layer.types:
        if item.key == key and item.name != label:
            raise SchemaError(f"the key {key!r} is that of {item.name}", where="change.key")
