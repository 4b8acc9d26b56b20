"""A workbench as a Space: log in, annotate and come back, all within huggingface.co's frame."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, Request

from support.annotate import Workbench, workbench
from support.chromium import PATIENCE
from viner.server import studio_app
from viner.server.sessions import SESSION_COOKIE

pytestmark = pytest.mark.browser
PARENT = "https://huggingface.co/spaces/someone/annotate"
NAME, PASSWORD = "Lan", "a long password"


@pytest.fixture
def bench(tmp_path, monkeypatch) -> Iterator[Workbench]:
    """A workbench whose project lies on the persistent storage of its Space."""
    monkeypatch.setattr(studio_app, "STORAGE", tmp_path)
    with workbench(tmp_path / "notices", space=True) as bench:
        bench.add("d1", "Minh ở Hà Nội hôm nay.")
        bench.store.accounts.add(NAME, PASSWORD)
        yield bench


@pytest.fixture
def parent(browser: Browser, bench: Workbench) -> Iterator[Page]:
    """A page of another origin that holds the workbench in a frame; neither may report an error or ask elsewhere."""
    page = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    trouble: list[str] = []
    address = f"{bench.url}/annotate/?language=en"
    html = f'<!doctype html><title>parent</title><iframe src="{address}" width="1200" height="900"></iframe>'

    def foreign(request: Request) -> None:
        if not request.url.startswith((bench.url, PARENT, "data:", "blob:")):
            trouble.append(request.url)

    page.route(PARENT, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.on("request", foreign)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: "Security Policy" in said.text and trouble.append(said.text))
    page.goto(PARENT)
    yield page
    page.context.close()
    assert trouble == []


def framed(page: Page) -> Frame:
    """The workbench within the page."""
    (frame,) = page.main_frame.child_frames
    return frame


def log_in(page: Page) -> None:
    form = page.frame_locator("iframe")
    form.get_by_label("Name").fill(NAME)
    form.get_by_label("Password").fill(PASSWORD)
    form.get_by_role("button").first.click()


def wait_for_text(page: Page) -> None:
    page.frame_locator("iframe").locator(".w.cur").wait_for()
    framed(page).wait_for_function("() => performance.getEntriesByName('viner-ready').length > 0")


def test_a_person_logs_in_annotates_and_comes_back(parent: Page, bench: Workbench) -> None:
    frame = parent.frame_locator("iframe")
    log_in(parent)
    wait_for_text(parent)
    frame.locator(".w.cur").click()
    parent.keyboard.press("1")
    framed(parent).wait_for_function("() => document.querySelector('.saving').dataset.state === 'saved'")
    assert bench.said("d1") == [("Minh", "PERSON")]

    cookie = next(cookie for cookie in parent.context.cookies(bench.url) if cookie["name"].startswith(SESSION_COOKIE))
    assert (cookie["secure"], cookie["sameSite"], cookie["httpOnly"]) == (True, "None", True)
    assert cookie.get("partitionKey")

    framed(parent).evaluate("location.reload()")
    wait_for_text(parent)
    assert frame.locator(".tag").get_attribute("data-label") == "PERSON"

    parent.reload()  # the Space as it is opened the next morning
    wait_for_text(parent)
    assert frame.locator(".tag").get_attribute("data-label") == "PERSON"
