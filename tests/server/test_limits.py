from __future__ import annotations

import pytest
from fakes import FakeRecognizer
from fastapi.testclient import TestClient

from viner.server import Settings, create_app
from viner.server.limits import _BODIES_AT_ONCE, BodyLimit

URL = "/api/v1/recognize"


def test_a_text_may_be_no_longer_than_told() -> None:
    with TestClient(create_app(FakeRecognizer(), Settings(max_text=10), console=False)) as client:
        assert client.post(URL, json={"texts": ["x" * 10]}).status_code == 200
        response = client.post(URL, json={"texts": ["ok", "x" * 11]})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "text_too_long"
    assert response.json()["error"]["where"] == "texts[1]"
    assert "VINER_MAX_TEXT" in response.json()["error"]["hint"]


@pytest.mark.parametrize("size", [90, 1000])
def test_a_body_may_be_no_larger_than_told(size: int) -> None:
    def chunks():
        yield b"x" * size
        yield b"x" * size

    with TestClient(create_app(FakeRecognizer(), Settings(max_body=100), console=False)) as client:
        declared = client.post(URL, content=b"x" * 2 * size, headers={"content-type": "application/json"})
        undeclared = client.post(URL, content=chunks(), headers={"content-type": "application/json"})
    for response in (declared, undeclared):
        assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")


def test_all_bodies_together_are_bounded() -> None:
    app = create_app(FakeRecognizer(), Settings(max_body=100), console=False)
    with TestClient(app) as client:
        assert client.post(URL, json={"texts": []}).status_code == 200
        layer = app.middleware_stack
        while not isinstance(layer, BodyLimit):
            layer = getattr(layer, "app", None) or layer._app
        assert layer._held == 0
        layer._held = _BODIES_AT_ONCE * 100
        response = client.post(URL, json={"texts": []})
        assert (response.status_code, response.json()["error"]["code"]) == (429, "queue_full")
        assert response.headers["retry-after"] == "1"
        layer._held = 0
        assert client.post(URL, json={"texts": []}).status_code == 200
        assert 'viner_rejected_total{code="queue_full"} 1' in client.get("/api/v1/metrics").text
