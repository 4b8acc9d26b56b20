"""AdamW with rates of their own for heads and for each layer of the encoder, and the course of the rate over a training."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from viner.training.config import ADAPTER_RATE, TrainingConfig, default_layer_decay
from viner.training.layers import layers_above
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
    return adamw([(weight, peaks.get(name, head)) for name, weight in model.named_parameters()], rate, config.weight_decay)


def adamw(weights: Iterable[tuple[nn.Parameter, float]], rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over weights with their peak rates; matrices are decayed, norms and biases never, and what is frozen is left out.

    Args:
        weights: Pairs of weight and peak rate. One that is there twice, since two parts share it, has its first rate.
        rate: The rate whose weights are the first group, if there are any.
        weight_decay: Of matrices.
    """
    peaks: dict[nn.Parameter, float] = {}
    for weight, peak in weights:
        if weight.requires_grad:
            peaks.setdefault(weight, peak)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for weight, peak in peaks.items():
        groups.setdefault((peak, weight.ndim > 1), []).append(weight)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0] != rate, item[0]))
    return torch.optim.AdamW(
        [
            {"params": members, "peak": peak, "weight_decay": weight_decay if decayed else 0.0}
            for (peak, decayed), members in ordered
        ],
        lr=rate,
        # On a CPU the fused kernel brings the optimizer from 20 % of a step to 2 %.
        fused=all(weight.device.type in ("cpu", "cuda") and weight.dtype == torch.float32 for weight in peaks),
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
