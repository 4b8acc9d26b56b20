from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from viner.server.entrance import LANGUAGE_COOKIE

pytestmark = pytest.mark.browser
PARENT = "https://huggingface.co/spaces/someone/notices"
STRANGER = "https://evil.example/"


def framed(browser, site, parent: str):
    """A page of another origin that holds the app in a frame."""
    page = browser.new_context(locale="en-US").new_page()
    page.set_default_timeout(90_000)
    html = f'<!doctype html><title>parent</title><iframe src="{site.url}/" width="1200" height="900"></iframe>'
    page.route(parent, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(parent)
    return page


def test_within_the_frame_of_a_space_the_app_works_cookie_and_all(browser, space) -> None:
    page = framed(browser, space, PARENT)
    frame = page.frame_locator("iframe")
    frame.locator("#viner-run").wait_for()
    frame.locator(".viner-header a[hreflang=vi]").click()
    frame.locator("#viner-run", has_text="Nhận dạng").wait_for()
    frame.locator("#viner-text textarea").fill("Ca bệnh ở Hà Nội")
    frame.locator("#viner-run").click()
    frame.locator(".entity").wait_for()
    cookie = next(cookie for cookie in page.context.cookies(space.url) if cookie["name"] == LANGUAGE_COOKIE)
    assert (cookie["secure"], cookie["sameSite"], cookie["httpOnly"]) == (True, "None", True)
    assert cookie.get("partitionKey")
    frame.locator("#viner-flag").click()
    frame.locator("#viner-flag-send").click()
    frame.locator(".viner-copier").click()
    frame.locator('.viner-copier[data-done="Đã sao chép"]').wait_for()
    frame.locator("#viner-flag-erase").click()
    frame.locator("#viner-flag-said", has_text="Đã xóa.").wait_for()
    page.context.close()


def test_no_other_site_may_frame_a_space(browser, space) -> None:
    page = framed(browser, space, STRANGER)
    page.wait_for_timeout(1000)
    assert page.frame_locator("iframe").locator("#viner-run").count() == 0
    page.context.close()


def test_outside_a_space_nobody_may_frame_the_app(browser, site) -> None:
    page = framed(browser, site, PARENT)
    page.wait_for_timeout(1000)
    assert page.frame_locator("iframe").locator("#viner-run").count() == 0
    page.context.close()


def test_a_page_of_another_site_can_neither_read_nor_act(browser, site) -> None:
    page = browser.new_context().new_page()
    page.route(STRANGER, lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto(STRANGER)
    attempt = (
        """async ([url, options]) => { try { return (await fetch(url, options)).type } catch (error) { return "refused" } }"""
    )
    for path in ("/api/v1/health", "/en/config"):
        assert page.evaluate(attempt, [site.url + path, {"credentials": "include"}]) == "refused"
    body = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps({"texts": ["x"]})}
    assert page.evaluate(attempt, [site.url + "/api/v1/recognize", body]) == "refused"
    page.context.close()


def call(site, path: str, data: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(site.url + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, {name.lower(): value for name, value in response.headers.items()}, response.read()
    except urllib.error.HTTPError as error:
        return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


@pytest.mark.parametrize("host", ["127.0.0.1", "viner.example.org"])
@pytest.mark.parametrize("path", ["/en/", "/en/config", "/vi/gradio_api/info"])
def test_the_consoles_own_routes_admit_no_other_origin(site, host: str, path: str) -> None:
    status, headers, _ = call(site, path, Host=host, Origin="https://evil.example", Cookie="a=b")
    assert status == 200
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"


def test_the_consoles_queue_refuses_other_origins(site) -> None:
    status, _, _ = call(site, "/en/gradio_api/queue/join", b"{}", Origin="https://evil.example", Cookie="a=b")
    assert status == 403


def test_no_event_of_the_console_is_a_public_endpoint(site) -> None:
    for language in ("en", "vi"):
        assert json.loads(call(site, f"/{language}/gradio_api/info")[2]) == {"named_endpoints": {}, "unnamed_endpoints": {}}


@pytest.mark.parametrize("path", ["/en/gradio_api/upload", "/en/gradio_api/queue/join", "/api/v1/recognize"])
def test_bodies_over_the_limit_are_refused_everywhere(site, path: str) -> None:
    status, _, body = call(site, path, b"x" * 2_000_001, **{"Content-Type": "application/json"})
    assert status == 413
    assert json.loads(body)["error"]["code"] == "payload_too_large"


def test_the_api_reference_loads_nothing_from_elsewhere(browser, site) -> None:
    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(f"{site.url}/api/docs")
    assert page.locator("h2", has_text="/api/v1/recognize").is_visible()
    assert [url for url in requests if not url.startswith(site.url)] == []
    page.close()
