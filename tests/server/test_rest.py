from __future__ import annotations

import asyncio
import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakes import LABELS, FakeRecognizer
from fastapi.testclient import TestClient

from viner.server import Settings, create_app

URL = "/api/v1/recognize"


def error_of(response: Any) -> dict[str, str | None]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "where", "hint"}
    return body["error"]


def test_every_text_becomes_a_document_in_order_with_surfaces(client: TestClient) -> None:
    documents = client.post(URL, json={"texts": ["BN12 ở Hà Nội", "nothing", "Kenya"]}).json()["documents"]
    assert [document["text"] for document in documents] == ["BN12 ở Hà Nội", "nothing", "Kenya"]
    assert [[entity["text"] for entity in document["entities"]] for document in documents] == [["12", "Hà Nội"], [], ["Kenya"]]
    for document in documents:
        for entity in document["entities"]:
            assert document["text"][entity["start"] : entity["end"]] == entity["text"]
            assert 0 <= entity["score"] <= 1


@pytest.mark.parametrize("text", ["Bệnh nhân 😷 ở Hà Nội.", "Be\u0323\u0302nh 😷😷 Hà Nội", "👩‍🔬 Kenya"])
def test_offsets_count_code_points_or_utf16_units(client: TestClient, text: str) -> None:
    points = client.post(URL, json={"texts": [text]}).json()["documents"][0]
    units = client.post(f"{URL}?offsets=utf16", json={"texts": [text]}).json()["documents"][0]
    encoded = text.encode("utf-16-le")
    assert points["entities"]
    for point, unit in zip(points["entities"], units["entities"], strict=True):
        assert text[point["start"] : point["end"]] == point["text"]
        assert encoded[2 * unit["start"] : 2 * unit["end"]].decode("utf-16-le") == point["text"]
    assert [encoded[2 * start : 2 * end].decode("utf-16-le") for start, end in units["words"]] == [
        text[start:end] for start, end in points["words"]
    ]


def test_an_unknown_offset_unit_is_refused(client: TestClient) -> None:
    response = client.post(f"{URL}?offsets=bytes", json={"texts": []})
    assert response.status_code == 422
    assert error_of(response)["where"] == "offsets"


def test_no_texts_and_empty_texts_are_fine(client: TestClient) -> None:
    assert client.post(URL, json={"texts": []}).json() == {"documents": []}
    assert client.post(URL, json={"texts": ["", " \n"]}).json()["documents"][0] == {"text": "", "words": [], "entities": []}


@pytest.mark.parametrize(
    ("body", "status", "code", "where"),
    [
        (b"", 400, "invalid_json", "line 1, column 1"),
        (b'{"texts": ["a"', 400, "invalid_json", "line 1, column 15"),
        (b'{"texts": ["a", NaN]}', 400, "invalid_json", "line 1, column 1"),
        (b"\x89PNG\r\n\x1a\n\x00", 400, "invalid_json", "byte 0"),
        (b"[" * 100_000, 400, "invalid_json", None),
        (b'{"texts": ["a", -1e400]}', 400, "invalid_json", "texts[1]"),
        (b'{"texts": ["a"], "more": {"of": [1, 2.5], "it": 1' + b"0" * 400 + b".5}}", 400, "invalid_json", "more.it"),
        (b'["a"]', 422, "invalid_input", "texts"),
        (b'{"text": "a"}', 422, "invalid_input", "texts"),
        (b'{"texts": "a"}', 422, "invalid_input", "texts"),
        (b'{"texts": ["a"], "lang": "vi"}', 422, "invalid_input", "body"),
        (b'{"texts": ["a", 3]}', 422, "invalid_input", "texts[1]"),
        (b'{"texts": ["a", null]}', 422, "invalid_input", "texts[1]"),
        (b'{"texts": ["ok", "bad \\ud83d end"]}', 422, "invalid_input", "texts[1]"),
    ],
)
def test_bad_bodies_are_refused_with_the_place(client: TestClient, body: bytes, status: int, code: str, where: str) -> None:
    response = client.post(URL, content=body, headers={"content-type": "application/json"})
    error = error_of(response)
    assert (response.status_code, error["code"], error["where"]) == (status, code, where)
    assert error["hint"]


def test_a_lone_surrogate_is_named_with_its_offset(client: TestClient) -> None:
    response = client.post(URL, content=b'{"texts": ["bad \\ud83d end"]}', headers={"content-type": "application/json"})
    assert "U+D83D" in (error_of(response)["message"] or "")
    assert "code point 4" in (error_of(response)["message"] or "")


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain", "multipart/form-data; boundary=x", None])
def test_other_content_types_are_refused(client: TestClient, kind: str | None) -> None:
    response = client.post(URL, content=b'{"texts": []}', headers={} if kind is None else {"content-type": kind})
    assert response.status_code == 415
    assert error_of(response)["code"] == "unsupported_media_type"


def test_ten_megabytes_without_a_space_are_answered() -> None:
    text = "a" * (10 * 1024 * 1024 - 100)
    with TestClient(create_app(FakeRecognizer(blind=True), Settings(), console=False)) as client:
        document = client.post(URL, json={"texts": [text]}).json()["documents"][0]
    assert document["text"] == text


