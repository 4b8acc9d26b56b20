from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from viner.feedback import read_collected

pytestmark = pytest.mark.browser
NOTICE = "BN12 là nữ, 46 tuổi, giáo viên ở Hà Nội, sốt từ 11/3."


def kept(folder: Path) -> list[Any]:
    path = folder / "feedback.jsonl"
    return [document for document in read_collected(path) if document.text] if path.exists() else []


def focused(seen: Any, name: str) -> None:
    seen.page.wait_for_function("name => document.activeElement.id === name", arg=name)


def test_flag_receipt_erase(collecting, flagged, visit) -> None:
    seen = visit(collecting)
    page = seen.page
    assert (
        "Nothing is kept unless you press Send. The operator says: Kept for 90 days."
        in page.locator("#viner-flag-terms").inner_text()
    )
    assert not page.locator("#viner-flag").is_visible()
    seen.recognize(NOTICE)
    before = len(kept(flagged))
    page.locator("#viner-flag").click()
    focused(seen, "viner-flag-title")
    form = page.locator("#viner-flag-form")
    for part in ("the text below and the entities", "Your name and address are not kept", "Kept for 90 days.", NOTICE):
        assert part in form.inner_text()
    page.get_by_label("Hà Nội · LOCATION").check()
    page.get_by_label("What is wrong, or missing?").fill("thiếu quận")
    assert len(kept(flagged)) == before
    page.locator("#viner-flag-send").click()
    focused(seen, "viner-flag-told")
    receipt = page.locator(".viner-receipt code").inner_text()
    document = kept(flagged)[-1]
    assert (document.id, document.text, len(document.suggestions)) == (f"flagged-{receipt}", NOTICE, 7)
    said = document.meta["viner:feedback"]
    assert (said["comment"], [NOTICE[start:end] for start, end in said["wrong"]]) == ("thiếu quận", ["Hà Nội"])
    page.locator("#viner-flag-erase").click()
    page.locator("#viner-flag-said", has_text="Erased.").wait_for()
    focused(seen, "viner-flag-told")
    assert receipt in page.locator("#viner-flag-said").inner_text()
    assert not page.locator("#viner-flag-erase").is_visible()
    assert len(kept(flagged)) == before
    assert page.evaluate("() => [localStorage.length, sessionStorage.length]") == [0, 0]


def test_a_receipt_erases_later_from_another_browser_in_another_language(collecting, flagged, visit) -> None:
    seen = visit(collecting, permissions=["clipboard-read", "clipboard-write"])
    seen.recognize(NOTICE)
    seen.page.locator("#viner-flag").click()
    seen.page.locator("#viner-flag-send").click()
    value = seen.page.locator(".viner-receipt code").inner_text()
    seen.page.locator(".viner-copier").click()
    seen.page.locator('.viner-copier[data-done="Copied"]').wait_for()
    assert seen.page.evaluate("() => navigator.clipboard.readText()") == value
    before = len(kept(flagged))
    other = visit(collecting, "/vi/", viewport={"width": 390, "height": 844}).page
    other.locator("#viner-erase-later button").first.click()
    field = other.locator("#viner-pasted").get_by_label("Mã biên nhận")
    for pasted, told in (("abc", "Không có nội dung nào được lưu"), (f" {value.upper()} ", "Đã xóa.")):
        field.fill(pasted)
        other.locator("#viner-erase-pasted").click()
        other.locator("#viner-erase-told", has_text=told).wait_for()
    assert len(kept(flagged)) == before - 1
    assert other.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_cancel_and_another_text_close_the_form_and_nothing_is_sent(collecting, flagged, visit) -> None:
    seen = visit(collecting)
    seen.recognize(NOTICE)
    before = len(kept(flagged))
    seen.page.locator("#viner-flag").click()
    seen.page.get_by_label("What is wrong, or missing?").fill("bí mật")
    seen.page.locator("#viner-flag-cancel").click()
    focused(seen, "viner-flag")
    assert not seen.page.locator("#viner-flag-form").is_visible()
    seen.page.locator("#viner-flag").click()
    focused(seen, "viner-flag-title")
    assert seen.page.get_by_label("What is wrong, or missing?").input_value() == ""
    seen.recognize("Kenya")
    seen.page.locator("#viner-flag-form").wait_for(state="hidden")
    seen.page.locator("#viner-clear").click()
    seen.page.locator("#viner-flag").wait_for(state="hidden")
    assert len(kept(flagged)) == before


def test_of_several_texts_the_one_that_was_chosen_is_sent(collecting, flagged, visit, tmp_path) -> None:
    file = tmp_path / "notices.jsonl"
    texts = ("BN1 ở Huế", "", "BN2 ở Hà Nội", "BN3 ở Kenya")
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    seen = visit(collecting)
    seen.page.locator('#viner-input input[type="file"]').set_input_files(file)
    seen.page.locator("#viner-flag").click()
    focused(seen, "viner-flag-title")
    seen.page.get_by_label("Which text").click()
    seen.page.get_by_role("option", name="3: BN2 ở Hà Nội").click()
    seen.page.locator("#viner-flag-text", has_text="BN2 ở Hà Nội").wait_for()
    seen.page.get_by_label("Hà Nội · LOCATION").check()
    seen.page.locator("#viner-flag-send").click()
    focused(seen, "viner-flag-told")
    assert kept(flagged)[-1].text == "BN2 ở Hà Nội"


def test_a_server_that_collects_nothing_shows_nothing_of_it(site, visit) -> None:
    seen = visit(site)
    seen.recognize(NOTICE)
    assert seen.page.locator("#viner-flag, #viner-flag-terms, #viner-erase-later").count() == 0
