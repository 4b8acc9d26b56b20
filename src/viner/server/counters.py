"""What the server has done so far, in the Prometheus text format. Numbers only, never a text."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from viner.console.recognizer import ModelInfo, RecognizerLike
from viner.document import Document
from viner.schema import Schema

SECONDS_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
WAIT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)
_GAUGES = {
    "queue_texts": "Texts that wait to be recognized.",
    "queue_characters": "Code points of the texts that wait.",
    "recognitions_in_flight": "Recognition requests, and parts of streams, that have no answer yet.",
    "batches_running": "Batches being recognized.",
}


class _Histogram:
    """Counts values by the bucket that they fall into."""

    def __init__(self, borders: Sequence[float]) -> None:
        self._borders = borders
        self._counts = [0] * (len(borders) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._borders, value)] += 1
        self._sum += value

    def lines(self, name: str, help_text: str) -> Iterator[str]:
        yield f"# HELP {name} {help_text}"
        yield f"# TYPE {name} histogram"
        total = 0
        for border, count in zip((*self._borders, "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{border}"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Counters:
    """Counts requests, batches and recognized documents; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._seconds = _Histogram(SECONDS_BUCKETS)
        self._waits = _Histogram(WAIT_BUCKETS)
        self._batches = _Histogram(BATCH_BUCKETS)
        self._in_flight = 0
        self._rejected: Counter[str] = Counter()
        self._gauges: Callable[[], Mapping[str, int]] = dict
        self._documents = 0
        self._characters = 0
        self._entities: Counter[str] = Counter()

    def begin_request(self) -> None:
        """Counts a request that has come in; :meth:`add_request` counts its answer."""
        with self._lock:
            self._in_flight += 1

    def add_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answered request; ``route`` is a pattern of few values, never a raw path."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._seconds.add(seconds)
            self._in_flight -= 1

    def add_document(self, document: Document) -> None:
        """Counts a recognized document, its code points and entities."""
        with self._lock:
            self._documents += 1
            self._characters += len(document.text)
            self._entities.update(entity.label for entity in document.entities or ())

    def add_wait(self, seconds: float) -> None:
        """Counts the time that a request's first text waited for its batch."""
        with self._lock:
            self._waits.add(seconds)

    def add_batch(self, texts: int) -> None:
        """Counts a batch of so many texts."""
        with self._lock:
            self._batches.add(texts)

    def add_rejected(self, code: str) -> None:
        """Counts a request that was turned away since the server is busy; ``code`` is that of the answer."""
        with self._lock:
            self._rejected[code] += 1

    def watch(self, gauges: Callable[[], Mapping[str, int]]) -> None:
        """Asks for the gauges of the queue whenever the counters are rendered."""
        self._gauges = gauges

    def render(self) -> str:
        """All counters as Prometheus text."""
        gauges = self._gauges()  # before the lock is taken: who gives them counts under a lock of its own
        with self._lock:
            return "\n".join(self._lines(gauges)) + "\n"

    def _lines(self, gauges: Mapping[str, int]) -> Iterator[str]:
        yield "# HELP viner_requests_total Answered HTTP requests."
        yield "# TYPE viner_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            yield f'viner_requests_total{{method="{_quoted(method)}",route="{_quoted(route)}",status="{status}"}} {count}'
        yield from self._seconds.lines("viner_request_seconds", "Time to answer a request.")
        for name, value in {"requests_in_flight": self._in_flight, **gauges}.items():
            yield f"# HELP viner_{name} {_GAUGES.get(name, 'Requests that are being answered.')}"
            yield f"# TYPE viner_{name} gauge"
            yield f"viner_{name} {value}"
        yield from self._waits.lines("viner_queue_seconds", "Time that the first text of a request waited for its batch.")
        yield from self._batches.lines("viner_batch_texts", "Texts of different requests that were recognized together.")
        yield "# HELP viner_rejected_total Requests that were turned away since the server is busy."
        yield "# TYPE viner_rejected_total counter"
        for code, count in sorted(self._rejected.items()):
            yield f'viner_rejected_total{{code="{_quoted(code)}"}} {count}'
        for name, count, help_text in (
            ("documents", self._documents, "Recognized documents."),
            ("characters", self._characters, "Code points of the recognized documents."),
        ):
            yield f"# HELP viner_{name}_total {help_text}"
            yield f"# TYPE viner_{name}_total counter"
            yield f"viner_{name}_total {count}"
        yield "# HELP viner_entities_total Recognized entities."
        yield "# TYPE viner_entities_total counter"
        for label, count in sorted(self._entities.items()):
            yield f'viner_entities_total{{label="{_quoted(label)}"}} {count}'


class CountingRecognizer:
    """A recognizer that counts every document it gives out, whoever asked for it: the REST API or the page."""

    def __init__(self, recognizer: RecognizerLike, counters: Counters) -> None:
        self._recognizer = recognizer
        self._counters = counters

    @property
    def schema(self) -> Schema:
        """The layers that the model fills in."""
        return self._recognizer.schema

    @property
    def info(self) -> ModelInfo:
        """What the model says about itself."""
        return self._recognizer.info

    def __call__(self, text: str | Document, /) -> Document:
        """The document of one text."""
        document = self._recognizer(text)
        self._counters.add_document(document)
        return document

    def stream(self, texts: Iterable[str | Document], /) -> Iterator[Document]:
        """The documents of many texts, in input order."""
        for document in self._recognizer.stream(texts):
            self._counters.add_document(document)
            yield document


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
