"""What the processor can do at most: the rate of one matrix product, in int8, fp32 and bf16.

The method is fixed, so that figures of different days and machines can be compared: x (1024, 384) times constant weights
(384, 1536), the widest product of the bundled encoder; median of 40 runs after 5 that warm up. int8 is ONNX Runtime's
``MatMulInteger``, u8 × s8. It is measured in two ways, and the faster one is the ceiling: as many sessions of one thread at
once as there are cores, which is how viner recognizes, and one session with all threads.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from viner.runtime.engine import session_options
from viner.runtime.product import product_graph

ROWS, INPUTS, OUTPUTS = 1024, 384, 1536
SHAPE = f"{ROWS:,}×{INPUTS}×{OUTPUTS:,}"
RUNS, WARM_UP = 40, 5


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A rate that no recognition on this machine can pass in that arithmetic.

    Args:
        arithmetic: "int8", "fp32" or "bf16".
        operations_per_s: Multiplications and additions a second, on all cores together.
        how: What was run.
    """

    arithmetic: str
    operations_per_s: float
    how: str


def measure_ceilings(cores: int) -> dict[str, Ceiling]:
    """The ceilings of this machine, by arithmetic; "bf16" only where torch is installed.

    Args:
        cores: Cores to use.
    """
    found = [int8_ceiling(cores), *_torch_ceilings(cores)]
    if not any(ceiling.arithmetic == "fp32" for ceiling in found):
        found.append(_fp32_ceiling(cores))
    return {ceiling.arithmetic: ceiling for ceiling in found}


def int8_ceiling(cores: int) -> Ceiling:
    """The faster one of the two ways to keep all cores busy with ``MatMulInteger``, u8 × s8."""
    random = np.random.default_rng(1)
    weights = random.integers(-127, 128, (INPUTS, OUTPUTS)).astype(np.int8)
    x = random.integers(0, 256, (ROWS, INPUTS)).astype(np.uint8)
    graph = product_graph("MatMulInteger", ROWS, weights, left="uint8", result="int32", zero=128)
    return _best("int8", "MatMulInteger u8 × s8", graph, x, cores)


def _fp32_ceiling(cores: int) -> Ceiling:
    random = np.random.default_rng(1)
    weights = random.standard_normal((INPUTS, OUTPUTS)).astype(np.float32)
    x = random.standard_normal((ROWS, INPUTS)).astype(np.float32)
    graph = product_graph("MatMul", ROWS, weights, left="float32", result="float32")
    return _best("fp32", "MatMul", graph, x, cores)


def _best(arithmetic: str, operator: str, graph: bytes, x: Any, cores: int) -> Ceiling:
    beside = _side_by_side([_runner(graph, x, threads=1) for _ in range(cores)])
    found = [Ceiling(arithmetic, beside, f"ONNX Runtime {operator}, {cores} sessions × 1 thread")]
    if cores > 1:
        together = _side_by_side([_runner(graph, x, threads=cores)])
        found.append(Ceiling(arithmetic, together, f"ONNX Runtime {operator}, 1 session × {cores} threads"))
    return max(found, key=lambda ceiling: ceiling.operations_per_s)


def _torch_ceilings(cores: int) -> list[Ceiling]:
    try:
        import torch
    except ImportError:
        return []
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        found = []
        for arithmetic, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
            x, weights = torch.randn(ROWS, INPUTS).to(dtype), torch.randn(INPUTS, OUTPUTS).to(dtype)
            with torch.inference_mode():
                rate = _rate(lambda x=x, weights=weights: torch.mm(x, weights))  # type: ignore[misc]
            found.append(Ceiling(arithmetic, rate, f"torch {torch.__version__} mm, {cores} threads"))
        return found
    finally:
        torch.set_num_threads(before)


def _runner(graph: bytes, x: Any, *, threads: int) -> Callable[[], Any]:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph, session_options(threads), providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})


def _side_by_side(runners: list[Callable[[], Any]]) -> float:
    """The sum of the rates of products that run at once, each in a thread of its own."""
    rates = [0.0] * len(runners)
    ready = threading.Barrier(len(runners))

    def work(index: int) -> None:
        ready.wait()
        rates[index] = _rate(runners[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(runners))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(rates)


def _rate(run: Callable[[], Any]) -> float:
    times = []
    for _ in range(WARM_UP + RUNS):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return 2 * ROWS * INPUTS * OUTPUTS / statistics.median(times[WARM_UP:])
