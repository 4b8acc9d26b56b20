"""Several processes that train one model, each on a device of its own, as ``accelerate launch`` or ``torchrun`` started them.

Data-parallel: each has all of the model and its part of every step's batches, and gradients are averaged (torch's
DistributedDataParallel). Every process draws the same batches and decides by the same figures, so what they do never parts; dev
scores, checkpoints and files are the main process's alone. One process is a group of one, and computes what it always did.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
from accelerate import DistributedType, InitProcessGroupKwargs
from accelerate.utils import broadcast_object_list
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from viner.errors import TrainingError, UsageError
from viner.training.examples import Batch
from viner.training.heads import IGNORED
from viner.training.precision import make_accelerator

T = TypeVar("T")

_PATIENCE = timedelta(days=1)
"""How long processes wait for the main one while it scores, exports and evaluates. A launcher ends all when one fails."""
_OTHER_KINDS = {DistributedType.DEEPSPEED, DistributedType.FSDP, DistributedType.MEGATRON_LM, DistributedType.XLA}


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, and how much its mean losses weigh in the step that it is a part of.

    Args:
        batch: The batch.
        known: Weight of the mean over words whose target is known.
        heard: Weight of the mean over the words of which a teacher says something.
    """

    batch: Batch
    known: float = 1.0
    heard: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the optimizer learns from.

    Args:
        parts: Those of this process, one after the other.
        pieces: Pieces of all processes, without padding.
    """

    parts: list[Part]
    pieces: int


class Processes:
    """This process and the others, if there are any.

    Args:
        precision: "bf16", "fp32", or None for bf16 where the device is faster with it.

    Raises:
        UsageError: If they were told to share the model otherwise than by copies of it.
        TrainingError: If this device cannot train in several processes.
    """

    def __init__(self, precision: str | None) -> None:
        started = int(os.environ.get("WORLD_SIZE", "1")) if "LOCAL_RANK" in os.environ else 1
        self.accelerator = make_accelerator(
            precision,
            cpu=started > 1 and not _has_device(),
            kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
        )
        if self.accelerator.distributed_type in _OTHER_KINDS:
            raise UsageError(
                f"viner trains copies of the model (DDP), not by {self.accelerator.distributed_type.value}",
                hint="Start it with: accelerate launch --multi_gpu --num_processes N -m viner train …",
            )
        self.count = int(self.accelerator.num_processes)
        """How many there are."""
        if self.count != started:
            raise TrainingError(
                f"{started} processes were started, which {self.accelerator.device} cannot train in", hint="Start one"
            )
        self.index = int(self.accelerator.process_index)
        """Which of them this is; 0 is the main one."""

    @property
    def main(self) -> bool:
        """Whether this one scores, writes and reports."""
        return self.index == 0

    def refuse_others(self, option: str) -> None:
        """Makes sure that this process is the only one.

        Raises:
            UsageError: If there are others; the message names the option that cannot be shared.
        """
        if self.count > 1:
            raise UsageError(f"{option} does not go with several processes", hint="Start one: viner train …")

    def replica(self, model: nn.Module) -> nn.Module:
        """The model as it is called in training: gradients become the mean over the processes, weights the main one's."""
        if self.count == 1:
            return model
        device = self.accelerator.device
        return DistributedDataParallel(model, device_ids=None if device.type == "cpu" else [device.index])

    def deal(self, batches: Sequence[Batch], accumulate: int) -> list[Step]:
        """The steps of an epoch: each takes so many batches for each process.

        Every word weighs the same within a step, however the words lie in its batches.

        Args:
            batches: All batches of the epoch, in the order in which every process has drawn them.
            accumulate: How many a process takes, one after the other, before the weights change.
        """
        size = self.count * accumulate
        return [self._step(batches[start : start + size]) for start in range(0, len(batches), size)]

    def _step(self, group: Sequence[Batch]) -> Step:
        if self.count == len(group) == 1:
            return Step([Part(group[0])], group[0].pieces)
        known = [int((batch.targets != IGNORED).sum()) for batch in group]
        heard = [int(batch.heard.sum()) for batch in group]
        # Gradients are averaged over the processes, where a sum is wanted.
        scale = [self.count / max(1, sum(counts)) for counts in (known, heard)]
        mine = range(self.index, len(group), self.count)
        parts = [Part(group[i], known[i] * scale[0], heard[i] * scale[1]) for i in mine]
        # At the end of an epoch some have no batch left, and take part with one that weighs nothing.
        return Step(parts or [Part(group[0], 0.0, 0.0)], sum(batch.pieces for batch in group))

    def without_averaging(self, replica: nn.Module, *, last: bool) -> AbstractContextManager[Any]:
        """For the parts of a step before its last one: their gradients stay here and are added up."""
        if last or not isinstance(replica, DistributedDataParallel):
            return nullcontext()
        return replica.no_sync()

    def mean(self, value: float) -> float:
        """Mean over the processes."""
        if self.count == 1:
            return value
        device = self.accelerator.device
        total = self.accelerator.reduce(torch.tensor(value, dtype=torch.float64, device=device), reduction="sum")
        return float(total) / self.count

    def share(self, value: T) -> T:
        """The main process's value, for all."""
        return value if self.count == 1 else cast(T, broadcast_object_list([value])[0])

    def ask_main(self, compute: Callable[[], T]) -> T:
        """What the main process computes, for all; the others wait."""
        return self.share(compute() if self.main else cast(T, None))

    def check_same(self, value: object, what: str) -> None:
        """Makes sure that all have the same.

        Raises:
            TrainingError: If one differs from the main process.
        """
        if self.share(value) != value:
            raise TrainingError(f"{what} differs between process 0 and process {self.index}", hint="Give all the same files")

    def wait(self) -> None:
        """Until all are here."""
        self.accelerator.wait_for_everyone()


def _has_device() -> bool:
    """Whether there is something else to compute on than the processor."""
    accelerators = getattr(torch, "accelerator", None)
    return torch.cuda.is_available() or (accelerators is not None and accelerators.is_available())
