"""A float32 graph to int8, with one activation scale for each row.

Stock dynamic quantization takes one scale for the whole batch, so a sentence's logits change with its neighbors and padding.
Here every piece has its own scale, so a sentence alone and in any batch gives the same logits, to the bit.

For a matrix product ``x @ w``, x of shape (batch, pieces, inputs) and w of shape (inputs, outputs)::

    row = max |x| over the last axis            column = max |w| over the first axis
    y   = int8(x · 127 / row) @ int8(w · 127 / column)        in int32, exact
    out = y · (row · column / 127²)

The operators are chosen for ONNX Runtime's kernels. Activations go in as uint8 around a zero point of 128, because only that
form has the fast kernel, and QuantizeLinear gets the scale 1 after a Mul, because with a vector of scales the whole graph is
six times slower. The scales are applied as ``y · (row · column)``, since ONNX Runtime makes one operator of that with the
product and its conversion, and never computes the inner product of the scales. It would take a bias in as well, but add it
before the rows' scales, which is wrong (seen in 1.32); so a bias is subtracted with its sign turned, which it leaves alone.
Matrices that share an input share its quantization. Embedding tables become int8 with one scale a row, which is exact per
piece as well. The products between activations (attention) stay in float32.

Three things make the eight bits count. A few channels of a LayerNorm are ten times larger than the others and would leave these
with three bits; the activation's channels are divided, and the matrix's rows multiplied, by factors between the two ranges
(SmoothQuant, Xiao et al., 2023), found on sample texts. The same texts say which channels move together, so that what the
rounding of one weight changes is made up for by others (:mod:`viner.workflow.rounding`): the error of the logits is a seventh
less. And GELU never falls below -0.17, so its zero point lies near the lower end of the 256 steps. Its form by tanh differs by
less than a twentieth of a step, and takes a quarter less time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from viner.bundle import SegmenterRecord
from viner.document import Document
from viner.encoding import PieceEncoder
from viner.errors import MissingExtraError
from viner.text import words_of
from viner.training.graph_file import is_large, save_graph
from viner.workflow.activations import Activations, Sample
from viner.workflow.first_pieces import pick_first_pieces
from viner.workflow.packing import pack_pieces
from viner.workflow.rounding import Compensation
from viner.workflow.segments import in_segments

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

_GELU_MINIMUM = 0.17
"""GELU's smallest value is -0.16997, with tanh -0.17004."""
_GELU_ZERO = 32
"""Zero point of a GELU's output: so many of the 256 steps are left to what lies below zero. From 20 on, logits are as exact as
with a shift by the minimum."""
_SMOOTHING = 0.6
"""How much of a channel's range goes to the matrix, from 0 to 1; of 0.5 to 0.9 the least error of the logits."""
_TINY = 1e-30
"""Stands for the largest magnitude of an all-zero row, so that it divides to zeros instead of NaN."""
_SMALL_TABLE = 1 << 18
"""Embedding tables with fewer weights (positions, token types) stay in float32: they save nothing."""


