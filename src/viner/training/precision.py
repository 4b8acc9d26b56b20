"""The arithmetic of a training: bf16 where it is faster, else float32."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import time
from functools import cache
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

_ROWS, _INPUTS, _OUTPUTS = 256, 384, 1536
_ROUNDS = 5


def make_accelerator(precision: str | None, **options: Any) -> Accelerator:
    """What runs the steps of a training.

    Args:
        precision: "bf16", "fp32", or None for the faster one.
        **options: Of ``Accelerator``.
    """
    chosen = precision or ("bf16" if _bf16_pays() else "fp32")
    # Accelerate keeps one state a process; a second training may ask for another precision.
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(mixed_precision="bf16" if chosen == "bf16" else "no", **options)


def arithmetic(accelerator: Accelerator) -> str:
    """What it computes in: "bf16" or "fp32"."""
    # Not by its state, which is that of the accelerator that was made last.
    return "bf16" if accelerator.native_amp else "fp32"


def begun_in(log: Path) -> str | None:
    """What a training computed in when it was begun or last gone on with, by the log in its folder; None if there is none.

    One that goes on would be another training in the other arithmetic, and which one is faster is timed anew in each process.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = None
    for line in lines:
        with contextlib.suppress(ValueError):  # a line may have been cut by a kill
            event = json.loads(line)
            if isinstance(event, dict) and event.get("event") == "start":
                found = event.get("precision")
    return found if found in ("bf16", "fp32") else None


def has_bf16() -> bool:
    """Whether the device has instructions for bf16; others only emulate it."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _bf16_pays() -> bool:
    """Whether bf16 is faster here than float32.

    A GPU or processor has instructions for it, and a processor is quicker with them. Processes that train together have to
    agree, so they go by the instructions alone.
    """
    if not has_bf16():
        return False
    if torch.cuda.is_available():
        return True
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 or times_as_fast() > 1


@cache
def times_as_fast() -> float:
    """How many times as fast this processor multiplies in bf16 as in float32.

    It is the median of rounds in turns, a tenth of a second. A processor may have instructions for bf16 and be slower with
    them: on an Intel Xeon whose machine shows those of AVX-512 and hides AMX, a product takes 1.8 times as long as in float32,
    and a step of a training 1.2 times.
    """
    sides = {}
    for kind in (torch.float32, torch.bfloat16):
        drawn = torch.Generator().manual_seed(0)
        sides[kind] = tuple(
            torch.randn(shape, generator=drawn).to(kind) for shape in ((_ROWS, _INPUTS), (_INPUTS, _OUTPUTS), (_ROWS, _OUTPUTS))
        )

    def seconds(kind: torch.dtype) -> float:
        activations, weights, gradients = sides[kind]
        began = time.perf_counter()
        activations @ weights
        activations.T @ gradients
        gradients @ weights.T
        return time.perf_counter() - began

    with torch.no_grad():
        for kind in sides:
            seconds(kind)  # memory and kernels are found
        return statistics.median(seconds(torch.float32) / seconds(torch.bfloat16) for _ in range(_ROUNDS))
