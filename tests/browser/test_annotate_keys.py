"""The annotation page with the keyboard alone, in Chromium, on a real store."""

from __future__ import annotations

import unicodedata

import pytest

from support.annotate import Opener, Workbench

pytestmark = pytest.mark.browser

TEXT = (
    "Bệnh nhân 😷 Nguyễn Văn A, 43 tuổi, ở quận Cẩm Lệ, Đà Nẵng. BN990-993 đến BV Bạch Mai.\r\n"
    "  Dòng hai: BV Bạch Mai, Hà Nội.\n"
)


def test_arrows_and_digits_label_words_and_the_store_has_exactly_them(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    tab.go("BN990")
    tab.press("Shift+ArrowRight", "Shift+ArrowRight", "0")
    tab.go("Hà")
    tab.press("Shift+ArrowRight", "2")
    tab.saved()
    assert bench.said("one") == [("BN990-993", "PATIENT_ID"), ("Hà Nội", "LOCATION")]
    assert bench.get("one").status == "started"
    assert tab.tags() == ["PATIENT_ID", "LOCATION"]


def test_an_eleventh_type_is_found_by_typing_its_name(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    tab.go("43")
    tab.press("=")
    tab.page.keyboard.type("elev")
    tab.press("Enter")
    tab.page.locator(".tag[data-label=ELEVENTH]").wait_for()
    tab.saved()
    assert bench.said("one") == [("43", "ELEVENTH")]
    assert tab.page.evaluate("document.activeElement.id") == "text"


def test_suggestions_are_accepted_rejected_relabeled_and_resized(bench: Workbench, annotate: Opener) -> None:
    bench.add(
        "one",
        TEXT,
        suggestions=[
            ("Nguyễn Văn", "PERSON"),
            ("43", "AGE"),
            ("Cẩm Lệ", "PERSON"),
            ("BV", "ORGANIZATION"),
            ("Hà Nội", "LOCATION"),
        ],
    )
    tab = annotate()
    assert tab.focused() == "Nguyễn Văn", "the first suggestion waits for its key"
    tab.press("Alt+ArrowRight")
    assert tab.focused() == "Nguyễn Văn A"
    tab.press("Enter")
    assert tab.focused() == "43"
    tab.press("Enter")
    tab.press("2")
    assert tab.focused() == "BV"
    tab.press("Delete")
    assert tab.focused() == "Hà Nội"
    tab.press("Shift+Enter")
    tab.saved()
    assert bench.said("one") == [("Nguyễn Văn A", "PERSON"), ("43", "AGE"), ("Cẩm Lệ", "LOCATION"), ("Hà Nội", "LOCATION")]
    assert bench.said("one", "rejected") == [("BV", "ORGANIZATION")]


def test_the_start_moves_too_and_by_characters(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT, suggestions=[("Cẩm Lệ, Đà Nẵng", "LOCATION")])
    tab = annotate()
    tab.press("Alt+Shift+ArrowLeft")
    assert tab.focused() == "quận Cẩm Lệ, Đà Nẵng"
    tab.press("Control+Alt+ArrowLeft", "Control+Alt+ArrowLeft")
    tab.saved()
    assert bench.said("one") == [("quận Cẩm Lệ, Đà Nẵ", "LOCATION")]


def test_entities_nest_and_cross_and_an_inner_one_leads_to_its_outer_one(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    tab.go("quận")
    tab.press(*["Shift+ArrowRight"] * 5, "2")
    tab.go("Cẩm")
    tab.press("Shift+ArrowRight", "4")
    tab.go("Lệ")
    tab.press("Shift+ArrowRight", "Shift+ArrowRight", "1")
    tab.saved()
    assert sorted(bench.said("one")) == [("Cẩm Lệ", "ORGANIZATION"), ("Lệ, Đà", "PERSON"), ("quận Cẩm Lệ, Đà Nẵng", "LOCATION")]
    tab.go("Cẩm")
    tab.press("Alt+ArrowUp")
    assert tab.focused() == "Cẩm Lệ"
    tab.press("Alt+ArrowUp")
    assert tab.focused() == "quận Cẩm Lệ, Đà Nẵng"
    tab.press("3")
    tab.saved()
    assert ("quận Cẩm Lệ, Đà Nẵng", "DATE") in bench.said("one")


def test_undo_and_redo_reach_back_over_a_reload(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    for word, key in [("43", "5"), ("Hà", "2"), ("quận", "2")]:
        tab.go(word)
        tab.press(key)
    tab.go("43")
    tab.press("Delete")
    tab.saved()
    assert bench.said("one") == [("quận", "LOCATION"), ("Hà", "LOCATION")]
    tab.page.reload()
    tab.ready()
    tab.press("Control+z")
    tab.page.wait_for_function("() => document.querySelectorAll('.tag').length === 3")
    tab.press("Control+z", "Control+z")
    tab.page.wait_for_function("() => document.querySelectorAll('.tag').length === 1")
    tab.saved()
    assert bench.said("one") == [("43", "AGE")]
    tab.press("Control+Shift+Z")
    tab.saved()
    tab.page.reload()
    tab.ready()
    tab.press("Control+y")
    tab.page.wait_for_function("() => document.querySelectorAll('.tag').length === 3")
    tab.saved()
    assert sorted(bench.said("one")) == [("43", "AGE"), ("Hà", "LOCATION"), ("quận", "LOCATION")]
    tab.press(*["Control+z"] * 3)
    tab.page.wait_for_function("() => document.querySelectorAll('.tag').length === 0")
    tab.saved()
    assert bench.said("one") == []
    assert bench.get("one").status == "todo"


def test_done_goes_on_to_the_next_and_back_and_ends_where_nothing_is_left(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two", "three"):
        bench.add(name, f"Văn bản {name}.", suggestions=[(name, "DATE")])
    tab = annotate()
    assert tab.document() == "one"
    tab.press("Enter", "Enter", "Enter")
    tab.wait_document("two")
    assert (bench.get("one").status, bench.said("one")) == ("done", [("one", "DATE")])
    tab.press("-")
    tab.wait_document("three")
    assert bench.get("two").status == "skipped"
    tab.press(",")
    tab.wait_document("two")
    tab.press(".")
    tab.wait_document("three")
    tab.press("Control+Enter")
    tab.page.locator(".empty h1").wait_for()
    assert "2 of 3 done" in tab.page.locator(".top").inner_text()
    assert "Train" in tab.page.locator(".empty").inner_text()
    assert bench.said("three") == [], "done with an open suggestion is not an accepted one"


def test_what_is_left_as_it_was_comes_again_after_all_others(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two", "three"):
        bench.add(name, f"Văn bản {name}.")
    tab = annotate()
    for name in ("two", "three", "one", "two"):
        tab.press(".")
        tab.wait_document(name)
    tab.press("-")
    tab.wait_document("three")
    tab.press("-")
    tab.wait_document("one")
    tab.press(".")
    tab.page.get_by_text("this is the last one").first.wait_for()
    tab.rested()
    assert tab.document() == "one"
    tab.press("Shift+ArrowRight", "1")
    tab.saved()
    assert bench.get("one").status == "started"


def test_labels_of_the_document_flag_and_comments_in_the_same_pass(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    tab.press("F4", "ArrowRight", "Enter", "Escape", "Shift+Digit1", "'")
    tab.page.keyboard.type("Ai viết?")
    tab.press("Control+Enter")
    tab.saved()
    document = bench.get("one")
    assert dict(document.labels) == {"topic": ("Policy",)}
    assert document.flagged
    assert [(comment.text, comment.who) for comment in document.comments] == [("Ai viết?", "local")]
    tab.press("Control+z")
    tab.saved()
    assert bench.get("one").comments == ()


def test_search_jumps_to_what_one_types_without_marks(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    tab = annotate()
    tab.press("/")
    tab.page.keyboard.type("bach mai")
    tab.press("ArrowDown", "Enter", "4")
    tab.saved()
    document = bench.get("one")
    assert [(e.start, e.label) for e in document.entities] == [(document.text.rindex("Bạch Mai"), "ORGANIZATION")]
    tab.press("F3", "4")
    tab.saved()
    assert bench.said("one") == [("Bạch Mai", "ORGANIZATION")] * 2


def test_every_occurrence_is_labeled_after_a_preview_as_one_step(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", TEXT)
    bench.add("two", "BV Bạch Mai và BV Bạch Maix.")
    tab = annotate()
    tab.go("BV")
    tab.press("Shift+ArrowRight", "Shift+ArrowRight", "Shift+Digit8")
    tab.page.locator("dialog select").select_option("ORGANIZATION")
    assert tab.page.locator("dialog p[role=status]").inner_text().startswith("In this document: 2 to label")
    tab.page.get_by_role("button", name="Label in this document").click()
    tab.saved()
    assert bench.said("one") == [("BV Bạch Mai", "ORGANIZATION")] * 2
    tab.press("Control+z")
    tab.saved()
    assert bench.said("one") == []
    tab.go("BV")
    tab.press("Shift+ArrowRight", "Shift+ArrowRight", "Shift+Digit8")
    tab.page.locator("dialog select").select_option("ORGANIZATION")
    tab.page.get_by_role("button", name="Preview all documents").click()
    tab.page.get_by_role("button", name="Label in all open documents").click()
    tab.page.get_by_role("button", name="Undo it in all documents").wait_for()
    assert bench.said("two") == [("BV Bạch Mai", "ORGANIZATION")]
    tab.page.get_by_role("button", name="Undo it in all documents").click()
    tab.page.get_by_text("Undone in all documents").wait_for()
    assert (bench.said("one"), bench.said("two")) == ([], [])


def test_the_list_of_documents_is_filtered_and_opened_by_keys(bench: Workbench, annotate: Opener) -> None:
    for name in ("one", "two", "three"):
        bench.add(name, f"Văn bản {name}.")
    tab = annotate()
    tab.press("F2")
    tab.page.locator("dialog li[role=option]").nth(2).wait_for()
    tab.page.keyboard.type("three")
    tab.page.wait_for_function("() => document.querySelectorAll('dialog li[role=option]').length === 1")
    tab.press("Enter")
    tab.wait_document("three")


def test_typing_tools_do_no_harm(bench: Workbench, annotate: Opener) -> None:
    """UniKey erases with a synthetic Backspace what it writes anew; VNI tools hide the digits; Telex writes letters."""
    bench.add("one", TEXT)
    tab = annotate()
    tab.go("43")
    tab.page.evaluate(
        """() => { const area = document.querySelector('#text');
            const send = (key, code, keyCode = 0) =>
                area.dispatchEvent(new KeyboardEvent('keydown', {key, code, keyCode, bubbles: true, cancelable: true}));
            send('Process', 'Digit5', 229); send('Backspace', 'Backspace'); send('â', ''); send('Backspace', 'Backspace'); }"""
    )
    for letter in "asdfjrxwoeqz":
        tab.press(letter)
    tab.saved()
    assert bench.said("one") == [("43", "AGE")]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_and_split_text_is_labeled_as_it_is(bench: Workbench, annotate: Opener, form: str) -> None:
    text = unicodedata.normalize(form, TEXT)
    bench.add("one", text)
    tab = annotate()
    tab.go(unicodedata.normalize(form, "Nguyễn"))
    tab.press("Shift+ArrowRight", "Shift+ArrowRight", "1")
    tab.go("😷")
    tab.press("8")
    tab.saved()
    assert bench.said("one") == [("😷", "SYMPTOM"), (unicodedata.normalize(form, "Nguyễn Văn A"), "PERSON")]


def test_line_ends_and_leading_spaces_stay_and_an_entity_may_cross_them(bench: Workbench, annotate: Opener) -> None:
    text = "\t  Đầu dòng\r\n    Huế\r\n\r\ncuối  \n"
    bench.add("one", text)
    tab = annotate()
    assert tab.page.evaluate("() => document.querySelector('#text').textContent") == text
    tab.go("dòng")
    tab.press("Shift+ArrowRight", "2")
    tab.saved()
    assert bench.said("one") == [("dòng\r\n    Huế", "LOCATION")]


def test_right_to_left_lines_have_their_own_direction(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "مرحبا بكم في القاهرة.\nHà Nội, القاهرة.\n")
    tab = annotate()
    directions = tab.page.evaluate(
        "() => [...document.querySelectorAll('.block')].map((block) => getComputedStyle(block).direction)"
    )
    assert directions == ["rtl", "ltr"]
    tab.go("القاهرة", 1)
    tab.press("2")
    tab.saved()
    document = bench.get("one")
    assert [e.start for e in document.entities] == [document.text.rindex("القاهرة")]


def test_up_and_down_keep_the_column_and_home_and_end_the_line(bench: Workbench, annotate: Opener) -> None:
    bench.add("one", "a b c d e f\ng h\ni j k l m n")
    tab = annotate()
    tab.press("End", "ArrowDown", "ArrowDown")
    assert tab.words()[tab.cursor()] == "n"
    tab.press("Home")
    assert tab.words()[tab.cursor()] == "i"
    tab.press("Control+Home")
    assert tab.cursor() == 0
    tab.press("Control+ArrowDown")
    assert tab.words()[tab.cursor()] == "g"


def test_help_shows_the_guideline_and_every_key_and_gives_the_keys_back(bench: Workbench, annotate: Opener) -> None:
    (bench.studio.project.path / "GUIDELINE.md").write_text(
        "# Names\n\nWhole names <script>alert(1)</script>.\n", encoding="utf-8"
    )
    bench.studio.settings = bench.studio.project.settings()
    bench.add("one", TEXT)
    tab = annotate()
    tab.press("F1")
    assert "Whole names <script>alert(1)</script>." in tab.page.locator("dialog").inner_text()
    tab.press("Escape")
    tab.press("End")
    assert tab.cursor() > 0
