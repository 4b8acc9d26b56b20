"""A real server around a fake recognizer, and Chromium to look at it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Request

from support.annotate import Opener, Tab, Workbench, workbench
from support.chromium import PATIENCE
from viner.server import Settings, create_app
from viner.server.runner import listen

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))
from fakes import FakeRecognizer

# anyio imports its modules when they are first used, which would be deep in a request of the server's thread: there pytest's
# import hook fails in Python 3.11 ("AST constructor recursion depth mismatch").
for name in dir(anyio):
    getattr(anyio, name)


@dataclass
class Site:
    """A running server: where it is, and the recognizer behind it."""

    url: str
    recognizer: FakeRecognizer


@contextmanager
def serving(settings: Settings) -> Iterator[Site]:
    recognizer = FakeRecognizer()
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(
        uvicorn.Config(create_app(recognizer, settings), log_level="critical", ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", recognizer)
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    with serving(Settings(max_body=2_000_000)) as site:
        yield site


@pytest.fixture(scope="module")  # the variable must be gone before other tests start servers
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    os.environ["SPACE_ID"] = "someone/notices"
    try:
        with serving(Settings(space=True, feedback=tmp_path_factory.mktemp("space"))) as site:
            yield site
    finally:
        del os.environ["SPACE_ID"]


@pytest.fixture(scope="session")
def flagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where :func:`collecting` keeps what visitors flag."""
    return tmp_path_factory.mktemp("flagged")


@pytest.fixture(scope="session")
def collecting(flagged: Path) -> Iterator[Site]:
    """A server that lets visitors flag answers."""
    with serving(Settings(feedback=flagged, feedback_note="Kept for 90 days.")) as site:
        yield site


@dataclass
class Visit:
    """A page with what its browser saw: requests to elsewhere, errors, dialogs."""

    page: Page
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def fill(self, text: str) -> None:
        self.page.locator("#viner-text textarea").fill(text)

    def recognize(self, text: str) -> None:
        self.fill(text)
        self.page.locator("#viner-run").click()
        self.page.locator("#viner-marked .viner-text").first.wait_for()

    def texts(self) -> str:
        """What the marked documents read, as the person would copy it."""
        return self.page.locator("#viner-marked .viner-text").first.evaluate("element => element.textContent")


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """Opens a page; at the end it must have caused no error and no request to anywhere else."""
    contexts = []
    visits: list[Visit] = []

    def opened(site: Site, path: str = "/en/", **options: Any) -> Visit:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **options})
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        seen = Visit(context.new_page())
        visits.append(seen)

        def note(request: Request) -> None:
            if not request.url.startswith((site.url, "data:", "blob:")):
                seen.foreign.append(request.url)

        context.on("request", note)
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
        seen.page.on("dialog", lambda dialog: (seen.errors.append(dialog.message), dialog.dismiss()))
        seen.page.goto(site.url + path)
        seen.page.locator("#viner-run").wait_for()
        # Whatever a test touches first is there: Gradio draws its components one after the other.
        seen.page.locator("#viner-text textarea").wait_for()
        seen.page.locator('#viner-input input[type="file"]').wait_for(state="attached")
        return seen

    yield opened
    for seen in visits:
        assert seen.foreign == []
        assert seen.errors == []
    for context in contexts:
        context.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    """A project of no documents, served with the annotation page."""
    with workbench(tmp_path / "project") as bench:
        yield bench


@pytest.fixture
def annotate(browser: Browser, bench: Workbench) -> Iterator[Opener]:
    """Opens the annotation page in a context of its own, or in that of another tab; no tab may see an error."""
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def opened(document: str | None = None, *, beside: Tab | None = None, language: str = "en", **options: Any) -> Tab:
        if beside is None:
            contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options}))
        tabs.append(Tab.opened(beside.page.context if beside else contexts[-1], bench, document, language))
        return tabs[-1]

    yield opened
    assert [tab.errors for tab in tabs if tab.errors] == []
    for context in contexts:
        context.close()
