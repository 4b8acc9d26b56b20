"""A training for its score alone: on dev, without writing a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.errors import TrainingError
from viner.workflow.material import Material

if TYPE_CHECKING:
    from viner.training.config import TrainingConfig
    from viner.training.trainer import TrainingResult


NO_MEMORY = "the memory is not enough for these choices"
"""Message of a training that may succeed another time, or elsewhere."""


class GivenUpError(Exception):
    """An observer raises it to end a training that is not worth going on with: nothing of it is kept."""


def try_training(
    material: Material, config: TrainingConfig, place: Path, observe: Callable[[dict[str, Any]], None]
) -> TrainingResult:
    """Trains, scores each epoch on dev, and leaves nothing on the disk.

    Killed or interrupted, the same call goes on from the last finished epoch, which the working folder keeps.

    Args:
        material: What it learns from and is scored on.
        config: All choices.
        place: The working folder.
        observe: Called with each event of the trainer.

    Raises:
        TrainingError: If the model learns nothing, or the memory is not enough.
        InputError: If there is nothing to learn from.
        GivenUpError: If the observer raises it.
    """
    import torch

    from viner.training.checkpoint import TrainingFolder

    with TrainingFolder(place) as folder:
        try:
            result = material.trainer(config, observe).run(folder)
        except (GivenUpError, TrainingError):
            folder.discard()
            raise
        except (MemoryError, torch.OutOfMemoryError) as error:
            folder.discard()
            raise TrainingError(NO_MEMORY, hint="Try smaller batches (batch_pieces)") from error
        folder.remove()
    return result
