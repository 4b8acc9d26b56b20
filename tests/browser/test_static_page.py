"""The static page in Chromium, with its own host as the only thing in reach: the same entities as viner.load."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

import viner
from support.chromium import PATIENCE
from support.page_modules import TEXTS
from support.static_pages import hosted, runtime_archive
from support.tiny import tiny_bundle
from support.tiny_tokenizers import KINDS
from viner.document import Document
from viner.publishing.static import publish_page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("static")]

NOTICE = "Bệnh nhân 😷 Nguyễn Văn A ở Hà Nội, gặp Lan ở Paris."
HOSTILE = "<img src=x onerror='window.hacked = 1'> Lan </script><script>window.hacked = 1</script> {{x}} ${1}"


@dataclass
class Site:
    """A published page, its model, and where it is hosted."""

    url: str
    folder: Path
    model: Path


@pytest.fixture(scope="module")
def publish(tmp_path_factory) -> Iterator[Callable[..., Site]]:
    """Publishes a tiny model with a kind of tokenizer on a sub-path, as project pages of GitHub have it."""
    archive = runtime_archive()
    root = tmp_path_factory.mktemp("host")
    sites: dict[str, Site] = {}
    with hosted(root) as address:

        def published(kind: str, engine: str = "int8") -> Site:
            name = f"{kind}-{engine}"
            if name not in sites:
                model = tiny_bundle(tmp_path_factory.mktemp("model") / name, tokenizer=kind, engine=engine)
                folder = publish_page(model, out=root / "someone" / name, runtime=archive, name="Notices <b>&").folder
                sites[name] = Site(f"{address}/someone/{name}/", folder, model)
            return sites[name]

        yield published


@dataclass
class Visit:
    """A page with what its browser saw."""

    page: Page
    fetched: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def recognize(self, text: str) -> None:
        self.page.locator("#text").fill(text)
        self.page.locator("#recognize").click()
        self.page.locator(".summary").wait_for()

    def ask(self, text: str) -> Document:
        """What the page answers to a program, which may ask for texts that a text box would change."""
        return Document.from_dict(self.page.evaluate("text => viner.recognize(text)", text))

    def entities(self) -> list[tuple[str, str]]:
        return [(mark.get_attribute("data-label") or "", mark.inner_text()) for mark in self.page.locator(".entity").all()]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Opens a page in a browser that reaches its host and nothing else; at the end it must have asked for nothing else."""
    contexts: list[BrowserContext] = []
    visits: list[Visit] = []

    def opened(site: Site, *, beside: Visit | None = None, errors: bool = False, script: str = "", **options) -> Visit:
        if beside is None:
            context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **options})
            context.set_default_timeout(PATIENCE)
            contexts.append(context)
        else:
            context = beside.page.context
        context.add_init_script(script)
        seen = Visit(context.new_page())
        if not errors:
            visits.append(seen)

        def pass_or_refuse(route: Route) -> None:
            if route.request.url.startswith(site.url):
                seen.fetched.append(route.request.url.removeprefix(site.url))
                route.continue_()
            else:
                seen.foreign.append(route.request.url)
                route.abort()

        context.unroute_all()
        context.route("**/*", pass_or_refuse)
        seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
        seen.page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
        seen.page.goto(site.url)
        return seen

    yield opened
    for seen in visits:
        assert seen.foreign == []
        assert seen.errors == []
    for context in contexts:
        context.close()


def ready(seen: Visit) -> None:
    expect(seen.page.locator("#status")).to_contain_text("Ready", timeout=PATIENCE)


@pytest.mark.parametrize(("kind", "engine"), [*((kind, "int8") for kind in KINDS), ("WordPiece", "fp32")])
def test_it_answers_as_the_server_does(publish, visit, kind, engine):
    site = publish(kind, engine)
    seen = visit(site)
    ready(seen)
    ner = viner.load(site.model)
    for text in TEXTS:
        found, expected = seen.ask(text), ner(text)
        assert found.text == text
        assert found.words == expected.words
        where = [(entity.start, entity.end, entity.label, entity.text) for entity in expected.entities or ()]
        assert [(entity.start, entity.end, entity.label, entity.text) for entity in found.entities or ()] == where, text
        scores = [entity.score for entity in expected.entities or ()]
        assert [entity.score for entity in found.entities or ()] == pytest.approx(scores, abs=2e-3)


def test_the_box_marks_what_was_found(publish, visit):
    seen = visit(publish("WordPiece"))
    assert seen.page.title() == "Notices <b>&"
    seen.recognize(NOTICE)
    assert seen.entities() == [("PERSON", "Nguyễn Văn A"), ("LOCATION", "Hà Nội"), ("PERSON", "Lan"), ("LOCATION", "Paris")]
    assert seen.page.locator("#result .text").text_content() == NOTICE
    assert "4 entities in" in seen.page.locator(".summary").inner_text()
    assert seen.page.locator("tbody tr").count() == 4
    assert "27–33" in seen.page.locator("tbody tr").nth(1).inner_text()
    assert seen.page.locator(".legend li").all_inner_texts() == ["PERSON 2", "LOCATION 2"]
    mark = seen.page.locator(".entity").first
    assert mark.get_attribute("aria-label").startswith("Nguyễn Văn A: PERSON, ")
    seen.page.locator("tbody a").nth(2).click()
    assert seen.page.evaluate("document.activeElement.id") == "entity-2"
    assert seen.page.url.endswith("/")
    seen.page.locator("#clear").click()
    seen.page.locator(".empty").wait_for()
    assert seen.page.locator("#text").input_value() == ""


