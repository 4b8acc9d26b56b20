from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from viner.document import Document

pytestmark = pytest.mark.browser
NOTICE = "BN12 là nữ, 46 tuổi, giáo viên ở Hà Nội, sốt từ 11/3."


def test_ctrl_enter_recognizes_and_the_marked_text_is_the_text(site, visit) -> None:
    seen = visit(site)
    seen.fill(NOTICE)
    seen.page.keyboard.press("Control+Enter")
    seen.page.locator(".entity").first.wait_for()
    assert seen.texts() == NOTICE
    labels = seen.page.locator(".entity").evaluate_all("marks => marks.map(mark => mark.dataset.label)")
    assert labels == ["PATIENT_ID", "GENDER", "AGE", "JOB", "LOCATION", "SYMPTOM_AND_DISEASE", "DATE"]
    assert "7 entities" in seen.page.locator(".viner-summary").inner_text()
    assert seen.page.locator("#viner-table tbody tr").count() == 7


def test_nested_entities_are_nested_marks(site, visit) -> None:
    seen = visit(site)
    seen.recognize("Sở Y tế Quảng Ninh thông báo.")
    assert seen.page.locator(".entity.h1 > .entity.h0").inner_text() == "Quảng Ninh"
    assert seen.texts() == "Sở Y tế Quảng Ninh thông báo."


def test_the_score_shows_on_hover_and_on_keyboard_focus(site, visit) -> None:
    seen = visit(site)
    seen.recognize("Bệnh nhân ở Hà Nội.")
    mark = seen.page.locator(".entity").first
    tip = "mark => getComputedStyle(mark, '::before').content"
    assert mark.evaluate(tip) == "none"
    mark.hover()
    assert mark.evaluate(tip) == '"LOCATION · 62 %"'
    seen.page.mouse.move(0, 0)
    assert mark.evaluate(tip) == "none"
    for _ in range(40):
        seen.page.keyboard.press("Tab")
        if mark.evaluate("mark => document.activeElement === mark"):
            break
    assert mark.evaluate(tip) == '"LOCATION · 62 %"'
    assert mark.get_attribute("aria-label") == "LOCATION · 62 %"


def test_filters_show_and_hide_without_running_the_model_again(site, visit) -> None:
    seen = visit(site)
    seen.recognize(NOTICE)
    calls = site.recognizer.calls
    seen.page.locator("#viner-legend input[name=LOCATION]").uncheck()
    seen.page.locator(".viner-summary", has_text="6 of 7").wait_for()
    assert seen.page.locator('.entity[data-label="LOCATION"]').count() == 0
    seen.page.locator("#viner-least input[type=number]").fill("60")
    seen.page.locator("#viner-least input[type=number]").press("Tab")
    seen.page.locator(".viner-summary", has_text="4 of 7").wait_for()
    assert site.recognizer.calls == calls
    seen.page.locator("#viner-run").click()
    seen.page.wait_for_timeout(500)
    assert "4 of 7" in seen.page.locator(".viner-summary").inner_text()


@pytest.mark.parametrize("kind", ["jsonl", "conll", "csv"])
def test_a_download_works_on_the_first_click_and_follows_the_filter(site, visit, kind: str) -> None:
    seen = visit(site)
    seen.recognize(NOTICE)
    seen.page.locator("#viner-legend input[name=AGE]").uncheck()
    seen.page.locator(".viner-summary", has_text="6 of 7").wait_for()
    with seen.page.expect_download() as download:
        seen.page.locator(f"#viner-{kind}").click()
    assert download.value.suggested_filename == f"entities.{kind}"
    content = Path(download.value.path()).read_text(encoding="utf-8")
    assert "LOCATION" in content
    assert "AGE" not in content
    if kind == "jsonl":
        document = Document.from_dict(json.loads(content))
        assert [entity.label for entity in document.entities or ()].count("LOCATION") == 1


def test_files_are_written_when_asked_for_and_take_each_others_place(site, visit) -> None:
    written = lambda: sorted(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("entities.*"))  # noqa: E731
    before = written()
    seen = visit(site)
    seen.recognize(NOTICE)
    seen.page.locator("#viner-least input[type=number]").fill("60")
    seen.page.locator("#viner-least input[type=number]").press("Tab")
    seen.page.locator(".viner-summary", has_text="of 7").wait_for()
    assert written() == before
    for kind in ("csv", "conll"):
        with seen.page.expect_download():
            seen.page.locator(f"#viner-{kind}").click()
        assert [path.name for path in written() if path not in before] == [f"entities.{kind}"]


