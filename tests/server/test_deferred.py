from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from fakes import FakeRecognizer
from fastapi import FastAPI
from fastapi.testclient import TestClient

from viner.server import Settings, create_app
from viner.server.deferred import DeferredApp


def outer(page: DeferredApp) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with page.running():
            yield

    app = FastAPI(lifespan=lifespan)
    app.add_api_route("/state", lambda: page.state)
    app.mount("/a", page)
    app.mount("/b", page)
    return app


def test_other_routes_answer_while_the_page_is_built_and_early_visitors_wait() -> None:
    go = threading.Event()
    log: list[str] = []

    def build() -> FastAPI:
        go.wait(10)

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            log.append("up")
            yield
            log.append("down")

        app = FastAPI(lifespan=lifespan)
        app.add_api_route("/a/page", lambda: "page a")
        app.add_api_route("/b/page", lambda: "page b")
        return app

    with TestClient(outer(DeferredApp(build))) as client:
        assert client.get("/state").json() == "starting"
        threading.Timer(0.2, go.set).start()
        assert client.get("/a/page").json() == "page a"
        assert client.get("/b/page").json() == "page b"
        assert client.get("/state").json() == "ready"
    assert log == ["up", "down"]


def test_a_page_that_cannot_be_built_is_a_clear_answer(caplog: pytest.LogCaptureFixture) -> None:
    def build() -> FastAPI:
        raise RuntimeError("no such library")

    with TestClient(outer(DeferredApp(build))) as client:
        response = client.get("/a/page")
        assert response.status_code == 503
        assert response.json()["error"]["code"] == "page_unavailable"
        assert client.get("/state").json() == "failed"
    assert "no such library" in caplog.text


def test_the_server_can_stop_while_the_page_is_being_built() -> None:
    go = threading.Event()

    def build() -> FastAPI:
        go.wait(10)
        return FastAPI()

    with TestClient(outer(DeferredApp(build))) as client:
        assert client.get("/state").json() == "starting"
    go.set()


def test_not_ready_until_the_page_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()

    def build(*_: object) -> FastAPI:
        go.wait(10)
        return FastAPI()

    monkeypatch.setattr("viner.server.app._build_console", build)
    app = create_app(FakeRecognizer(), Settings())
    with TestClient(app) as client:
        response = client.get("/api/v1/ready")
        assert (response.status_code, response.json()["console"]) == (503, "starting")
        assert client.post("/api/v1/recognize", json={"texts": ["Kenya"]}).status_code == 200
        go.set()
        client.get("/en/")
        assert client.get("/api/v1/ready").json() == {"ready": True, "model": "ready", "console": "ready"}
