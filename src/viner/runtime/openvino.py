"""Intel's OpenVINO as an engine, for int8 graphs and for those in float32.

It multiplies integers with its fastest kernels where the graph itself says how activations are rounded, by the operator
FakeQuantize with fixed limits. So the steps that stand around products for ONNX Runtime (see :mod:`viner.workflow.quantize`)
are put in that form when an int8 graph is loaded: rows are scaled by their largest magnitudes before it, and back behind the
product. OpenVINO computes a chain of steps between two products in one pass, biases and GELU among them. The integers are those
of ONNX Runtime. It reads the same file; nothing is stored twice. (Where a graph has int8 weights and says nothing of
activations, OpenVINO rounds these by itself, row by row. Such products take twice as long.)

A float32 graph is computed in bf16 where the processor is faster with it (:mod:`viner.runtime.halves`): twice as fast, with
99.7 % of its entities where a model is unsure. Where the processor has AMX, so is an int8 graph: its weights are multiplied by
their scales when it is loaded, and activations are not rounded. That is more than twice as fast as the products that OpenVINO
rounds for by itself; those of FakeQuantize were not tried there. (Scaling weights while they are multiplied in bf16 took a
quarter longer, and gave wrong products in OpenVINO 2026.4.) Around products of integers bf16 gains nothing, since what is
computed faster in it has to be converted.

Its attention sums up a row in blocks, so a sentence's last bits depend on how wide its batch is. They do not depend on how
many sentences stand beside it. So the width follows from the sentence alone: its own length, or the next multiple of 16 where
that is near, since these are faster. Batches are made of sequences of one such width.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viner.bundle.processor import read_processor
from viner.encoding import FIRST_PIECES, PACKED_PLACES, PACKED_ROWS, cut_by_length
from viner.errors import BundleError, MissingExtraError, UsageError
from viner.runtime.engine import Engine
from viner.runtime.halves import times_as_fast

_log = logging.getLogger("viner")

_STEP = 16
"""Widths that are multiples of this run about a tenth faster than their neighbors,"""
_NEAR = 0.9
"""so a sequence that fills at least this share of the next one is filled up to it."""
_BUDGET = 1024
"""Pieces of a batch. OpenVINO prepares itself for every new shape, some milliseconds long, and AMX wants its tiles filled:
there a quarter faster than four batches of a quarter of the size."""
_ROW_STEP = 32
"""Words of a batch are filled up to a multiple of this, since OpenVINO prepares itself for every new shape."""


class OpenVinoEngine(Engine):
    """Runs a graph with OpenVINO on the processor.

    Args:
        graph: An int8 graph as :func:`viner.workflow.quantize.quantize_rows` writes it, with first pieces as an input, or a
            float32 graph as :func:`viner.training.export.export_onnx` does.
        output: Name of the output to ask for.
        threads: Batches side by side; None takes one for each core that this process may use.
        kind: "int8" or "fp32".
        longest: Most pieces that the model takes.

    Raises:
        BundleError: If OpenVINO cannot load the graph, or the graph is not of that form.
        MissingExtraError: If OpenVINO is not installed.
        UsageError: If ``threads`` is less than 1; from :meth:`run` in a process that was forked.
    """

    def __init__(self, graph: str | Path, output: str, threads: int | None = None, *, kind: str = "int8", longest: int) -> None:
        super().__init__(threads)
        self.budget = _BUDGET
        self._longest = longest
        model, core = _read(Path(graph))
        _unpack(model)
        amx = _has_amx()
        if kind == "int8":
            _fold(model, Path(graph), multiplied_out=bool(amx))
        self._picks = FIRST_PIECES in {name for item in model.inputs for name in item.get_names()}
        if output not in {name for item in model.outputs for name in item.get_names()}:
            raise BundleError(f"the graph has no output {output!r}", where=graph)
        self._output = output
        self._core, self._model = core, model
        can = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self._bf16 = bool(can and (amx or (kind == "fp32" and times_as_fast() > 1)))
        if self._bf16:
            self.arithmetic = "bf16"
        self._many = _Compiled(self._compile(streams=self.threads))
        self._one: _Compiled | None = None
        self._building: threading.Thread | None = None
        self._lost = False

    def begin_anew(self) -> None:
        """In a forked process: it would wait for ever."""
        super().begin_anew()
        self._lost = True

    def batches(self, lengths: NDArray[np.int64], budget: int | None = None) -> Iterator[NDArray[np.int64]]:
        """Cuts sequences into batches of one width each, the widest first."""
        yield from cut_by_length(self._widths(lengths), budget or self.budget)

    def _run(
        self, ids: NDArray[np.int64], mask: NDArray[np.int64], first: NDArray[np.int64], *, alone: bool
    ) -> NDArray[np.float32]:
        asked = np.zeros(-(-len(first) // _ROW_STEP) * _ROW_STEP if self._picks else len(first), dtype=np.int64)
        asked[: len(first)] = first
        wide = int(self._widths(np.array([ids.shape[1]]))[0])
        if wide > ids.shape[1]:
            asked += asked // ids.shape[1] * (wide - ids.shape[1])
            ids, mask = (np.pad(item, ((0, 0), (0, wide - item.shape[1]))) for item in (ids, mask))
        if self._lost:
            raise UsageError(
                "OpenVINO cannot go on in a process that was forked: its threads stayed behind",
                hint="Start it with the method 'spawn', or take the provider onnxruntime",
            )
        compiled = (self._one if alone else None) or self._many
        inputs = {"input_ids": ids, "attention_mask": mask, **({FIRST_PIECES: asked} if self._picks else {})}
        logits = compiled.infer(inputs, self._output)
        if alone:
            self._prepare_one()
        return logits[: len(first)] if self._picks else logits.reshape(-1, logits.shape[-1])[asked]

    def _widths(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """How wide sequences are made, a function of nothing but their length. *Shape:* (sequences,)."""
        wide = np.minimum(-(-lengths // _STEP) * _STEP, self._longest)
        return np.where(lengths >= _NEAR * wide, wide, lengths)

    def _prepare_one(self) -> None:
        """Begins to make, beside the work, the model that takes all cores for one batch: a third less time for a short text."""
        with self._lock:
            if self._building is not None:
                return
            # No daemon: a process that ends in the meantime waits, since it would be taken down beneath OpenVINO's threads.
            self._building = threading.Thread(target=self._build_one, name="viner-openvino")
        self._building.start()

    def _build_one(self) -> None:
        try:
            self._one = _Compiled(self._compile(streams=1))
        except RuntimeError as error:  # a short text then takes a third longer
            _log.warning("OpenVINO cannot prepare for single texts: %s", error)

    def _compile(self, *, streams: int) -> Any:
        return self._core.compile_model(
            self._model,
            "CPU",
            {
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": self.threads,
                "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # nothing but what the graph says is rounded
                "INFERENCE_PRECISION_HINT": "bf16" if self._bf16 else "f32",
            },
        )


class _Compiled:
    """A compiled model and its requests, which are used again. Safe to call from several threads at once."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lock = threading.Lock()
        self._free: list[Any] = []

    def infer(self, inputs: Mapping[str, NDArray[np.int64]], output: str) -> NDArray[np.float32]:
        with self._lock:
            request = self._free.pop() if self._free else None
        request = request or self._model.create_infer_request()
        try:
            # The answer lies in the request's memory, which the next one writes to.
            answer: NDArray[np.float32] = request.infer(inputs, share_inputs=True)[output].copy()
        finally:
            with self._lock:
                self._free.append(request)
        return answer


