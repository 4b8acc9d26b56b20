"""Shapes that a graph computes although they can be said beforehand.

The exporter writes a reshape to heads as one whose target is put together at run time: shape, two picks, two unsqueezes and a
concatenation for each layer, and the same again on the way back. ONNX's Reshape takes 0 for "this dimension as it is", which
makes the target a constant. A hundred operators less are a tenth of the time that a short sentence takes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def settle_shapes(graph: GraphProto) -> None:
    """Makes the targets of reshapes constant where they keep batch and length, in place.

    Args:
        graph: A graph over (batch, pieces, …). Whether a reshape keeps both dimensions cannot be seen from the graph alone, so
            the caller compares its answers with the model's.
    """
    from onnx import numpy_helper

    makers = {name: node for node in graph.node for name in node.output}
    constants = {item.name: item for item in graph.initializer}

    def dimension(name: str) -> int | None:
        """Which dimension of a tensor's shape this is, or None."""
        unsqueeze = makers.get(name)
        if unsqueeze is None or unsqueeze.op_type != "Unsqueeze":
            return None
        gather = makers.get(unsqueeze.input[0])
        if gather is None or gather.op_type != "Gather" or gather.input[1] not in constants:
            return None
        shape = makers.get(gather.input[0])
        if shape is None or shape.op_type != "Shape":
            return None
        return int(numpy_helper.to_array(constants[gather.input[1]]).item())

    for node in graph.node:
        target = makers.get(node.input[1]) if node.op_type == "Reshape" else None
        if target is None or target.op_type != "Concat":
            continue
        kept, sizes = target.input[:2], target.input[2:]
        if [dimension(name) for name in kept] == [0, 1] and sizes and all(name in constants for name in sizes):
            tail = np.concatenate([numpy_helper.to_array(constants[name]).reshape(-1) for name in sizes])
            if (tail != 0).all():
                name = f"{node.output[0]}/shape"
                graph.initializer.append(numpy_helper.from_array(np.concatenate([[0, 0], tail]).astype(np.int64), name))
                node.input[1] = name
    drop_unused(graph)


def drop_unused(graph: GraphProto) -> None:
    """Takes out the nodes and constants that no output needs, in place."""
    nodes = used_nodes(graph.node, [output.name for output in graph.output])
    read = {name for node in nodes for name in node.input}
    constants = [item for item in graph.initializer if item.name in read]
    for field, kept in (("node", nodes), ("initializer", constants)):
        graph.ClearField(field)
        getattr(graph, field).extend(kept)


def used_nodes(nodes: Iterable[NodeProto], outputs: Iterable[str]) -> list[NodeProto]:
    """The nodes that some outputs need, in their order; each node stands behind those that it reads from."""
    needed = set(outputs)
    kept = []
    for node in reversed(list(nodes)):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]
