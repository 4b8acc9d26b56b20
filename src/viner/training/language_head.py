"""What guesses hidden pieces from an encoder's vectors, in adaptation alone: the head of the base, or a small new one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from viner.errors import TrainingError
from viner.training.model import quiet

_SAME = 1e-3


class NewHead(nn.Module):
    """BERT's head (Devlin et al., 2019): dense, GELU, LayerNorm, then the embeddings as the output matrix, with a bias each.

    It begins with what is known without reading, how often each piece occurs, and logits that vary by about 1 around it: of
    the few steps that it has none is spent on that.

    Args:
        width: Width of the encoder's vectors.
        embeddings: The encoder's embeddings of the pieces; they stay the encoder's. *Shape:* (vocabulary, width of embeddings).
        counts: How often each piece occurs in the texts. *Shape:* (vocabulary,).
    """

    is_new = True

    def __init__(self, width: int, embeddings: nn.Embedding, counts: Tensor) -> None:
        super().__init__()
        size, inner = embeddings.weight.shape
        self.dense = nn.Linear(width, inner)
        self.norm = nn.LayerNorm(inner)
        self.bias = nn.Parameter(((counts[:size] + 0.1) / (counts[:size].sum() + 0.1 * size)).log())
        self._embeddings = (embeddings,)  # in a tuple, so that they are no part of the head
        nn.init.normal_(self.dense.weight, std=width**-0.5)
        nn.init.zeros_(self.dense.bias)
        with torch.no_grad():
            self.norm.weight.fill_(1 / float(embeddings.weight.norm(dim=1).mean().clamp(min=1e-3)))

    def forward(self, vectors: Tensor) -> Tensor:
        """Logits. *Shape:* (guesses, width) → (guesses, vocabulary)."""
        inner = self.norm(nn.functional.gelu(self.dense(vectors)))
        return nn.functional.linear(inner, self._embeddings[0].weight, self.bias)


class OwnHead(nn.Module):
    """The head that a base was trained with: its stock masked language model, with vectors in the place of its encoder.

    Args:
        stock: The stock model; its encoder is taken out.
        encoder: The encoder that is being adapted, whose embeddings are the head's output matrix where the two are tied.
    """

    is_new = False

    def __init__(self, stock: PreTrainedModel, encoder: PreTrainedModel) -> None:
        super().__init__()
        embeddings = encoder.get_input_embeddings().weight
        output = stock.get_output_embeddings()
        tied = output is not None and output.weight is stock.get_input_embeddings().weight
        self._given = _Given(stock.base_model)
        setattr(stock, stock.base_model_prefix, self._given)
        if tied:
            output.weight = embeddings
        self._shared = embeddings if tied else None
        self.stock = stock

    def forward(self, vectors: Tensor) -> Tensor:
        """Logits. *Shape:* (guesses, width) → (guesses, vocabulary)."""
        self._given.vectors = vectors.unsqueeze(0)
        try:
            logits: Tensor = self.stock(input_ids=torch.zeros(1, len(vectors), dtype=torch.long, device=vectors.device)).logits
        finally:
            self._given.vectors = None
        return logits[0]


class _Given(nn.Module):
    """An encoder that answers what it was told to."""

    def __init__(self, replaced: PreTrainedModel) -> None:
        super().__init__()
        self.vectors: Tensor | None = None
        self.config = replaced.config

    def forward(self, *_: Any, **__: Any) -> BaseModelOutput:
        return BaseModelOutput(last_hidden_state=self.vectors)


def language_head(base: Path, encoder: PreTrainedModel, counts: Tensor) -> NewHead | OwnHead:
    """The head that a base brings, if it brings a whole one that gives the logits of its stock model; else a new one.

    Args:
        base: Folder of the base.
        encoder: The encoder, as it was loaded from there.
        counts: How often each piece occurs in the texts. *Shape:* (vocabulary,).

    Raises:
        TrainingError: If the encoder has no embeddings of pieces.
    """
    try:
        embeddings = encoder.get_input_embeddings()
    except NotImplementedError:
        embeddings = None
    if not isinstance(embeddings, nn.Embedding):
        raise TrainingError(
            f"a {encoder.config.model_type} encoder has no embeddings of pieces that viner knows", hint="Train without --adapt"
        )
    own = _own_head(base, encoder)
    return own or NewHead(int(encoder.config.hidden_size), embeddings, counts)


def _own_head(base: Path, encoder: PreTrainedModel) -> OwnHead | None:
    with quiet():
        try:
            stock, loading = AutoModelForMaskedLM.from_pretrained(base, output_loading_info=True, dtype=torch.float32)
        except (OSError, ValueError, KeyError, RuntimeError):
            return None
    prefix = f"{stock.base_model_prefix}."
    if any(not name.startswith(prefix) for name in loading["missing_keys"]) or loading["mismatched_keys"]:
        return None
    try:
        return _checked(stock.eval(), encoder)
    except (AttributeError, TypeError, RuntimeError):  # a head that asks its encoder for more than vectors
        return None


@torch.no_grad()
def _checked(stock: PreTrainedModel, encoder: PreTrainedModel) -> OwnHead | None:
    """The head, if it says of the encoder's vectors what the whole stock model says of the pieces."""
    ids = torch.arange(5, 17).unsqueeze(0) % int(stock.config.vocab_size)
    mask = torch.ones_like(ids)
    expected = stock(input_ids=ids, attention_mask=mask).logits[0]
    was_training = encoder.training
    encoder.eval()
    vectors = encoder(input_ids=ids, attention_mask=mask).last_hidden_state[0]
    encoder.train(was_training)
    head = OwnHead(stock, encoder)
    return head if float((head(vectors) - expected).abs().max()) < _SAME else None
