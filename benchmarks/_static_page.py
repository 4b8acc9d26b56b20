"""The static page in Chromium against viner.load: the same sentences, the same entities?"""

from __future__ import annotations

import functools
import http.server
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Route, sync_playwright

import viner
from viner.publishing.static import publish_page

CHROMIUM = os.environ.get("VINER_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE = 600_000  # milliseconds


@dataclass(frozen=True, slots=True)
class StaticFigures:
    """What was measured; the names are those of ``make bench NAME=publish``.

    Args:
        static_documents: Texts that were compared.
        static_same_documents: Share of texts with exactly the same entities: offsets and labels.
        static_download_mb: What a first visit fetches, in megabytes of 10⁶ bytes.
        static_ready_s: Seconds from the first request to the first answer, files from this machine.
        static_sentences_per_s: Texts a second, one after the other, in one thread.
    """

    static_documents: int
    static_same_documents: float
    static_download_mb: float
    static_ready_s: float
    static_sentences_per_s: float


def static_page(model: Path, texts: Sequence[str], work: Path) -> dict[str, float]:
    """Publishes a model as a static page and compares its answers with those of the recognizer.

    Args:
        model: A model folder.
        texts: What both are asked.
        work: An empty folder for the page.

    Returns:
        The fields of :class:`StaticFigures`.

    Raises:
        RuntimeError: If the page asked for anything beyond its own files.
    """
    done = publish_page(model, out=work / "page")
    with hosted(done.folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        foreign: list[str] = []

        def pass_or_refuse(route: Route) -> None:
            if route.request.url.startswith(address):
                route.continue_()
            else:
                foreign.append(route.request.url)
                route.abort()

        page.route("**/*", pass_or_refuse)
        began = time.perf_counter()
        page.goto(address)
        page.evaluate("text => viner.recognize(text)", texts[0])
        waited = time.perf_counter() - began
        answers = []
        began = time.perf_counter()
        for text in texts:
            answers.append(page.evaluate("text => viner.recognize(text)", text))
        seconds = time.perf_counter() - began
        browser.close()
    if foreign:
        raise RuntimeError(f"the page asked for {foreign[0]}")
    expected = viner.load(model).stream(texts)
    same = sum(
        {(item["start"], item["end"], item["label"]) for item in answer["entities"]}
        == {(item.start, item.end, item.label) for item in document.entities or ()}
        for answer, document in zip(answers, expected, strict=True)
    )
    return asdict(
        StaticFigures(
            static_documents=len(texts),
            static_same_documents=same / len(texts),
            static_download_mb=round(done.download / 1e6, 1),
            static_ready_s=round(waited, 1),
            static_sentences_per_s=round(len(texts) / seconds, 1),
        )
    )


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Serves a folder as ``python -m http.server`` does; gives the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
