"""How a training runs: every choice with its unit and default."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from viner.errors import UsageError

ADAPTER_RATE = 4.0
"""How many times as large an adapter's rate is as that of weights which are trained themselves: 1.6e-3 at a width of 384.

Ten times as much, which papers take for large models, made the bundled encoder fall silent (NCBI-disease, 1,300 sentences).
"""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Choices of a training; what is None is derived from base and data.

    Args:
        epochs: Passes over the training set at most; None takes 8, or 12 for a part of a larger model, and more for sets that
            would see fewer than 400 steps.
        learning_rate: Peak rate of the encoder's last layer; None derives it from its width (:func:`default_learning_rate`).
        layer_decay: A layer's rate is that of the layer above it times this, and the embeddings stand below all layers; None
            takes :func:`default_layer_decay`.
        head_multiplier: A head's rate is that of the last layer times this: it starts from nothing, the encoder does not.
        warmup: Share of the training over which the rate rises from 0; it then falls in a line to 0.
        weight_decay: Of weight matrices; norms and biases are never decayed.
        clip: Largest norm of the gradient.
        dropout: Of hidden states. Attention weights have none: it costs a fifth of the time on a CPU.
        r_drop: Weight of the distance between two answers to the same words, under two draws of dropout (Liang et al., 2021);
            not with a teacher, whose answer both would be drawn to, nor without dropout.
        adversarial: How far the vectors of a sequence's pieces are moved to where the loss grows fastest, as a multiple of a
            vector's mean length, to learn from there as well (Miyato et al., 2017); 0: not at all. Not with a teacher.
        batch_pieces: Pieces of a batch, padding included; None takes a sixtieth of the set, within 512 to 2,048, divided by
            ``accumulate`` and by the number of processes, so that a step learns from as many. A sequence that is longer is a
            batch by itself: then steps are larger, and an epoch has fewer of them.
        accumulate: Batches that a process computes, one after the other, before the weights change.
        window_pieces: Pieces of the longest sequence, special pieces included; the model's own limit caps it.
        window_overlap: Pieces that neighboring windows of one document share.
        join: Share of the sentences that are shown together with their neighbors instead of alone, drawn anew each epoch.
        split: Share of the documents of several sentences that are shown sentence by sentence.
        respace: Share of the sequences in which every word is shown as if a space stood before it, since corpora differ in
            that (``27/7`` and ``27 / 7``).
        replace_mentions: Share of the entities that are shown in the words of another one of their label, drawn anew each epoch
            (Dai and Adel, 2020), of which a teacher says nothing; in hardened sequences, none.
        harden: Share of the sequences that are shown as others would have typed them, drawn anew each epoch: without
            diacritics, all in one case, mistyped.
        views: Views that each word passes on its way to the tokenizer.
        patience: Epochs without a better dev F1 after which training stops; None: it never does, since most is gained when the
            rate comes near 0.
        attempts: How often training begins at most, each time but the first at a lower rate, after a collapse to all-``O``.
        budget_minutes: Limit of the time for training steps, scoring not counted; the rate falls to 0 by then. None: no limit.
        least_epochs: Epochs that no budget cuts short, since a slow machine would learn nothing in that time.
        imitation: With a teacher, share of the loss that is its answers; the rest is the annotation.
        temperature: Divides the logits of teacher and student before they are compared: the higher, the more weighs what the
            teacher thinks of all tags but its first.
        closeness: With a teacher that is larger, weight of the distance between its vectors of the words and the student's,
            which is a share of their variance.
        seed: Of everything that is drawn.
        precision: "bf16", "fp32", or None for bf16 where the processor or GPU is faster with it.
        gradient_checkpointing: Whether the insides of layers are computed anew for the gradients instead of being kept (Chen
            et al., 2016): a fraction of the memory, a third more time, the same result.
        lora: Rank of adapters that learn in the place of the encoder's weights (Hu et al., 2022); None: the weights
            learn. ``learning_rate`` is then that of the adapters, and None takes four times as much; a head keeps the rate of
            a training without adapters, a fourth of ``learning_rate`` times ``head_multiplier``.
        lora_alpha: The adapters' answer is scaled by this, divided by their rank; None takes twice the rank.
        lora_dropout: Of what the adapters read.
    """

    epochs: int | None = None
    learning_rate: float | None = None
    layer_decay: float | None = None
    head_multiplier: float = 20.0
    warmup: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float = 0.1
    r_drop: float = 0.0
    adversarial: float = 0.0
    batch_pieces: int | None = None
    accumulate: int = 1
    window_pieces: int = 256
    window_overlap: int = 64
    join: float = 0.3
    split: float = 0.5
    respace: float = 0.1
    replace_mentions: float = 0.3
    harden: float = 0.3
    views: tuple[str, ...] = ("nfc", "tone-old")
    patience: int | None = None
    attempts: int = 3
    budget_minutes: float | None = None
    least_epochs: int = 0
    imitation: float = 0.7
    temperature: float = 2.0
    closeness: float = 1.0
    seed: int = 1
    precision: str | None = None
    gradient_checkpointing: bool = False
    lora: int | None = None
    lora_alpha: float | None = None
    lora_dropout: float = 0.0

    def __post_init__(self) -> None:
        check_ranges(
            self,
            positive="epochs batch_pieces window_pieces patience attempts learning_rate head_multiplier clip budget_minutes "
            "temperature accumulate lora lora_alpha",
            not_negative="weight_decay r_drop adversarial window_overlap least_epochs closeness",
            below_one="warmup dropout join split respace replace_mentions harden lora_dropout",
            endless="clip",
        )
        if self.layer_decay is not None and not 0 < self.layer_decay <= 1:
            raise UsageError(f"layer_decay must be greater than 0 and at most 1, not {self.layer_decay}")
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"seed must be at least 0 and less than 2^32, not {self.seed}")
        if not 0 <= self.imitation <= 1:
            raise UsageError(f"imitation must be at least 0 and at most 1, not {self.imitation}")
        if self.r_drop and not self.dropout and not (self.lora and self.lora_dropout):
            raise UsageError(
                "r_drop compares two draws of dropout, and there is none", hint="Give dropout, or leave r_drop out"
            )
        if self.lora is None and (self.lora_alpha is not None or self.lora_dropout):
            raise UsageError(
                "lora_alpha and lora_dropout say how adapters learn, and there are none", hint="Give lora a rank, such as 16"
            )
        if self.precision not in (None, "bf16", "fp32"):
            raise UsageError(f"precision must be 'bf16' or 'fp32', not {self.precision!r}")

    def to_dict(self) -> dict[str, Any]:
        """All choices, for the log and for telling whether a checkpoint belongs to this training."""
        return asdict(self)


