"""A recognizer whose work is done by actors of a Ray cluster."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Generator, Iterable
from pathlib import Path
from types import TracebackType

from viner.bundle import BundleInfo, find_bundle
from viner.document import Document
from viner.encoding import check_least_score
from viner.errors import UsageError
from viner.scale.chunks import cut, pack, unpack
from viner.scale.errors import ClusterError
from viner.scale.run import Run
from viner.scale.session import Session, failures, ray_module
from viner.scale.shipment import Shipment
from viner.schema import Schema

AHEAD = 4
"""Chunks under way for each worker: one that it answers, one that waits beside it, and two that may wait for a slower one
before them. Also how much is done again when a run has to begin anew, and what bounds the memory here."""
ATTEMPTS = 3
"""Runs that may fail one after the other without an answer."""

_log = logging.getLogger("viner")


class RayRecognizer:
    """Recognizes on the workers of a Ray cluster: the answers of :class:`~viner.runtime.Recognizer`, in the same order.

    Ray Data places the workers, restarts lost ones and repeats what they had not finished. Each loads the model once and keeps
    it until :meth:`close`. One stream runs at a time. The model answers alone: ``viner.rules.with_rules(RayRecognizer(project),
    project)`` applies the rules of a project as well.

    Args:
        model: A model folder, a project or a Hub id, as :func:`viner.load` takes it, found on this machine; workers that
            cannot see the folder get its files.
        workers: Workers side by side; None takes as many as the cluster has cores for.
        cpus_per_worker: Cores of each, which it fills with as many threads.
        address: ``host:port`` of a cluster; "local" starts one on this machine; None takes the one that this process is
            connected to, that ``RAY_ADDRESS`` names or that runs on this machine, and else starts one.
        engine: What is to run, "int8", "fp32" or "cascade"; None takes what the model chose.
        least_score: Entities with a lower score are left out, see :func:`viner.load`; None leaves that to the model.

    Attributes:
        info: What the model says about itself.
        engine: What the workers run, "int8", "fp32" or "cascade".
        least_score: As given.
        workers: How many workers there are to be.

    Raises:
        MissingExtraError: If Ray is not installed.
        BundleError: If the model is none.
        ClusterError: If there is no cluster at the address.
        UsageError: If a number is less than 1, or the least score is none.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        workers: int | None = None,
        cpus_per_worker: int = 1,
        address: str | None = None,
        engine: str | None = None,
        least_score: float | None = None,
    ) -> None:
        for name, value in (("workers", workers), ("cpus_per_worker", cpus_per_worker)):
            if value is not None and value < 1:
                raise UsageError(f"{name} must be at least 1, not {value}")
        check_least_score(least_score)
        ray = ray_module()
        bundle = find_bundle(model, weights=False)
        shipment = Shipment.of(bundle, engine, least_score)
        self.info: BundleInfo = bundle.info
        self.engine = engine or bundle.info.engine
        self.least_score = least_score
        self._cpus = cpus_per_worker
        self._run: Run | None = None
        self._busy = threading.Lock()
        self._session = Session(address, workers and workers * cpus_per_worker, shipment.size)
        self.workers = workers or max(1, int(ray.cluster_resources().get("CPU", 1)) // cpus_per_worker)
        self._shipment = ray.put(shipment)
        self._warned = False

    @property
    def schema(self) -> Schema:
        """The layers that the model answers."""
        return self.info.schema

    def __call__(self, item: str | Document) -> Document:
        """Recognizes one text; the first one waits for the workers to start."""
        (document,) = self.stream([item])  # to its end: an unfinished stream ends the workers
        return document

    def stream(self, items: Iterable[str | Document]) -> Generator[Document, None, None]:
        """Recognizes many texts, in constant memory on this machine.

        Args:
            items: Texts or documents. Of a document, ``words`` are used if it has them; its annotations are not looked at.

        Yields:
            For each item in order what :meth:`viner.runtime.Recognizer.stream` yields for it, whoever answered it.

        Raises:
            InputError: If a text holds a lone surrogate. As with any error, what came before is yielded first.
            BundleError: If a worker cannot use the model, or it answers with something that is no number (NaN).
            ClusterError: If the cluster fails again and again or was left, or viner there is not the same as here.
            UsageError: If another stream of this recognizer is not at its end, this was closed, or ``items`` is one string.
        """
        if isinstance(items, str):
            raise UsageError("these are several texts or documents, not one string", hint="Give a list: [text]")
        if not self._busy.acquire(blocking=False):
            raise UsageError("another stream of this recognizer is not at its end", hint="Finish it, or close() it, first")
        finished = False
        source = _Source(items)
        try:
            yield from self._stream(source)
            finished = True
            if source.trouble is not None:
                raise source.trouble
        finally:
            if not finished:  # answers to this stream are still under way
                self._end_run()
            self._busy.release()

    def _stream(self, source: _Source) -> Generator[Document, None, None]:
        under_way: deque[list[Document]] = deque()
        sent = failed = 0
        while True:
            while len(under_way) < AHEAD * self.workers and (chunk := source.next()):
                under_way.append(chunk)
            if not under_way:
                break
            failing = False
            try:
                self._session.check()
                if self._run is None:
                    self._warn_of_cores()
                    self._run, sent = Run(self._shipment, self.workers, self._cpus), 0
                while sent < len(under_way):
                    self._run.add(pack(under_way[sent]))
                    sent += 1
                answer = self._run.answer()
            except failures() as error:
                failed += 1
                _give_up_on(error, failed)
                failing = True
            if failing:
                # Not within the handler: the error holds on to the actors of the run, and so to the cores for the next one.
                self._end_run()
                continue
            failed = 0
            sent -= 1
            for note in answer.notes:
                _log.warning("%s", note)
            yield from unpack(under_way.popleft(), answer)

    def close(self) -> None:
        """Ends the workers, and the cluster if it was started here and no other recognizer uses it."""
        self._end_run()
        self._session.close()

    def __enter__(self) -> RayRecognizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _end_run(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            run.close()

    def _warn_of_cores(self) -> None:
        """Says, before the first run, that workers will wait."""
        if self._warned:
            return
        self._warned = True
        ray = ray_module()
        machines = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
        room = sum(int(cores) // self._cpus for cores in machines)
        free = int(ray.available_resources().get("CPU", 0)) // self._cpus
        if room < self.workers:
            _log.warning(
                "The cluster has cores for %d of %d workers; the others wait for machines to come",
                room,
                self.workers,
            )
        elif free < self.workers:
            _log.warning(
                "The cluster has free cores for %d of %d workers; the others wait until those that work there now are done",
                free,
                self.workers,
            )


class _Source:
    """The chunks of a stream. What goes wrong with it is kept for when the chunks before are answered."""

    def __init__(self, items: Iterable[str | Document]) -> None:
        self.trouble: Exception | None = None
        self._chunks = cut(items)

    def next(self) -> list[Document] | None:
        """The next chunk; None if there is no more."""
        try:
            return next(self._chunks, None)
        except Exception as error:
            self.trouble = error
            return None


def _give_up_on(error: Exception, failed: int) -> None:
    """Raises unless it is worth another attempt."""
    if "No module named 'viner'" in str(error):
        raise ClusterError(
            "viner is not installed on the machines of the cluster",
            hint="Install the same version on each: pip install 'viner[ray]'",
        ) from error
    reason = str(error).strip().splitlines()[-1][:200] if str(error).strip() else ""
    if failed > ATTEMPTS:
        raise ClusterError(
            f"the cluster failed {failed} times without an answer ({type(error).__name__}: {reason})",
            hint="Ray's own logs on its machines tell more",
        ) from error
    _log.warning("The cluster failed (%s: %s); going on from the first unanswered document", type(error).__name__, reason)
