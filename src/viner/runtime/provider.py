"""Which library runs a graph, and on what."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
from functools import cache
from pathlib import Path

from viner.bundle.info import CASCADE
from viner.errors import MissingExtraError, UsageError
from viner.runtime.cascade import CascadeEngine
from viner.runtime.engine import CUDA_INSTALL, Engine, OnnxEngine

ONNX_RUNTIME, OPENVINO, CUDA = "onnxruntime", "openvino", "cuda"
PROVIDERS = (ONNX_RUNTIME, OPENVINO, CUDA)
"""ONNX Runtime on the processor, OpenVINO on the processor, ONNX Runtime on an NVIDIA GPU."""
VARIABLE = "VINER_PROVIDER"

_log = logging.getLogger("viner")


def choose_provider(wanted: str | None = None) -> str:
    """The provider that is asked for, by argument or by ``VINER_PROVIDER``; without either, ONNX Runtime on the processor.

    Where that leaves an NVIDIA GPU idle, a warning says so, once a process.

    Args:
        wanted: One of :data:`PROVIDERS`, or None.

    Raises:
        UsageError: If there is no such provider.
        MissingExtraError: If it is not installed.
    """
    where = None if wanted else VARIABLE
    name = wanted or os.environ.get(VARIABLE) or ""
    if not name:
        _warn_of_idle_gpu()
        return ONNX_RUNTIME
    if name not in PROVIDERS:
        raise UsageError(f"unknown provider {name!r}", where=where, hint=f"Providers: {', '.join(PROVIDERS)}")
    if name == OPENVINO and importlib.util.find_spec("openvino") is None:
        raise MissingExtraError("recognizing with OpenVINO", "openvino")
    if name == CUDA and not has_cuda():
        raise UsageError(
            "this onnxruntime cannot compute on a GPU",
            where=where,
            hint=f"Install the build that can in its place: pip uninstall onnxruntime && {CUDA_INSTALL}",
        )
    return name


def open_engine(
    provider: str,
    graph: Path,
    output: str,
    threads: int | None = None,
    *,
    kind: str = "int8",
    longest: int = 512,
    exact: Path | None = None,
) -> Engine:
    """An engine for a graph.

    Args:
        provider: One of :data:`PROVIDERS`.
        graph: The ONNX file.
        output: Name of the output to ask for.
        threads: Batches side by side; None takes one for each core.
        kind: "int8", "fp32" or "cascade".
        longest: Most pieces that the model takes.
        exact: For a cascade: the float32 graph, where ``graph`` is that of int8.

    Raises:
        BundleError: If the graph cannot be loaded.
        ValueError: If ``exact`` is missing for a cascade, or given for anything else.
    """
    if (kind == CASCADE) != (exact is not None):
        raise ValueError("a cascade, and nothing else, has an exact graph")
    if exact is not None:
        quick, slow = (
            open_engine(provider, each, output, threads, kind=name, longest=longest)
            for each, name in ((graph, "int8"), (exact, "fp32"))
        )
        return CascadeEngine(quick, slow)
    if provider == OPENVINO:
        from viner.runtime.openvino import OpenVinoEngine

        return OpenVinoEngine(graph, output, threads, kind=kind, longest=longest)
    return OnnxEngine(graph, output, threads, cuda=provider == CUDA)


def has_gpu() -> bool:
    """Whether the machine has an NVIDIA GPU with a driver."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def has_cuda() -> bool:
    """Whether the installed ONNX Runtime can compute on an NVIDIA GPU."""
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()


@cache
def _warn_of_idle_gpu() -> None:
    if has_gpu():
        how = "--provider cuda uses it" if has_cuda() else f"{CUDA_INSTALL} in onnxruntime's place to use it"
        _log.warning("This machine has an NVIDIA GPU, and viner recognizes on the processor: %s", how)