def check_ranges(
    choices: Any,
    *,
    positive: str = "",
    not_negative: str = "",
    below_one: str = "",
    parts: str = "",
    endless: str = "",
    prefix: str = "",
) -> None:
    """Makes sure that numbers are in the range that their field allows; None is always allowed.

    Args:
        choices: The choices.
        positive: Names of those that must be greater than 0, with a space between them.
        not_negative: Of those that must be at least 0.
        below_one: Of those that must be at least 0 and less than 1.
        parts: Of those that must be greater than 0 and less than 1.
        endless: Of those that may be infinite.
        prefix: What the names begin with where people see them.

    Raises:
        UsageError: If one is not.
    """
    for names, told, fits in (
        (positive, "greater than 0", lambda value: value > 0),
        (not_negative, "at least 0", lambda value: value >= 0),
        (below_one, "at least 0 and less than 1", lambda value: 0 <= value < 1),
        (parts, "greater than 0 and less than 1", lambda value: 0 < value < 1),
    ):
        for name in names.split():
            value = getattr(choices, name)
            if value is not None and not fits(value):
                raise UsageError(f"{prefix}{name} must be {told}, not {value}")
            if isinstance(value, float) and math.isinf(value) and name not in endless.split():
                raise UsageError(f"{prefix}{name} must be a finite number, not {value}")


def default_learning_rate(width: int, *, adapters: bool = False) -> float:
    """Peak rate of an encoder by its width: 4e-4 at 384, 1e-4 at 768, 6e-5 at 1,024; of adapters four times as much.

    A rule of thumb between the rates that the small bundled base wants (measured: 5e-4 on PhoNER_COVID19, 2e-4 on WNUT-17) and
    those that papers give for base and large encoders. Where it is too high, the trainer sees the collapse and lowers it.
    """
    return 4e-4 * (384 / width) ** 2 * (ADAPTER_RATE if adapters else 1.0)


def default_layer_decay(layers: int) -> float:
    """What the rate falls by from layer to layer: 0.85 in an encoder of twelve, so that its embeddings learn at a seventh.

    Those of a deeper or shallower encoder get the same share.

    Args:
        layers: Layers of the encoder; 0 where nothing is known of them.
    """
    return 0.85 ** (12 / layers) if layers else 1.0
