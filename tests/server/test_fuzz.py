"""Whatever comes in: no answer is a failure of the server, and nothing of a text reaches the log.

Requests are made of the API's own description (schemathesis), right and wrong ones, and of random bytes.
"""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import quote

import pytest
from fakes import FakeRecognizer
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from viner.document import Document
from viner.server import Settings, create_app
from viner.server.bodies import NDJSON
from viner.server.studio_app import create_studio_app

schemathesis = pytest.importorskip("schemathesis", reason="fuzzing needs the extra 'test'")
from schemathesis import GenerationMode  # noqa: E402
from schemathesis.core.failures import FailureGroup  # noqa: E402
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance  # noqa: E402

MARK = "Kín7f3a"
"""Stands in texts that are sent; in no log, ever."""
HERE = {"host": "127.0.0.1"}
QUICK = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@schemathesis.serializer(NDJSON)
def lines(context: Any, value: Any) -> bytes:
    """Streams are sent as they are."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


class Rare(FakeRecognizer):
    """Fails at texts that hold a certain character."""

    def __call__(self, text: str | Document) -> Document:
        document = text if isinstance(text, Document) else Document(text)
        if "\x07" in document.text:
            raise RuntimeError(f"cannot handle {document.text}")
        return super().__call__(document)


@pytest.fixture
def recognizing(tmp_path: Any) -> FastAPI:
    return create_app(FakeRecognizer(), Settings(feedback=tmp_path / "flagged"), console=False)


@pytest.fixture
def annotating(make_studio: Any) -> FastAPI:
    studio = make_studio(recognizer=FakeRecognizer())
    documents = [Document(f"Lan ở Hà Nội, ngày {number}.", id=f"d{number}") for number in range(5)]
    studio.store.add(documents, who="import", split="train")
    return create_studio_app(studio, Settings(), console=False)


def fuzz(api: Any) -> None:
    """Calls every operation as its description says, and as it says not to, and compares the answers with the description."""
    failures = []
    for found in api.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @QUICK
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Any) -> None:
                # A stream is any bytes: what is wrong in it is told line by line.
                unfit = [negative_data_rejection] if case.media_type == NDJSON else []
                if not case.path.startswith("/api/v1/") or "feedback" in case.path:
                    # Whether an id, a span or a version is right depends on what is there, which no description says.
                    unfit.append(positive_data_acceptance)
                case.call_and_validate(excluded_checks=unfit, headers=HERE)

            try:
                check()
            except Unsatisfiable:  # nothing can be wrong about a request without parameters and body
                assert mode == GenerationMode.NEGATIVE
            except FailureGroup as group:
                failures += [f"{operation.label}, {mode.name}: {failure}" for failure in group.exceptions]
    assert not failures, "\n".join(failures)


def test_the_api_of_a_model_keeps_to_its_description(recognizing: FastAPI) -> None:
    fuzz(schemathesis.openapi.from_asgi("/api/openapi.json", recognizing))


def test_the_api_of_a_project_keeps_to_its_description(annotating: FastAPI) -> None:
    fuzz(schemathesis.openapi.from_asgi("/api/openapi.json", annotating, headers=HERE))


bodies = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=50).map(lambda text: f'{{"texts": ["{MARK}{text}"]}}'.encode("utf-8", "replace")),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20).map(lambda text: MARK + text),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(("texts", "text", "id", "words", "meta", MARK)), inner, max_size=4)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode("ascii")),
    st.lists(st.sampled_from((b"\n", b'{"text": "' + MARK.encode() + b'"}', b"\xff", b"{}", b"\x07", b"[[")), max_size=20).map(
        b"".join
    ),
)
kinds = st.sampled_from(
    ("application/json", "application/x-ndjson", "text/plain", "application/x-www-form-urlencoded", "\xe9", "")
)
queries = st.sampled_from(("", "offsets=utf16", "offsets=%00", "id=%ff", f"q={MARK}", "before=9" * 30, "limit=-1&status=,,"))


def hammer(app: FastAPI, client: TestClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Sends random bytes everywhere."""
    routes = sorted(
        {(method, path) for path, methods in app.openapi()["paths"].items() for method in methods}
        | {("post", "/login"), ("post", "/logout"), ("get", "/nowhere")}
    )

    @settings(QUICK, max_examples=300)
    @given(route=st.sampled_from(routes), query=queries, body=bodies, kind=kinds, name=st.text(min_size=1, max_size=9))
    def check(route: tuple[str, str], query: str, body: bytes, kind: str, name: str) -> None:
        method, path = route
        path = path.replace("{receipt}", quote(name, safe="", errors="replace"))
        headers = {"content-type": kind.encode("latin-1"), "origin": b"http://127.0.0.1"}
        response = client.request(method, f"{path}?{query}", content=None if method == "get" else body, headers=headers)
        assert response.status_code < 500 or response.json()["error"]["code"] == "store_locked", (route, response.text)
        if response.status_code >= 400 and response.headers["content-type"] == "application/json":
            assert set(response.json()["error"]) == {"code", "message", "where", "hint"}

    with caplog.at_level(logging.DEBUG):
        check()
    out, err = capfd.readouterr()
    for told in (caplog.text, out, err):
        assert MARK not in told
        assert json.dumps(MARK)[1:-1] not in told


def test_random_bytes_break_nothing_in_the_api_of_a_model(
    recognizing: FastAPI, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with TestClient(recognizing, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        hammer(recognizing, client, caplog, capfd)


def test_random_bytes_break_nothing_in_the_api_of_a_project(
    annotating: FastAPI, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    client = TestClient(annotating, base_url="http://127.0.0.1", raise_server_exceptions=False, follow_redirects=False)
    with client:
        hammer(annotating, client, caplog, capfd)


def test_a_recognizer_that_fails_at_some_texts_fails_with_500_and_without_a_word_of_them(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    app = create_app(Rare(), Settings(), console=False)
    with caplog.at_level(logging.DEBUG), TestClient(app) as client:
        for kind, body in (
            ("application/json", json.dumps({"texts": [MARK, f"{MARK}\x07"]})),
            ("application/x-ndjson", json.dumps({"text": f"{MARK}\x07"})),
        ):
            response = client.post("/api/v1/recognize", content=body, headers={"content-type": kind})
            assert response.status_code == (500 if kind == "application/json" else 200)
            assert response.json()["error"]["code"] == "internal_error"
            assert MARK not in response.text
    assert "RuntimeError" in caplog.text
    assert not any(MARK in told or json.dumps(MARK)[1:-1] in told for told in (caplog.text, *capfd.readouterr()))
