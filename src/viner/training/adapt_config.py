"""How an adaptation runs: every choice with its unit and default."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from viner.training.config import check_ranges

PREFIX = "adapt_"
"""What the names of these choices begin with where they stand beside those of the training."""


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """Choices of an adaptation; what is None is derived from base and texts.

    Args:
        epochs: Passes over the texts at most; None takes so many that about 1.5 million pieces are read, within 1 to 30.
        budget_minutes: Limit of the time for steps; the rate falls to 0 by then. None: no limit.
        learning_rate: Peak rate of the encoder; None derives it from its width, as a training's
            (``viner.training.config.default_learning_rate``), and halves it.
        head_multiplier: The rate of a new language-modeling head is the encoder's times this.
        head_steps: Steps in which a new head learns alone, at most half as many as follow; a head that knows nothing would only
            pull the encoder out of shape (Kumar et al., 2022).
        freeze_embeddings: Leave the embeddings of the pieces as they are, so that pieces that the texts lack stay in step
            with those that they hold.
        mask: Share of the words that are to be guessed.
        held_out: Share of the passages that are not learned from, and tell whether the encoder gets better.
        held_out_most: So many passages of them at most.
        patience: Rounds without a smaller loss on them after which adaptation stops; a round is a twentieth of it.
        warmup: Share of the adaptation over which the rate rises from 0; it then falls in a line to 0.
        weight_decay: Of weight matrices.
        clip: Largest norm of the gradient.
        dropout: Of hidden states.
        batch_pieces: Pieces of a batch, padding included; None takes a sixtieth of the texts, within 512 to 2,048.
        window_pieces: Pieces of the longest sequence, special pieces included.
        seed: Of everything that is drawn.
        precision: "bf16", "fp32", or None for bf16 where the processor or GPU is faster with it.
    """

    epochs: int | None = None
    budget_minutes: float | None = None
    learning_rate: float | None = None
    head_multiplier: float = 10.0
    head_steps: int = 300
    freeze_embeddings: bool = True
    mask: float = 0.15
    held_out: float = 0.05
    held_out_most: int = 500
    patience: int = 3
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    batch_pieces: int | None = None
    window_pieces: int = 256
    seed: int = 1
    precision: str | None = None

    def __post_init__(self) -> None:
        check_ranges(
            self,
            positive="epochs budget_minutes learning_rate head_multiplier held_out_most patience clip batch_pieces "
            "window_pieces",
            not_negative="head_steps weight_decay",
            below_one="warmup dropout",
            parts="mask held_out",
            endless="clip",
            prefix=PREFIX,
        )

    def to_dict(self) -> dict[str, Any]:
        """All choices, for telling whether adapted weights belong to them."""
        return asdict(self)
