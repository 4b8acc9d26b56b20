"""One shared encoder with a head for each layer, and its stock Transformers form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForTokenClassification, PreTrainedModel
from transformers.utils import logging as transformers_logging

from viner.errors import BundleError, TrainingError
from viner.training.dropout import pool_dropout
from viner.training.heads import EntityHead, Head

_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")
_HIDDEN_DROPOUT = ("hidden_dropout_prob", "dropout")


class MultiHeadModel(nn.Module):
    """An encoder that reads pieces, and heads that answer from the vector of each word's first piece.

    Args:
        encoder: A Transformers encoder without pooler.
        heads: One for each layer.
    """

    def __init__(self, encoder: PreTrainedModel, heads: Sequence[Head]) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict({head.layer: head for head in heads})

    def forward(self, input_ids: Tensor, attention_mask: Tensor, first: Tensor) -> Tensor:
        """Vectors of the words.

        Args:
            input_ids: *Shape:* (batch, pieces).
            attention_mask: *Shape:* (batch, pieces). 1 where a piece is, 0 where padding is.
            first: *Shape:* (words,). Index of each word's first piece in the flattened batch.

        Returns:
            *Shape:* (words, width).
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden.flatten(0, 1).index_select(0, first)

    def learned(self) -> dict[str, Tensor]:
        """What training changes: all that :meth:`state_dict` holds but the weights that were told not to learn."""
        frozen = self._frozen()
        return {name: tensor for name, tensor in self.state_dict().items() if name not in frozen}

    def relearn(self, weights: Mapping[str, Tensor]) -> None:
        """Goes back to what :meth:`learned` gave.

        Raises:
            RuntimeError: If it was given by another model.
        """
        self.load_state_dict({**{name: self.state_dict()[name] for name in self._frozen()}, **weights})

    def _frozen(self) -> set[str]:
        return {name for name, weight in self.named_parameters(remove_duplicate=False) if not weight.requires_grad}


def load_encoder(base: str | Path, dropout: float) -> PreTrainedModel:
    """Loads a base encoder in float32, without attention dropout.

    Args:
        base: A folder that :func:`viner.base.resolve` returned.
        dropout: Of hidden states.

    Raises:
        BundleError: If Transformers cannot load it.
    """
    with quiet():
        try:
            config = AutoConfig.from_pretrained(base, trust_remote_code=False)
            for name in _ATTENTION_DROPOUT:
                if hasattr(config, name):
                    setattr(config, name, 0.0)
            for name in _HIDDEN_DROPOUT:
                given = getattr(config, name, None)
                if isinstance(given, int | float) and not isinstance(given, bool):  # 0 stands there as well as 0.0
                    setattr(config, name, dropout)
            # An fp16 base would silently train in fp16. Eager attention is a third faster to train than torch's fused kernel on
            # a CPU, whose backward pass alone took 28 % of a step (sequences of 20 to 60 pieces, torch 2.13).
            options: dict[str, Any] = {"config": config, "dtype": torch.float32}
            if not torch.cuda.is_available():
                options["attn_implementation"] = "eager"
            encoder, loading = AutoModel.from_pretrained(base, output_loading_info=True, **options)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise BundleError(f"the base encoder cannot be loaded ({reason})", where=base) from error
    missing = [name for name in loading["missing_keys"] if "pooler" not in name]
    if missing:
        # Transformers would fill them with random numbers and go on.
        raise BundleError(f"the base lacks {len(missing)} weights of its encoder, such as {min(missing)}", where=base)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    if not torch.cuda.is_available():
        pool_dropout(encoder, dropout)
    model: PreTrainedModel = encoder
    return model


