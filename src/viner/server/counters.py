"""What the server has done so far, in the Prometheus text format. Numbers only, never a text."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator

from viner.console.recognizer import ModelInfo, RecognizerLike
from viner.document import Document
from viner.schema import Schema

SECONDS_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Counters:
    """Counts requests and recognized documents; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets = [0] * (len(SECONDS_BUCKETS) + 1)
        self._seconds = 0.0
        self._documents = 0
        self._characters = 0
        self._entities: Counter[str] = Counter()

    def add_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts one answered request; ``route`` is a pattern of few values, never a raw path."""
        with self._lock:
            self._requests[method, route, status] += 1
            self._buckets[bisect_left(SECONDS_BUCKETS, seconds)] += 1
            self._seconds += seconds

    def add_document(self, document: Document) -> None:
        """Counts a recognized document, its code points and entities."""
        with self._lock:
            self._documents += 1
            self._characters += len(document.text)
            self._entities.update(entity.label for entity in document.entities or ())

    def render(self) -> str:
        """All counters as Prometheus text."""
        with self._lock:
            return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# HELP viner_requests_total Answered HTTP requests."
        yield "# TYPE viner_requests_total counter"
        for (method, route, status), count in sorted(self._requests.items()):
            yield f'viner_requests_total{{method="{_quoted(method)}",route="{_quoted(route)}",status="{status}"}} {count}'
        yield "# HELP viner_request_seconds Time to answer a request."
        yield "# TYPE viner_request_seconds histogram"
        total = 0
        for border, count in zip((*SECONDS_BUCKETS, "+Inf"), self._buckets, strict=True):
            total += count
            yield f'viner_request_seconds_bucket{{le="{border}"}} {total}'
        yield f"viner_request_seconds_sum {self._seconds:.6f}"
        yield f"viner_request_seconds_count {total}"
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
