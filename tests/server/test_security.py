from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes import FakeRecognizer
from fastapi.testclient import TestClient

from viner.server import Settings, create_app
from viner.server.security import same_host

URL = "/api/v1/recognize"
BODY = {"texts": ["Kenya"]}
EVIL = "https://evil.example"


def test_programs_without_cookies_need_no_origin(client: TestClient) -> None:
    assert client.post(URL, json=BODY).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": "a=b"}, 403),
        ({"cookie": "a=b", "origin": EVIL}, 403),
        ({"cookie": "a=b", "origin": "null"}, 403),
        ({"cookie": "a=b", "origin": "http://testserver"}, 200),
        ({"cookie": "a=b", "origin": "http://testserver:80"}, 200),
        ({"cookie": "a=b", "origin": "http://testserver:81"}, 403),
        ({"cookie": "a=b", "origin": "http://testserver.evil.example"}, 403),
        ({"cookie": "a=b", "origin": "https://viner.example", "x-forwarded-host": "viner.example"}, 200),
        ({"origin": EVIL}, 403),
        ({"origin": "http://testserver"}, 200),
    ],
)
def test_unsafe_methods_from_other_sites_are_refused(client: TestClient, headers: dict[str, str], status: int) -> None:
    response = client.post(URL, json=BODY, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert response.json()["error"]["code"] == "foreign_origin"


def test_reading_is_open_to_cookies(client: TestClient) -> None:
    assert client.get("/api/v1/health", headers={"cookie": "a=b", "origin": EVIL}).status_code == 200


@pytest.mark.parametrize("host", ["testserver", "viner.example.org", "localhost"])
def test_no_other_origin_is_ever_admitted(client: TestClient, host: str) -> None:
    for response in (
        client.get("/api/v1/health", headers={"origin": EVIL, "host": host}),
        client.options(URL, headers={"origin": EVIL, "host": host, "access-control-request-method": "POST"}),
    ):
        assert not [name for name in response.headers if name.startswith("access-control-")]


def test_security_headers_are_on_every_answer(client: TestClient) -> None:
    answers = [
        client.get("/api/v1/health"),
        client.get("/api/docs"),
        client.get("/nowhere"),
        client.post(URL, content=b""),
        client.post(URL, json=BODY, headers={"origin": EVIL}),
    ]
    for response in answers:
        assert response.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in response.headers["content-security-policy"]
        assert response.headers["referrer-policy"] == "same-origin"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["x-request-id"]
    assert answers[0].headers["cache-control"] == "no-store"


def test_a_space_may_be_framed_by_huggingface_alone() -> None:
    with TestClient(create_app(FakeRecognizer(), Settings(space=True), console=False)) as client:
        headers = client.get("/api/v1/health").headers
    assert "x-frame-options" not in headers
    assert headers["content-security-policy"].endswith("frame-ancestors 'self' https://huggingface.co https://*.huggingface.co")


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://a", "a", True),
        ("https://a", "A:443", True),
        ("https://a:8443", "a:8443", True),
        ("http://[::1]:7860", "[::1]:7860", True),
        ("http://a", "a:443", False),
        ("http://a", "b", False),
        ("null", "a", False),
        ("file://", "a", False),
        ("http://a:bad", "a", False),
        ("http://", "", False),
    ],
)
def test_origins_are_compared_with_default_ports(origin: str, host: str, same: bool) -> None:
    assert same_host(origin, host) is same


@pytest.fixture
def small() -> Iterator[TestClient]:
    with TestClient(create_app(FakeRecognizer(), Settings(max_body=1000), console=False)) as client:
        yield client


def test_a_declared_length_over_the_limit_is_refused(small: TestClient) -> None:
    response = small.post(URL, json={"texts": ["x" * 2000]})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "payload_too_large"
    assert "VINER_MAX_BODY" in response.json()["error"]["hint"]


def test_an_undeclared_length_over_the_limit_is_refused(small: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"texts": ["'
        for _ in range(30):
            yield b"x" * 100
        yield b'"]}'

    response = small.post(URL, content=chunks(), headers={"content-type": "application/json"})
    assert response.status_code == 413


def test_a_body_of_exactly_the_limit_passes(small: TestClient) -> None:
    shell = len(b'{"texts":[""]}')
    body = b'{"texts":["' + b"x" * (1000 - shell) + b'"]}'
    assert len(body) == 1000
    assert small.post(URL, content=body, headers={"content-type": "application/json"}).status_code == 200


def test_a_length_that_is_no_number_is_refused(small: TestClient) -> None:
    assert small.post(URL, content=b"{}", headers={"content-length": "-5"}).status_code == 413
