from __future__ import annotations

from fakes import FakeRecognizer

from viner.document import Document, Entity
from viner.server.counters import Counters, CountingRecognizer


def test_buckets_are_cumulative() -> None:
    counters = Counters()
    for seconds in (0.001, 0.01, 0.3, 99.0):
        counters.add_request("GET", "/api/v1/health", 200, seconds)
    text = counters.render()
    assert 'viner_request_seconds_bucket{le="0.01"} 2' in text
    assert 'viner_request_seconds_bucket{le="0.5"} 3' in text
    assert 'viner_request_seconds_bucket{le="+Inf"} 4' in text
    assert "viner_request_seconds_count 4" in text


def test_labels_are_quoted() -> None:
    counters = Counters()
    counters.add_document(Document("ab", entities=[Entity(0, 1, 'x"\\\n')]))
    assert 'viner_entities_total{label="x\\"\\\\\\n"} 1' in counters.render()


def test_whoever_asks_the_recognizer_is_counted() -> None:
    counters = Counters()
    recognizer = CountingRecognizer(FakeRecognizer(), counters)
    assert recognizer("Kenya").entities
    assert len(list(recognizer.stream(["Hà Nội", "Cork"]))) == 2
    assert "viner_documents_total 3" in counters.render()
    assert "viner_characters_total 15" in counters.render()
    assert recognizer.info.to_dict() == {"name": "fake"}
