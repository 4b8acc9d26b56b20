"""Which operators of a graph the time goes to, by ONNX Runtime's own profile, and how many operations its matrices take."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.encoding import FIRST_PIECES
from viner.errors import BundleError
from viner.measure.stages import Batch
from viner.runtime.engine import is_packed, session_options

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

KINDS = ("products", "attention", "GELU", "scaling", "Cast", "Add", "norms", "moving", "other")
"""Kinds of operators: products with matrices of weights; all of attention between pieces; GELU; the scaling, rounding and
unscaling that int8 takes; conversions; additions (bias, residual); norms; what only looks up, shapes or copies; the rest."""
PROFILED_BATCHES = 24

_PRODUCTS = {"MatMul", "FusedMatMul", "Gemm", "FusedGemm", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"}
_KIND_OF = {
    **dict.fromkeys(("Attention", "MultiHeadAttention", "QAttention", "Softmax"), "attention"),
    **dict.fromkeys(("Gelu", "BiasGelu", "FastGelu", "QuickGelu", "Erf", "Tanh"), "GELU"),
    **dict.fromkeys(
        ("Abs", "ReduceMax", "ReduceMin", "Max", "Min", "Clip", "Div", "Mul", "Reciprocal", "Sub", "Round", "QuantizeLinear",
         "DequantizeLinear", "DynamicQuantizeLinear"), "scaling"),
    "Cast": "Cast",
    "Add": "Add",
    **dict.fromkeys(("LayerNormalization", "SkipLayerNormalization", "SimplifiedLayerNormalization",
                     "SkipSimplifiedLayerNormalization", "EmbedLayerNormalization", "RMSNormalization"), "norms"),
    **dict.fromkeys(("Gather", "GatherElements", "GatherND", "Reshape", "Transpose", "Concat", "Split", "Slice", "Squeeze",
                     "Unsqueeze", "Shape", "Expand", "Identity", "Where", "Equal", "ConstantOfShape", "Pad", "ScatterND",
                     "Flatten", "NonZero", "CumSum"), "moving"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a graph's time goes.

    Args:
        kinds: The share of each of :data:`KINDS` in the time of all operators.
        operators: The same by the name of the operator, the largest first.
        operations_per_piece: Multiplications and additions of the products with weights for one piece: two for each weight.
    """

    kinds: Mapping[str, float]
    operators: Mapping[str, float]
    operations_per_piece: float


def profile_graph(graph: Path, batches: Sequence[Batch]) -> Profile:
    """Runs batches in one thread under ONNX Runtime's profiler.

    Args:
        graph: An ONNX file with the inputs ``input_ids`` and ``attention_mask``, and perhaps ``first_pieces``.
        batches: What to run; of many, :data:`PROFILED_BATCHES` are taken evenly.

    Raises:
        BundleError: If the profile shows no product with weights, so that nothing can be said about the ceiling.
    """
    chosen = batches[:: max(1, len(batches) // PROFILED_BATCHES)]
    times: Counter[str] = Counter()
    operators: Counter[str] = Counter()
    operations = 0
    session, events = _profile(graph, chosen)
    packed = is_packed(session)
    rows = sum(int(batch.mask.sum()) if packed else batch.mask.size for batch in chosen)
    for event in events:
        kind = kind_of(event)
        times[kind] += event["dur"]
        operators[event["args"]["op_name"]] += event["dur"]
        if kind == "products":
            operations += operations_of(event)
    if not operations:
        raise BundleError("ONNX Runtime's profile shows no product with weights", where=graph)
    total = sum(times.values())
    return Profile(
        {kind: times[kind] / total for kind in KINDS},
        {name: time / total for name, time in operators.most_common()},
        operations / rows,
    )


def kind_of(event: Mapping[str, Any]) -> str:
    """The kind of the operator that an event of the profile is about, one of :data:`KINDS`."""
    operator = event["args"]["op_name"]
    shapes = _shapes(event, "input_type_shape")
    # Attention works on (batch, heads, pieces, …), everything else on (batch, pieces, …) or (pieces, …).
    if any(len(shape) == 4 for shape in (*shapes, *_shapes(event, "output_type_shape"))):
        return "attention"
    return "products" if operator in _PRODUCTS else _KIND_OF.get(operator, "other")


def operations_of(event: Mapping[str, Any]) -> int:
    """Multiplications and additions of a product (…, inputs) × (inputs, outputs)."""
    (left, *_), (result, *_) = _shapes(event, "input_type_shape"), _shapes(event, "output_type_shape")
    return 2 * math.prod(left) * result[-1]


def _shapes(event: Mapping[str, Any], which: str) -> list[list[int]]:
    return [shape for value in event["args"].get(which, ()) for shape in value.values()]


def _profile(graph: Path, batches: Sequence[Batch]) -> tuple[InferenceSession, Iterable[dict[str, Any]]]:
    """The session that ran, and one event for each operator and batch. The first batch runs once more before, to warm up."""
    import onnxruntime

    with tempfile.TemporaryDirectory(prefix="viner-profile-") as folder:
        options = session_options()
        options.enable_profiling = True
        options.profile_file_prefix = os.path.join(folder, "profile")  # noqa: PTH118  ONNX Runtime wants a string
        session = onnxruntime.InferenceSession(os.fspath(graph), options, providers=["CPUExecutionProvider"])
        names = [item.name for item in session.get_inputs()]
        for batch in (batches[0], *batches):
            inputs = {"input_ids": batch.ids, "attention_mask": batch.mask, FIRST_PIECES: batch.first}
            session.run(None, {name: inputs[name] for name in names})
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    warm = min(event["ts"] + event["dur"] for event in events if event["name"] == "model_run")
    return session, (
        event
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time") and event["ts"] >= warm
    )
