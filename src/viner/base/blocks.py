"""4-bit blocks: 32 neighboring weights of a row share one fp16 scale, ``weight = (q - 8) * scale`` with q in 0...15.

This is the form Q4_0 of GGML. A matrix that was expanded from it goes back into it with nothing lost, at 4.5 bits a weight; any
other matrix is refused, never rounded.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK = 32
_CHUNK = 1 << 16
"""Blocks unpacked at a time, so that the floats in between stay small beside the matrix."""


def pack(weights: NDArray[np.float16]) -> tuple[NDArray[np.uint8], NDArray[np.float16]] | None:
    """Packs a matrix, if that loses nothing.

    Args:
        weights: Shape (rows, columns).

    Returns:
        The quants, shape (blocks, 16), where byte i holds weight i in its low half and weight i + 16 in its high half, and the
        scales, shape (blocks,); None if a single bit of the matrix would change, the sign of a zero included.
    """
    if weights.ndim != 2 or weights.shape[1] % BLOCK or not np.isfinite(weights).all():
        return None
    blocks = weights.astype(np.float32).reshape(-1, BLOCK)
    # The weight of largest magnitude took the quant 0, which is -8 times the scale.
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(axis=1, keepdims=True), axis=1)
    scales = np.where(largest == 0, 0, largest / -8).astype(np.float16)
    wide = scales.astype(np.float32)
    # In an all-zero block the scale is 0, and the quant says the sign: (7 - 8) * 0 is -0.
    steps = np.where(wide == 0, np.where(np.signbit(blocks), -1, 0), np.rint(blocks / np.where(wide == 0, 1, wide)))
    if np.any((steps < -8) | (steps > 7)):
        return None
    quants = (steps + 8).astype(np.uint8)
    packed: NDArray[np.uint8] = quants[:, : BLOCK // 2] | (quants[:, BLOCK // 2 :] << np.uint8(4))
    flat: NDArray[np.float16] = scales.reshape(-1)
    same = np.array_equal(unpack(packed, flat, weights.shape[1]).view(np.uint16), weights.view(np.uint16))
    return (packed, flat) if same else None


def unpack(packed: NDArray[np.uint8], scales: NDArray[np.float16], columns: int) -> NDArray[np.float16]:
    """The matrix of shape (rows, columns) that :func:`pack` took."""
    weights = np.empty((len(scales), BLOCK), dtype=np.float16)
    for start in range(0, len(scales), _CHUNK):
        part = slice(start, start + _CHUNK)
        steps = np.concatenate([packed[part] & 15, packed[part] >> 4], axis=1).astype(np.float32) - 8
        weights[part] = steps * scales[part, None].astype(np.float32)
    return weights.reshape(-1, columns)
