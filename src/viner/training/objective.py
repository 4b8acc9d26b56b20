"""What a training makes as small as it can: the annotation's loss, and beside it what teachers or a second reading say."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from viner.training.config import TrainingConfig
from viner.training.consistency import disagreement, halves, twice
from viner.training.distributed import Part, Step
from viner.training.examples import Batch
from viner.training.heads import IGNORED, Head, prior_entropy
from viner.training.teacher import Teacher, distance, imitation_loss, prior_divergence


class Objective:
    """The loss of a part of a step.

    Args:
        config: How much weighs what.
        teacher: What says of each word what it is, beside the annotation. With one, nothing is read twice.
    """

    def __init__(self, config: TrainingConfig, teacher: Teacher | None) -> None:
        self._config = config
        self._teacher = teacher
        self._again = config.r_drop > 0 and teacher is None

    def passes(self, step: Step) -> list[Part]:
        """What is computed one after the other: the parts of a step, or halves of them, since each is read twice."""
        return [half for part in step.parts for half in halves(part)] if self._again else step.parts

    def shown(self, batch: Batch) -> Batch:
        """What the model is to read for a batch: once or twice the same."""
        return twice(batch) if self._again else batch

    def __call__(self, head: Head, words: Tensor, batch: Batch, part: Part) -> Tensor:
        """The loss.

        Args:
            head: Answers for the words.
            words: Their vectors. *Shape:* (words, width).
            batch: What was read, as :meth:`shown` gives it, on the device of the vectors.
            part: What it was made of; says how much it weighs in its step.

        Returns:
            *Shape:* ().
        """
        emissions = head(words)
        if self._teacher is None:
            taught = head.loss(emissions, batch.targets)
            if self._again:
                taught = taught + self._config.r_drop * disagreement(emissions, batch.targets)
            return taught * part.known
        assert batch.teacher is not None  # it was heard before the first epoch
        heard = batch.heard
        taught = beside(head, emissions, batch.targets, heard, 1 - self._config.imitation) * part.known
        if not heard.any():
            return taught
        said = batch.teacher[heard]
        imitated = imitation_loss(emissions[heard].float(), self._teacher.emissions(said), self._config.temperature)
        like_teacher = self._config.imitation * imitated
        if (wanted := self._teacher.vectors(said)) is not None:
            like_teacher = like_teacher + self._config.closeness * distance(words[heard].float(), wanted)
        return taught + like_teacher * part.heard

    def prior(self, targets: Tensor, said: Sequence[NDArray[np.float16]] = (), taught: float = 1.0) -> float:
        """The loss of a model that gives every word the same answer, which a collapsed one converges to.

        Args:
            targets: Of all words. *Shape:* (words,).
            said: What the teacher says of them, if there is one. *Shape:* (words, numbers) each.
            taught: Share of the steps in which the annotation says something of a word: in others it costs nothing.
        """
        if self._teacher is None:
            return prior_entropy(targets)
        share = self._config.imitation
        answers = (self._teacher.emissions(torch.from_numpy(part)) for part in said if len(part))
        return (1 - share) * taught * prior_entropy(targets) + share * prior_divergence(answers, self._config.temperature)


def beside(head: Head, emissions: Tensor, targets: Tensor, heard: Tensor, weight: float) -> Tensor:
    """Mean loss over the words whose target is known, of which those that a teacher speaks of as well weigh less.

    Args:
        head: Whose loss it is.
        emissions: *Shape:* (words, outputs).
        targets: *Shape:* (words,).
        heard: Whether a teacher says something of each word. *Shape:* (words,).
        weight: What these weigh; the others weigh 1.
    """
    total = torch.zeros((), device=emissions.device)
    for these, weighs in ((heard, weight), (~heard, 1.0)):
        chosen = targets.masked_fill(~these, IGNORED)
        total = total + weighs * (chosen != IGNORED).sum() * head.loss(emissions, chosen)
    return total / (targets != IGNORED).sum().clamp(min=1)
