"""Low-rank adapters (LoRA; Hu et al., 2022): a large encoder learns by two narrow matrices beside each of its own.

The encoder's weights stay as they are and need neither gradients nor moments of the optimizer, which are three quarters of the
memory that a training takes beside its activations. A linear layer W answers W x + (alpha / rank) · B (A x); A is drawn, and B
begins as 0, so that the first answer is the encoder's own. At the end (alpha / rank) · B A is added to W, and what is left is
an encoder like any other.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import PreTrainedModel

from viner.errors import MissingExtraError, TrainingError, UsageError
from viner.training.dropout import pool_dropout


def add_adapters(encoder: PreTrainedModel, rank: int, alpha: float, dropout: float) -> None:
    """Puts adapters beside all linear layers of attention and feed-forward blocks, in place; nothing else of it will learn.

    Args:
        encoder: The encoder.
        rank: Width of the adapters.
        alpha: Their answer is scaled by ``alpha / rank``.
        dropout: Of what they read.

    Raises:
        MissingExtraError: If peft is not installed.
        UsageError: If they would not be narrower than the encoder.
        TrainingError: If the encoder has no such layers.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        if error.name and error.name.partition(".")[0] != "peft":
            raise
        raise MissingExtraError("training with LoRA", "lora") from None
    width = int(encoder.config.hidden_size)
    if rank >= width:
        raise UsageError(
            f"adapters of rank {rank} are not narrower than this encoder, whose width is {width}",
            hint="Usual ranks are 4 to 64; or leave --lora out, so that all weights learn",
        )
    targets = linear_layers(encoder)
    if not targets:
        raise TrainingError(
            f"a {encoder.config.model_type} encoder has no linear layers that viner knows how to adapt",
            hint="Leave --lora out, so that all weights learn",
        )
    # What peft calls rslora, dora and so on would change more than two matrices; this is the paper's.
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=targets), encoder)
    if not torch.cuda.is_available():
        pool_dropout(encoder, dropout)


def linear_layers(encoder: nn.Module) -> list[str]:
    """Names of the linear layers within the encoder's stack of layers: those of attention and feed-forward blocks.

    Whatever they are called, they lie below a list of modules; embeddings and what stands before the first layer do not.
    """
    stacks = tuple(f"{name}." for name, module in encoder.named_modules() if isinstance(module, nn.ModuleList))
    return [name for name, module in encoder.named_modules() if isinstance(module, nn.Linear) and name.startswith(stacks)]


def merge_adapters(encoder: nn.Module) -> None:
    """Adds what the adapters have learned to the weights beside them and takes them out, in place."""
    from peft.tuners.lora import LoraLayer

    for module in list(encoder.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, LoraLayer):
                child.merge(safe_merge=True)
                setattr(module, name, child.get_base_layer())
    encoder.requires_grad_(True)
    # transformers would look for adapters that are gone.
    for leftover in ("peft_config", "_hf_peft_config_loaded"):
        if leftover in vars(encoder):
            delattr(encoder, leftover)
