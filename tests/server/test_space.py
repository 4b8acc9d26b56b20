"""The recognize profile as a Space: what programs reach at the root, and what a proxy in front of it changes."""

from __future__ import annotations

import gc
import socket
import threading
import time
import warnings
from collections.abc import Iterator

import anyio
import httpx
import pytest
import uvicorn
from fakes import FakeRecognizer
from fastapi.testclient import TestClient
from gradio_client import Client
from gradio_client.exceptions import AppError

from viner.samples.examples import NEWS
from viner.server import Settings, create_app

# As in tests/browser: modules that are first imported deep in the server's thread meet pytest's import hook there.
for name in dir(anyio):
    getattr(anyio, name)

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
TEXT = "Ca bệnh 😷 ở Hà Nội."


@pytest.fixture(scope="module")
def space() -> Iterator[str]:
    """The address of a Space that runs; what the Hub sets in a Space's environment is set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYSTEM", "spaces")
        patch.setenv("SPACE_ID", "someone/notices")
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            app = create_app(FakeRecognizer(), Settings(space=True, max_body=1_000_000), examples=NEWS)
            config = uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=1, forwarded_allow_ips="*")
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            while not server.started or httpx.get(f"{address}/api/v1/ready").status_code != 200:
                time.sleep(0.05)
            yield address
            server.should_exit = True
            thread.join()
            del app, config, server
            with warnings.catch_warnings():  # Gradio leaves event loops open
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()


@pytest.fixture(scope="module")
def client(space: str) -> Iterator[Client]:
    client = Client(space, verbose=False, analytics_enabled=False)
    yield client
    client.close()


def test_gradio_client_finds_the_one_public_endpoint_at_the_root(client):
    api = client.view_api(return_format="dict", print_info=False)
    assert list(api["named_endpoints"]) == ["/recognize"]
    assert api["unnamed_endpoints"] == {}
    endpoint = api["named_endpoints"]["/recognize"]
    assert [parameter["parameter_name"] for parameter in endpoint["parameters"]] == ["text"]
    assert "offsets in code points" in endpoint["description"]


def test_it_answers_the_document_that_the_rest_api_answers(space, client):
    document = client.predict(TEXT, api_name="/recognize")
    (entity,) = document["entities"]
    assert (entity["label"], entity["text"], TEXT[entity["start"] : entity["end"]]) == ("LOCATION", "Hà Nội", "Hà Nội")
    answer = httpx.post(f"{space}/api/v1/recognize", json={"texts": [TEXT]}).json()
    assert document == answer["documents"][0]


def test_many_ask_at_once(client):
    jobs = [client.submit(f"{index}: {TEXT}", api_name="/recognize") for index in range(8)]
    assert [job.result(timeout=60)["text"] for job in jobs] == [f"{index}: {TEXT}" for index in range(8)]


def test_a_text_that_cannot_be_one_is_refused_in_a_sentence(client):
    with pytest.raises(AppError, match="text"):
        client.predict(None, api_name="/recognize")


def test_pages_in_other_languages_have_no_address_of_their_own_at_the_root(space):
    assert httpx.get(f"{space}/", headers={"Accept-Language": "vi"}).headers["location"] == "/vi/"
    assert httpx.get(f"{space}/config").json()["root"] == f"{space}/en"


def test_behind_the_proxy_of_spaces_every_address_is_https(space):
    proxied = {"X-Forwarded-Proto": "https", "Host": "someone-notices.hf.space", "X-Forwarded-For": "203.0.113.9"}
    for more in ({}, {"X-Forwarded-Host": "someone-notices.hf.space"}):
        for path in ("/config", "/en/config", "/vi/config"):
            root = httpx.get(space + path, headers={**proxied, **more}).json()["root"]
            assert root == f"https://someone-notices.hf.space/{'vi' if 'vi' in path else 'en'}"
        page = httpx.get(f"{space}/en/", headers={**proxied, **more}).text
        assert "http://someone-notices" not in page
        docs = httpx.get(f"{space}/api/docs", headers={**proxied, **more}).text
        assert "https://someone-notices.hf.space/api/v1/recognize" in docs


def test_the_signature_of_a_private_space_stays_in_the_address(space):
    assert httpx.get(f"{space}/?__sign=abc").headers["location"] == "/en/?__sign=abc"


def test_other_sites_can_neither_read_nor_act(space):
    for path in ("/config", "/gradio_api/info"):
        answer = httpx.get(space + path, headers={"Origin": "https://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    body = {"data": ["x"], "fn_index": 0, "session_hash": "x"}
    for headers in ({"Origin": "https://evil.example"}, {"Cookie": "a=b"}):
        for path in ("/gradio_api/queue/join", "/gradio_api/call/recognize", "/api/v1/recognize"):
            assert httpx.post(space + path, json=body, headers=headers).status_code == 403


def test_the_limit_of_bodies_holds_at_the_root_too(space):
    answer = httpx.post(f"{space}/gradio_api/queue/join", content=b"x" * 1_000_001)
    assert answer.status_code == 413


def test_the_page_offers_the_examples_of_the_space(space):
    components = httpx.get(f"{space}/config").json()["components"]
    labels = [part["props"].get("value") for part in components if part["type"] == "button"]
    assert {example.title for example in NEWS} <= set(labels)
    assert "Hospital notice" not in labels


def test_elsewhere_nothing_answers_at_the_root():
    with TestClient(create_app(FakeRecognizer(), Settings(), console=False)) as client:
        assert client.get("/config").status_code == 404
        assert client.get("/gradio_api/info").status_code == 404