def test_keys_alone_will_do(publish, visit):
    seen = visit(publish("WordPiece"))
    seen.page.locator("#text").focus()
    seen.page.keyboard.insert_text("Lan ở Huế")
    seen.page.keyboard.press("Control+Enter")  # before the model is here: it is answered when it is
    seen.page.locator(".summary").wait_for()
    assert seen.entities() == [("PERSON", "Lan"), ("LOCATION", "Huế")]
    for _ in range(30):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("document.activeElement.id") == "entity-1":
            break
    else:
        pytest.fail("no key reaches the entities")


def test_an_example_is_one_click(publish, visit):
    seen = visit(publish("WordPiece"))
    example = seen.page.locator(".examples button").first
    example.click()
    seen.page.locator(".summary").wait_for()
    assert seen.page.locator("#result .text").text_content() == seen.page.locator("#text").input_value()


def test_what_was_found_can_be_taken_away(publish, visit, tmp_path):
    seen = visit(publish("WordPiece"), permissions=["clipboard-read", "clipboard-write"])
    seen.recognize(NOTICE)
    with seen.page.expect_download() as download:
        seen.page.locator("#download").click()
    assert download.value.suggested_filename == "entities.jsonl"
    download.value.save_as(tmp_path / "entities.jsonl")
    (document,) = viner.formats.read(tmp_path / "entities.jsonl")
    assert [entity.text for entity in document.entities] == ["Nguyễn Văn A", "Hà Nội", "Lan", "Paris"]
    seen.page.locator("#copy").click()
    seen.page.locator("#result .note", has_text="Copied").wait_for()
    assert json.loads(seen.page.evaluate("navigator.clipboard.readText()"))["text"] == NOTICE


def test_hostile_texts_and_labels_are_shown_and_never_run(publish, visit):
    seen = visit(publish("WordPiece"))
    seen.recognize(HOSTILE)
    assert seen.page.locator("#result .text").text_content() == HOSTILE
    assert seen.entities() == [("PERSON", "Lan")]
    assert seen.page.evaluate("window.hacked") is None
    assert seen.page.locator("#page :is(script, img, svg, iframe, style)").count() == 0


def test_nothing_can_leave_the_page_or_its_worker(publish, visit):
    site = publish("WordPiece")
    seen = visit(site, errors=True)
    ready(seen)
    attempt = "address => fetch(address, {mode: 'no-cors'}).then(() => 'sent', error => 'refused')"
    assert seen.page.evaluate(attempt, "https://example.org/steal") == "refused"
    (worker,) = seen.page.workers
    assert worker.url.startswith("blob:")
    assert worker.evaluate(attempt, "https://example.org/steal") == "refused"
    assert worker.evaluate(attempt, site.url + "index.html") == "sent"
    assert seen.foreign == []  # the policy stopped it before the network was asked
    assert any("Content Security Policy" in error for error in seen.errors)


def test_a_second_visit_fetches_no_model(publish, visit):
    site = publish("WordPiece")
    first = visit(site)
    ready(first)
    assert [name for name in first.fetched if name.endswith("model.onnx")]
    second = visit(site, beside=first)
    ready(second)
    assert [name for name in second.fetched if name.startswith("model-")] == []
    second.recognize("Lan")
    assert second.entities() == [("PERSON", "Lan")]


def test_a_model_that_was_published_anew_takes_the_old_ones_place(publish, visit, tmp_path):
    model = tiny_bundle(tmp_path / "model", engine="fp32")
    root = tmp_path / "host"
    first = publish_page(tiny_bundle(tmp_path / "old"), out=root / "page", runtime=runtime_archive())
    kept = "caches.open('viner-page').then(cache => cache.keys()).then(keys => keys.length)"
    with hosted(root) as address:
        site = Site(f"{address}/page/", first.folder, model)
        seen = visit(site)
        ready(seen)
        assert seen.page.evaluate(kept) == 4
        publish_page(model, out=root / "page", runtime=runtime_archive(), force=True)
        again = visit(site, beside=seen)
        ready(again)
        again.recognize("Lan ở Huế")
        assert again.entities() == [("PERSON", "Lan"), ("LOCATION", "Huế")]
        # Tables and ONNX Runtime are the same files as before: they are not fetched again, and the old model is forgotten.
        assert sorted(name.rpartition("/")[2] for name in again.fetched if name.startswith("model-")) == ["model.onnx"]
        assert again.page.evaluate(kept) == 4


