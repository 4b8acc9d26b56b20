"""The arithmetic of a training: bf16 where the processor or GPU computes in it, else float32."""

from __future__ import annotations

from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState


def make_accelerator(precision: str | None, **options: Any) -> Accelerator:
    """What runs the steps of a training.

    Args:
        precision: "bf16", "fp32", or None for the faster one.
        **options: Of ``Accelerator``.
    """
    chosen = precision or ("bf16" if _computes_bf16() else "fp32")
    # Accelerate keeps one state a process; a second training may ask for another precision.
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(mixed_precision="bf16" if chosen == "bf16" else "no", **options)


def arithmetic(accelerator: Accelerator) -> str:
    """What it computes in: "bf16" or "fp32"."""
    return "bf16" if accelerator.mixed_precision == "bf16" else "fp32"


def _computes_bf16() -> bool:
    """Whether bf16 is faster here than float32: a GPU or processor with instructions for it (others only emulate)."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
