"""A dynamic micro-batcher: texts of requests side by side are recognized together, and each request gets its own documents.

A recognizer is fastest on some hundred pieces at a time, and a request is often one sentence. So texts wait in a queue from
which a few threads take batches: at once while nothing else is recognized, else as soon as a batch is full or its oldest text
has waited long enough. Requests take turns text by text, so one of a thousand texts delays one of a single text by no more than
a batch.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from viner.console.recognizer import RecognizerLike
from viner.document import Document
from viner.errors import outline
from viner.runtime.engine import cores
from viner.server.counters import Counters
from viner.server.errors import RequestError

WAIT = 0.003
"""Seconds for which the oldest text may wait for company while another batch is recognized."""
BATCH_CHARACTERS = 1_000
BATCH_TEXTS = 64
"""A batch is full with so many code points, about the pieces that an engine takes at once, or so many texts."""
HEAVY = 32 * BATCH_CHARACTERS
"""A text of more code points occupies a thread for long. One thread is kept free of them, for everybody else."""
_MOST_PASSED = 32
"""Requests whose next text does not fit into a batch, after which no further one is tried."""
_LONGEST_RETRY = 60
_GOODBYE_SECONDS = 1

_log = logging.getLogger("viner.server")

Item = str | Document
Digest = Callable[[Document], Any]
Outcome = Any
"""What became of a text: what the digest made of its document, or the exception that it met."""


class Batcher:
    """Recognizes texts of several requests together. Safe to use from several event loops and threads.

    The threads start with the first request and end with :meth:`close`; after that a request starts them again.

    Args:
        counters: Told of queue, batches and waiting times.
        most_texts: Texts that may wait; a request that finds the queue empty is taken whatever its size.
        threads: Batches side by side; None takes one for each processor, and at least two.
        wait: Seconds for which a text may wait for company.
    """

    def __init__(self, counters: Counters, *, most_texts: int, threads: int | None = None, wait: float = WAIT) -> None:
        self._counters = counters
        self._most_texts = most_texts
        self._size = max(2, threads or cores())
        self._wait = wait
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._queue: deque[_Job] = deque()
        self._texts = 0  # waiting
        self._characters = 0  # of these
        self._open = 0  # requests without an answer
        self._running = 0  # batches
        self._heavy = 0  # of these
        self._pace = 0.0  # code points a second and thread, lately
        self._stopping = self._closed = False
        counters.watch(self.state)

    def submit(
        self, recognizer: RecognizerLike, items: Sequence[Item], digest: Digest, *, patient: bool = False
    ) -> asyncio.Future[list[Outcome]]:
        """Queues the texts of a request; called in an event loop, which never waits here.

        Args:
            recognizer: What answers all of them, also if another one is put into service meanwhile.
            items: At least one text or document.
            digest: Makes of each document what the request needs; called in a thread of the batcher.
            patient: Whether the caller waits for room, so that a full queue turns nobody away.

        Returns:
            For each item in order what became of it. Cancelling the future drops what has not been recognized yet.

        Raises:
            RequestError: If the queue is full (429, with the seconds after which there should be room), or the server is
                stopping (503).
        """
        loop = asyncio.get_running_loop()
        job = _Job(recognizer, items, digest, loop)
        with self._changed:
            self.check_running()
            self._check_room(len(items), patient)
            self._queue.append(job)
            self._texts += len(items)
            self._characters += job.characters
            self._open += 1
            self._start()
            self._changed.notify()
        job.future.add_done_callback(lambda future: self._drop(job) if future.cancelled() else None)
        return job.future

    def check_room(self) -> None:
        """Makes sure that the queue is not full.

        Raises:
            RequestError: If it is (429), or the server is stopping (503).
        """
        with self._changed:
            self.check_running()
            self._check_room(1, False)

    def _check_room(self, texts: int, patient: bool) -> None:
        if not self._texts or self._texts + texts <= self._most_texts:
            return
        if not patient:
            self._counters.add_rejected("queue_full")
        wait = self._seconds_until_room()
        hint = f"Nothing was recognized; send it again in {wait} seconds"
        raise RequestError(429, "queue_full", f"{self._texts:,} texts are waiting to be recognized", hint=hint, wait=wait)

    def check_running(self) -> None:
        """Makes sure that the server takes requests.

        Raises:
            RequestError: If it is stopping (503).
        """
        if self._stopping:
            hint = "Nothing was recognized; send it again in a moment"
            raise RequestError(503, "shutting_down", "the server is stopping", hint=hint, wait=2)

    async def drain(self, seconds: float, hurry: Callable[[], bool] = lambda: False) -> bool:
        """Takes nothing more, and waits until what was taken is answered.

        Args:
            seconds: Wait no longer than this; what waits then is dropped.
            hurry: Ends the waiting as soon as it is true.

        Returns:
            Whether everything was answered.
        """
        with self._changed:
            self._stopping = True
        until = time.monotonic() + seconds
        while self._open and time.monotonic() < until and not hurry():
            await asyncio.sleep(0.02)
        with self._changed:
            rest, answered = list(self._queue), not self._open
        for job in rest:
            job.future.cancel()
        return answered

    def close(self) -> None:
        """Ends the threads, each after its batch, and waits for them a moment."""
        with self._changed:
            self._closed = True
            threads, self._threads = self._threads, []
            self._changed.notify_all()
        until = time.monotonic() + _GOODBYE_SECONDS
        for thread in threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))
        with self._changed:
            self._closed = self._stopping = False

    def state(self) -> dict[str, int]:
        """Gauges: what waits, and what is being recognized."""
        with self._changed:
            return {
                "queue_texts": self._texts,
                "queue_characters": self._characters,
                "recognitions_in_flight": self._open,
                "batches_running": self._running,
            }

    def _seconds_until_room(self) -> int:
        pace = self._pace * self._size
        return min(max(1, math.ceil(self._characters / pace)), _LONGEST_RETRY) if pace else 1

    def _start(self) -> None:
        if not self._threads:
            for number in range(self._size):
                thread = threading.Thread(target=self._work, name=f"viner-batch-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _drop(self, job: _Job) -> None:
        """Takes a request that nobody waits for out of the queue."""
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
                self._texts -= len(job.order) - job.taken
                self._characters -= job.characters
                job.left -= len(job.order) - job.taken
                job.taken = len(job.order)
                if not job.left:
                    self._open -= 1

    def _work(self) -> None:
        while batch := self._take():
            began = time.perf_counter()
            try:
                self._answer(batch)
            finally:
                self._finish(batch, time.perf_counter() - began)

    def _take(self) -> _Batch | None:
        """The next batch, as soon as it is worth it; None when the batcher is closed."""
        with self._changed:
            while not self._closed:
                pause = self._pause()
                if pause == 0 and (batch := self._cut()):
                    self._running += 1
                    self._heavy += batch.heavy
                    if self._queue:
                        self._changed.notify()  # a request of several batches was told of but once
                    return batch
                self._changed.wait(pause or None)
            return None

    def _pause(self) -> float | None:
        """Seconds until a batch may be taken; None while nothing waits."""
        if not self._queue:
            return None
        if not self._running or self._characters >= BATCH_CHARACTERS or self._texts >= BATCH_TEXTS:
            return 0
        return max(0.0, min(job.since for job in self._queue) + self._wait - time.perf_counter())

    def _cut(self) -> _Batch | None:
        """Takes a text from each request in turn, until the batch is full or nothing fits; None if nothing may be taken now."""
        batch: _Batch | None = None
        passed: list[_Job] = []
        characters = 0
        now = time.perf_counter()
        misfits = 0
        while self._queue and misfits < _MOST_PASSED:
            job = self._queue.popleft()
            size = job.next_size
            heavy = size > HEAVY
            if heavy and (batch is not None or self._heavy >= self._size - 1):
                passed.append(job)
                misfits += batch is not None  # else heavy texts that wait would hide what could go
                continue
            if batch is None:
                batch = _Batch(job.recognizer, heavy)
            elif job.recognizer is not batch.recognizer or characters + size > BATCH_CHARACTERS:
                passed.append(job)
                misfits += 1
                continue
            if not job.taken:
                self._counters.add_wait(now - job.since)
            batch.parts.append((job, job.take()))
            characters += size
            if job.taken < len(job.order):
                self._queue.append(job)
            if characters >= BATCH_CHARACTERS or len(batch.parts) >= BATCH_TEXTS:
                break
        self._queue.extendleft(reversed(passed))
        if batch is not None:
            batch.characters = characters
            self._texts -= len(batch.parts)
            self._characters -= characters
            self._counters.add_batch(len(batch.parts))
        return batch

    def _answer(self, batch: _Batch) -> None:
        """Recognizes a batch. Where that fails, every text is recognized alone, so it fails only the one that is to blame."""
        if all(job.gone for job, _ in batch.parts):
            return
        asked: list[_Part] = []

        def items() -> Iterator[Item]:
            for part in batch.parts:
                if not part[0].gone:
                    asked.append(part)
                    yield part[0].items[part[1]]

        answered = 0
        try:
            for document in batch.recognizer.stream(items()):
                self._note(asked[answered], document)
                answered += 1
        except Exception as error:
            if len(batch.parts) == 1:
                job, index = batch.parts[0]
                job.outcomes[index] = error
                return
            _log.warning("a batch failed, its texts are recognized one by one: %s", outline(error))
        done = set(map(id, asked[:answered]))
        for part in batch.parts:
            if id(part) not in done and not part[0].gone:
                self._retry(part, batch.recognizer)

    def _note(self, part: _Part, document: Document) -> None:
        job, index = part
        try:
            job.outcomes[index] = job.digest(document)
        except Exception as error:
            job.outcomes[index] = error
        self._counters.add_document(document)

    def _retry(self, part: _Part, recognizer: RecognizerLike) -> None:
        """Recognizes a text again that was in a batch which failed, and keeps what it meets."""
        job, index = part
        try:
            document = next(iter(recognizer.stream([job.items[index]])))
        except Exception as error:
            job.outcomes[index] = error
            return
        self._note(part, document)

    def _finish(self, batch: _Batch, seconds: float) -> None:
        done: list[_Job] = []
        with self._changed:
            self._running -= 1
            self._heavy -= batch.heavy
            if batch.characters and seconds > 0:
                pace = batch.characters / seconds
                self._pace = 0.9 * self._pace + 0.1 * pace if self._pace else pace
            for job, _ in batch.parts:
                job.left -= 1
                if not job.left:
                    self._open -= 1
                    done.append(job)
            self._changed.notify_all()
        for loop in {job.loop for job in done}:
            _tell(loop, [job for job in done if job.loop is loop])


class _Job:
    """A request in the queue.

    Its texts are recognized from the shortest to the longest, since texts of about one length make the fastest batches.
    """

    __slots__ = ("characters", "digest", "future", "items", "left", "loop", "order", "outcomes", "recognizer", "since", "taken")

    def __init__(
        self, recognizer: RecognizerLike, items: Sequence[Item], digest: Digest, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.recognizer = recognizer
        self.items = items
        self.digest = digest
        self.loop = loop
        self.future: asyncio.Future[list[Outcome]] = loop.create_future()
        self.order = sorted(range(len(items)), key=lambda index: _size(items[index]))
        self.outcomes: list[Outcome] = [None] * len(items)
        self.taken = 0
        self.left = len(items)  # without an outcome
        self.characters = sum(map(_size, items))  # not taken yet
        self.since = time.perf_counter()

    @property
    def gone(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.future.cancelled()

    @property
    def next_size(self) -> int:
        """Code points of the text that comes next."""
        return _size(self.items[self.order[self.taken]])

    def take(self) -> int:
        """Index of the text that comes next, which is then taken."""
        index = self.order[self.taken]
        self.taken += 1
        self.characters -= _size(self.items[index])
        return index


_Part = tuple[_Job, int]


class _Batch:
    """Texts that are recognized together: parts of requests that began with the same recognizer."""

    __slots__ = ("characters", "heavy", "parts", "recognizer")

    def __init__(self, recognizer: RecognizerLike, heavy: bool) -> None:
        self.recognizer = recognizer
        self.heavy = heavy
        self.parts: list[_Part] = []
        self.characters = 0


def _tell(loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
    def settle() -> None:
        for job in jobs:
            if not job.future.done():
                job.future.set_result(job.outcomes)

    with suppress(RuntimeError):  # the loop is closed: nobody waits there
        loop.call_soon_threadsafe(settle)


def _size(item: Item) -> int:
    return len(item if isinstance(item, str) else item.text)
