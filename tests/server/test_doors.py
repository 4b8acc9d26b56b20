"""What a stranger asks of Gradio's routes: files of this machine, addresses elsewhere, a queue without an end."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fakes import FakeRecognizer
from fastapi.testclient import TestClient
from gradio.utils import get_upload_folder
from live import serving

from viner.console import blocks as doors
from viner.console import page as console_page
from viner.server import Settings, create_app

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")
SECRET = "this file was never uploaded"


@contextmanager
def running(recognizer: Any, **settings: Any) -> Iterator[str]:
    chosen = Settings(**settings)
    app = create_app(recognizer, chosen)
    with serving(app, chosen) as live:
        address = f"http://127.0.0.1:{live.port}"
        while httpx.get(f"{address}/api/v1/ready").status_code != 200:
            time.sleep(0.05)
        yield address
    live.thread.join(30)


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with running(FakeRecognizer(), space=True) as address:
        yield address


def ask(page: str, index: int, data: list[Any], session: str) -> dict[str, Any]:
    """What becomes of an event."""
    body = {"fn_index": index, "data": data, "session_hash": session}
    joined = httpx.post(f"{page}/en/gradio_api/queue/join", json=body, timeout=60)
    if joined.status_code != 200:
        return {"success": False, "output": joined.json()}
    with httpx.stream("GET", f"{page}/en/gradio_api/queue/data", params={"session_hash": session}, timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                message = json.loads(line.removeprefix("data:"))
                if message["msg"] in ("process_completed", "unexpected_error"):
                    return dict(message)
    raise AssertionError("the event has no end")


def named(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "notes.txt", "size": 3}


def events(page: str) -> list[dict[str, Any]]:
    return [event for event in httpx.get(f"{page}/en/config").json()["dependencies"] if event["backend_fn"]]


def recognizing_files(page: str) -> tuple[int, list[Any]]:
    """The event of an upload, and its inputs after the files."""
    config = httpx.get(f"{page}/en/config").json()
    (button,) = [part["id"] for part in config["components"] if part["type"] == "uploadbutton"]
    (event,) = [event for event in config["dependencies"] if event["backend_fn"] and event["inputs"][:1] == [button]]
    return event["id"], [["LOCATION"], 0, None]


def test_no_input_of_any_event_takes_a_file_that_was_not_uploaded(page, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    refused = 0
    for event in events(page):
        for place in range(len(event["inputs"])):
            data = [named(str(secret)) if index == place else None for index in range(len(event["inputs"]))]
            answer = ask(page, event["id"], data, f"file-{event['id']}-{place}")
            assert SECRET not in json.dumps(answer)
            refused += not answer["success"]
    assert refused > 10
    assert no_copy_of(SECRET)
    for path in (secret, Path("/proc/self/environ"), Path("pyproject.toml").resolve()):
        assert httpx.get(f"{page}/en/gradio_api/file={path}").status_code in (403, 404)


@pytest.mark.parametrize("form", ["in a list", "in a dictionary", "as a stream", "by an address of its own"])
def test_neither_does_one_that_is_wrapped(page, tmp_path, form):
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    file = named(str(secret))
    told = {
        "in a list": [file],
        "in a dictionary": {"value": file},
        "as a stream": {**file, "is_stream": True},
        "by an address of its own": {**file, "url": f"{page}/en/gradio_api/file={secret}"},
    }[form]
    index, rest = recognizing_files(page)
    for place, data in enumerate(([told, *rest], [[], told, *rest[1:]])):
        assert not ask(page, index, data, f"{form}-{place}")["success"]
    assert no_copy_of(SECRET)


@pytest.mark.parametrize("data", [[SECRET], [SECRET, "x", [], {}, 5], [[SECRET]] * 4, [{"path": SECRET}] * 4, SECRET])
def test_events_with_other_inputs_leave_no_text_in_the_log(page, data, capfd, caplog):
    for event in events(page):
        ask(page, event["id"], data, f"odd-{event['id']}-{len(data)}")
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize("root", ["/en", "/vi", ""])
def test_nobody_passes_the_queue(page, root):
    for route in ("run/predict", "api/predict", "run/recognize", "api/recognize/", "run/recognize/"):
        answer = httpx.post(f"{page}{root}/gradio_api/{route}", json={"fn_index": 0, "data": [SECRET, [], 0, None]})
        assert answer.status_code in (401, 404, 405), route
        assert set(answer.json()) == {"error"}, route


def no_copy_of(text: str) -> bool:
    copies = [path for path in Path(get_upload_folder()).rglob("*") if path.is_file()]
    return not any(text in path.read_text(encoding="utf-8", errors="replace") for path in copies)


def test_neither_way_of_naming_a_file_leads_out_of_the_folder(page, tmp_path):
    index, rest = recognizing_files(page)
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET, encoding="utf-8")
    folder = Path(get_upload_folder())
    link = folder / "link.txt"
    link.symlink_to(secret)
    up = "/".join([".."] * len(folder.parts))
    for number, path in enumerate((f"{folder}/{up}{secret}", str(link), "secret.txt", "\0", "", str(folder))):
        assert not ask(page, index, [[named(path)], *rest], f"out-{number}")["success"]


def test_what_was_uploaded_is_recognized(page):
    index, rest = recognizing_files(page)
    (path,) = httpx.post(f"{page}/en/gradio_api/upload", files={"files": ("notes.txt", b"Kenya\n")}).json()
    answer = ask(page, index, [[named(path)], *rest], "honest")
    assert answer["success"]
    assert "Kenya" in json.dumps(answer)


def test_a_file_is_read_once_however_often_it_is_named(page):
    index, rest = recognizing_files(page)
    (path,) = httpx.post(f"{page}/en/gradio_api/upload", files={"files": ("notes.txt", b"Kenya\nKenya\n")}).json()
    answer = ask(page, index, [[named(path)] * 50, *rest], "often")
    assert answer["success"]
    assert re.search(r"LOCATION.{0,80}?\b2\b", json.dumps(answer)), answer


@pytest.mark.parametrize("limit", ["_MOST_DOCUMENTS", "_MOST_CHARACTERS"])
def test_what_a_page_cannot_hold_is_refused(page, monkeypatch, limit):
    monkeypatch.setattr(console_page, limit, 2 if limit == "_MOST_DOCUMENTS" else 12)
    index, rest = recognizing_files(page)
    for count, refused in ((2, False), (3, True)):
        (path,) = httpx.post(f"{page}/en/gradio_api/upload", files={"files": (f"{count}.txt", b"Kenya\n" * count)}).json()
        answer = ask(page, index, [[named(path)], *rest], f"many-{limit}-{count}")
        assert ("at most" in json.dumps(answer)) == refused


def test_no_input_has_the_server_fetch_an_address(page, monkeypatch):
    from gradio import processing_utils

    fetched: list[str] = []

    async def fetch(url: str, *args: Any, **options: Any) -> str:
        fetched.append(url)
        raise OSError(url)

    for name in ("async_ssrf_protected_download", "ssrf_protected_download"):
        monkeypatch.setattr(processing_utils, name, fetch)
    index, rest = recognizing_files(page)
    file = named("http://elsewhere.example/x.png")
    for place, data in enumerate(([[file], *rest], [file, *rest], [[], file, *rest[1:]])):
        assert not ask(page, index, data, f"fetch-{place}")["success"]
    assert fetched == []


@pytest.mark.parametrize("root", ["/en", "/vi", ""])
@pytest.mark.parametrize(
    "route",
    [
        "file=http://elsewhere.example/x.png",
        "file=HTTPS://elsewhere.example/x.png",
        "file=%68ttp://elsewhere.example/x.png",
        "file=http%3A%2F%2Felsewhere.example/x.png",
        "file=/http://elsewhere.example/x.png",
        "file/http://elsewhere.example/x.png",
        "proxy=http://elsewhere.example/x.png",
        "deep_link?session_hash=x",
    ],
)
def test_routes_that_fetch_or_keep_are_closed(page, root, route):
    answer = httpx.get(f"{page}{root}/gradio_api/{route}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    ("route", "event"),
    [
        ("queue/join", {"fn_index": 9999, "session_hash": "s"}),
        ("queue/join", {"fn_index": -1, "session_hash": "s"}),
        ("call/nothing", {}),
    ],
)
def test_an_event_that_the_page_does_not_have_is_refused(page, route, event, caplog):
    answer = httpx.post(f"{page}/vi/gradio_api/{route}", json={"data": [], **event})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert not [record for record in caplog.records if record.name.startswith("viner")]


def test_what_else_fails_in_gradio_is_a_failure(monkeypatch):
    def lacking(*args: Any, **options: Any) -> None:
        raise KeyError("what Gradio should have had")

    app = create_app(FakeRecognizer(), Settings())
    with TestClient(app, raise_server_exceptions=False) as client:
        while client.get("/api/v1/ready").status_code != 200:
            time.sleep(0.05)
        assert client.get("/en/config").status_code == 200
        monkeypatch.setattr("gradio.routes.App.get_blocks", lacking)
        assert client.get("/en/config").status_code == 500


@pytest.mark.parametrize("folder", ["", "assets/", "static/", "gradio_api/call/"])
@pytest.mark.parametrize("name", ["a" * 300, "%E1%BA%BF" * 100])
def test_what_no_file_can_be_called_is_not_found(page, folder, name):
    answer = httpx.get(f"{page}/en/{folder}{name}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_what_gradio_answers_is_no_page(page):
    (path,) = httpx.post(f"{page}/en/gradio_api/upload", files={"files": ("x.html", b"<script>alert(1)</script>")}).json()
    for root in ("/en", ""):
        answer = httpx.get(f"{page}{root}/gradio_api/file={path}")
        assert answer.status_code == 200
        assert "default-src 'none'; sandbox" in answer.headers["content-security-policy"]
    assert "script-src 'self'" in httpx.get(f"{page}/en/").headers["content-security-policy"]


def test_the_queue_has_an_end(monkeypatch):
    monkeypatch.setattr(doors, "MOST_WAITING", 3)
    go_on = threading.Event()

    class Slow(FakeRecognizer):
        def __call__(self, item: Any) -> Any:
            go_on.wait(60)
            return super().__call__(item)

    with running(Slow()) as page:
        config = httpx.get(f"{page}/en/config").json()
        (text,) = [part["id"] for part in config["components"] if part["props"].get("elem_id") == "viner-text"]
        index = next(event["id"] for event in config["dependencies"] if event["backend_fn"] and event["inputs"][:1] == [text])
        try:
            statuses = [
                httpx.post(
                    f"{page}/en/gradio_api/queue/join",
                    json={"fn_index": index, "data": ["Kenya", ["LOCATION"], 0, None], "session_hash": f"s{number}"},
                ).status_code
                for number in range(30)
            ]
        finally:
            go_on.set()
    assert statuses[0] == 200
    assert statuses[-1] != 200


def test_one_console_leaves_the_folder_of_another_alone():
    with TestClient(create_app(FakeRecognizer())) as first:
        while first.get("/api/v1/ready").status_code != 200:
            time.sleep(0.05)
        with TestClient(create_app(FakeRecognizer())) as second:
            while second.get("/api/v1/ready").status_code != 200:
                time.sleep(0.05)
        (path,) = first.post("/en/gradio_api/upload", files={"files": ("notes.txt", b"Kenya\n")}).json()
        assert Path(path).is_file()
