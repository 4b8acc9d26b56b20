"""Large and hostile documents, screen readers, languages, narrow and dark screens, and errors."""

from __future__ import annotations

import pytest

from support.annotate import Opener, Workbench

pytestmark = pytest.mark.browser

HOSTILE = (
    "<img src=x onerror=alert(1)> <script>alert(2)</script> ${7*7} {{constructor}} \u202e txt.exe <b>Hà Nội</b> &amp; ]]> --> x"
)

# Of the text to its ground (WCAG 2).
CONTRAST = """() => {
    const light = (color) => color.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
        .reduce((sum, part, k) => sum + part * [0.2126, 0.7152, 0.0722][k], 0);
    const ground = light(getComputedStyle(document.querySelector('.pane')).backgroundColor);
    const ink = light(getComputedStyle(document.querySelector('#text')).color);
    return (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
}"""


def test_a_hostile_document_is_text(bench: Workbench, annotate: Opener) -> None:
    bench.add('"><img src=x onerror=alert(3)>', HOSTILE, suggestions=[("<b>Hà Nội</b>", "LOCATION")])
    tab = annotate()
    assert tab.page.evaluate("() => document.querySelector('#text').textContent") == HOSTILE
    assert tab.page.locator("#text img, #text script, #text b, .about img").count() == 0
    tab.press("Enter")
    tab.saved()
    assert [said for document in bench.store.export() for said in document.entities or ()] != []


