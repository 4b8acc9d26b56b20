"""Nothing is lost: stale tabs, two tabs at one entity, no connection, a crash, a schema that changes, an erased document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from support.annotate import OUTBOX_HOLDS, Opener, Tab, Workbench
from support.chromium import chromium
from viner.annotation.changes import Delete, Rename
from viner.annotation.changes import apply as apply_change
from viner.store import Operation

pytestmark = pytest.mark.browser

TEXT = "Bệnh nhân Nguyễn Văn A, 43 tuổi, ở quận Cẩm Lệ, Đà Nẵng."


def elsewhere(bench: Workbench, id: str, **changes: object) -> None:  # noqa: A002
    """Somebody else saves something."""
    document = bench.get(id)
    body = {"operation": os.urandom(8).hex(), "document": id, "version": document.version, "schema": document.schema, **changes}
    bench.store.save(Operation.from_dict(body), who="other")


def test_a_stale_tab_keeps_both_edits_and_shows_them(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    first = annotate("one")
    second = annotate("one", beside=first)
    second.go("43")
    second.press("5")
    second.saved()
    first.page.bring_to_front()
    first.go("Đà")
    first.press("Shift+ArrowRight", "2")
    first.saved()
    assert bench.said("one") == [("43", "AGE"), ("Đà Nẵng", "LOCATION")]
    assert first.tags() == ["AGE", "LOCATION"]
    first.page.get_by_text("both edits were kept").wait_for()
    first.press("Control+z")
    first.saved()
    assert bench.said("one") == [("43", "AGE")]


@pytest.mark.parametrize(("key", "label"), [("1", "DATE"), ("2", "JOB")])
def test_two_tabs_at_the_same_entity_show_the_choice_and_a_key_makes_it(
    bench: Workbench, annotate: Opener, key: str, label: str
) -> None:
    bench.add("one", TEXT, entities=[("43", "AGE")])
    first = annotate("one")
    second = annotate("one", beside=first)
    second.go("43")
    second.press("7")
    second.saved()
    first.page.bring_to_front()
    first.go("43")
    first.press("3")
    first.page.locator("dialog.clash").wait_for()
    assert first.state() == "1 waiting for your choice"
    assert first.page.locator(".version").all_inner_texts() == ["43 · DATE · accepted", "43 · JOB · accepted"]
    first.press("Escape")
    assert first.page.locator("dialog.clash").is_visible(), "it cannot be dismissed unread"
    first.press(key)
    first.saved()
    assert bench.said("one") == [("43", label)]
    assert first.tags() == [label]


def test_without_a_connection_it_says_so_and_saves_when_it_is_back(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    tab.page.context.set_offline(True)
    tab.go("43")
    tab.press("5")
    tab.go("Đà")
    tab.press("Shift+ArrowRight", "2")
    tab.page.wait_for_function("() => document.querySelector('.saving').dataset.state === 'offline'")
    assert tab.state() == "2 waiting, no connection"
    assert bench.said("one") == []
    tab.page.context.set_offline(False)
    tab.saved()
    assert bench.said("one") == [("43", "AGE"), ("Đà Nẵng", "LOCATION")]
    assert len(bench.store.history("one", who="local")) == 2


def test_a_reload_without_a_connection_loses_nothing(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    tab.page.route("**/api/operations", lambda route: route.abort())
    tab.go("43")
    tab.press("5", "End", "2")
    tab.page.wait_for_function("() => document.querySelector('.saving').dataset.waiting === '2'")
    tab.written_down(2)
    tab.page.unroute("**/api/operations")
    tab.page.reload()
    tab.ready()
    tab.saved()
    assert bench.said("one") == [("43", "AGE"), (".", "LOCATION")]
    assert tab.tags() == ["AGE", "LOCATION"]


def test_an_answer_that_never_came_is_not_asked_about_after_a_reload(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")

    def lose(route: object) -> None:
        route.fetch()
        route.abort()

    tab.page.route("**/api/operations", lose)
    tab.go("43")
    tab.press("5")
    tab.page.wait_for_function("() => document.querySelector('.saving').dataset.state === 'offline'")
    assert bench.said("one") == [("43", "AGE")]
    tab.page.unroute("**/api/operations")
    tab.page.reload()
    tab.ready()
    tab.saved()
    assert bench.said("one") == [("43", "AGE")]
    assert len(bench.store.history("one", who="local")) == 1


CRASHING = """
import sys
from playwright.sync_api import sync_playwright
url, profile, chromium, written_down, *flags = sys.argv[1:]
with sync_playwright() as playwright:
    context = playwright.chromium.launch_persistent_context(profile, executable_path=chromium, args=flags)
    page = context.new_page()
    page.goto(url)
    page.wait_for_function("() => performance.getEntriesByName('viner-ready').length > 0")
    page.route("**/api/operations", lambda route: route.abort())
    for key in ["Home", "1", "ArrowRight", "2", "ArrowRight", "3"]:
        page.keyboard.press(key)
    page.wait_for_function("() => document.querySelector('.saving').dataset.waiting === '3'")
    page.wait_for_function(written_down, arg=3)
    print("full", flush=True)
    sys.stdin.read()
