"""A float32 graph to int8, with one activation scale for each row.

Stock dynamic quantization takes one scale for the whole batch, so a sentence's logits change with its neighbors and padding.
Here every piece has its own scale, so a sentence alone and in any batch gives the same logits, to the bit.

For a matrix product ``x @ w``, x of shape (batch, pieces, inputs) and w of shape (inputs, outputs)::

    row = max |x| over the last axis            column = max |w| over the first axis
    y   = int8(x · 127 / row) @ int8(w · 127 / column)        in int32, exact
    out = y · (row / 127) · (column / 127)

The operators are chosen for ONNX Runtime's kernels: activations go in as uint8 around a zero point of 128, because only that
form has the fast kernel, and QuantizeLinear gets the scale 1 after a Mul, because with a vector of scales the whole graph is
six times slower. Matrices that share an input share its quantization. Embedding tables become int8 with one scale a row, which
is exact per piece as well. The products between activations (attention) stay in float32.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viner.errors import MissingExtraError

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_TINY = 1e-30
"""Stands for the largest magnitude of an all-zero row, so that it divides to zeros instead of NaN."""
_SMALL_TABLE = 1 << 18
"""Embedding tables with fewer weights (positions, token types) stay in float32: they save nothing."""


def quantize_rows(source: str | Path, target: str | Path) -> None:
    """Writes an int8 copy of a float32 graph.

    Args:
        source: An ONNX file as :func:`viner.training.export.export_onnx` writes it. Products with a constant matrix are
            quantized, everything else is kept.
        target: The file to write; it appears whole or not at all.

    Raises:
        MissingExtraError: If onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("quantizing a model", "train") from None
    model = onnx.load(source)
    _Rewriter(model.graph).rewrite()
    onnx.checker.check_model(model)
    target = Path(target)
    handle, draft = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    try:
        onnx.save(model, draft)
        Path(draft).chmod(0o644)
        Path(draft).replace(target)
    finally:
        Path(draft).unlink(missing_ok=True)


class _Rewriter:
    """Replaces the nodes of one graph in place."""

    def __init__(self, graph: GraphProto) -> None:
        from onnx import numpy_helper

        self._graph = graph
        self._weights = {item.name: item for item in graph.initializer}
        self._read = numpy_helper.to_array
        self._store = numpy_helper.from_array
        self._constants: dict[str, NDArray[np.generic]] = {}
        self._quantized: set[str] = set()

    def rewrite(self) -> None:
        nodes = [new for node in self._graph.node for new in self._replace(node)]
        self._graph.ClearField("node")
        self._graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input}
        kept = [item for item in self._graph.initializer if item.name in used]
        kept += [self._store(np.asarray(value), name) for name, value in self._constants.items()]
        self._graph.ClearField("initializer")
        self._graph.initializer.extend(kept)
        # Shapes that the exporter noted for tensors that no longer exist.
        self._graph.ClearField("value_info")

    def _replace(self, node: NodeProto) -> Iterator[NodeProto]:
        if node.op_type == "MatMul" and self._is_matrix(node.input[1]):
            yield from self._product(node)
        elif node.op_type == "Gather" and self._is_matrix(node.input[0]) and self._elements(node.input[0]) >= _SMALL_TABLE:
            yield from self._lookup(node)
        else:
            yield node

    def _product(self, node: NodeProto) -> Iterator[NodeProto]:
        from onnx import TensorProto, helper

        activation, weight, output = node.input[0], node.input[1], node.output[0]
        yield from self._rows(activation)
        quantized, scales = self._int8(weight, axis=0)
        integers, floats, rows = (f"{output}/{step}" for step in ("integers", "floats", "rows"))
        zero = self._constant("int8/zero", np.uint8(128))
        yield helper.make_node("MatMulInteger", [f"{activation}/uint8", quantized, zero], [integers])
        yield helper.make_node("Cast", [integers], [floats], to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [floats, f"{activation}/scale"], [rows])
        yield helper.make_node("Mul", [rows, scales], [output])

    def _rows(self, name: str) -> Iterator[NodeProto]:
        """Quantizes an activation, the first time that a matrix asks for it."""
        from onnx import helper

        if name in self._quantized:
            return
        self._quantized.add(name)
        largest, guarded, factor, scaled = (f"{name}/{step}" for step in ("largest", "guarded", "factor", "scaled"))
        yield helper.make_node("Abs", [name], [f"{name}/abs"])
        yield helper.make_node(
            "ReduceMax", [f"{name}/abs", self._constant("int8/last_axis", np.array([-1]))], [largest], keepdims=1
        )
        yield helper.make_node("Max", [largest, self._constant("int8/tiny", np.float32(_TINY))], [guarded])
        yield helper.make_node("Div", [self._constant("int8/127", np.float32(127)), guarded], [factor])
        yield helper.make_node("Mul", [name, factor], [scaled])
        one, zero = self._constant("int8/one", np.float32(1)), self._constant("int8/zero", np.uint8(128))
        yield helper.make_node("QuantizeLinear", [scaled, one, zero], [f"{name}/uint8"])
        yield helper.make_node("Mul", [guarded, self._constant("int8/1:127", np.float32(1 / 127))], [f"{name}/scale"])

    def _lookup(self, node: NodeProto) -> Iterator[NodeProto]:
        from onnx import TensorProto, helper

        table, ids, output = node.input[0], node.input[1], node.output[0]
        quantized, scales = self._int8(table, axis=1)
        integers, floats, scale = (f"{output}/{step}" for step in ("integers", "floats", "scale"))
        yield helper.make_node("Gather", [quantized, ids], [integers])
        yield helper.make_node("Gather", [scales, ids], [scale])
        yield helper.make_node("Cast", [integers], [floats], to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [floats, scale], [output])

    def _int8(self, name: str, *, axis: int) -> tuple[str, str]:
        """Quantizes a weight symmetrically with one scale for each slice along the other axis; returns the two names."""
        weights = self._read(self._weights[name]).astype(np.float32)
        scales = np.maximum(np.abs(weights).max(axis=axis, keepdims=True), _TINY) / np.float32(127)
        quantized = self._constant(f"{name}/int8", np.rint(weights / scales).astype(np.int8))
        return quantized, self._constant(f"{name}/scales", scales[0] if axis == 0 else scales)

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self._constants[name] = np.asarray(value)
        return name

    def _is_matrix(self, name: str) -> bool:
        return name in self._weights and len(self._weights[name].dims) == 2

    def _elements(self, name: str) -> int:
        return int(np.prod(self._weights[name].dims))
