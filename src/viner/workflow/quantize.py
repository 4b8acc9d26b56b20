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

Two things make the eight bits count. A few channels of a LayerNorm are ten times larger than the others and would leave these
with three bits; the activation's channels are divided, and the matrix's rows multiplied, by factors between the two ranges
(SmoothQuant, Xiao et al., 2023), found on sample texts. And GELU never falls below -0.17: shifted up by that it fills all
256 steps, and the shift's share of the product is a constant. On the bundled base, a third less error of the logits.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viner.encoding import PieceEncoder
from viner.errors import MissingExtraError
from viner.text import split_words

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

_GELU_MINIMUM = 0.17
"""GELU's smallest value is -0.16997."""
_SMOOTHING = 0.6
"""How much of a channel's range goes to the matrix, from 0 to 1; of 0.5 to 0.9 the least error of the logits."""
_TINY = 1e-30
"""Stands for the largest magnitude of an all-zero row, so that it divides to zeros instead of NaN."""
_SMALL_TABLE = 1 << 18
"""Embedding tables with fewer weights (positions, token types) stay in float32: they save nothing."""


Sample = NDArray[np.int64]
"""*Shape:* (pieces,). A sequence of vocabulary ids with its special pieces."""


def quantize_rows(source: str | Path, target: str | Path, samples: Sequence[Sample] = ()) -> None:
    """Writes an int8 copy of a float32 graph.

    Args:
        source: An ONNX file as :func:`viner.training.export.export_onnx` writes it. Products with a constant matrix are
            quantized, everything else is kept.
        target: The file to write; it appears whole or not at all.
        samples: Texts to measure the activations' channels on; none leaves them as they are. What they say hardly matters.

    Raises:
        MissingExtraError: If onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("quantizing a model", "train") from None
    model = onnx.load(source)
    _Rewriter(model.graph, _channel_ranges(model, samples) if samples else {}).rewrite()
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


def sample_texts(encoder: PieceEncoder, texts: Iterable[str]) -> list[Sample]:
    """The first window of each text, for :func:`quantize_rows`."""
    samples = []
    for text in texts:
        encoded = encoder.encode(text, split_words(text))
        samples.append(np.array([*encoder.prefix, *encoded.pieces[: encoder.capacity], *encoder.suffix], dtype=np.int64))
    return samples


def _channel_ranges(model: ModelProto, samples: Sequence[Sample]) -> dict[str, NDArray[np.float32]]:
    """Largest magnitude of each channel of the activations that matrices are applied to. *Shape:* (inputs,) each."""
    import onnxruntime
    from onnx import ModelProto as Model
    from onnx import TensorProto, helper

    probe = Model()
    probe.CopyFrom(model)
    matrices = {item.name for item in model.graph.initializer if len(item.dims) == 2}
    names = sorted({node.input[0] for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in matrices})
    present = {item.name for item in model.graph.output}
    probe.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names if name not in present
    )
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    ranges: dict[str, NDArray[np.float32]] = {}
    for sample in samples:
        answers = session.run(names, {"input_ids": sample[None], "attention_mask": np.ones_like(sample[None])})
        for name, answer in zip(names, answers, strict=True):
            largest = np.abs(answer).max(axis=tuple(range(answer.ndim - 1)))
            ranges[name] = np.maximum(ranges[name], largest) if name in ranges else largest
    return ranges


class _Rewriter:
    """Replaces the nodes of one graph in place.

    Args:
        graph: The graph.
        ranges: Largest magnitude of each channel by activation; activations that are missing are not smoothed.
    """

    def __init__(self, graph: GraphProto, ranges: Mapping[str, NDArray[np.float32]]) -> None:
        from onnx import numpy_helper

        self._graph = graph
        self._weights = {item.name: item for item in graph.initializer}
        self._read = numpy_helper.to_array
        self._store = numpy_helper.from_array
        self._constants: dict[str, NDArray[np.generic]] = {}
        self._quantized: set[str] = set()
        self._ranges = ranges
        self._smoothing: dict[str, NDArray[np.float32]] = {}
        self._gelus = {node.output[0] for node in graph.node if node.op_type == "Gelu"}

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
        matrix = self._matrix(weight)
        if activation in self._gelus:
            yield from self._shifted_rows(activation)
            zero = self._constant("int8/low", np.uint8(0))
        else:
            yield from self._rows(activation)
            zero = self._constant("int8/zero", np.uint8(128))
            if activation in self._smoothing:
                matrix = matrix * self._smoothing[activation][:, None]
        quantized, scales = self._int8(weight, matrix, axis=0)
        integers, floats, rows = (f"{output}/{step}" for step in ("integers", "floats", "rows"))
        yield helper.make_node("MatMulInteger", [f"{activation}/uint8", quantized, zero], [integers])
        yield helper.make_node("Cast", [integers], [floats], to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [floats, f"{activation}/scale"], [rows])
        if activation not in self._gelus:
            yield helper.make_node("Mul", [rows, scales], [output])
            return
        yield helper.make_node("Mul", [rows, scales], [f"{output}/columns"])
        stored = self._constants[quantized].astype(np.float32) * self._constants[scales].astype(np.float32)
        offset = self._constant(f"{weight}/offset", np.float32(_GELU_MINIMUM) * stored.sum(axis=0, dtype=np.float32))
        yield helper.make_node("Sub", [f"{output}/columns", offset], [output])

    def _rows(self, name: str) -> Iterator[NodeProto]:
        """Quantizes an activation around 128, the first time that a matrix asks for it."""
        from onnx import helper

        if name in self._quantized:
            return
        self._quantized.add(name)
        source = name
        if name in self._ranges:
            factors = self._smoothing[name] = self._smoothing_factors(name)
            source = f"{name}/smooth"
            yield helper.make_node("Mul", [name, self._constant(f"{name}/smoothing", 1 / factors)], [source])
        yield helper.make_node("Abs", [source], [f"{name}/abs"])
        yield from self._scaled(name, f"{name}/abs", source, steps=127, zero=self._constant("int8/zero", np.uint8(128)))

    def _shifted_rows(self, name: str) -> Iterator[NodeProto]:
        """Quantizes the output of a GELU from 0 up, shifted by its minimum."""
        from onnx import helper

        if name in self._quantized:
            return
        self._quantized.add(name)
        shift = self._constant("int8/gelu_minimum", np.float32(_GELU_MINIMUM))
        yield helper.make_node("Add", [name, shift], [f"{name}/shifted"])
        low = self._constant("int8/low", np.uint8(0))
        yield from self._scaled(name, f"{name}/shifted", f"{name}/shifted", steps=255, zero=low)

    def _scaled(self, name: str, magnitudes: str, values: str, *, steps: int, zero: str) -> Iterator[NodeProto]:
        """Scales each row of ``values`` to ``steps`` and rounds it; names the results ``NAME/uint8`` and ``NAME/scale``."""
        from onnx import helper

        largest, guarded, factor, scaled = (f"{name}/{step}" for step in ("largest", "guarded", "factor", "scaled"))
        axis = self._constant("int8/last_axis", np.array([-1]))
        yield helper.make_node("ReduceMax", [magnitudes, axis], [largest], keepdims=1)
        # Adding it changes only a zero; ONNX Runtime's Max took 2.5 % of a run.
        yield helper.make_node("Add", [largest, self._constant("int8/tiny", np.float32(_TINY))], [guarded])
        yield helper.make_node("Div", [self._constant(f"int8/{steps}", np.float32(steps)), guarded], [factor])
        yield helper.make_node("Mul", [values, factor], [scaled])
        yield helper.make_node("QuantizeLinear", [scaled, self._constant("int8/one", np.float32(1)), zero], [f"{name}/uint8"])
        share = self._constant(f"int8/1:{steps}", np.float32(1 / steps))
        yield helper.make_node("Mul", [guarded, share], [f"{name}/scale"])

    def _smoothing_factors(self, name: str) -> NDArray[np.float32]:
        """Factors of an activation's channels, with a geometric mean of 1. *Shape:* (inputs,)."""
        readers = [node.input[1] for node in self._graph.node if node.op_type == "MatMul" and node.input[0] == name]
        weights = np.max([np.abs(self._matrix(weight)).max(axis=1) for weight in readers if self._is_matrix(weight)], axis=0)
        activations = np.maximum(self._ranges[name], 1e-5)
        factors = activations**_SMOOTHING / np.maximum(weights, 1e-5) ** (1 - _SMOOTHING)
        result: NDArray[np.float32] = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
        return result

    def _lookup(self, node: NodeProto) -> Iterator[NodeProto]:
        from onnx import TensorProto, helper

        table, ids, output = node.input[0], node.input[1], node.output[0]
        quantized, scales = self._int8(table, self._matrix(table), axis=1)
        integers, floats, scale = (f"{output}/{step}" for step in ("integers", "floats", "scale"))
        yield helper.make_node("Gather", [quantized, ids], [integers])
        yield helper.make_node("Gather", [scales, ids], [scale])
        yield helper.make_node("Cast", [integers], [floats], to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [floats, scale], [output])

    def _matrix(self, name: str) -> NDArray[np.float32]:
        matrix: NDArray[np.float32] = self._read(self._weights[name]).astype(np.float32)
        return matrix

    def _int8(self, name: str, weights: NDArray[np.float32], *, axis: int) -> tuple[str, str]:
        """Quantizes a weight symmetrically with one scale for each slice along the other axis; returns the two names."""
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
