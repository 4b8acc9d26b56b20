"""What waits on a computer while something is wrong: it is for the right person and project, it is said, and it is not lost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Route

from support.annotate import Opener, Tab, Workbench
from viner.store import Operation

pytestmark = pytest.mark.browser

TEXT = "Bệnh nhân Nguyễn Văn A, 43 tuổi, ở quận Cẩm Lệ, Đà Nẵng."
PASSWORD = "correct horse"
WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', {value: undefined})"


@pytest.fixture
def team(bench: Workbench) -> Iterator[Workbench]:
    bench.add("one", TEXT)
    for name in ("an", "Bình"):
        bench.store.accounts.add(name, PASSWORD)
    return bench


def log_in(tab: Tab, name: str) -> None:
    """Somebody logs in, in another tab of the same browser."""
    page = tab.page.context.new_page()
    # Where the first account was made this moment, the server learns of it within a second.
    until = time.monotonic() + 30
    while page.locator("#password").count() == 0 and time.monotonic() < until:
        page.goto(f"{tab.bench.url}/login?name={name}&next=/annotate/static/dom.js")
    page.locator("#password").fill(PASSWORD)
    page.locator("button").click()
    page.wait_for_url("**/dom.js")
    page.close()


def hold_back(tab: Tab) -> None:
    tab.page.route("**/api/operations", lambda route: route.abort())


def alert(tab: Tab, text: str) -> None:
    tab.page.locator(".alerts p", has_text=text).wait_for()


def reload(tab: Tab) -> None:
    tab.page.reload()
    tab.ready()


def test_a_full_disk_is_said_at_once(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": bench.url, "quotaSize": 1})
    tab.go("43")
    tab.press("5")
    alert(tab, "cannot write to its disk")
    tab.saved()
    assert bench.said("one") == [("43", "AGE")]


def test_what_one_person_did_is_never_saved_in_the_name_of_another(bench: Workbench, annotate: Opener, team: Workbench) -> None:
    bench.store.accounts.remove("an")
    bench.store.accounts.remove("Bình")
    tab = annotate("one")  # as the only person of this machine
    for name in ("an", "Bình"):
        bench.store.accounts.add(name, PASSWORD)
    log_in(tab, "an")
    reload(tab)
    hold_back(tab)
    tab.go("43")
    tab.press("5")
    tab.page.wait_for_function("() => document.querySelector('.saving').dataset.state === 'offline'")
    log_in(tab, "Bình")
    tab.page.unroute("**/api/operations")
    tab.page.wait_for_function("() => document.querySelector('.saving').dataset.state === 'otherPerson'")
    assert tab.state().startswith("1 waiting: Bình is logged in now")
    assert "name=an" in tab.page.get_by_role("link", name="Log in as an").get_attribute("href")
    assert bench.said("one") == []

    reload(tab)
    alert(tab, "1 changes of an wait on this computer")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("button", name="Save as a file").click()
    assert json.loads(download.value.path().read_text("utf-8"))[0]["edit"]["put"][0]["surface"] == "43"
    tab.saved()
    assert bench.said("one") == []

    log_in(tab, "an")
    reload(tab)
    tab.saved()
    assert bench.said("one") == [("43", "AGE")]
    assert [event.who for event in bench.store.history("one") if event.kind == "edit"] == ["an"]
    assert tab.page.locator(".alerts p").count() == 0


def test_what_waits_for_another_project_is_kept_for_it(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate("one")
    hold_back(tab)
    tab.press("Control+Enter")
    tab.page.wait_for_function("() => document.querySelector('.saving').dataset.waiting === '1'")
    tab.written_down(1)
    own = bench.store.setting("project.id")
    bench.store.set_setting("project.id", "another project at this address, with a document of the same name")
    reload(tab)
    alert(tab, "1 changes of local for another project (Notices)")
    tab.page.unroute("**/api/operations")
    tab.go("43")
    tab.press("5")
    tab.saved()
    assert bench.get("one").status == "started"
    bench.store.set_setting("project.id", own)
    reload(tab)
    tab.saved()
    assert bench.get("one").status == "done"


def test_a_document_is_not_done_without_what_was_refused(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two"):
        bench.add(name, TEXT)
    tab = annotate("one")

    def spoil(route: Route) -> None:
        body = route.request.post_data_json
        for put in body["put"]:
            put["surface"] = "wrong"
        route.continue_(post_data=json.dumps(body))

    tab.page.route("**/api/operations", spoil)
    tab.go("43")
    tab.press("5", "Control+Enter")
    alert(tab, "Refused in document one: 43 · AGE.")
    alert(tab, "not marked as done")
    tab.saved()
    assert (tab.document(), bench.get("one").status) == ("one", "todo")
    tab.page.locator(".alerts .close").click()
    assert tab.page.locator(".alerts p").count() == 0
    tab.page.unroute("**/api/operations")
    tab.press("Control+Enter")
    tab.wait_document("two")


def test_the_next_document_is_waited_for_while_a_change_of_many_documents_goes_on(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two"):
        bench.add(name, TEXT)
    tab = annotate()
    refused: list[str] = []

    def busy(route: Route) -> None:
        if len(refused) == 2:
            return route.continue_()
        refused.append(route.request.url)
        return route.fulfill(status=503, json={"error": {"code": "store_locked", "message": "another change goes on"}})

    tab.page.route("**/api/next", busy)
    tab.press(".")
    tab.page.get_by_text("busy with a change of many documents").first.wait_for()
    tab.wait_document("two")
    assert len(refused) == 2


def test_where_there_are_no_locks_a_second_tab_leaves_the_first_ones_changes_to_it(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two"):
        bench.add(name, TEXT)
    first = annotate("two")
    first.page.context.add_init_script(WITHOUT_LOCKS)
    first.page.goto(f"{bench.url}/annotate/?language=en&document=one")
    first.ready()
    hold_back(first)
    first.go("43")
    first.press("5")
    first.page.wait_for_function("() => document.querySelector('.saving').dataset.waiting === '1'")
    second = annotate("two", beside=first)
    assert second.page.evaluate("() => navigator.locks") is None
    second.saved()
    assert bench.said("one") == []
    assert second.page.locator(".alerts p").count() == 0
    first.page.unroute("**/api/operations")
    first.saved()
    assert bench.said("one") == [("43", "AGE")]
    hold_back(first)
    first.press("6")
    first.page.wait_for_function("() => document.querySelector('.saving').dataset.waiting === '1'")
    first.written_down(1)
    first.page.close()
    reload(second)
    second.saved()
    assert bench.said("one") == [("43", "GENDER")], "what a closed tab has left is adopted"


def label_everywhere(tab: Tab) -> None:
    tab.go("Đà")
    tab.press("Shift+ArrowRight", "Shift+Digit8")
    tab.page.locator("dialog.label-all select").select_option("LOCATION")
    tab.page.get_by_role("button", name="Preview all documents").click()
    tab.page.get_by_role("button", name="Label in all open documents").click()
    tab.page.locator(".notice", has_text="2 labeled in 2 documents").wait_for()


def test_undo_right_after_labeling_everywhere_takes_it_back_everywhere(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two"):
        bench.add(name, TEXT)
    tab = annotate("one")
    label_everywhere(tab)
    assert bench.said("two") == [("Đà Nẵng", "LOCATION")]
    tab.press("Control+z")
    tab.page.locator(".notice", has_text="Undone in all documents").wait_for()
    assert (bench.said("one"), bench.said("two"), tab.tags()) == ([], [], [])
    tab.press("Control+y")
    tab.page.locator(".notice", has_text="Done again in all documents").wait_for()
    assert bench.said("two") == [("Đà Nẵng", "LOCATION")]
    assert tab.tags() == ["LOCATION"]


def test_after_a_reload_labeling_everywhere_is_taken_back_by_the_second_press(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two"):
        bench.add(name, TEXT)
    tab = annotate("one")
    label_everywhere(tab)
    tab.go("43")
    tab.press("5")
    tab.saved()
    reload(tab)
    tab.press("Control+z")
    tab.saved()
    tab.page.wait_for_function("() => document.querySelectorAll('.tag').length === 1")
    tab.press("Control+z")
    tab.page.locator(".notice", has_text="labeled many documents").wait_for()
    assert bench.said("two") == [("Đà Nẵng", "LOCATION")]
    tab.press("Control+z")
    tab.page.locator(".notice", has_text="Undone in all documents").wait_for()
    assert (bench.said("one"), bench.said("two")) == ([], [])


def test_suggesting_everywhere_waits_for_a_person_in_each_document(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two", "done"):
        bench.add(name, TEXT)
    done = bench.get("done")
    bench.store.save(Operation("finish", "done", done.version, done.schema, status="done"), who="other")
    tab = annotate("one")
    tab.go("Đà")
    tab.press("Shift+ArrowRight", "Shift+Digit8")
    dialog = tab.page.locator("dialog.label-all")
    dialog.locator("select").select_option("LOCATION")
    dialog.get_by_label("as entities").focus()
    tab.press("ArrowRight")
    assert dialog.get_by_label("as suggestions").is_checked()
    assert "done or skipped stay as they are" in dialog.locator(".note").inner_text()
    dialog.get_by_role("button", name="Preview all documents").press("Enter")
    dialog.locator("p", has_text="In 2 documents: 2 to suggest").wait_for()
    tab.page.wait_for_function("() => document.activeElement.textContent === 'Suggest in all open documents'")
    tab.press("Enter")
    tab.page.locator(".notice", has_text="2 suggested in 2 documents").wait_for()
    assert [bench.said(name, "suggested") for name in ("one", "two", "done")] == [[("Đà Nẵng", "LOCATION")]] * 2 + [[]]
    assert [bench.get(name).status for name in ("one", "two", "done")] == ["todo", "todo", "done"]
    tab.page.wait_for_function("() => document.querySelectorAll('.tag').length === 1")
    tab.press("Space")
    tab.page.get_by_text("everywhere: Đà Nẵng").wait_for()
    tab.press("Enter")
    tab.saved()
    assert (bench.said("one"), bench.said("two")) == ([("Đà Nẵng", "LOCATION")], [])


def test_the_language_is_remembered_and_the_document_stays(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two"):
        bench.add(name, TEXT)
    tab = annotate("two")
    tab.page.locator("nav a[lang=vi]").click()
    tab.page.wait_for_url(f"{bench.url}/annotate/")
    tab.ready()
    assert tab.document() == "two"
    assert tab.page.locator("html").get_attribute("lang") == "vi"
    assert tab.state() == "Đã lưu"
