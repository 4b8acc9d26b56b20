"""The schema: which layers a project or model has, and the types of each.

A layer says what people and models are asked for. How a model answers a layer is a head, which lives in ``training`` and
``encoding``; nothing here knows about heads.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from viner.document import Document
from viner.errors import SchemaError

LayerKind = Literal["entities", "tags", "labels", "relations"]
ENTITIES = "entities"
"""Name of the default entity layer, the one that ``Document.entities`` holds."""

_HUES = (0.58, 0.08, 0.36, 0.94, 0.74, 0.15, 0.50, 0.02, 0.83, 0.27, 0.66, 0.44)


@dataclass(frozen=True, slots=True)
class Type:
    """One class of a layer.

    Args:
        name: The label as it stands in data.
        description: What an annotator should mark, in a sentence.
        color: ``#rrggbb``; None lets :func:`default_color` choose.
        key: Keyboard key of the annotation page.
    """

    name: str
    description: str | None = None
    color: str | None = None
    key: str | None = None

    def to_dict(self) -> dict[str, str]:
        """The JSON and TOML form without empty fields."""
        values = {"name": self.name, "description": self.description, "color": self.color, "key": self.key}
        return {key: value for key, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Layer:
    """One thing that people and models are asked for.

    Args:
        name: Names the layer within its schema.
        kind: "entities" (spans), "tags" (a class for each word), "labels" (classes of the document) or "relations".
        types: The classes, in display order, names unique.
        multiple: For kind "labels": whether a document may have several.
    """

    name: str
    kind: LayerKind
    types: tuple[Type, ...]
    multiple: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(LayerKind):
            raise SchemaError(
                f"unknown kind {self.kind!r}", where=f"layer {self.name}", hint=f"Kinds: {', '.join(get_args(LayerKind))}"
            )
        seen: set[str] = set()
        for item in self.types:
            if not item.name or item.name in seen:
                raise SchemaError(
                    f"type name {item.name!r} is {'used twice' if item.name else 'empty'}", where=f"layer {self.name}"
                )
            seen.add(item.name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the types in order."""
        return tuple(item.name for item in self.types)

    def color(self, name: str) -> str:
        """The color of a type, its own or the default one for its position."""
        for index, item in enumerate(self.types):
            if item.name == name:
                return item.color or default_color(index)
        raise SchemaError(f"unknown label {name!r}", where=f"layer {self.name}", hint=f"Known: {', '.join(self.names)}")

    def to_dict(self) -> dict[str, Any]:
        """The JSON and TOML form."""
        data: dict[str, Any] = {"name": self.name, "kind": self.kind, "types": [item.to_dict() for item in self.types]}
        if self.multiple:
            data["multiple"] = True
        return data


@dataclass(frozen=True, slots=True)
class Schema:
    """The layers of a project or model, in order, names unique."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise SchemaError(f"layer name {name!r} is used twice")

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> Layer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise SchemaError(f"no layer {name!r}", hint=f"Layers: {', '.join(layer.name for layer in self.layers) or 'none'}")

    @property
    def entity_labels(self) -> tuple[str, ...]:
        """The labels that entities may have, in order."""
        return tuple(name for layer in self.layers if layer.kind == "entities" for name in layer.names)

    def to_dict(self) -> dict[str, Any]:
        """The JSON and TOML form: ``{"layers": [...]}``."""
        return {"layers": [layer.to_dict() for layer in self.layers]}

    @classmethod
    def from_dict(cls, data: Any) -> Schema:
        """Reads the JSON and TOML form.

        Raises:
            SchemaError: If it is not of that form; ``where`` names the layer.
        """
        layers = data.get("layers") if isinstance(data, Mapping) else None
        if not isinstance(layers, list):
            raise SchemaError("a schema needs a list 'layers'")
        return cls(tuple(_read_layer(layer, index) for index, layer in enumerate(layers)))

    @classmethod
    def of_entities(cls, names: Iterable[str]) -> Schema:
        """A schema with one entity layer of the given type names."""
        return cls((Layer(ENTITIES, "entities", tuple(Type(name) for name in names)),))

    @classmethod
    def infer(cls, documents: Iterable[Document]) -> Schema:
        """The schema that annotated documents imply: the entity layer with its labels in order of first appearance."""
        names: dict[str, None] = {}
        for document in documents:
            names.update(dict.fromkeys(entity.label for entity in document.entities or ()))
        return cls.of_entities(names)


def _read_layer(data: Any, index: int) -> Layer:
    where = f"layers[{index}]"
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str) or not isinstance(data.get("types"), list):
        raise SchemaError("a layer needs a 'name', a 'kind' and a list 'types'", where=where)
    _check_keys(data, Layer, f"layer {data['name']!r}", where)
    multiple = data.get("multiple", False)
    if not isinstance(multiple, bool):
        raise SchemaError(f"'multiple' must be true or false, not {multiple!r}", where=where)
    types = tuple(_read_type(item, f"{where}.types[{place}]") for place, item in enumerate(data["types"]))
    return Layer(data["name"], data.get("kind", "entities"), types, multiple)


def _read_type(data: Any, where: str) -> Type:
    values = {"name": data} if isinstance(data, str) else data
    if not isinstance(values, Mapping) or not isinstance(values.get("name"), str):
        raise SchemaError("a type is a name, or has a 'name'", where=where)
    whose = f"type {values['name']!r}"
    _check_keys(values, Type, whose, where)
    for key, value in values.items():
        if value is not None and not isinstance(value, str):
            raise SchemaError(f"the {key} of {whose} must be a text, not {value!r}", where=where, hint="Put it in quotes")
    item = Type(**values)
    if item.color is not None and not is_color(item.color):
        raise SchemaError(f"the color of {whose} is {item.color!r}", where=where, hint="Write it as #rrggbb, such as #2a7f62")
    if item.key is not None and not is_key(item.key):
        raise SchemaError(f"the key of {whose} is {item.key!r}", where=where, hint="One character, such as 'p'")
    return item


def _check_keys(data: Mapping[str, Any], kind: type, whose: str, where: str) -> None:
    known = [field.name for field in fields(kind)]
    for key in data:
        if key not in known:
            raise SchemaError(f"unknown key {key!r} in {whose}", where=where, hint=f"Known keys: {', '.join(known)}")


def is_color(text: str) -> bool:
    """Whether a text is a color as types have it: ``#rrggbb``."""
    return re.fullmatch("#[0-9a-fA-F]{6}", text) is not None


def is_key(text: str) -> bool:
    """Whether a text can be the keyboard key of a type: one character that can be seen."""
    return len(text) == 1 and text.isprintable() and not text.isspace()


def default_color(index: int) -> str:
    """A color for the type at a position: distinct hues first, then the same hues darker and lighter."""
    lightness = (0.55, 0.40, 0.68)[index // len(_HUES) % 3]
    red, green, blue = colorsys.hls_to_rgb(_HUES[index % len(_HUES)], lightness, 0.6)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"
