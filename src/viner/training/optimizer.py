"""AdamW with rates of their own for heads and for each layer of the encoder, and the course of the rate over a training."""

from __future__ import annotations

import torch
from torch import nn

from viner.training.config import TrainingConfig, default_layer_decay
from viner.training.layers import layers_above
from viner.training.lora import RATE as ADAPTER_RATE
from viner.training.model import MultiHeadModel


def make_optimizer(model: MultiHeadModel, rate: float, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter, 2019) over encoder and heads.

    Lower layers learn more slowly than those above them (Howard & Ruder, 2018): what they know of the language is not to be
    forgotten over a few thousand sentences. Each group carries its peak rate as ``peak``; :func:`set_rate` scales it. The first
    group is of the encoder's last layer, whose peak is ``rate``.

    Args:
        model: The model.
        rate: Peak rate of the encoder's last layer, or of all adapters.
        config: Layer decay, head multiplier and weight decay.
    """
    above = layers_above(model.encoder)
    # Adapters leave the weights below as they are, so there is nothing to protect; they want a larger rate than weights, and a
    # head learns as it would beside these.
    decay = config.layer_decay or (default_layer_decay(max(above.values())) if config.lora is None else 1.0)
    head = (rate if config.lora is None else rate / ADAPTER_RATE) * config.head_multiplier
    peaks = {f"encoder.{name}": rate * decay**layers for name, layers in above.items()}
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            key = peaks.get(name, head), parameter.ndim > 1
            groups.setdefault(key, []).append(parameter)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0] != rate, item[0]))
    return torch.optim.AdamW(
        [
            {"params": parameters, "peak": peak, "weight_decay": config.weight_decay if decayed else 0.0}
            for (peak, decayed), parameters in ordered
        ],
        lr=rate,
        fused=_can_fuse(model),
    )


def set_rate(optimizer: torch.optim.Optimizer, progress: float, warmup: float) -> None:
    """Sets the rates for a point of the training: up in a line to the peak, then down in a line to 0.

    Args:
        optimizer: From :func:`make_optimizer`.
        progress: Share of the training that is done, in [0, 1].
        warmup: Share of it in which the rate rises.
    """
    factor = progress / warmup if progress < warmup else (1 - progress) / (1 - warmup)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * max(factor, 0.0)


def _can_fuse(model: nn.Module) -> bool:
    # On a CPU the fused kernel brings the optimizer from 20 % of a step to 2 %.
    return all(p.device.type in ("cpu", "cuda") and p.dtype == torch.float32 for p in model.parameters())