"""


def test_a_browser_that_crashes_with_a_full_outbox_has_everything_when_it_comes_back(
    bench: Workbench, browser: Browser, tmp_path: Path
) -> None:
    bench.add("one", TEXT)
    profile = tmp_path / "profile"
    address = f"{bench.url}/annotate/?language=en&document=one"
    command = [sys.executable, "-c", CRASHING, address, str(profile), chromium(), OUTBOX_HOLDS, "--no-sandbox", "--disable-gpu"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert child.stdout.readline() == "full\n"
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdin.close()
        child.stdout.close()
    for lock in profile.glob("Singleton*"):
        lock.unlink()
    assert bench.said("one") == []
    context = browser.browser_type.launch_persistent_context(
        str(profile), executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
    )
    tab = Tab.opened(context, bench, "one")
    tab.saved()
    assert bench.said("one") == [("Bệnh", "PERSON"), ("nhân", "LOCATION"), ("Nguyễn", "DATE")]
    assert tab.tags() == ["PERSON", "LOCATION", "DATE"]
    assert tab.errors == []
    context.close()


LAST_KEY = """(key) => void setTimeout(() => {
    const how = {key, code: `Digit${key}`, bubbles: true, cancelable: true};
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", how));
    for (;;);
})"""


def test_a_page_that_dies_at_a_key_has_what_the_key_did(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    tab.page.route("**/api/operations", lambda route: route.abort())
    tab.go("43")
    session = tab.page.context.browser.new_browser_cdp_session()

    def renderers() -> dict[int, float]:
        """Seconds of a processor that each of the browser's pages has taken."""
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return {process["id"]: process["cpuTime"] for process in processes if process["type"] == "renderer"}

    before = renderers()
    # After the key the page comes to nothing else: it is busy until it dies.
    tab.page.evaluate(LAST_KEY, "5")
    until = time.monotonic() + 60
    while not (busy := [process for process, taken in renderers().items() if taken - before.get(process, 0) > 1]):
        assert time.monotonic() < until
        time.sleep(0.1)
    with tab.page.expect_event("crash"):
        os.kill(busy[0], signal.SIGKILL)
    assert bench.said("one") == []
    again = Tab.opened(tab.page.context, bench)
    again.saved()
    assert bench.said("one") == [("43", "AGE")]