def test_a_result_that_the_server_forgot_is_told_and_recognized_again(site, visit, monkeypatch) -> None:
    seen = visit(site)
    seen.recognize(NOTICE)
    forget(monkeypatch)
    seen.page.locator("#viner-csv").click()
    seen.page.locator(".viner-error", has_text="no longer on the server").wait_for()
    seen.page.locator("#viner-legend input[name=AGE]").uncheck()
    seen.page.wait_for_function("() => !document.querySelector('#viner-table table')")
    monkeypatch.undo()
    seen.page.locator(".viner-again").click()
    seen.page.locator(".viner-summary", has_text="6 of 7").wait_for()


def forget(monkeypatch) -> None:
    """What happens to every session after an hour: its states are as in the beginning."""
    from gradio.state_holder import SessionState

    real = SessionState.__getitem__

    def empty(self, key):
        value = real(self, key)
        return () if isinstance(value, tuple) else value

    monkeypatch.setattr(SessionState, "__getitem__", empty)


def test_errors_of_files_are_in_the_language_of_the_page(site, visit) -> None:
    seen = visit(site, "/vi/")
    seen.page.evaluate(DROP, ["x.jsonl", '{"text": "a"}\n{"txt": 1}'])
    error = seen.page.locator(".viner-error")
    error.wait_for()
    assert "Không đọc được tệp tại vị trí này" in error.inner_text()
    assert "x.jsonl:2" in error.inner_text()
    assert "unknown key" not in error.inner_text()  # folded away


def test_copying_puts_the_file_on_the_clipboard(site, visit) -> None:
    seen = visit(site, permissions=["clipboard-read", "clipboard-write"])
    seen.recognize(NOTICE)
    seen.page.locator("#viner-copy-csv").click()
    seen.page.locator("#viner-copy-csv[data-done]").wait_for()
    copied = seen.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("document,start,end,label,text,score")
    assert "Hà Nội" in copied


def test_files_can_be_opened(site, visit, tmp_path: Path) -> None:
    seen = visit(site)
    path = tmp_path / "thông báo.txt"
    path.write_text("Ca bệnh ở Hà Nội.\nCase in Kenya.\n", encoding="utf-8")
    seen.page.locator('#viner-input input[type="file"]').set_input_files(path)
    seen.page.locator(".viner-summary", has_text="2 documents").wait_for()
    assert seen.page.locator(".entity").all_inner_texts() == ["Hà Nội", "Kenya"]


DROP = """([name, content]) => {
  const data = new DataTransfer();
  data.items.add(new File([content], name));
  for (const kind of ["dragover", "drop"]) {
    const event = new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
    document.querySelector("#viner-text").dispatchEvent(event);
  }
}"""


def test_files_can_be_dropped_anywhere_twice_in_a_row(site, visit) -> None:
    seen = visit(site)
    for name in ("Kenya", "Lisbon"):
        line = json.dumps({"id": "a", "text": f"From {name}", "entities": []})
        seen.page.evaluate(DROP, ["notices.jsonl", line])
        seen.page.locator(".entity", has_text=name).wait_for()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.pdf", "%PDF", "x.pdf is neither"),
        ("x.jsonl", '{"text": "a"}\n{"txt": 1}', "x.jsonl:2"),
        ("x.txt", "\u0000\u0001binary\u0000", "x.txt"),
        ("x.txt", "  \n\n", "The file holds no text"),
    ],
)
def test_files_that_cannot_be_read_are_explained(site, visit, name: str, content: str, expected: str) -> None:
    seen = visit(site)
    seen.page.evaluate(DROP, [name, content])
    error = seen.page.locator(".viner-error")
    error.wait_for()
    assert expected in error.inner_text()
    assert "/tmp" not in error.inner_text()


def test_no_text_is_explained_and_clear_starts_over(site, visit) -> None:
    seen = visit(site)
    assert seen.page.locator(".viner-empty").is_visible()
    seen.page.locator("#viner-run").click()
    seen.page.locator(".viner-error").wait_for()
    seen.recognize("Kenya")
    seen.page.locator("#viner-clear").click()
    seen.page.locator(".viner-empty").wait_for()
    assert seen.page.locator("#viner-text textarea").input_value() == ""
    assert not seen.page.locator("#viner-legend").is_visible()


