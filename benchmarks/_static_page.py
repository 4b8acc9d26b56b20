"""A static page in Chromium, which reaches nothing but its files, against viner.load: are the entities the same?"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

import viner
from _bench import ROOT, sentences, size, table

sys.path.insert(0, str(ROOT / "tests"))
from support.chromium import FLAGS, chromium
from support.static_pages import hosted
from viner.document import Document
from viner.publishing.static import publish_page

PATIENCE = 600_000  # milliseconds


ENGINES = ("int8", "fp32")


def static_page(model: Path) -> dict[str, float | int]:
    """Sentences with exactly the same entities, the download of a first visit, sentences a second in one thread.

    The page has the graph that the model chose; one with the other graph is measured beside it, each against viner.load with
    the same engine.

    Raises:
        RuntimeError: If the page asked for anything beyond its own files.
    """
    texts = sentences(size(1_000, 50))
    own = viner.load(model).engine
    engines = [own, *(engine for engine in ENGINES if engine != own)]
    measured = {engine: _measured(model, engine, texts) for engine in engines}
    rows = [("same_documents", "sentences the same as from viner.load", 0.995), ("same_entities", "entities the same", "-")]
    rows += [("download_mb", "download of a first visit, MB", "-")]
    rows += [("ready_s", "opening to the first answer, files from this machine, s", "-")]
    rows += [("sentences_per_s", "sentences/s, one thread", "-")]
    table(
        (f"a static page in Chromium, {len(texts):,} sentences", *(f"{engine} graph" for engine in engines), "at least"),
        [(name, *(measured[engine][key] for engine in engines), aim) for key, name, aim in rows],
    )
    figures = {f"static_{key}": value for key, value in measured[own].items()}
    return figures | {f"static_{engine}_{key}": value for engine in engines for key, value in measured[engine].items()}


def _measured(model: Path, engine: str, texts: Sequence[str]) -> dict[str, float | int]:
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as place:
        done = publish_page(model, out=Path(place) / "page", engine=engine)
        answers, waited, seconds = _asked(done.folder, texts)
    ner = viner.load(model, engine=engine)
    expected = list(map(_entities, ner.stream(texts)))
    found = [_found(answer["entities"]) for answer in answers]
    same = sum(mine == theirs for mine, theirs in zip(found, expected, strict=True))
    shared = sum(len(mine & theirs) for mine, theirs in zip(found, expected, strict=True))
    return {
        "same_documents": same / len(texts),
        "same_entities": shared / max(1, sum(map(len, expected)), sum(map(len, found))),
        "download_mb": done.download / 1e6,
        "ready_s": waited,
        "sentences_per_s": len(texts) / seconds,
    }


def _asked(folder: Path, texts: Sequence[str]) -> tuple[list[dict[str, Any]], float, float]:
    """The page's answers, seconds to the first one, and seconds for all."""
    foreign: list[str] = []
    with hosted(folder) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)

        def pass_or_refuse(route: Route) -> None:
            if route.request.url.startswith(f"{address}/"):
                route.continue_()
            else:
                foreign.append(route.request.url)
                route.abort()

        page.route("**/*", pass_or_refuse)
        began = time.perf_counter()
        page.goto(f"{address}/", timeout=PATIENCE)
        _ask(page, texts[0])
        waited = time.perf_counter() - began
        began = time.perf_counter()
        answers = [_ask(page, text) for text in texts]
        seconds = time.perf_counter() - began
        browser.close()
    if foreign:
        raise RuntimeError(f"the page asked for {foreign[0]}")
    return answers, waited, seconds


def _ask(page: Page, text: str) -> dict[str, Any]:
    answer: dict[str, Any] = page.evaluate("text => viner.recognize(text)", text)
    return answer


def _found(entities: Sequence[dict[str, Any]]) -> set[tuple[int, int, str]]:
    return {(item["start"], item["end"], item["label"]) for item in entities}


def _entities(document: Document) -> set[tuple[int, int, str]]:
    return {(item.start, item.end, item.label) for item in document.entities or ()}
