"""Mouse and touch on the annotation page."""

from __future__ import annotations

import pytest

from support.annotate import Opener, Workbench

pytestmark = pytest.mark.browser

TEXT = "Bệnh nhân ở quận Cẩm Lệ, Đà Nẵng. Đến Hà Nội.\nDòng hai."


def selected(tab):
    return tab.page.evaluate(
        "() => [...document.querySelectorAll('.w.sel, .w > .sel, .g.sel')].map((part) => part.textContent).join('')"
    )


def test_a_drag_from_mid_word_to_mid_word_takes_whole_words(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    words = tab.words()
    first, last = tab.box(words.index("quận")), tab.box(words.index("Lệ"))
    tab.drag(((first["left"] + first["right"]) / 2, first["y"]), ((last["left"] + last["right"]) / 2, last["y"]))
    assert selected(tab) == "quận Cẩm Lệ"
    tab.page.locator(".labels button", has_text="LOCATION").click()
    tab.saved()
    assert bench.said("one") == [("quận Cẩm Lệ", "LOCATION")]


@pytest.mark.parametrize("inset", [0.5, 1, 2])
def test_released_on_the_last_pixel_of_a_word_the_drag_leaves_the_full_stop_out(
    bench: Workbench, annotate: Opener, inset: float
) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    words = tab.words()
    first, last = tab.box(words.index("Hà")), tab.box(words.index("Nội"))
    assert words[words.index("Nội") + 1] == "."
    tab.drag((first["left"] + 2, first["y"]), (last["right"] - inset, last["y"]))
    tab.press("2")
    tab.saved()
    assert bench.said("one") == [("Hà Nội", "LOCATION")]


def test_a_drag_backwards_and_one_that_ends_in_the_space_between_words(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    words = tab.words()
    first, last = tab.box(words.index("Đà")), tab.box(words.index("Nẵng"))
    tab.drag((last["left"] + 3, last["y"]), (first["left"] + 1, first["y"]))
    assert selected(tab) == "Đà Nẵng"
    tab.drag((first["left"] + 3, first["y"]), (last["left"] - 1.5, last["y"]))
    tab.press("2")
    tab.saved()
    assert bench.said("one") == [("Đà", "LOCATION")]


def test_alt_takes_characters(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "😷 abcdef ghi")
    tab = annotate()
    box = tab.box(tab.words().index("abcdef"))
    width = (box["right"] - box["left"]) / 6
    tab.page.keyboard.down("Alt")
    tab.drag((box["left"] + 1.1 * width, box["y"]), (box["left"] + 3.9 * width, box["y"]))
    tab.page.keyboard.up("Alt")
    tab.press("1")
    tab.saved()
    [(surface, _)] = bench.said("one")
    assert surface in "abcdef"
    assert 1 < len(surface) < 5


def test_a_click_chooses_an_entity_and_a_double_click_a_word_within_it(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT, entities=[("quận Cẩm Lệ", "LOCATION")])
    tab = annotate()
    box = tab.box(tab.words().index("Cẩm"))
    tab.page.mouse.click((box["left"] + box["right"]) / 2, box["y"])
    assert tab.focused() == "quận Cẩm Lệ"
    tab.page.mouse.dblclick((box["left"] + box["right"]) / 2, box["y"])
    tab.press("1")
    tab.page.locator(".tag").last.click()
    tab.press("Delete")
    tab.saved()
    assert len(bench.said("one")) == 1


def test_fingers_tap_a_word_and_another_one_to_extend(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    words = tab.words()
    for name in ("Đà", "Nẵng"):
        box = tab.box(words.index(name))
        tab.page.touchscreen.tap((box["left"] + box["right"]) / 2, box["y"])
    tab.page.locator(".labels button", has_text="LOCATION").tap()
    tab.saved()
    assert bench.said("one") == [("Đà Nẵng", "LOCATION")]
    small = tab.page.evaluate(
        """() => [...document.querySelectorAll('button, select, nav a')].filter((one) => one.checkVisibility())
            .filter((one) => Math.min(one.getBoundingClientRect().height, one.getBoundingClientRect().width) < 44)
            .map((one) => one.textContent)"""
    )
    assert small == []


def test_a_shift_click_extends(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    words = tab.words()
    first, last = tab.box(words.index("quận")), tab.box(words.index("Lệ"))
    tab.page.mouse.click(first["left"] + 3, first["y"])
    tab.page.keyboard.down("Shift")
    tab.page.mouse.click(last["left"] + 3, last["y"])
    tab.page.keyboard.up("Shift")
    assert selected(tab) == "quận Cẩm Lệ"
