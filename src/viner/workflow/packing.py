"""A graph that computes pieces and no padding.

Texts of one batch have different lengths, and the shorter ones are filled up with padding. Only attention needs them side by
side; everything else treats each piece by itself: products, LayerNorm, GELU, and the steps around int8 products. So these get
one row a piece, and none for the padding: rows are taken out before them, and put into their places before attention. Inputs
and output stay as they are; where the pieces are is what the graph's own mask says::

    rows    = places of the flattened mask that are not 0                         (rows,)
    places  = how many of them there are up to each place, itself included, − 1   (batch, pieces)
    packed  = Gather(flattened, rows)          side by side = Gather(packed, places)

At a place of the padding stands the piece before it once more, which is no harm: attention masks it, and nobody asks for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from viner.encoding import PACKED, PACKED_PLACES, PACKED_ROWS
from viner.training.graph_file import save_graph
from viner.training.shapes import used_nodes
from viner.workflow.graphs import ask, open_graph
from viner.workflow.rows import is_by_row

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

_MASK = "attention_mask"
_SHAPES = ((2, 7), (3, 5))
"""Batches by which tensors of pieces are told from others."""
_FEW = 20
"""Entries that every vocabulary has."""


def pack_file(path: str | Path) -> None:
    """Has the graph in a file compute pieces and no padding; the file is replaced whole.

    Args:
        path: A float32 graph, see :func:`pack_pieces`.
    """
    import onnx

    model = onnx.load(path)
    pack_pieces(model)
    save_graph(model, path)


def pack_pieces(model: ModelProto) -> None:
    """Has a graph compute pieces and no padding, in place. One whose answers would change stays as it is.

    Args:
        model: A float32 graph with the inputs of :mod:`viner.training.export`, and perhaps first pieces.
    """
    from onnx import ModelProto as Model

    if any(item.key == PACKED for item in model.metadata_props):
        return
    packed = Model()
    packed.CopyFrom(model)
    constants = {item.name: item for item in packed.graph.initializer}
    of_pieces = _tensors_of_pieces(packed)
    by_row = {
        node.output[0]
        for node in packed.graph.node
        if node.output[0] in of_pieces
        and is_by_row(node, constants)
        and all(item in of_pieces for item in node.input if item not in constants)
    }
    if not by_row:
        return
    _Packer(packed.graph, by_row).pack()
    packed.metadata_props.add(key=PACKED, value="1")
    if _agree(model, packed):
        model.CopyFrom(packed)


def _agree(one: ModelProto, other: ModelProto) -> bool:
    """Whether the other graph runs, and answers as the first one does at the pieces of a batch with padding."""
    mask = np.zeros((4, 9), dtype=np.int64)
    for row, length in enumerate((4, 9, 1, 6)):
        mask[row, :length] = 1
    ids = np.random.default_rng(0).integers(1, _FEW, mask.shape)
    first = np.flatnonzero(mask)
    answers = []
    for model in (one, other):
        try:
            (logits,) = ask(open_graph(model), ids, mask, first)
        except Exception:  # ONNX Runtime has a dozen unrelated exceptions
            if model is one:
                raise
            return False
        answers.append(logits if logits.ndim == 2 else logits.reshape(-1, logits.shape[-1])[first])
    expected, found = answers
    return float(np.abs(found - expected).max()) <= 1e-3 * max(1.0, float(np.abs(expected).max()))


def _tensors_of_pieces(model: ModelProto) -> set[str]:
    """Names of the tensors of the form (batch, pieces, channels), whatever the batch."""
    names = [name for node in model.graph.node for name in node.output if name]
    session = open_graph(model, names)
    found = set(names)
    for shape in _SHAPES:
        ones = np.ones(shape, dtype=np.int64)
        answers = ask(session, ones, ones, np.zeros(1, dtype=np.int64), names)
        found &= {name for name, answer in zip(names, answers, strict=True) if answer.ndim == 3 and answer.shape[:2] == shape}
    return found


class _Packer:
    """Rewrites one graph. A packed tensor keeps its name, unless it is an output, which keeps its shape instead.

    Args:
        graph: The graph.
        packed: Tensors that are computed without padding.
    """

    def __init__(self, graph: GraphProto, packed: set[str]) -> None:
        self._graph = graph
        self._outputs = {item.name for item in graph.output}
        self._packed = packed
        self._constants = {item.name: item for item in graph.initializer}
        self._makers = {name: node for node in graph.node for name in node.output}
        self._made: set[str] = set()
        self._nodes: list[NodeProto] = []

    def pack(self) -> None:
        self._find_pieces()
        for node in self._graph.node:
            packed = node.output[0] in self._packed
            inputs = [self._rows(name) if packed else self._side_by_side(name) for name in node.input]
            node.ClearField("input")
            node.input.extend(inputs)
            if packed:
                node.output[0] = self._name(node.output[0])
            self._nodes.append(node)
        for name in self._packed & self._outputs:
            self._side_by_side(name)
        kept = used_nodes(self._nodes, self._outputs)
        self._graph.ClearField("node")
        self._graph.node.extend(kept)
        self._graph.ClearField("value_info")  # shapes that the exporter noted

    def _name(self, name: str) -> str:
        """What a packed tensor is called."""
        return f"{name}/packed" if name in self._outputs else name

    def _rows(self, name: str) -> str:
        """A tensor without its padding."""
        if name in self._packed:
            return self._name(name)
        if name in self._constants:
            return name
        packed = f"{name}/packed"
        if packed not in self._made:
            self._make("Gather", [self._flat(name), PACKED_ROWS], packed)
        return packed

    def _flat(self, name: str) -> str:
        """A tensor with its padding, of the form (batch · pieces, channels)."""
        flat = f"{name}/flat"
        maker = self._makers[name]
        if maker.op_type == "Reshape" and (target := self._target(maker)) is not None:
            # From heads to channels: straight on, instead of over (batch, pieces, channels).
            self._constant(f"{flat}/shape", [-1, target])
            self._make("Reshape", [maker.input[0], f"{flat}/shape"], flat)
        else:
            self._make("Flatten", [name], flat, axis=2)
        return flat

    def _target(self, reshape: NodeProto) -> int | None:
        """How many channels a reshape to (batch, pieces, channels) makes, if it says so."""
        from onnx import numpy_helper

        target = self._constants.get(reshape.input[1])
        if target is None:
            return None
        *kept, channels = numpy_helper.to_array(target).tolist()
        return channels if kept == [0, 0] and channels > 0 else None

    def _side_by_side(self, name: str) -> str:
        """A tensor with its padding."""
        if name not in self._packed:
            return name
        placed = name if name in self._outputs else f"{name}/placed"
        if placed not in self._made:
            self._make("Gather", [self._name(name), PACKED_PLACES], placed)
        return placed

    def _find_pieces(self) -> None:
        for name, value in (("all", [-1]), ("first", 0), ("one", 1)):
            self._constant(f"packing/{name}", value)
        self._make("Reshape", [_MASK, "packing/all"], "packing/mask")
        self._make("NonZero", ["packing/mask"], "packing/nonzero")
        self._make("Reshape", ["packing/nonzero", "packing/all"], PACKED_ROWS)
        self._make("CumSum", ["packing/mask", "packing/first"], "packing/counts")
        self._make("Sub", ["packing/counts", "packing/one"], "packing/before")
        self._make("Shape", [_MASK], "packing/shape")
        self._make("Reshape", ["packing/before", "packing/shape"], PACKED_PLACES)

    def _constant(self, name: str, value: int | list[int]) -> None:
        from onnx import numpy_helper

        self._graph.initializer.append(numpy_helper.from_array(np.array(value, dtype=np.int64), name))

    def _make(self, operator: str, inputs: list[str], output: str, **attributes: int) -> None:
        from onnx import helper

        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        self._made.add(output)
