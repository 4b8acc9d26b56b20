"""The labels that an import may use: those of the schema, and those that it brings along where it may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from viner.errors import InputError
from viner.schema import ENTITIES, Layer, Schema, Type
from viner.store.import_checks import check_short
from viner.store.values import LABEL_LIMIT

NewLabels = Literal["refuse", "add"]

_HINT = "Add it to the project's labels first, or import with new labels added"


class Vocabulary:
    """What the schema knows, and what an import adds to it.

    Args:
        schema: The schema as it is.
        new_labels: What to do with a label that it does not know.

    Attributes:
        fresh: Labels and classes that came in addition, in the order of their coming; the values mean nothing.
    """

    def __init__(self, schema: Schema, new_labels: NewLabels) -> None:
        self._schema = schema
        self._grows = new_labels == "add"
        self._known = set(schema.entity_labels)
        self._layers = {layer.name for layer in schema}
        self._classes = {layer.name: layer for layer in schema if layer.kind == "labels"}
        self._new_layers: set[str] = set()
        self._fresh_entities: list[str] = []
        self.fresh: dict[str, None] = {}

    def take_entity_label(self, label: str, where: str) -> None:
        """Takes the label of an entity.

        Raises:
            InputError: If the schema lacks it and is not to grow, or it is none.
        """
        if label in self._known:
            return
        if not self._grows:
            raise InputError(f"the schema has no entity label {label!r}", where=where, hint=_HINT)
        check_short(label, LABEL_LIMIT, f"{where}.label")
        self._known.add(label)
        self._fresh_entities.append(label)
        self.fresh.setdefault(label)

    def take_classes(self, labels: Mapping[str, Sequence[str]], where: str) -> None:
        """Takes the classes of a document, by layer.

        Raises:
            InputError: If a layer does not take them, or the schema lacks one and is not to grow.
        """
        for layer, classes in labels.items():
            self._take_layer(layer, classes, f"{where}: labels.{layer}")

    def _take_layer(self, layer: str, classes: Sequence[str], where: str) -> None:
        known = self._classes.get(layer)
        if known is None and layer in self._layers:
            raise InputError(f"the layer {layer!r} of the schema is none of classes", where=where)
        unknown = [name for name in classes if known is None or name not in known.names]
        if (known is None or unknown) and not self._grows:
            lacks = f"the schema has no label layer {layer!r}" if known is None else f"the layer has no class {unknown[0]!r}"
            raise InputError(lacks, where=where, hint=_HINT)
        if len(set(classes)) < len(classes):
            raise InputError("a class stands there twice", where=where)
        several = len(classes) > 1
        if known is None:
            check_short(layer, LABEL_LIMIT, where)
            known = Layer(layer, "labels", (), multiple=several)
            self._new_layers.add(layer)
        elif several and not known.multiple:
            if layer not in self._new_layers:
                raise InputError("the layer takes one class", where=where)
            known = replace(known, multiple=True)
        for name in unknown:
            check_short(name, LABEL_LIMIT, where)
            self.fresh.setdefault(name)
        self._classes[layer] = replace(known, types=(*known.types, *map(Type, unknown)))

    def grown(self) -> Schema | None:
        """The schema with what came in addition; None where nothing did."""
        if not self.fresh and not self._new_layers:
            return None
        types = tuple(Type(name) for name in self._fresh_entities)
        layers = [self._classes.get(layer.name, layer) for layer in self._schema.layers]
        layers += [layer for name, layer in self._classes.items() if name in self._new_layers]
        if not types:
            return Schema(tuple(layers))
        for index, layer in enumerate(layers):
            if layer.kind == "entities":
                layers[index] = replace(layer, types=layer.types + types)
                return Schema(tuple(layers))
        return Schema((Layer(ENTITIES, "entities", types), *layers))