def test_an_example_fills_the_text_and_shows_its_entities(site, visit) -> None:
    seen = visit(site, "/vi/")
    seen.page.locator("#viner-samples button").first.click()
    seen.page.locator(".entity").first.wait_for()
    assert seen.page.locator("#viner-text textarea").input_value() == seen.texts()


HOSTILE = [
    "<script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 1'>",
    "</span></article><svg onload='window.hacked = 1'>",
    "${window.hacked = 1} `${window.hacked = 1}` \\${window.hacked = 1}",
    "{{constructor.constructor('window.hacked = 1')()}} {{value}} {{#if 1}}x{{/if}}",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "<iframe srcdoc='<script>parent.hacked = 1</script>'></iframe>",
    "@children <style>body{display:none}</style>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_documents_are_shown_and_never_run(site, visit, text: str) -> None:
    seen = visit(site)
    seen.recognize(f"{text} Kenya {text}")
    assert seen.texts() == f"{text} Kenya {text}"
    seen.page.wait_for_timeout(150)
    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.locator("#viner-marked :is(script, img, svg, iframe, style)").count() == 0


def test_a_hostile_document_id_is_shown_and_never_run(site, visit) -> None:
    seen = visit(site)
    lines = [json.dumps({"id": HOSTILE[1] + str(index), "text": "Kenya " + HOSTILE[3]}) for index in range(2)]
    seen.page.evaluate(DROP, ["x.jsonl", "\n".join(lines)])
    seen.page.locator(".entity").first.wait_for()
    assert seen.page.locator(".viner-name").first.inner_text() == HOSTILE[1] + "0"
    assert seen.page.evaluate("window.hacked") is None


def test_five_thousand_words_with_five_hundred_entities_show_and_filter(site, visit) -> None:
    seen = visit(site)
    seen.fill(" ".join(["ca bệnh mới ghi nhận tại Kenya trong hôm nay"] * 500))
    seen.page.locator("#viner-run").click()
    seen.page.locator(".entity").nth(499).wait_for()
    seen.page.locator("#viner-legend input[name=LOCATION]").uncheck()
    seen.page.locator(".viner-summary", has_text="0 of 500").wait_for()


@pytest.mark.parametrize(
    ("locale", "path", "button"),
    [("vi-VN", "/vi/", "Nhận dạng"), ("en-GB", "/en/", "Recognize"), ("fr-FR", "/en/", "Recognize")],
)
def test_the_page_speaks_the_visitors_language(site, visit, locale: str, path: str, button: str) -> None:
    seen = visit(site, "/", locale=locale)
    assert seen.page.url == site.url + path
    assert seen.page.locator("#viner-run").inner_text() == button
    assert seen.page.evaluate("document.documentElement.lang") == path.strip("/")


def test_a_chosen_language_stays(site, visit) -> None:
    seen = visit(site, "/")
    seen.page.locator(".viner-header a[hreflang=vi]").click()
    seen.page.locator("#viner-run", has_text="Nhận dạng").wait_for()
    seen.page.goto(site.url + "/")
    seen.page.locator("#viner-run", has_text="Nhận dạng").wait_for()
    seen.recognize("Kenya")
    assert seen.page.locator(".entity").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_theme_and_width_fits(site, visit, scheme: str, width: int) -> None:
    seen = visit(site, color_scheme=scheme, viewport={"width": width, "height": 800})
    seen.recognize(NOTICE)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
    red = seen.page.locator(".viner-text").evaluate(
        "element => Number(getComputedStyle(element).backgroundColor.match(/\\d+/)[0])"
    )
    assert (red > 200) is (scheme == "light")
    assert seen.page.locator(".viner-files button").last.is_visible()
    inner, outer = seen.page.locator(".viner-table").evaluate("element => [element.scrollWidth, element.clientWidth]")
    assert inner <= outer
    borders = "cells => cells.map(cell => getComputedStyle(cell)).map(s => s.borderLeftWidth + s.borderRightWidth)"
    assert set(seen.page.locator("#viner-table :is(th, td)").evaluate_all(borders)) == {"0px0px"}
