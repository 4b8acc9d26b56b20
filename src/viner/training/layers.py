"""The layers of a Transformers encoder: where a weight lies among them, and which ones a smaller encoder keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedModel

from viner.errors import TrainingError
from viner.training.model import quiet


def spread(count: int, total: int) -> tuple[int, ...]:
    """Indices of the layers to keep: evenly spread, the last one among them.

    Args:
        count: How many, in [1, total].
        total: Layers that there are.
    """
    return tuple((position + 1) * total // count - 1 for position in range(count))


def layers_of(encoder: PreTrainedModel) -> nn.ModuleList:
    """The layers of an encoder, first to last.

    Raises:
        TrainingError: If it has no list of so many layers as its configuration says, as where all share their weights.
    """
    total = getattr(encoder.config, "num_hidden_layers", None)
    stacks = [module for module in encoder.modules() if isinstance(module, nn.ModuleList) and len(module) == total]
    if len(stacks) != 1:
        raise TrainingError(
            f"no layer can be left out of an encoder of type {encoder.config.model_type!r}",
            hint="Its layers share their weights, or are built in a way that viner does not know; train on a smaller --base",
        )
    return stacks[0]


def layers_above(encoder: PreTrainedModel) -> dict[str, int]:
    """How many layers stand between each parameter and the encoder's answer.

    Returns:
        By name of the parameter: 0 for those of the last layer and what comes after it, the number of layers for the
        embeddings. An encoder whose layers share their weights has 0 everywhere.
    """
    names = [name for name, _ in encoder.named_parameters()]
    try:
        layers = layers_of(encoder)
    except TrainingError:
        return dict.fromkeys(names, 0)
    place = {id(parameter): index for index, layer in enumerate(layers) for parameter in layer.parameters()}
    above, reached = {}, False
    for name, parameter in encoder.named_parameters():
        index = place.get(id(parameter))
        reached = reached or index is not None
        above[name] = len(layers) - 1 - index if index is not None else 0 if reached else len(layers)
    return above


def count_layers(folder: Path) -> tuple[int, int]:
    """How many layers the encoder of a model folder has, and how wide it is, without loading it.

    Raises:
        TrainingError: As :func:`layers_of` does.
    """
    with quiet(), torch.device("meta"):
        encoder = AutoModel.from_config(AutoConfig.from_pretrained(folder, trust_remote_code=False))
    return len(layers_of(encoder)), int(encoder.config.hidden_size)


def keep_layers(encoder: PreTrainedModel, kept: Sequence[int]) -> None:
    """Takes all other layers out, in place.

    Args:
        encoder: The encoder.
        kept: Indices of the layers that stay, in increasing order.

    Raises:
        TrainingError: As :func:`layers_of` does.
    """
    layers = layers_of(encoder)
    for index in reversed(range(len(layers))):
        if index not in kept:
            del layers[index]
    encoder.config.num_hidden_layers = len(kept)