def _has_amx() -> bool | None:
    """Whether the processor multiplies tiles of bf16 (AMX); None where nothing says so."""
    _, flags = read_processor()
    return "amx_bf16" in flags if flags else None


def _read(graph: Path) -> tuple[Any, Any]:
    """The model, and OpenVINO's core."""
    try:
        import openvino
    except ImportError:
        raise MissingExtraError("recognizing with OpenVINO", "openvino") from None
    core = openvino.Core()
    try:
        return core.read_model(graph), core
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise BundleError(
            f"OpenVINO cannot load the graph ({reason})", where=graph, hint="Take the provider onnxruntime"
        ) from error


def _unpack(model: Any) -> None:
    """Has a graph compute the padding, too, as if it had never been packed (:mod:`viner.workflow.packing`).

    Batches have next to none here, OpenVINO prepares itself for every number of rows that it has not seen, and it has one
    operator for an attention that stands between rows of texts.
    """
    from openvino import opset13 as op

    for node in model.get_ordered_ops():
        if node.get_type_name() != "Gather":
            continue
        names = node.input_value(1).get_names()
        if PACKED_ROWS in names:
            source = node.input_value(0).get_node().input_value(0)  # of the operator that makes it flat
            if source.get_partial_shape().rank.get_length() == 4:
                heads = op.constant(np.array([0, 0, -1], dtype=np.int64))
                source = op.reshape(source, heads, True).output(0)
            node.output(0).replace(source)
        elif PACKED_PLACES in names:
            node.output(0).replace(node.input_value(0))
    model.validate_nodes_and_infer_types()


