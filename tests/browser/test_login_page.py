from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page

from viner.server import Settings
from viner.server.runner import listen
from viner.server.studio_app import create_studio_app

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))
from studios import FakeStudio

pytestmark = pytest.mark.browser


@pytest.fixture
def team(tmp_path: Path) -> Iterator[str]:
    """The address of a project with an account."""
    studio = FakeStudio(tmp_path / "project")
    studio.store.accounts.add("Bình", "correct horse")
    listener = listen("127.0.0.1", 0)
    app = create_studio_app(studio, Settings(), console=False)  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()
    studio.store.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="vi-VN", java_script_enabled=False)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def test_logging_in_and_out_needs_neither_mouse_nor_script(team: str, page: Page) -> None:
    page.goto(f"{team}/annotate/?document=d1")
    assert page.url == f"{team}/login?next=/annotate/%3Fdocument%3Dd1"
    assert page.get_by_label("Tên").evaluate("element => element === document.activeElement")
    page.keyboard.type("Bình")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong horse")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("Tên").input_value() == "Bình"
    assert page.get_by_label("Mật khẩu").evaluate("element => element === document.activeElement")
    page.keyboard.type("correct horse")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{team}/annotate/?document=d1")
    cookie = next(cookie for cookie in page.context.cookies() if cookie["name"].startswith("viner_session"))
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")


def test_everything_on_it_is_large_enough_to_touch_and_its_style_is_there(team: str, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"{team}/login")
    for control in (
        page.get_by_label("Tên"),
        page.get_by_label("Mật khẩu"),
        page.get_by_role("button"),
        page.get_by_role("link"),
    ):
        box = control.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    page.get_by_role("link").click()
    page.get_by_label("Password").wait_for()