def test_too_many_texts_are_refused_before_any_is_recognized() -> None:
    recognizer = FakeRecognizer()
    with TestClient(create_app(recognizer, Settings(max_texts=3), console=False)) as client:
        assert client.post(URL, json={"texts": ["a"] * 3}).status_code == 200
        response = client.post(URL, json={"texts": ["a"] * 4})
    assert response.status_code == 413
    assert error_of(response) == {
        "code": "too_many_texts",
        "message": "4 texts in one request",
        "where": "texts",
        "hint": "Send at most 3 at a time, or raise VINER_MAX_TEXTS",
    }
    assert recognizer.calls == 3


def test_the_work_stops_when_the_client_hangs_up() -> None:
    recognizer = FakeRecognizer(seconds=0.1)
    app = create_app(recognizer, Settings(), console=False)
    body = json.dumps({"texts": ["a"] * 300}).encode()
    messages = [{"type": "http.request", "body": body}]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        while not recognizer.busy.is_set():
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": URL, "raw_path": URL.encode(), "query_string": b"", "http_version": "1.1",
        "headers": [(b"content-type", b"application/json")], "scheme": "http", "server": ("testserver", 80), "root_path": "",
    }  # fmt: skip
    with ThreadPoolExecutor(1) as pool:  # a browser test before this one may have left its event loop in this thread
        pool.submit(asyncio.run, app(scope, receive, send)).result(timeout=60)
    assert recognizer.calls < 20
    assert sent[0]["status"] == 499


def test_health_model_and_ready(client: TestClient) -> None:
    assert client.get("/api/v1/health").json()["status"] == "ok"
    model = client.get("/api/v1/model").json()
    assert [item["name"] for item in model["schema"]["layers"][0]["types"]] == list(LABELS)
    assert model["info"] == {"name": "fake"}
    ready = client.get("/api/v1/ready")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "model": "ready", "console": "off"})


def test_metrics_count_requests_documents_and_entities(client: TestClient) -> None:
    client.post(URL, json={"texts": ["Hà Nội", "Kenya"]})
    client.post(URL, content=b"", headers={"content-type": "application/json"})
    client.get("/api/nowhere")
    text = client.get("/api/v1/metrics").text
    assert 'viner_requests_total{method="POST",route="/api/v1/recognize",status="200"} 1' in text
    assert 'viner_requests_total{method="POST",route="/api/v1/recognize",status="400"} 1' in text
    assert "viner_documents_total 2" in text
    assert "viner_characters_total 11" in text
    assert 'viner_entities_total{label="LOCATION"} 2' in text
    assert 'viner_request_seconds_bucket{le="+Inf"} 3' in text


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/api/nowhere", 404), ("GET", URL, 405), ("DELETE", "/api/v1/health", 405)]
)
def test_unknown_paths_and_methods_answer_in_the_error_form(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert error_of(response)["where"] == path


def test_a_failing_recognizer_gives_500_and_neither_answer_nor_log_hold_the_text(caplog: pytest.LogCaptureFixture) -> None:
    secret = "Nguyễn Văn Kín"
    app = create_app(FakeRecognizer(error=RuntimeError(f"cannot handle {secret}")), Settings(), console=False)
    with caplog.at_level(logging.DEBUG), TestClient(app) as client:
        response = client.post(URL, json={"texts": [secret]}, headers={"x-request-id": "abc-1"})
    assert response.status_code == 500
    assert error_of(response)["code"] == "internal_error"
    assert "abc-1" in (error_of(response)["hint"] or "")
    assert secret not in response.text
    assert "RuntimeError" in caplog.text
    assert "abc-1" in caplog.text
    assert secret not in caplog.text


def test_request_ids_are_kept_when_harmless_and_made_up_otherwise(client: TestClient) -> None:
    assert client.get("/api/v1/health", headers={"x-request-id": "job-7.3"}).headers["x-request-id"] == "job-7.3"
    for bad in ("", "a b", "x" * 65, "<script>"):
        made_up = client.get("/api/v1/health", headers={"x-request-id": bad}).headers["x-request-id"]
        assert made_up != bad
        assert len(made_up) == 32


def test_the_server_answers_while_a_recognition_runs() -> None:
    recognizer = FakeRecognizer(seconds=3.0)
    with TestClient(create_app(recognizer, Settings(), console=False)) as client:
        slow = threading.Thread(target=lambda: client.post(URL, json={"texts": ["x"]}))
        slow.start()
        recognizer.busy.wait(5)
        assert client.get("/api/v1/health").status_code == 200
        assert slow.is_alive()
        slow.join()


def test_answers_hold_no_raw_line_separator_problems(client: TestClient) -> None:
    text = "a\u2028b\x00c\x85d"
    assert json.loads(client.post(URL, json={"texts": [text]}).content)["documents"][0]["text"] == text


def test_without_a_page_the_api_is_all_there_is() -> None:
    with TestClient(create_app(FakeRecognizer(), Settings(page=False)), follow_redirects=False) as client:
        assert client.get("/api/v1/ready").json()["console"] == "off"
        assert client.post("/api/v1/recognize", json={"texts": ["Kenya"]}).status_code == 200
        assert client.get("/api/docs").status_code == 200
        for path in ("/", "/en/", "/config", "/gradio_api/info"):
            assert client.get(path).status_code == 404, path


@pytest.mark.parametrize("path", ["/api/v1/health", "/api/v1/ready"])
def test_whoever_looks_after_servers_may_ask_for_the_head_alone(client: TestClient, path: str) -> None:
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")
