"""Whether OpenVINO is faster in bf16 than in float32 on this processor, which its instructions alone do not say."""

from __future__ import annotations

import statistics
import time
from functools import cache
from typing import Any

import numpy as np

_ROWS, _WIDTH, _INNER = 256, 384, 1536
_ROUNDS = 5


@cache
def times_as_fast() -> float:
    """How many times as fast OpenVINO multiplies in bf16 as in float32 here.

    It is the median of rounds in turns, for which graphs are made first: 0.7 s, once in a process. Processors with bf16 among
    their instructions may be slower with it: on an Intel Xeon whose machine shows those of AVX-512 and hides AMX, a model in
    float32 took 1.4 times as long in bf16.
    """
    import openvino

    core = openvino.Core()
    requests = [_request(core, precision) for precision in ("f32", "bf16")]
    rows = np.ones((_ROWS, _WIDTH), dtype=np.float32)

    def seconds(request: Any) -> float:
        began = time.perf_counter()
        request.infer([rows])
        return time.perf_counter() - began

    for request in requests:
        seconds(request)  # kernels are made
    return statistics.median(seconds(requests[0]) / seconds(requests[1]) for _ in range(_ROUNDS))


def _request(core: Any, precision: str) -> Any:
    """A feed-forward block as encoders have it, twice, in one thread."""
    import openvino
    from openvino import opset13 as op

    drawn = np.random.default_rng(0)
    start = op.parameter([_ROWS, _WIDTH], np.float32)
    end = start
    for shape in ((_INNER, _WIDTH), (_WIDTH, _INNER)) * 2:
        weights = drawn.normal(scale=0.02, size=shape).astype(np.float32)
        end = op.gelu(op.matmul(end, op.constant(weights), False, True), "erf")
    model = openvino.Model([end], [start], "blocks")
    options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    return core.compile_model(model, "CPU", options).create_infer_request()