def test_a_line_of_five_megabytes_opens_and_answers_keys(bench: Workbench, annotate: Opener) -> None:
    text = "Bệnh nhân 91 ở Hà Nội ngày 18-3. " * (5_000_000 // 42)
    bench.add("big", text)
    tab = annotate("big")
    tab.press("ArrowRight", "Shift+ArrowRight", "1", "Control+End", "ArrowLeft", "ArrowLeft", "3")
    tab.saved()
    assert bench.said("big") == [("nhân 91", "PERSON"), ("-", "DATE")]
    assert bench.get("big").entities[1].end > 4_900_000 * 33 // 42
    filled = tab.page.evaluate("() => document.querySelectorAll('.w').length")
    assert filled < 60_000, "only what is near the view is on the page"


def test_a_document_without_words_and_an_empty_project_say_what_to_do(bench: Workbench, annotate: Opener) -> None:
    tab = annotate()
    assert "no texts yet" in tab.page.locator(".empty").inner_text()
    bench.add("blank", " \n ")
    bench.add("two", "Hà Nội")
    tab.page.get_by_role("button", name="Try again").click()
    tab.wait_document("blank")
    tab.press(
        "ArrowRight", "ArrowDown", "1", "Enter", "Delete", "Space", "End", "Home", "PageDown", "Alt+ArrowRight", "Control+Enter"
    )
    tab.wait_document("two")
    assert bench.get("blank").status == "done"


def test_a_screen_reader_hears_word_and_entity(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "Ở Hà Nội hôm nay", suggestions=[("Hà Nội", "LOCATION")])
    tab = annotate()
    live = tab.page.locator("[aria-live=polite]")
    tab.page.wait_for_function(
        "() => document.querySelector('[aria-live=polite]').textContent.includes('LOCATION, suggestion')"
    )
    assert live.inner_text().startswith("Hà Nội")
    tab.press("End")
    tab.page.wait_for_function("() => document.querySelector('[aria-live=polite]').textContent === 'nay'")
    area = tab.page.get_by_role("textbox", name="Text of the document")
    assert area.get_attribute("aria-readonly") == "true"
    tab.press("Tab")
    assert tab.page.evaluate("() => document.activeElement !== document.querySelector('#text')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_everything_fits_and_can_be_read_in_both_languages(bench: Workbench, annotate: Opener, scheme: str, width: int) -> None:
    bench.add("một", "Bệnh nhân Nguyễn Văn A ở Hà Nội.", suggestions=[("Hà Nội", "LOCATION"), ("A", "PERSON")])
    for language in ("vi", "en"):
        tab = annotate("một", language=language, color_scheme=scheme, viewport={"width": width, "height": 760})
        assert tab.page.locator("html").get_attribute("lang") == language
        assert tab.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert tab.page.evaluate(
            "() => [...document.querySelectorAll('.tag')].every((tag) => tag.scrollWidth <= tag.clientWidth + 1)"
        )
        contrast = tab.page.evaluate(CONTRAST)
        assert contrast > 7


def test_in_a_low_window_half_of_it_is_left_for_the_text(bench: Workbench, annotate: Opener) -> None:
    bench.add("một", "Bệnh nhân Nguyễn Văn A ở Hà Nội.", suggestions=[("Hà Nội", "LOCATION")])
    tab = annotate("một", viewport={"width": 640, "height": 400})
    pane = tab.page.locator(".pane").bounding_box()
    assert pane is not None
    assert pane["height"] >= 200
    assert tab.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert tab.page.locator(".labels kbd").first.is_visible(), "who zooms may work with keys"


def test_a_server_that_is_away_is_said_and_tried_again(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "Hà Nội")
    tab = annotate()
    tab.page.route("**/api/next", lambda route: route.abort())
    tab.press("Control+Enter")
    tab.page.locator(".notice", has_text="no connection").wait_for()
    assert tab.document() == "one", "the document stays where it is"
    tab.page.unroute("**/api/next")
    tab.press(".")
    tab.page.locator(".empty h1").wait_for()


def test_only_one_label_can_be_shown_in_full(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "A ở Hà Nội", suggestions=[("A", "PERSON"), ("Hà Nội", "LOCATION")])
    tab = annotate()
    tab.press("=")
    tab.page.keyboard.type("show only loc")
    tab.press("Enter")
    tab.page.wait_for_function("() => document.querySelector('.tag.dim')?.dataset.label === 'PERSON?'")
    tab.press("Shift+Enter", "Escape")
    tab.saved()
    assert bench.said("one") == [("Hà Nội", "LOCATION")], "what is dimmed is not accepted along"
    assert tab.page.locator(".tag.dim").count() == 0


def test_training_is_started_from_the_page(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "Hà Nội")
    tab = annotate()
    assert "No model yet" in tab.page.locator(".training").inner_text()
    tab.page.get_by_role("button", name="Train").click()
    tab.page.get_by_text("Training 001").wait_for()
    tab.page.get_by_role("button", name="Stop").click()
    tab.page.get_by_role("button", name="Resume").wait_for()
    assert bench.studio.runs.runs[0].state == "stopped"


def test_what_was_typed_as_a_comment_outlives_escape(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "Lan ở Huế.")
    tab = annotate("one")
    tab.press("'")
    tab.page.keyboard.type("Huế is a city here")
    tab.press("Escape", "'")
    assert tab.page.locator("dialog.comments textarea").input_value() == "Huế is a city here"
    tab.press("Control+Enter")
    tab.saved()
    assert [comment.text for comment in bench.get("one").comments] == ["Huế is a city here"]
    tab.press("'")
    assert tab.page.locator("dialog.comments textarea").input_value() == ""


def test_the_list_keeps_its_filter_and_the_palette_leads_to_the_console(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "Lan ở Huế.")
    bench.add("two", "Nam ở Vinh.")
    tab = annotate("one")
    tab.press("F2")
    tab.page.locator("dialog.list b", has_text="one").wait_for()
    tab.page.keyboard.type("Vinh")
    tab.page.locator("dialog.list b", has_text="one").wait_for(state="detached")
    tab.page.locator("dialog.list b", has_text="two").wait_for()
    tab.press("Enter")
    tab.wait_document("two")
    tab.press("F2")
    assert tab.page.locator("dialog.list input[type=search]").input_value() == "Vinh"
    tab.press("Escape", "Escape", "=")  # the first one empties the field
    tab.page.keyboard.type("training and versions")
    with tab.page.expect_navigation(url="**/en/train", wait_until="commit"):
        tab.press("Enter")


def test_a_page_that_comes_back_says_what_it_waits_for(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "Lan ở Huế.")
    tab = annotate("one")
    tab.page.route("**/api/operations", lambda route: route.abort())
    tab.press("1")
    tab.page.reload()
    tab.page.get_by_role("heading", name="Saving what was left").wait_for()
    tab.page.unroute("**/api/operations")
    tab.page.get_by_role("button", name="Try again").click()
    tab.ready()
    tab.saved()
    assert bench.said("one") == [("Lan", "PERSON")]
    assert tab.tags() == ["PERSON"]
