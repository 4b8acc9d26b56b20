"""One actor of the cluster: a model that is loaded once and answers chunk after chunk."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import viner
from viner.errors import VinerError, outline
from viner.scale.chunks import Answer, answer
from viner.scale.errors import ClusterError

if TYPE_CHECKING:
    import pyarrow

    from viner.runtime import Recognizer


class Worker:
    """What Ray Data makes an actor of. Nothing that goes wrong is raised: Ray would log it, and wrap it in a trace.

    Args:
        version: viner's version where the documents come from; another one might answer differently.
        shipment: A list of one reference to the model, a :class:`~viner.scale.shipment.Shipment`.
        threads: Batches computed side by side.
    """

    def __init__(self, version: str, shipment: list[Any], threads: int) -> None:
        self._notes: list[str] = []
        self._recognizer: Recognizer | None = None
        self._trouble: VinerError | None = None
        host = socket.gethostname()
        try:
            if version != viner.__version__:
                raise ClusterError(
                    f"viner {viner.__version__} is installed there, and {version} here",
                    where=host,
                    hint="Install the same version on all machines of the cluster",
                )
            self._recognizer = self._load(shipment, threads, host)
        except VinerError as error:
            self._trouble = error
        except Exception as error:
            self._trouble = ClusterError(f"a worker cannot load the model: {outline(error)}", where=host)

    def _load(self, shipment: list[Any], threads: int, host: str) -> Recognizer:
        import ray

        from viner.runtime import Recognizer

        if ray.get_runtime_context().was_current_actor_reconstructed:
            self._notes.append(f"{host}: a worker was lost; another took its place, and does again what it had not finished")
        arrived = ray.get(shipment[0])
        listener = _Listener(self._notes, host)
        log = logging.getLogger("viner")
        log.addHandler(listener)
        try:
            recognizer = Recognizer.load(arrived.arrive(), engine=arrived.engine, threads=threads)
            return recognizer.with_least_score(arrived.least_score)
        finally:
            log.removeHandler(listener)

    def __call__(self, table: pyarrow.Table) -> pyarrow.Table:
        """Answers chunks, one a row.

        Args:
            table: A column ``documents`` of what :func:`~viner.scale.chunks.pack` makes.

        Returns:
            A row for each, with the fields of :class:`~viner.scale.chunks.Answer`.
        """
        import pyarrow

        answers = [self._answer(packed) for packed in table["documents"].to_pylist()]
        return pyarrow.table(
            {
                "chunk": table["chunk"],
                "documents": pyarrow.array([each.documents for each in answers], pyarrow.list_(pyarrow.string())),
                "error": [each.error for each in answers],
                "notes": pyarrow.array([each.notes for each in answers], pyarrow.list_(pyarrow.string())),
            }
        )

    def _answer(self, packed: Iterable[str]) -> Answer:
        if self._recognizer is None:
            assert self._trouble is not None
            return Answer((), json.dumps(self._trouble.to_dict()))
        answered = replace(answer(packed, self._recognizer.stream), notes=tuple(self._notes))
        self._notes.clear()
        return answered


class _Listener(logging.Handler):
    """Keeps warnings for the answer, since a worker's log is not read."""

    def __init__(self, notes: list[str], host: str) -> None:
        super().__init__(logging.WARNING)
        self._notes = notes
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        self._notes.append(f"{self._host}: {record.getMessage()}")
