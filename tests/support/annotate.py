"""The annotation page on a real server with a real store, and hands for it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import BrowserContext, Page

from viner.document import Document, Entity
from viner.server import Settings
from viner.server.runner import listen
from viner.server.studio_app import create_studio_app
from viner.store import Store, StoredDocument

sys.path.insert(0, str(Path(__file__).parents[1] / "server"))
from studios import FakeStudio

TOML = """
name = "Notices"
language = "vi"
[[schema.layers]]
name = "entities"
kind = "entities"
types = [
  {{ name = "PERSON", description = "A person's name, without the title" }},
  {{ name = "LOCATION", description = "A place" }},
  "DATE", "ORGANIZATION", "AGE", "GENDER", "JOB", "SYMPTOM", "TRANSPORTATION", "PATIENT_ID", "ELEVENTH",
]
[[schema.layers]]
name = "topic"
kind = "labels"
types = ["Case", "Policy"]
[annotation]
order = "given"
{more}
"""
PATIENCE = 30_000  # milliseconds: the machine may be busy with other tests


OUTBOX_HOLDS = """(changes) => new Promise((done) => {
    const open = indexedDB.open("viner");
    open.onsuccess = () => {
        const count = open.result.transaction("outbox").objectStore("outbox").count();
        count.onsuccess = () => { open.result.close(); done(count.result === changes); };
    };
})"""


@dataclass
class Workbench:
    """A project that is being served."""

    url: str
    store: Store
    studio: FakeStudio

    def add(self, id: str, text: str, *, suggestions: Any = (), entities: Any = ()) -> None:  # noqa: A002
        """Adds a document; entities as (surface, label), each the first one of its kind in the text."""

        def found(items: Any) -> list[Entity]:
            return [Entity(text.index(surface), text.index(surface) + len(surface), label) for surface, label in items]

        document = Document(text, id=id, suggestions=[*found(suggestions)] or None)
        self.store.add([document], who="import", split="train")
        if entities:
            from viner.store import Operation

            current = self.store.get(id)
            put = [
                {"id": f"{id}-{k}", "start": e.start, "end": e.end, "label": e.label, "surface": text[e.start : e.end]}
                for k, e in enumerate(found(entities))
            ]
            body = {
                "operation": f"prepare-{id}",
                "document": id,
                "version": current.version,
                "schema": current.schema,
                "put": put,
            }
            self.store.save(Operation.from_dict(body), who="other")

    def get(self, id: str) -> StoredDocument:  # noqa: A002
        return self.store.get(id)

    def said(self, id: str, state: str = "accepted") -> list[tuple[str, str]]:  # noqa: A002
        """(surface, label) of the entities in a state, each checked against the text."""
        document = self.store.get(id)
        return [(document.text[e.start : e.end], e.label) for e in document.entities if e.state == state]


@contextmanager
def workbench(folder: Path, more: str = "", *, space: bool = False) -> Iterator[Workbench]:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "viner.toml").write_text(TOML.format(more=more), encoding="utf-8")
    studio = FakeStudio(folder)
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    app = create_studio_app(studio, Settings(port=port, space=space), console=False)
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield Workbench(f"http://127.0.0.1:{port}", studio.store, studio)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        studio.store.close()


@dataclass
class Tab:
    """A browser tab with the page, and a person's hands."""

    page: Page
    bench: Workbench
    errors: list[str]

    @classmethod
    def opened(cls, context: BrowserContext, bench: Workbench, document: str | None = None, language: str = "en") -> Tab:
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        tab = cls(page, bench, [])
        page.on("pageerror", lambda error: tab.errors.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith((bench.url, "data:")) or tab.errors.append(f"foreign: {request.url}"),
        )
        page.on("dialog", lambda dialog: (tab.errors.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda said: "Security Policy" in said.text and tab.errors.append(said.text))
        query = f"&document={document}" if document else ""
        page.goto(f"{bench.url}/annotate/?language={language}{query}")
        tab.ready()
        return tab

    def ready(self) -> None:
        self.page.wait_for_function("() => performance.getEntriesByName('viner-ready').length > 0")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def words(self) -> list[str]:
        return self.page.evaluate("() => [...document.querySelectorAll('.w')].map((word) => word.textContent)")

    def cursor(self) -> int:
        return int(self.page.evaluate("() => document.querySelector('.w.cur').dataset.word"))

    def go(self, word: str, nth: int = 0) -> int:
        """Walks to a word with arrow keys."""
        target = [k for k, other in enumerate(self.words()) if other == word][nth]
        self.press("Escape")
        while (at := self.cursor()) != target:
            for _ in range(abs(target - at)):
                self.press("ArrowRight" if target > at else "ArrowLeft")
        return target

    def rested(self) -> None:
        """Waits until keys are taken again, which rest while another document is fetched."""
        self.page.wait_for_function("() => !document.body.hasAttribute('aria-busy')")

    def saved(self) -> None:
        self.page.wait_for_function("() => document.querySelector('.saving').dataset.state === 'saved'")

    def written_down(self, changes: int) -> None:
        """Waits until so many changes are in the browser's own storage, which takes them a moment after the page has them."""
        self.page.wait_for_function(OUTBOX_HOLDS, arg=changes)

    def state(self) -> str:
        return self.page.locator(".saving").inner_text()

    def tags(self) -> list[str]:
        return self.page.evaluate("() => [...document.querySelectorAll('.tag')].map((tag) => tag.dataset.label)")

    def focused(self) -> str:
        """The text of the focused entity."""
        return self.page.evaluate(
            "() => [...document.querySelectorAll('.w.focus, .g.focus')].map((part) => part.textContent).join('')"
        )

    def document(self) -> str | None:
        return self.page.locator("#text").get_attribute("data-document")

    def wait_document(self, id: str) -> None:  # noqa: A002
        self.page.wait_for_function("(id) => document.querySelector('#text').dataset.document === id", arg=id)

    def box(self, word: int) -> dict[str, float]:
        self.page.locator(f'.w[data-word="{word}"]').scroll_into_view_if_needed()
        return self.page.evaluate(
            """(k) => { const word = document.querySelector(`.w[data-word="${k}"]`).getBoundingClientRect();
                return {left: word.left, right: word.right, y: word.top + 12}; }""",
            word,
        )

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=3)
        self.page.mouse.move(*end, steps=3)
        self.page.mouse.up()


Opener = Callable[..., Tab]