def test_it_speaks_english_and_vietnamese(publish, visit):
    seen = visit(publish("WordPiece"), locale="vi-VN")
    assert seen.page.locator("#recognize").inner_text() == "Nhận dạng"
    assert seen.page.evaluate("document.documentElement.lang") == "vi"
    seen.page.locator("#text").fill("Lan ở Huế")
    seen.page.locator("#recognize").click()
    seen.page.locator(".summary", has_text="thực thể").wait_for()
    seen.page.locator(".languages [lang=en]").click()
    assert seen.page.locator("#recognize").inner_text() == "Recognize"
    assert seen.page.locator("#text").input_value() == "Lan ở Huế"
    assert "2 entities" in seen.page.locator(".summary").inner_text()
    seen.page.reload()
    assert seen.page.locator("#recognize").inner_text() == "Recognize"


def test_every_theme_and_width_fits(publish, visit):
    seen = visit(publish("WordPiece"))
    seen.recognize(NOTICE + " " + "x" * 300)
    for scheme in ("light", "dark"):
        for width in (1280, 360):
            seen.page.emulate_media(color_scheme=scheme)
            seen.page.set_viewport_size({"width": width, "height": 800})
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
            color = seen.page.locator("#result .text").evaluate("element => getComputedStyle(element).backgroundColor")
            assert (int(color.removeprefix("rgb(").partition(",")[0]) > 200) is (scheme == "light")


def test_no_text_and_damaged_text_are_explained(publish, visit):
    seen = visit(publish("WordPiece"))
    ready(seen)
    seen.page.locator("#recognize").click()
    expect(seen.page.locator(".error")).to_contain_text("There is no text yet")
    seen.page.evaluate("document.querySelector('#text').value = 'Lan \\ud83d'")
    seen.page.locator("#recognize").click()
    expect(seen.page.locator(".error")).to_contain_text("half of a character")
    seen.recognize("Lan")
    assert seen.entities() == [("PERSON", "Lan")]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "is not where it should be (status 404)"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "Git LFS pointer"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"), "is not the one that was published"),
    ],
    ids=["missing", "a pointer", "changed"],
)
def test_a_model_file_that_is_not_there_or_another_one_is_explained_and_can_be_tried_again(
    publish, visit, tmp_path, damage, said
):
    import shutil

    root = tmp_path / "host"
    shutil.copytree(publish("WordPiece").folder, root / "page")
    (graph,) = root.glob("page/model-*/model.onnx")
    whole = graph.read_bytes()
    damage(graph)
    with hosted(root) as address:
        seen = visit(Site(f"{address}/page/", root / "page", tmp_path), errors=True)
        error = seen.page.locator(".error")
        expect(error).to_contain_text(said, timeout=PATIENCE)
        expect(error).to_contain_text("model.onnx")
        graph.write_bytes(whole)
        seen.page.locator("#text").fill("Lan ở Huế")
        error.locator("button").click()
        seen.page.locator(".summary").wait_for()
        assert seen.entities() == [("PERSON", "Lan"), ("LOCATION", "Huế")]


def test_a_worker_that_is_lost_later_is_told_and_started_again(publish, visit, browser):
    keep = (
        "const Real = Worker; window.Worker = class extends Real { constructor(...of) { super(...of); window.theirs = this; } }"
    )
    seen = visit(publish("WordPiece"), script=keep)
    ready(seen)
    seen.page.evaluate("window.theirs.dispatchEvent(new ErrorEvent('error', {message: 'lost'}))")
    seen.page.locator("#text").fill("Lan ở Huế")
    seen.page.locator("#recognize").click()
    error = seen.page.locator(".error")
    expect(error).to_contain_text("could not be started or failed", timeout=PATIENCE)
    expect(seen.page.locator("#loading")).to_be_hidden()
    error.locator("button").click()
    seen.page.locator(".summary").wait_for()
    assert seen.entities() == [("PERSON", "Lan"), ("LOCATION", "Huế")]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("delete window.DecompressionStream", "too old"),
        ("WebAssembly.validate = () => false", "too old"),
        ("window.Worker = class { constructor() { throw new Error('no') } }", "could not be started"),
    ],
)
def test_a_browser_that_lacks_something_is_told(publish, visit, browser, script, said):
    site = publish("WordPiece")
    context = browser.new_context(locale="en-US")
    context.add_init_script(script)
    page = context.new_page()
    page.goto(site.url)
    expect(page.locator(".error")).to_contain_text(said, timeout=PATIENCE)
    context.close()


def test_without_script_the_page_says_what_it_needs(publish, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(publish("WordPiece").url)
    assert "needs JavaScript" in page.locator("body").inner_text()
    context.close()


def test_decomposed_text_in_the_box_keeps_its_offsets(publish, visit):
    site = publish("WordPiece")
    seen = visit(site)
    text = unicodedata.normalize("NFD", NOTICE)
    seen.recognize(text)
    expected = viner.load(site.model)(text)
    shown = [row.locator("td").nth(3).inner_text() for row in seen.page.locator("tbody tr").all()]
    assert shown == [f"{entity.start}–{entity.end}" for entity in expected.entities]
