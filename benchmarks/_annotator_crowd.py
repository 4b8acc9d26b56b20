"""Twenty annotators at one server: each takes the next document, labels words in it one by one, says done, and goes on.

They think for 0.05 to 0.45 seconds before each save, which is faster than people are. Every acknowledged save must be in the
store at the end, and no document may be in two hands at once.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from viner.project import Project
from viner.store import Store

PASSWORD = "correct horse battery staple"
THINKING = (0.05, 0.45)  # seconds before each save


@dataclass
class Hand:
    """What one annotator did and was told."""

    name: str
    saves: list[float] = field(default_factory=list)
    nexts: list[float] = field(default_factory=list)
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    held: list[tuple[str, float, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Client:
    """A connection that keeps its cookie."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._cookie = ""

    def login(self, name: str) -> None:
        body = urllib.parse.urlencode({"name": name, "password": PASSWORD})
        status, headers, _ = self._send("POST", "/login", body, "application/x-www-form-urlencoded")
        self._cookie = (headers.get("Set-Cookie") or "").split(";")[0]
        if status != 303 or not self._cookie:
            sys.exit(f"the login of {name} was answered with {status}")

    def post(self, path: str, body: dict) -> tuple[int, dict]:
        status, _, data = self._send("POST", f"/annotate/api/{path}", json.dumps(body), "application/json")
        return status, json.loads(data)

    def get(self, path: str) -> tuple[int, dict]:
        status, _, data = self._send("GET", f"/annotate/api/{path}", None, None)
        return status, json.loads(data)

    def _send(self, method: str, path: str, body: str | None, kind: str | None) -> tuple[int, http.client.HTTPMessage, bytes]:
        headers = {"Origin": f"http://127.0.0.1:{self._port}", "Host": f"127.0.0.1:{self._port}"}
        if kind:
            headers["Content-Type"] = kind
        if self._cookie:
            headers["Cookie"] = self._cookie
        self._connection.request(method, path, body.encode() if body else None, headers)
        response = self._connection.getresponse()
        return response.status, response.headers, response.read()


@contextmanager
def serving(project: Path, **environment: str) -> Iterator[int]:
    """``viner serve --project`` on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "viner", "serve", "--project", str(project), "--port", str(port), "--no-browser"]
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        # Ready means that the console is built: until then the server is busy importing Gradio.
        while not _is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("viner serve did not start")
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/v1/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def crowd(project: Path, hands: int, seconds: float, **environment: str) -> dict[str, float | int]:
    """Runs the annotators against the project's server.

    Args:
        project: A project with more documents to annotate than they will manage.
        hands: How many annotators.
        seconds: How long.
        environment: Of the server.

    Returns:
        ``saves``, ``saves_per_second``, ``save_p50_ms``, ``save_p95_ms``, ``next_p95_ms``, ``lost_saves``, ``double_leases``.
    """
    names = [f"annotator{n:02d}" for n in range(hands)]
    with _store(project, environment) as store:
        for name in names:
            store.accounts.add(name, PASSWORD)
    people = [Hand(name) for name in names]
    with serving(project, **environment) as port:
        clients = [Client(port) for _ in people]
        for client, hand in zip(clients, people, strict=True):
            client.login(hand.name)
        until = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_annotate, args=(client, hand, until)) for client, hand in zip(clients, people, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    errors = [error for hand in people for error in hand.errors]
    if errors:
        sys.exit(f"{len(errors)} requests failed, such as: {errors[0]}")
    saves = [value for hand in people for value in hand.saves]
    return {
        "saves": len(saves),
        "saves_per_second": len(saves) / seconds,
        "save_p50_ms": 1000 * statistics.median(saves),
        "save_p95_ms": 1000 * _quantile(saves, 0.95),
        "next_p95_ms": 1000 * _quantile([value for hand in people for value in hand.nexts], 0.95),
        "lost_saves": _lost(project, people, environment),
        "double_leases": _doubles(people),
    }


def _annotate(client: Client, hand: Hand, until: float) -> None:
    draw = random.Random(hand.name)
    finished = None
    tab = uuid.uuid4().hex
    try:
        labels = [item["name"] for layer in client.get("session")[1]["schema"]["layers"] for item in layer["types"]]
        while time.monotonic() < until:
            asked = time.monotonic()
            status, answer = client.post("next", {"tab": tab, "resume": False, "exclude": [], "finished": finished})
            given = time.monotonic()
            hand.nexts.append(given - asked)
            document = answer.get("document") if status == 200 else None
            if document is None:
                hand.errors.append(f"next: {status} {answer}")
                return
            version, text, flat = document["version"], document["text"], document["words"]
            words = list(zip(flat[::2], flat[1::2], strict=True))
            for start, end in draw.sample(words, min(len(words), draw.randrange(2, 7))):
                put = {"id": uuid.uuid4().hex, "start": start, "end": end, "surface": text[start:end]}
                put |= {"label": draw.choice(labels), "state": "accepted"}
                if (version := _save(client, hand, draw, document, version, put=[put])) is None:
                    return
            # The lease ends with the save of "done", wherever between its sending and its answer.
            sent = time.monotonic()
            if _save(client, hand, draw, document, version, status="done") is None:
                return
            hand.held.append((document["id"], given, sent))
            finished = document["id"]
    except (OSError, http.client.HTTPException, KeyError) as error:
        hand.errors.append(repr(error))


def _save(client: Client, hand: Hand, draw: random.Random, document: dict, version: int, **change: object) -> int | None:
    time.sleep(draw.uniform(*THINKING))
    operation = {"operation": uuid.uuid4().hex, "document": document["id"], "version": version, "schema": document["schema"]}
    began = time.monotonic()
    status, answer = client.post("operations", {**operation, "put": [], "delete": [], **change})
    if status != 200:
        hand.errors.append(f"operations: {status} {answer}")
        return None
    hand.saves.append(time.monotonic() - began)
    hand.acknowledged.append((document["id"], operation["operation"]))
    return int(answer["version"])


def _lost(project: Path, people: list[Hand], environment: dict[str, str]) -> int:
    """Acknowledged saves that the store does not know."""
    lost = 0
    with _store(project, environment) as store:
        for hand in people:
            by_document: dict[str, set[str]] = {}
            for document, operation in hand.acknowledged:
                by_document.setdefault(document, set()).add(operation)
            for document, operations in by_document.items():
                lost += len(operations - {event.operation for event in store.history(document, limit=500)})
    return lost


def _doubles(people: list[Hand]) -> int:
    """How often a document was in the hands of two people at once."""
    spans: dict[str, list[tuple[float, float, str]]] = {}
    for hand in people:
        for document, begin, end in hand.held:
            spans.setdefault(document, []).append((begin, end, hand.name))
    doubles = 0
    for held in spans.values():
        held.sort()
        doubles += sum(later[0] < earlier[1] for earlier, later in pairwise(held))
    return doubles


def _store(project: Path, environment: dict[str, str]) -> Store:
    url = environment.get("VINER_DATABASE_URL")
    return Store.open(url) if url else Store.of_project(Project(project))


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
