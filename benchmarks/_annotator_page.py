"""The annotation page in Chromium: how fast it opens, paints and saves, and how many keys a document takes."""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from _annotator_crowd import serving
from viner.document import Document, Entity, Span
from viner.project import Project
from viner.samples import corpus
from viner.store import Store
from viner.text import split_words

CHROMIUM = os.environ.get("VINER_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WORDS, ENTITIES = 5_000, 500
LONGEST = 4  # words of an entity
PAUSE = 0.12  # seconds between the keys whose saves are timed: a fast person


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def new_project(folder: Path) -> Project:
    """A project with the bundled corpus' types."""
    folder.mkdir()
    settings = 'name = "Benchmark"\nlanguage = "vi"\n\n[annotation]\norder = "given"\n'
    (folder / "viner.toml").write_text(settings, encoding="utf-8")
    project = Project(folder)
    project.write_schema(corpus().schema())
    return project


def long_document(words: int, entities: int) -> Document:
    """Notices of the bundled corpus one below the other, with entities of one to four words all over, each a suggestion."""
    draw = random.Random(11)
    text = ""
    while len(split_words(text)) < words:
        for document in corpus().documents("train"):
            text += document.text + "\n"
            if len(text) > 40 * words:
                break
    spans = split_words(text)[:words]
    text = text[: spans[-1][1]]
    labels = corpus().schema().layers[0].names
    found = []
    for number in range(entities):
        first = number * (words - LONGEST) // entities
        last = first + draw.randrange(min(LONGEST, words // entities))
        found.append(Entity(spans[first][0], spans[last][1], draw.choice(labels), score=0.9, source="model 001"))
    return Document(text, id="long", suggestions=found)


def speed(folder: Path, browser: Browser, rounds: int, **environment: str) -> dict[str, float]:
    """Milliseconds until keys work on a long document, from a key to its paint, and to its acknowledged save.

    Args:
        folder: Where the project goes.
        browser: The browser.
        rounds: How often the page is opened; keys are pressed 40 times as often.
        environment: Of the server, such as ``VINER_DATABASE_URL``.
    """
    project = new_project(folder)
    document = long_document(WORDS, ENTITIES)
    labels = list(_label_keys().values())
    url = environment.get("VINER_DATABASE_URL")
    with Store.open(url, schema=corpus().schema()) if url else Store.of_project(project) as store:
        store.add([document], who="bench", split="train")
    with serving(folder, **environment) as port:
        address = f"http://127.0.0.1:{port}/annotate/?document=long"
        opened = []
        for _ in range(rounds):
            # A new context has an empty cache: everything comes from the server.
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            page = context.new_page()
            page.goto(address)
            _ready(page)
            opened.append(page.evaluate("() => performance.getEntriesByName('viner-ready')[0].startTime"))
            if page.evaluate("() => document.querySelectorAll('.w.cur').length") != 1:
                sys.exit("the page was ready without a cursor")
            context.close()
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(address)
        _ready(page)
        page.evaluate("() => new Promise((done) => setTimeout(done, 1000))")
        for number in range(30 * rounds):
            # A suggestion accepted, and another word labeled; each is a save.
            for key in ("Enter", ("ArrowRight", "ArrowLeft")[number % 2], labels[number % len(labels)], "Space"):
                page.keyboard.press(key)
                time.sleep(PAUSE)
        page.wait_for_function("() => document.querySelector('[data-waiting]').dataset.waiting === '0'")
        times = {
            name: page.evaluate(f"() => performance.getEntriesByName('viner-{name}').map((entry) => entry.duration)")
            for name in ("paint", "ack")
        }
        context.close()
    if len(times["ack"]) < 40 * rounds:
        sys.exit(f"only {len(times['ack'])} saves were measured")
    return {
        "open": statistics.median(opened),
        "paint_median": statistics.median(times["paint"]),
        "paint_p95": sorted(times["paint"])[int(0.95 * len(times["paint"]))],
        "ack_median": statistics.median(times["ack"]),
        "ack_p95": sorted(times["ack"])[int(0.95 * len(times["ack"]))],
    }


def _label_keys() -> dict[str, str]:
    return {item.name: item.key or "1234567890"[number] for number, item in enumerate(corpus().schema().layers[0].types)}


def _ready(page: Page) -> None:
    page.wait_for_function("() => performance.getEntriesByName('viner-ready').length > 0", timeout=60_000)


# Keys


@dataclass(frozen=True)
class Suggestion:
    """What a model proposes, and the entity that it should have been: None where there is none."""

    entity: Entity
    gold: Entity | None


def fates_of(count: int, draw: random.Random) -> list[str]:
    """What a model of precision and recall 0.80 does to so many gold entities.

    It suggests 80 % exactly, 8 % with a border one word off, 5 % with another type, and misses 7 %; it makes up as many.
    """
    wrong = {"border": round(0.08 * count), "type": round(0.05 * count), "missed": round(0.07 * count)}
    fates = [fate for fate, number in wrong.items() for _ in range(number)]
    fates += ["exact"] * (count - len(fates))
    draw.shuffle(fates)
    return fates


def suggestions_of(
    document: Document, words: Sequence[Span], fates: Iterator[str], draw: random.Random, labels: Sequence[str]
) -> list[Suggestion]:
    """What such a model suggests in one document, in the order of the text."""
    gold = list(document.entities or ())
    taken = {k for entity in gold for k in _words_of(entity, words)}
    found = []
    for entity in gold:
        fate = next(fates)
        if fate == "exact":
            found.append(Suggestion(entity, entity))
        elif fate == "border":
            first, last = _words_of(entity, words)[0], _words_of(entity, words)[-1]
            longer = [(a, b) for a, b in ((first - 1, last), (first, last + 1)) if a >= 0 and b < len(words)]
            free = [(a, b) for a, b in longer if not ({a, b} - {first, last}) & taken]
            shorter = [(first + 1, last), (first, last - 1)] if last > first else []
            if not free + shorter:
                found.append(Suggestion(entity, entity))
                continue
            a, b = draw.choice(free + shorter)
            found.append(Suggestion(Entity(words[a][0], words[b][1], entity.label), entity))
        elif fate == "type":
            wrong = draw.choice([label for label in labels if label != entity.label])
            found.append(Suggestion(Entity(entity.start, entity.end, wrong), entity))
        elif free := [k for k in range(len(words)) if k not in taken]:
            k = draw.choice(free)
            taken.add(k)
            found.append(Suggestion(Entity(*words[k], draw.choice(labels)), None))
    return sorted(found, key=lambda item: (item.entity.start, -item.entity.end))


def _words_of(entity: Entity, words: Sequence[Span]) -> list[int]:
    return [k for k, (start, end) in enumerate(words) if start < entity.end and end > entity.start]


def keys_per_entity(folder: Path, browser: Browser, documents: int) -> dict[str, float]:
    """How many keys bring suggestions of F1 0.80 to the gold entities, with the keyboard alone.

    Each suggestion is met in turn: accepted, rejected, relabeled or resized. A missed entity is gone to from the suggestion
    behind it, by words and sentences, selected, and labeled. Shift with an arrow is one key, as is Ctrl with Enter. The key
    that says "done, next document" is counted as well. In the end the store must hold exactly the gold entities.
    """
    project = new_project(folder)
    labels = corpus().schema().layers[0].names
    own = _label_keys()
    draw = random.Random(5)
    # Nested entities, and those that cut words, take other keys; the corpus has next to none.
    chosen = [document for document in corpus().documents("test") if document.entities and _plain(document)][:documents]
    fates = iter(fates_of(sum(len(document.entities or ()) for document in chosen), draw))
    work = {}
    with Store.of_project(project) as store:
        for number, document in enumerate(chosen):
            words = document.words or split_words(document.text)
            made = suggestions_of(document, words, fates, draw, labels)
            proposed = [Entity(s.entity.start, s.entity.end, s.entity.label, score=0.8, source="model 001") for s in made]
            id_ = f"d{number}"
            store.add([Document(document.text, id=id_, words=document.words, suggestions=proposed)], who="bench", split="train")
            work[id_] = (document, words, made)
    keys = 0
    right = suggested = gold = 0
    with serving(folder) as port:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        for id_, (document, words, made) in work.items():
            page.goto(f"http://127.0.0.1:{port}/annotate/?document={id_}")
            _ready(page)
            pressed = _keys_for(document, words, made, own)
            for key in pressed:
                page.keyboard.press(key)
            page.wait_for_function(f"() => document.querySelector('[data-document]')?.dataset.document !== {json.dumps(id_)}")
            keys += len(pressed)
            gold += len(document.entities or ())
            suggested += len(made)
            right += sum(item.entity == item.gold for item in made)
    with Store.of_project(project) as store:
        for id_, (document, _, _) in work.items():
            kept = store.get(id_)
            said = sorted((e.start, e.end, e.label) for e in kept.entities if e.state == "accepted")
            wanted = sorted((e.start, e.end, e.label) for e in document.entities or ())
            if said != wanted or kept.status != "done":
                sys.exit(f"{id_} ({kept.status}) differs from gold by {set(said) ^ set(wanted)}")
    return {"keys": keys / gold, "entities": gold, "f1": 2 * right / (suggested + gold)}


def _plain(document: Document) -> bool:
    """Whether no entity overlaps another one or cuts a word."""
    words = document.words or split_words(document.text)
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    ordered = sorted(document.entities or (), key=lambda entity: entity.start)
    flat = all(one.end <= other.start for one, other in pairwise(ordered))
    return flat and all(entity.start in starts and entity.end in ends for entity in ordered)


def _keys_for(document: Document, words: Sequence[Span], made: Sequence[Suggestion], own: dict[str, str]) -> list[str]:
    """The keys of an annotator who knows the gold entities and the help page."""
    answered = {id(item.gold) for item in made if item.gold is not None}
    missed = [entity for entity in document.entities or () if id(entity) not in answered]
    keys: list[str] = []
    begins = _sentences(document.text, words)
    for item in made:
        first = _words_of(item.entity, words)[0]
        before = [entity for entity in missed if entity.start < item.entity.start]
        missed = [entity for entity in missed if entity.start >= item.entity.start]
        place = first
        # From the focused suggestion back to what was missed before it, the nearest one first, and on to the suggestion again.
        for entity in reversed(before):
            a, b = _words_of(entity, words)[0], _words_of(entity, words)[-1]
            keys += _way(place, b, begins, len(words)) + ["Shift+ArrowLeft"] * (b - a) + [own[entity.label]]
            place = a
        if before:
            keys.append("Space")
        keys += _decide(item, words, own)
    place = _words_of(made[-1].entity, words)[-1] if made else 0
    for entity in missed:
        a, b = _words_of(entity, words)[0], _words_of(entity, words)[-1]
        keys += _way(place, a, begins, len(words)) + ["Shift+ArrowRight"] * (b - a) + [own[entity.label]]
        place = b
    return [*keys, "Control+Enter"]


def _decide(item: Suggestion, words: Sequence[Span], own: dict[str, str]) -> list[str]:
    if item.gold is None:
        return ["Delete"]
    if (item.entity.start, item.entity.end) == (item.gold.start, item.gold.end):
        return ["Enter"] if item.entity.label == item.gold.label else [own[item.gold.label]]
    first, *_ = mine = _words_of(item.entity, words)
    wanted = _words_of(item.gold, words)
    moves = wanted[-1] - mine[-1]
    keys = ["Alt+ArrowRight" if moves > 0 else "Alt+ArrowLeft"] * abs(moves)
    moves = wanted[0] - first
    keys += ["Alt+Shift+ArrowRight" if moves > 0 else "Alt+Shift+ArrowLeft"] * abs(moves)
    return [*keys, "Space"]  # on to the next suggestion


def _sentences(text: str, words: Sequence[Span]) -> list[int]:
    """Words at which the page's Ctrl with an arrow stops."""
    begins = []
    for k, (start, _) in enumerate(words):
        gap = text[words[k - 1][1] if k else 0 : start]
        ended = k and gap and all(sign in ".!?…;。！？" for sign in text[slice(*words[k - 1])])
        if k == 0 or ended or "\n" in gap or "\r" in gap:
            begins.append(k)
    return begins


def _way(origin: int, target: int, begins: Sequence[int], count: int) -> list[str]:
    """The fewest keys from one word to another."""
    came: dict[int, tuple[int, str]] = {origin: (origin, "")}
    queue = deque([origin])
    while queue:
        k = queue.popleft()
        if k == target:
            break
        steps: list[tuple[int, str]] = [(k - 1, "ArrowLeft"), (k + 1, "ArrowRight")]
        steps.append((next((b for b in begins if b > k), count - 1), "Control+ArrowRight"))
        steps.append((next((b for b in reversed(begins) if b < k), 0), "Control+ArrowLeft"))
        for to, key in steps:
            if 0 <= to < count and to not in came:
                came[to] = (k, key)
                queue.append(to)
    keys: list[str] = []
    k = target
    while k != origin:
        k, key = came[k]
        keys.append(key)
    return keys[::-1]