def quantize_rows(source: str | Path, target: str | Path, samples: Sequence[Sample] = (), *, compact: bool = False) -> None:
    """Writes an int8 copy of a float32 graph.

    Args:
        source: An ONNX file as :func:`viner.training.export.export_onnx` writes it. Products with a constant matrix are
            quantized, everything else is kept.
        target: The file to write; it appears whole or not at all.
        samples: Texts to measure the activations' channels on; without them, channels stay as they are, and weights are rounded
            one by one. What they say hardly matters.
        compact: Whether the copy computes what recognition needs and no more: an answer at the first pieces of words only,
            which are then a further input (:mod:`viner.workflow.first_pieces`), and nothing for the padding
            (:mod:`viner.workflow.packing`).

    Raises:
        MissingExtraError: If onnx is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise MissingExtraError("quantizing a model", "train") from None
    model = onnx.load(source)
    if compact:
        pick_first_pieces(model.graph)
        pack_pieces(model)
    _Rewriter(model.graph, Activations(model, samples) if samples else None).rewrite()
    if not is_large(model):  # a large one can be checked in a file only
        onnx.checker.check_model(model)
    save_graph(model, target)


def sample_texts(encoder: PieceEncoder, texts: Iterable[str], segmenter: SegmenterRecord | None = None) -> list[Sample]:
    """The first window of each text, for :func:`quantize_rows`.

    Args:
        encoder: The model's tokenizer.
        texts: The texts.
        segmenter: What groups words into the segments that the model reads, if it does.
    """
    samples = []
    for document in in_segments([Document(text) for text in texts], segmenter):
        words = words_of(document)
        encoded = encoder.encode(document.text, words)
        samples.append(np.array([*encoder.prefix, *encoded.pieces[: encoder.capacity], *encoder.suffix], dtype=np.int64))
    return samples


class _Rewriter:
    """Replaces the nodes of one graph in place.

    Args:
        graph: The graph.
        activations: What sample texts say of its activations; None leaves channels as they are, and rounds each weight alone.
    """

    def __init__(self, graph: GraphProto, activations: Activations | None) -> None:
        from onnx import helper, numpy_helper

        self._graph = graph
        self._make = helper.make_node
        self._weights = {item.name: item for item in graph.initializer}
        self._read = numpy_helper.to_array
        self._store = numpy_helper.from_array
        self._constants: dict[str, NDArray[np.generic]] = {}
        self._quantized: set[str] = set()
        self._products: set[str] = set()
        self._applied: Counter[str] = Counter()
        self._activations = activations
        self._smoothing: dict[str, NDArray[np.float32]] = {}
        self._compensation: tuple[object, Compensation] | None = None  # of the activations that had one last
        read = {node.input[0] for node in graph.node if node.op_type == "MatMul" and self._is_matrix(node.input[1])}
        self._gelus = {node.output[0] for node in graph.node if node.op_type == "Gelu"} & read

    def rewrite(self) -> None:
        nodes = [new for node in self._graph.node for new in self._replace(node)]
        self._graph.ClearField("node")
        self._graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input}
        kept = [item for item in self._graph.initializer if item.name in used]
        kept += [self._store(np.asarray(value), name) for name, value in self._constants.items() if name in used]
        self._graph.ClearField("initializer")
        self._graph.initializer.extend(kept)
        # Shapes that the exporter noted for tensors that no longer exist.
        self._graph.ClearField("value_info")

    def _replace(self, node: NodeProto) -> Iterator[NodeProto]:
        if node.op_type == "MatMul" and self._is_matrix(node.input[1]):
            yield from self._product(node)
        elif node.op_type == "Add" and (bias := self._bias(node)) is not None:
            yield self._subtraction(node, bias)
        elif node.op_type == "Gelu" and node.output[0] in self._gelus:
            yield self._make("Gelu", list(node.input), list(node.output), approximate="tanh")
        elif node.op_type == "Gather" and self._is_matrix(node.input[0]) and self._elements(node.input[0]) >= _SMALL_TABLE:
            yield from self._lookup(node)
        else:
            yield node

    def _product(self, node: NodeProto) -> Iterator[NodeProto]:
        from onnx import TensorProto

        activation, weight, output = node.input[0], node.input[1], node.output[0]
        matrix = self._matrix(weight)
        if activation in self._gelus:
            yield from self._gelu_rows(activation)
            steps, zero = 255 - _GELU_ZERO, self._constant("int8/low", np.uint8(_GELU_ZERO))
        else:
            yield from self._rows(activation)
            steps, zero = 127, self._constant("int8/zero", np.uint8(128))
            if activation in self._smoothing:
                matrix = matrix * self._smoothing[activation][:, None]
        quantized, scales = self._int8(weight, matrix, axis=0, activation=activation)
        # The same matrix may be read by activations of both kinds.
        columns = self._constant(f"{scales}:{steps}", self._constants[scales].astype(np.float32) / np.float32(steps))
        self._applied[quantized] += 1
        if self._applied[quantized] > 1:
            shared, quantized = quantized, f"{output}/matrix"
            yield self._copy(shared, quantized, len(matrix) + self._applied[shared])
        integers, floats, scale = (f"{output}/{step}" for step in ("integers", "floats", "scale"))
        yield self._make("MatMulInteger", [f"{activation}/uint8", quantized, zero], [integers])
        yield self._make("Cast", [integers], [floats], to=TensorProto.FLOAT)
        yield self._make("Mul", [f"{activation}/largest", columns], [scale])
        yield self._make("Mul", [floats, scale], [output])
        self._products.add(output)

    def _copy(self, matrix: str, name: str, end: int) -> NodeProto:
        """Another matrix with the same numbers, made when the graph is loaded.

        Where products overflow (``session_options``), ONNX Runtime makes u8 of each product's matrix, and fails at one that two
        share (seen in 1.32). It takes a slice of all rows for another matrix, unless it has met one to the same end.

        Args:
            matrix: Name of the matrix.
            name: Name of the copy.
            end: A number of rows that no other copy of it has, more than there are.
        """
        start, stop = self._constant("int8/first", np.array([0])), self._constant(f"{name}/end", np.array([end]))
        return self._make("Slice", [matrix, start, stop], [name])

    def _rows(self, name: str) -> Iterator[NodeProto]:
        """Quantizes an activation around 128, the first time that a matrix asks for it."""
        if name in self._quantized:
            return
        source = name
        if self._activations is not None and self._gelus.isdisjoint(self._activations.alike(name)):
            factors = self._smoothing[name] = self._smoothing_factors(name, self._activations)
            source = f"{name}/smooth"
            yield self._make("Mul", [name, self._constant(f"{name}/smoothing", 1 / factors)], [source])
        yield self._make("Abs", [source], [f"{name}/abs"])
        yield self._largest(name, f"{name}/abs", f"{name}/any")
        # Adding it changes only a zero; ONNX Runtime's Max took 2.5 % of a run.
        yield self._make("Add", [f"{name}/any", self._constant("int8/tiny", np.float32(_TINY))], [f"{name}/largest"])
        yield from self._scaled(name, source, steps=127, zero=self._constant("int8/zero", np.uint8(128)))

    def _gelu_rows(self, name: str) -> Iterator[NodeProto]:
        """Quantizes the output of a GELU, the first time that a matrix asks for it."""
        if name in self._quantized:
            return
        steps = 255 - _GELU_ZERO
        # A step is at least so large that the lowest value still has one.
        least = self._constant("int8/gelu_least", np.float32(_GELU_MINIMUM * steps / _GELU_ZERO))
        yield self._largest(name, name, f"{name}/any")
        yield self._make("Clip", [f"{name}/any", least], [f"{name}/largest"])
        yield from self._scaled(name, name, steps=steps, zero=self._constant("int8/low", np.uint8(_GELU_ZERO)))

    def _largest(self, name: str, magnitudes: str, output: str) -> NodeProto:
        return self._make("ReduceMax", [magnitudes, self._constant("int8/last_axis", np.array([-1]))], [output], keepdims=1)

    def _scaled(self, name: str, values: str, *, steps: int, zero: str) -> Iterator[NodeProto]:
        """Scales each row of ``values`` so that ``NAME/largest`` becomes ``steps``, and rounds it to ``NAME/uint8``."""
        self._quantized.add(name)
        factor, scaled = f"{name}/factor", f"{name}/scaled"
        yield self._make("Div", [self._constant(f"int8/{steps}", np.float32(steps)), f"{name}/largest"], [factor])
        yield self._make("Mul", [values, factor], [scaled])
        yield self._make("QuantizeLinear", [scaled, self._constant("int8/one", np.float32(1)), zero], [f"{name}/uint8"])

    def _bias(self, node: NodeProto) -> str | None:
        """The bias that an Add adds to a product, or None."""
        for product, bias in (node.input, reversed(node.input)):
            if product in self._products and bias in self._weights and len(self._weights[bias].dims) == 1:
                return str(bias)
        return None

    def _subtraction(self, node: NodeProto, bias: str) -> NodeProto:
        (product,) = (name for name in node.input if name != bias)
        negative = self._constant(f"{bias}/negative", -self._read(self._weights[bias]).astype(np.float32))
        return self._make("Sub", [product, negative], list(node.output))

    def _smoothing_factors(self, name: str, known: Activations) -> NDArray[np.float32]:
        """Factors of an activation's channels, with a geometric mean of 1. *Shape:* (inputs,)."""
        alike = known.alike(name)
        readers = [node.input[1] for node in self._graph.node if node.op_type == "MatMul" and node.input[0] in alike]
        weights = np.max([np.abs(self._matrix(weight)).max(axis=1) for weight in readers if self._is_matrix(weight)], axis=0)
        activations = np.maximum(known.ranges(name), 1e-5)
        factors = activations**_SMOOTHING / np.maximum(weights, 1e-5) ** (1 - _SMOOTHING)
        result: NDArray[np.float32] = (factors / np.exp(np.log(factors).mean())).astype(np.float32)
        return result

    def _compensated(self, activation: str, known: Activations) -> Compensation:
        """How errors in matrices that are applied to this activation are made up for."""
        alike = known.alike(activation)
        if self._compensation is None or self._compensation[0] != alike:
            moments = known.moments(activation)
            if activation in self._smoothing:
                factors = self._smoothing[activation]
                moments = moments / np.outer(factors, factors)
            self._compensation = alike, Compensation(moments)
        return self._compensation[1]

    def _lookup(self, node: NodeProto) -> Iterator[NodeProto]:
        from onnx import TensorProto

        table, ids, output = node.input[0], node.input[1], node.output[0]
        quantized, scales = self._int8(table, self._matrix(table), axis=1)
        integers, floats, scale = (f"{output}/{step}" for step in ("integers", "floats", "scale"))
        yield self._make("Gather", [quantized, ids], [integers])
        yield self._make("Gather", [scales, ids], [scale])
        yield self._make("Cast", [integers], [floats], to=TensorProto.FLOAT)
        yield self._make("Mul", [floats, scale], [output])

    def _matrix(self, name: str) -> NDArray[np.float32]:
        matrix: NDArray[np.float32] = self._read(self._weights[name]).astype(np.float32)
        return matrix

    def _int8(self, name: str, weights: NDArray[np.float32], *, axis: int, activation: str | None = None) -> tuple[str, str]:
        """Quantizes a weight symmetrically with one scale for each slice along the other axis; returns the two names.

        Args:
            name: The weight, which is quantized once.
            weights: Its numbers.
            axis: Along which a slice lies.
            activation: What it is applied to.
        """
        integers, steps = f"{name}/int8", f"{name}/scales"
        if integers not in self._constants:
            scales = np.maximum(np.abs(weights).max(axis=axis, keepdims=True), _TINY) / np.float32(127)
            if activation is None or self._activations is None:
                rounded = np.rint(weights / scales).astype(np.int8)
            else:
                rounded = self._compensated(activation, self._activations).rounded(weights, scales)
            self._constant(integers, rounded)
            self._constant(steps, scales[0] if axis == 0 else scales)
        return integers, steps

    def _constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        self._constants[name] = np.asarray(value)
        return name

    def _is_matrix(self, name: str) -> bool:
        return name in self._weights and len(self._weights[name].dims) == 2

    def _elements(self, name: str) -> int:
        return int(np.prod(self._weights[name].dims))
