"""One run of Ray Data: chunks in, answers out, on a pool of actors that lives as long as the run."""

from __future__ import annotations

import contextlib
import gc
import logging
from collections.abc import Sequence
from typing import Any

from viner.scale.chunks import Answer
from viner.scale.session import ray_module
from viner.version import __version__


class Run:
    """A pipeline of Ray Data that waits for chunks: a source, and actors that have loaded the model.

    Which worker gets which chunk, and what happens when one is lost, is Ray Data's matter.

    Args:
        shipment: A reference to the model, a :class:`~viner.scale.shipment.Shipment`.
        workers: Actors in the pool.
        cpus: Cores of each.
    """

    def __init__(self, shipment: Any, workers: int, cpus: int) -> None:
        from viner.scale.feed import Feed, FeedSource

        self._ray = ray_module()
        self._log_level = logging.getLogger("ray.data").level
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        self._feed = self._ray.remote(Feed).options(num_cpus=0).remote()
        dataset = _dataset(self._ray.data, FeedSource(self._feed), shipment, workers, cpus)
        # Without prefetching, which would keep an answer back until the next one is there.
        self._tables = iter(dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0))
        self._early: dict[int, Answer] = {}
        self._added = self._answered = 0

    def add(self, packed: Sequence[str]) -> None:
        """Sends a chunk on its way."""
        self._feed.add.remote(self._added, packed, self._answered)
        self._added += 1

    def answer(self) -> Answer:
        """Waits for the answer to the first chunk that has none.

        Raises:
            RayError: If Ray cannot make up for what was lost.
        """
        while self._answered not in self._early:
            try:
                table = next(self._tables)
            except StopIteration:
                raise self._ray.exceptions.RaySystemError("the run ended before its answers") from None
            for row in table.to_pylist():
                self._early[row["chunk"]] = Answer(row["documents"], row["error"], row["notes"])
        answer = self._early.pop(self._answered)
        self._answered += 1
        # A read task that was run again sends old chunks along, empty.
        self._early = {index: early for index, early in self._early.items() if index >= self._answered}
        return answer

    def close(self) -> None:
        """Ends the actors."""
        with contextlib.suppress(Exception):  # what failed may fail once more
            self._tables.close()
        del self._tables
        gc.collect()  # Ray ends actors that nobody refers to, and a failed run refers to its own in circles
        with contextlib.suppress(Exception):
            self._ray.kill(self._feed)
        logging.getLogger("ray.data").setLevel(self._log_level)


def _dataset(data: Any, source: Any, shipment: Any, workers: int, cpus: int) -> Any:
    from viner.scale.worker import Worker

    context = data.DataContext.get_current().copy()
    context.target_max_block_size = 1  # a block for each row, so that a chunk leaves at once
    context.execution_no_progress_timeout_s = -1  # the caller may take its time
    context.print_on_execution_start = False
    context.enable_progress_bars = False
    with data.DataContext.current(context):
        chunks = data.read_datasource(source, override_num_blocks=1, num_cpus=0)
        return chunks.map_batches(
            Worker,
            # Within a list, Ray leaves the reference to the worker, which looks at the version first.
            fn_constructor_args=(__version__, [shipment], cpus),
            batch_size=None,
            batch_format="pyarrow",
            compute=data.ActorPoolStrategy(size=workers),
            num_cpus=cpus,
        )