def check_stock(encoder: PreTrainedModel) -> None:
    """Makes sure that :func:`to_stock` will know this architecture, without allocating anything.

    Raises:
        TrainingError: If its stock form is more than encoder, dropout and one linear layer.
    """
    config = encoder.config
    with quiet(), torch.device("meta"):
        stock = AutoModelForTokenClassification.from_config(type(config).from_dict(config.to_dict()))
    inner = f"{stock.base_model_prefix}."
    outside = {name for name in stock.state_dict() if not name.startswith(inner)}
    differing = {name for name in stock.base_model.state_dict().keys() ^ encoder.state_dict().keys() if "pooler" not in name}
    if outside != {"classifier.weight", "classifier.bias"} or differing or not hasattr(config, "hidden_size"):
        raise TrainingError(
            f"a {config.model_type} encoder has no stock token-classification form that viner knows",
            hint="Take a base such as xlm-roberta-base, or leave --base out for the bundled one",
        )


def recompute_layers(encoder: PreTrainedModel) -> None:
    """Has a backward pass compute the inside of each layer anew from the layer's input, which alone is kept of it.

    Raises:
        TrainingError: If this architecture cannot.
    """
    if not encoder.supports_gradient_checkpointing:
        raise TrainingError(
            f"a {encoder.config.model_type} encoder knows no gradient checkpointing",
            hint="Leave --gradient-checkpointing out; --accumulate N needs less memory, too",
        )
    if getattr(encoder.config, "use_cache", False):
        encoder.config.use_cache = False  # an encoder has none; transformers would warn that the two exclude each other
    how = {"use_reentrant": False}
    if hasattr(encoder, "activation_checkpointing_enable"):
        encoder.activation_checkpointing_enable(activation_checkpointing_kwargs=how)
    else:  # transformers before it was renamed
        encoder.gradient_checkpointing_enable(gradient_checkpointing_kwargs=how)


def to_stock(model: MultiHeadModel, head: EntityHead) -> PreTrainedModel:
    """The model as a stock ``AutoModelForTokenClassification`` in float32 and evaluation mode, with the same logits.

    Raises:
        TrainingError: If that class computes something else for this architecture.
    """
    encoder = model.encoder
    config = type(encoder.config).from_dict(encoder.config.to_dict())
    config.id2label = dict(enumerate(head.tags))
    config.label2id = {tag: index for index, tag in enumerate(head.tags)}
    config.dtype = torch.float32
    with quiet():
        stock: PreTrainedModel = AutoModelForTokenClassification.from_config(config, dtype=torch.float32)
    check_stock(encoder)
    state = {name: tensor.detach().float().cpu() for name, tensor in encoder.state_dict().items()}
    stock.base_model.load_state_dict(state, strict=False)  # some have a pooler, which nothing reads
    with torch.no_grad():
        stock.classifier.weight.copy_(head.linear.weight)
        stock.classifier.bias.copy_(head.linear.bias)
    stock.eval()
    _check_same(model, head, stock)
    return stock


def save_stock(stock: PreTrainedModel, folder: Path) -> None:
    """Writes ``config.json`` and ``model.safetensors``, without Transformers' progress bar."""
    with quiet():
        stock.save_pretrained(folder)


@torch.no_grad()
def _check_same(model: MultiHeadModel, head: EntityHead, stock: PreTrainedModel) -> None:
    device = next(model.parameters()).device
    ids = torch.arange(5, 17).unsqueeze(0) % int(stock.config.vocab_size)
    mask = torch.ones_like(ids)
    was_training = model.training
    model.eval()
    words = model(ids.to(device), mask.to(device), torch.arange(ids.numel(), device=device))
    ours = head(words).float().cpu()
    model.train(was_training)
    theirs = stock(input_ids=ids, attention_mask=mask).logits[0].float()
    difference = float((ours - theirs).abs().max())
    if difference > 1e-3:
        raise TrainingError(f"the stock {stock.config.model_type} model gives other logits (by {difference:.2g})")


class quiet:  # noqa: N801  a context manager reads better in lower case
    """Keeps Transformers' loading bars and notes about missing poolers off the terminal."""

    def __enter__(self) -> None:
        self._verbosity = transformers_logging.get_verbosity()
        self._bars = transformers_logging.is_progress_bar_enabled()
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()

    def __exit__(self, *_: object) -> None:
        transformers_logging.set_verbosity(self._verbosity)
        if self._bars:
            transformers_logging.enable_progress_bar()
