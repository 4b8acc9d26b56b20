from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import FakeRecognizer
from fastapi.testclient import TestClient

from viner.errors import UsageError
from viner.server import Settings, create_app
from viner.server.keys import add_key
from viner.server.logs import end_log, write_log

SECRET = "Nguyễn Văn Kín"


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = write_log(request.param, stream)
    yield stream
    end_log(handler)


@pytest.mark.parametrize("written", ["json"], indirect=True)
def test_each_request_is_a_line_of_json_without_a_word_of_its_texts(written: io.StringIO, tmp_path: Path) -> None:
    key = add_key(tmp_path / "keys.txt", "crawler")
    app = create_app(FakeRecognizer(), Settings(api_keys=str(tmp_path / "keys.txt")), console=False)
    headers = {"x-request-id": "r1", "authorization": f"Bearer {key}"}
    with TestClient(app) as client:
        client.post("/api/v1/recognize", json={"texts": [SECRET, "ab"]}, headers=headers)
        client.get(f"/api/{SECRET}?q={SECRET}")
    first, second = map(json.loads, written.getvalue().splitlines())
    assert set(first) == {"time", "level", "event", "id", "method", "route", "status", "ms", "texts", "characters", "key"}
    told = {name: first[name] for name in ("event", "id", "method", "route", "status", "texts", "characters", "key")}
    assert told == {
        "event": "request", "id": "r1", "method": "POST", "route": "/api/v1/recognize", "status": 200,
        "texts": 2, "characters": len(SECRET) + 2, "key": "crawler",
    }  # fmt: skip
    assert first["time"].endswith("Z")
    assert (second["route"], second["status"]) == ("page", 404)
    assert SECRET not in written.getvalue()
    assert key not in written.getvalue()


@pytest.mark.parametrize("written", ["json", "text"], indirect=True)
def test_a_fault_is_told_by_type_and_place_alone(written: io.StringIO) -> None:
    app = create_app(FakeRecognizer(error=RuntimeError(f"cannot handle {SECRET}")), Settings(), console=False)
    with TestClient(app) as client:
        client.post("/api/v1/recognize", json={"texts": [SECRET]})
    try:
        raise RuntimeError(SECRET)
    except RuntimeError:
        logging.getLogger("viner.server").exception("the page cannot be shown")
    assert "RuntimeError" in written.getvalue()
    assert "test_logs.py" in written.getvalue()
    assert SECRET not in written.getvalue()
    assert json.dumps(SECRET)[1:-1] not in written.getvalue()


def test_nothing_is_written_unless_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    assert write_log("") is None
    with TestClient(create_app(FakeRecognizer(), Settings(), console=False)) as client:
        client.get("/api/v1/health")
    assert not [record for record in caplog.records if record.name.startswith("viner")]


def test_the_kind_of_log_is_checked() -> None:
    assert Settings.resolve(environ={"VINER_LOG": "JSON"}).log == "json"
    assert Settings.resolve(log="text", environ={"VINER_LOG": "json"}).log == "text"
    assert Settings.resolve(environ={"VINER_LOG": "off"}).log == ""
    with pytest.raises(UsageError, match="VINER_LOG: unknown kind of log 'xml'"):
        Settings.resolve(environ={"VINER_LOG": "xml"})
