"""A generated Space, run from its own files alone: in a cross-origin frame, through gradio_client, and over REST."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from gradio_client import Client
from playwright.sync_api import Browser

from support.chromium import PATIENCE
from support.spaces import RunningSpace, running
from viner.samples.examples import in_order, read_examples

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("space")]

PARENT = "https://huggingface.co/spaces/someone/notices"
TEXT = "Lan ở Hà Nội 😷."
FOUND = [("PERSON", "Lan"), ("LOCATION", "Hà Nội")]


@pytest.fixture(scope="module")
def app(space_folder: Path, space_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSpace]:
    # As a checkout of the repository elsewhere would be: its files and nothing around them.
    folder = shutil.copytree(space_folder, tmp_path_factory.mktemp("checkout") / "app")
    with running(folder, space_python, TEXT) as app:
        yield app


def found_in(document: dict) -> list[tuple[str, str]]:
    return [(entity["label"], entity["text"]) for entity in document["entities"]]


def test_the_environment_is_whole_and_has_no_torch(space_python):
    subprocess.run([sys.executable, "-m", "pip", "--python", space_python, "check"], check=True, timeout=120)
    code = (
        "from importlib.util import find_spec as find; import json;"
        "print(json.dumps([name for name in ('torch', 'transformers', 'onnx', 'viner') if find(name)]))"
    )
    assert json.loads(subprocess.check_output([space_python, "-c", code], cwd=space_python.parent, text=True)) == []


def test_it_answers_soon_in_little_memory(app):
    assert found_in(app.answer) == FOUND
    with urllib.request.urlopen(f"{app.url}/en/", timeout=60) as page:  # Gradio is there, too
        assert page.status == 200
    memory = psutil.Process(app.process.pid).memory_info().rss / 1e6
    print(f"app.py to the first answer: {app.seconds:.1f} s, resident memory: {memory:.0f} MB")
    assert memory < 600


def test_gradio_client_recognizes_by_the_address_alone(app):
    client = Client(app.url, verbose=False, analytics_enabled=False)
    try:
        assert found_in(client.predict(TEXT, api_name="/recognize")) == FOUND
        assert list(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == ["/recognize"]
    finally:
        client.close()


@pytest.mark.browser
def test_it_works_inside_the_frame_of_the_hub(app, space_folder, browser: Browser):
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    elsewhere: list[str] = []
    page.on("request", lambda request: elsewhere.append(request.url))
    html = f'<!doctype html><title>parent</title><iframe src="{app.url}/?__theme=light" width="1200" height="900"></iframe>'
    page.route(PARENT, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(PARENT)
    frame = page.frame_locator("iframe")
    frame.locator("#viner-text textarea").fill(TEXT)
    frame.locator("#viner-run").click()
    frame.locator("#viner-marked .entity").nth(1).wait_for()
    assert "Hà Nội" in frame.locator("#viner-marked .entity").nth(1).inner_text()
    example = in_order(read_examples(space_folder / "examples.json"), "en")[0]
    frame.locator("#viner-samples button").first.click()
    frame.locator("#viner-marked .viner-text", has_text=example.text[:30]).first.wait_for()
    assert [url for url in elsewhere if not url.startswith((app.url, PARENT, "data:", "blob:"))] == []
    context.close()


def test_another_site_may_not_act_in_a_visitors_name(app):
    body = json.dumps({"texts": [TEXT]}).encode()
    headers = {"Content-Type": "application/json", "Origin": "https://evil.example"}
    request = urllib.request.Request(f"{app.url}/api/v1/recognize", body, headers)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request, timeout=60)


def test_it_ends_when_it_is_told_to_and_its_folder_is_as_before(space_folder, space_python):
    before = sorted(space_folder.rglob("*"))
    with running(space_folder, space_python, TEXT) as app:
        app.process.terminate()
        app.process.wait(timeout=30)
    assert sorted(space_folder.rglob("*")) == before