def test_a_renamed_label_is_followed_by_what_waits_and_by_the_page(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    apply_change(bench.store, Rename(label="PERSON", to="NAME"), operation="rename", who="other")
    tab.go("Nguyễn")
    tab.press("1")
    tab.saved()
    assert bench.said("one") == [("Nguyễn", "NAME")]
    assert tab.tags() == ["NAME"]
    assert tab.page.locator(".labels button span").first.inner_text() == "NAME"
    tab.press("ArrowRight", "1")
    tab.saved()
    assert bench.said("one") == [("Nguyễn", "NAME"), ("Văn", "NAME")]


def test_what_is_typed_while_the_page_asks_for_renamed_labels_stays_in_view(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    asked: list[Route] = []
    tab.page.route("**/schema?since=*", lambda route: asked.append(route))
    apply_change(bench.store, Rename(label="PERSON", to="NAME"), operation="rename", who="other")
    tab.go("Nguyễn")
    with tab.page.expect_request("**/schema?since=*"):
        tab.press("1")
    tab.press("ArrowRight", "1")
    tab.saved()
    assert tab.tags() == ["NAME", "NAME"]
    with tab.page.expect_response("**/schema?since=*"):
        asked[0].continue_()
    assert tab.tags() == ["NAME", "NAME"]
    assert bench.said("one") == [("Nguyễn", "NAME"), ("Văn", "NAME")]
    tab.press("Control+z", "Control+z")
    tab.saved()
    assert bench.said("one") == []


def test_a_label_that_was_deleted_meanwhile_is_said_and_the_rest_is_kept(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    tab.page.context.set_offline(True)
    tab.go("Nguyễn")
    tab.press("1", "ArrowRight", "2")
    apply_change(bench.store, Delete(label="PERSON"), operation="delete", who="other")
    tab.page.context.set_offline(False)
    tab.page.locator("dialog.clash", has_text="The label PERSON is gone").wait_for()
    tab.press("Enter")
    tab.saved()
    assert bench.said("one") == [("Văn", "LOCATION")]
    assert tab.tags() == ["LOCATION"]


def test_a_change_of_an_erased_document_is_given_up_aloud(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    bench.add("two", TEXT)
    tab = annotate("one")
    bench.store.erase(["one"], who="other")
    tab.press("1")
    tab.page.get_by_text("This document was erased").wait_for()
    tab.wait_document("two")
    tab.saved()


def test_undo_leaves_what_somebody_else_changed_since(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    tab.go("43")
    tab.press("5")
    tab.saved()
    [entity] = bench.get("one").entities
    elsewhere(bench, "one", put=[{**entity.to_dict(), "label": "DATE", "surface": "43"}])
    tab.go("Lệ")
    tab.press("2")
    tab.saved()
    tab.press("Control+z", "Control+z")
    tab.page.get_by_text("changed by somebody else since").wait_for()
    tab.saved()
    assert bench.said("one") == [("43", "DATE")]


def test_what_is_refused_is_said_and_taken_off_the_page(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")

    def spoil(route: object) -> None:
        body = route.request.post_data_json
        for put in body["put"]:
            put["surface"] = "wrong"
        route.continue_(post_data=json.dumps(body))

    tab.page.route("**/api/operations", spoil)
    tab.go("43")
    tab.press("5")
    tab.page.locator(".notice", has_text="refused").wait_for()
    tab.saved()
    assert bench.said("one") == []
    assert tab.tags() == []


def test_done_without_a_connection_waits_and_the_document_can_be_worked_on(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    bench.add("two", TEXT)
    tab = annotate("one")
    tab.page.context.set_offline(True)
    tab.press("Control+Enter")
    tab.page.locator(".notice", has_text="Not saved yet").wait_for()
    tab.go("43")
    tab.press("5")
    assert tab.tags() == ["AGE"]
    assert tab.document() == "one"
    tab.page.context.set_offline(False)
    tab.wait_document("two")
    assert (bench.get("one").status, bench.said("one")) == ("done", [("43", "AGE")])


def test_keys_right_after_done_never_reach_the_document_that_was_left(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two"):
        bench.add(name, TEXT)
    tab = annotate("one")
    tab.press("Control+Enter", "1", "2", "3")
    tab.wait_document("two")
    assert bench.said("one") == []
