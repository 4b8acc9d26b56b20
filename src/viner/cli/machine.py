"""What this machine has: packages, processor, memory."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

import viner
from viner.bundle.processor import VNNI, read_processor
from viner.runtime.engine import CUDA_INSTALL, cores
from viner.runtime.provider import has_cuda, has_gpu

_FEATURES = {
    "AVX2": {"avx2"},
    "AVX-512": {"avx512f"},
    # With VNNI an int8 product is several times as fast as in float32, without it 1.3 times (runtime/engine.py).
    "int8 (VNNI)": VNNI | {"asimddp"},
    "int8 (AMX)": {"amx_int8"},
    # What makes bf16 training on the processor worth while.
    "bf16 (AVX-512)": {"avx512_bf16", "bf16"},
    "bf16 (AMX)": {"amx_bf16"},
}
_EXTRAS = ("train", "search", "lora", "app", "postgres", "files", "vi", "openvino", "ray", "spacy", "presidio")
"""Those that people use; the others are for working on viner itself."""


def describe() -> dict[str, Any]:
    """Facts about this installation and machine, ready for JSON. Nothing heavy is imported for it."""
    model, flags = read_processor()
    return {
        "viner": viner.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": model,
        "cores": cores(),
        "memory_gib": _memory_gib(),
        "gpu": "NVIDIA driver found" if has_gpu() else None,
        "gpu_unused": _unused_gpu(),
        "features": {name: bool(wanted & flags) for name, wanted in _FEATURES.items()},
        "packages": _packages(),
    }


def _unused_gpu() -> str | None:
    """What to say where there is an NVIDIA GPU and the installed ONNX Runtime cannot compute on it; None where all is well."""
    if not has_gpu():
        return None
    import onnxruntime

    if has_cuda():
        return None
    return (
        f"onnxruntime {onnxruntime.__version__} cannot compute on it, so viner recognizes on the processor."
        f" To use it: pip uninstall onnxruntime && {CUDA_INSTALL}"
    )


def _memory_gib() -> float | None:
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _packages() -> dict[str, dict[str, str | None]]:
    """For the base install and each extra that people use: its packages with their versions, None where one is missing."""
    found: dict[str, dict[str, str | None]] = {"base": {}, **{extra: {} for extra in _EXTRAS}}
    for requirement in requires("viner") or ():
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra == ['\"](\w+)['\"]", requirement)
        group = extra[1] if extra else "base"
        if name and name[0] != "viner" and group in found:
            found[group][name[0]] = _version(name[0])
    return found


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
