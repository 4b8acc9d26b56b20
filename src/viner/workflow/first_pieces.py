"""A graph that answers only where it is asked: at the first pieces of the words.

A word is answered at its first piece, so the rows of all other pieces, and of the padding, are computed for nothing from the
last attention on. Picking the rows is moved up through everything that treats each row by itself: classifier, LayerNorm,
feed-forward layer, the attention's output matrix. On the bundled base that leaves out a thirtieth of the work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from viner.encoding import FIRST_PIECES
from viner.training.shapes import used_nodes
from viner.workflow.rows import is_by_row

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def pick_first_pieces(graph: GraphProto) -> None:
    """Gives a graph the input ``first_pieces``, in place; its output becomes (words, tags) instead of (batch, pieces, tags).

    Args:
        graph: A float32 graph of an encoder with one output.
    """
    from onnx import TensorProto, helper

    _Picker(graph).pick()
    graph.input.append(helper.make_tensor_value_info(FIRST_PIECES, TensorProto.INT64, ["words"]))
    output = graph.output[0]
    tags = output.type.tensor_type.shape.dim[-1].dim_value
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(output.name, TensorProto.FLOAT, ["words", tags or "tags"]))


class _Picker:
    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._makers = {name: node for node in graph.node for name in node.output}
        self._constants = {item.name: item for item in graph.initializer}
        self._moved = self._movable()
        self._picked: dict[str, str] = {}
        self._new: list[NodeProto] = []

    def pick(self) -> None:
        name = self._graph.output[0].name
        last = self._rows(name)
        # The output keeps its name, and the node that had it is of no use any more.
        for node in self._new:
            for position, output in enumerate(node.output):
                if output == last:
                    node.output[position] = name
        old = [node for node in self._graph.node if name not in node.output]
        kept = used_nodes([*old, *self._new], [name])
        self._graph.ClearField("node")
        self._graph.node.extend(kept)

    def _rows(self, name: str) -> str:
        """Name of a tensor's picked rows; makes what is needed for it."""
        if name in self._picked:
            return self._picked[name]
        from onnx import helper

        node = self._makers.get(name)
        picked = f"{name}/{FIRST_PIECES}"
        if node is not None and name in self._moved:
            twin = helper.make_node(node.op_type, [], [picked])
            twin.attribute.extend(node.attribute)
            twin.input.extend(item if item in self._constants else self._rows(item) for item in node.input)
            self._new.append(twin)
        else:
            flat = f"{name}/rows"
            self._new.append(helper.make_node("Flatten", [name], [flat], axis=2))
            self._new.append(helper.make_node("Gather", [flat, FIRST_PIECES], [picked]))
        self._picked[name] = picked
        return picked

    def _movable(self) -> set[str]:
        """Tensors of which nothing but picked rows is needed, and that can be computed from picked rows."""
        readers: dict[str, list[NodeProto]] = {}
        for node in self._graph.node:
            for item in node.input:
                readers.setdefault(item, []).append(node)
        moved: set[str] = set()
        for node in reversed(self._graph.node):
            read_by = [output for reader in readers.get(node.output[0], ()) for output in reader.output]
            if is_by_row(node, self._constants) and moved.issuperset(read_by):
                moved.add(node.output[0])
        return moved
