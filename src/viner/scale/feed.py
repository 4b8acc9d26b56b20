"""The way into Ray Data for a stream without a known end: an actor that holds the chunks under way, and a source that reads it.

Ray Data takes its input from files, or from what is all there. A stream is neither, so one read task asks an actor for chunk
after chunk. The actor keeps each until it is answered, so that the task can be run again; and the caller adds one for each that
was answered, so that as many are under way as are to be, however long the stream and however fast the workers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

SCHEMA = pyarrow.schema({"chunk": pyarrow.int64(), "documents": pyarrow.list_(pyarrow.string())})


class Feed:
    """The chunks that are under way. An actor: its methods are called from the caller and from the read task."""

    def __init__(self) -> None:
        self._chunks: dict[int, Sequence[str]] = {}
        self._answered = 0
        self._changed = asyncio.Condition()

    async def add(self, index: int, chunk: Sequence[str], answered: int) -> None:
        """Adds a chunk, and forgets the first ``answered`` ones. Calls may arrive in any order."""
        async with self._changed:
            self._answered = max(self._answered, answered)
            self._chunks[index] = chunk
            for old in [old for old in self._chunks if old < self._answered]:
                del self._chunks[old]
            self._changed.notify_all()

    async def chunk(self, index: int) -> Sequence[str]:
        """A chunk, once it is there.

        A read task that runs again asks for chunks that were answered long ago, and gets empty ones: nobody waits for those.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: index in self._chunks or index < self._answered)
            return self._chunks.get(index, ())


class FeedSource(Datasource):
    """A source of Ray Data that reads a feed: one chunk a row, without end.

    Args:
        feed: Handle of a :class:`Feed` actor.
    """

    def __init__(self, feed: Any) -> None:
        super().__init__()
        self._feed = feed

    def get_name(self) -> str:
        """What Ray calls it in its logs."""
        return "Chunks"

    def estimate_inmemory_data_size(self) -> int | None:
        """Nobody knows."""
        return None

    @property
    def supports_distributed_reads(self) -> bool:
        """No: it is read beside the caller, so that what waits is not lost with a machine of the workers."""
        return False

    def get_read_tasks(self, parallelism: int, *limits: Any, **options: Any) -> list[ReadTask]:
        """The one task: a stream is read in order."""
        feed = self._feed
        unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(lambda: _blocks(feed), unknown, schema=SCHEMA)]


def _blocks(feed: Any) -> Iterator[pyarrow.Table]:
    import ray

    index = 0
    while True:
        chunk = ray.get(feed.chunk.remote(index))
        yield pyarrow.table({"chunk": [index], "documents": [list(chunk)]}, schema=SCHEMA)
        index += 1
