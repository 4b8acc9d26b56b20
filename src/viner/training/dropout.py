"""Dropout that does not wait for random numbers.

torch draws a CPU dropout mask with one thread, element by element; over the 25 masks of a step of a small encoder that is a
tenth of the time. Here masks are slices of one large random buffer at random offsets: within a call the elements are as
independent as before, and two calls see the same slice about never.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_POOL = 1 << 23
_BLOCK = 64


class PooledDropout(nn.Module):
    """Drop-in for ``nn.Dropout`` on CPUs.

    Args:
        p: Probability of an element to be zeroed.
        pool: Masks shared by all layers, made by :func:`make_pool` with the same ``p``.
    """

    def __init__(self, p: float, pool: dict[torch.dtype, Tensor]) -> None:
        super().__init__()
        self.p = p
        self._pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Zeroes elements and scales the rest by 1 / (1 - p). *Shape:* any."""
        if not self.training or self.p == 0:
            return x
        size = x.numel()
        if size >= _POOL or x.device.type != "cpu":
            return nn.functional.dropout(x, self.p)
        pool = self._pool.get(x.dtype)
        if pool is None:
            pool = self._pool[x.dtype] = self._pool[torch.float32].to(x.dtype)
        # Offsets in steps of a cache line keep the slices aligned.
        offset = int(torch.randint((_POOL - size) // _BLOCK + 1, ())) * _BLOCK
        return x * pool[offset : offset + size].view(x.shape)


def make_pool(p: float) -> dict[torch.dtype, Tensor]:
    """Scaled keep-masks in float32 (0 or 1 / (1 - p)); other dtypes are added when first needed."""
    return {torch.float32: nn.functional.dropout(torch.ones(_POOL), p)}


def pool_dropout(model: nn.Module, p: float) -> None:
    """Replaces every active ``nn.Dropout`` of a model in place."""
    pool = make_pool(p)
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout) and child.p > 0:
                setattr(module, name, PooledDropout(p, pool))