def _fold(model: Any, graph: Path, *, multiplied_out: bool) -> None:
    """Puts products that OpenVINO has kernels for into the place of those that are written for ONNX Runtime.

    Args:
        model: The model, changed.
        graph: Where it was read from.
        multiplied_out: Whether to multiply the weights by their scales at once, and leave activations as they are.

    Raises:
        BundleError: If the graph is not of the form that is looked for.
    """
    outputs = {name: item for node in model.get_ordered_ops() for item in node.outputs() for name in item.get_names()}
    names = [
        name.removesuffix("/integers")
        for name, output in outputs.items()
        if name.endswith("/integers") and output.get_node().get_type_name() == "MatMul"
    ]
    products = {name: product for name in names if (product := _Product.read(outputs, name)) is not None}
    if not names or len(products) < len(names):  # one of viner 0.1 has other products
        raise BundleError(
            "the graph has no int8 products that OpenVINO could take over",
            where=graph,
            hint="Take the provider onnxruntime; int8 graphs that viner wrote before it knew OpenVINO run there only",
        )
    rows: dict[str, Any] = {}
    for name, product in products.items():
        if multiplied_out:
            outputs[name].replace(product.in_float())
            continue
        if product.activation not in rows:
            rows[product.activation] = product.rows()
        outputs[name].replace(product.in_integers(rows[product.activation]))
    model.validate_nodes_and_infer_types()


@dataclass(frozen=True)
class _Product:
    """A product with int8 weights, as it stands in the graph.

    Attributes:
        outputs: The graph's tensors by name.
        activation: What is multiplied.
        matrix: *Shape:* (outputs, inputs).
        columns: By what the integers are multiplied, beside the largest magnitude of their row. *Shape:* (outputs, 1).
        steps: How many of the 255 steps a row's largest magnitude is; the others lie below zero.
    """

    outputs: Mapping[str, Any]
    activation: str
    matrix: NDArray[np.int8]
    columns: NDArray[np.float32]
    steps: int

    @classmethod
    def read(cls, outputs: Mapping[str, Any], name: str) -> _Product | None:
        """The product of that name; None if it has another form."""
        weights = _upwards(_input(outputs[f"{name}/integers"], 1), "/int8")
        activation = _upwards(_input(outputs[f"{name}/integers"], 0), "/uint8")
        scale, factor = outputs.get(f"{name}/scale"), outputs.get(f"{activation}/factor")
        if weights is None or activation is None or scale is None or factor is None:
            return None
        matrix = np.ascontiguousarray(_constant(outputs[f"{weights}/int8"]).T)
        columns = _constant(_input(scale, 1)).astype(np.float32).reshape(-1, 1)
        return cls(outputs, activation, matrix, columns, round(float(_constant(_input(factor, 0)))))

    def rows(self) -> Any:
        """The activation in whole numbers from 0 to 255, each row by its own scale."""
        from openvino import opset13 as op

        least, most = op.constant(np.float32(0)), op.constant(np.float32(255))
        moved = op.add(self.outputs[f"{self.activation}/scaled"], op.constant(np.float32(self._zero)))
        return op.fake_quantize(moved, least, most, least, most, 256)

    def in_integers(self, rows: Any) -> Any:
        """The product of whole numbers, exact, and then scaled."""
        from openvino import opset13 as op

        weights = op.multiply(op.convert(op.constant(self.matrix), np.float32), op.constant(self.columns))
        product = op.matmul(rows, weights, False, True)
        of_zero = self._zero * self.matrix.sum(axis=1, dtype=np.float32) * self.columns[:, 0]
        # Of the product's rank, else it is no bias to OpenVINO.
        rank = product.output(0).get_partial_shape().rank.get_length()
        product = op.subtract(product, op.constant(of_zero.reshape((1,) * (rank - 1) + (-1,))))
        return op.multiply(product, self.outputs[f"{self.activation}/largest"]).output(0)

    def in_float(self) -> Any:
        """The product of activations that are not rounded and weights that were multiplied by their scales."""
        from openvino import opset13 as op

        source = self.outputs[self.activation]
        numbers = self.matrix * self.columns * np.float32(self.steps)
        if (smooth := self.outputs.get(f"{self.activation}/smooth")) is not None:
            # Activations that are not rounded need no smoothing: its factors go into the weights.
            source = _input(smooth, 0)
            numbers *= _constant(_input(smooth, 1)).astype(np.float32).reshape(1, -1)
        return op.matmul(source, op.constant(numbers), False, True).output(0)

    @property
    def _zero(self) -> int:
        """Which whole number stands for 0."""
        return 255 - self.steps


def _input(output: Any, index: int) -> Any:
    return output.get_node().input_value(index)


def _constant(constant: Any) -> NDArray[Any]:
    return np.asarray(constant.get_node().data)


def _upwards(output: Any, ending: str) -> str | None:
    """The tensor with such a name that an operator's input is made of, without the ending; None if there is none."""
    while True:
        for name in output.get_names():
            if name.endswith(ending):
                return str(name.removesuffix(ending))
        node = output.get_node()
        if not node.get_input_size():
            return None
        output = node.input_value(0)
