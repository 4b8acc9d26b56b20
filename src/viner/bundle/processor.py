"""What the processor is called, and what it can do."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

VNNI = frozenset({"avx512_vnni", "avx_vnni"})
"""Flags of x86 processors that add products of u8 and s8 in 32 bits."""


@cache
def read_processor() -> tuple[str, frozenset[str]]:
    """Model name and feature flags as Linux names them; elsewhere the name alone."""
    name, flags = platform.processor() or platform.machine(), frozenset[str]()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags = frozenset(value.split())
                break
    return name, flags
