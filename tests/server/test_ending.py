"""A workbench that is ended while people work with it, as a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from studios import TOML

from viner.document import Document
from viner.project import Project
from viner.store import Store

TEXT = "Lan ở Hà Nội."
PUT = {"id": "e", "start": 0, "end": 3, "surface": "Lan", "label": "PERSON", "state": "accepted"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one document."""
    (tmp_path / "viner.toml").write_text(TOML, encoding="utf-8")
    project = Project(tmp_path)
    with Store.of_project(project) as store:
        store.add([Document(TEXT, id="d")], who="import", split="train")
    return project


class Server:
    """``viner serve --project``."""

    def __init__(self, project: Project, port: int) -> None:
        self.port = port
        environ = {**os.environ, "VINER_PORT": str(port), "VINER_NO_BROWSER": "1"}
        command = [sys.executable, "-m", "viner", "serve", "--project", str(project.path)]
        self.process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert f":{port}/" in self.process.stdout.readline()

    def ask(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = None if body is None else json.dumps(body)
            method = "GET" if body is None else "POST"
            connection.request(method, f"/annotate/api/{path}", data, {"Content-Type": "application/json"})
            with connection.getresponse() as response:
                return response.status, json.loads(response.read())
        finally:
            connection.close()

    def end(self, number: int) -> tuple[int, str]:
        """Sends a signal; exit status and what was said."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors


@contextmanager
def serving(project: Project) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(project, port)
    try:
        while True:  # the address is told as soon as it is known, a moment before anybody answers
            with suppress(OSError):
                assert server.ask("session")[0] == 200
                break
            time.sleep(0.05)
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.communicate()


def step(number: int, version: int) -> dict[str, Any]:
    change = {"put": [PUT], "delete": []} if number % 2 else {"put": [], "delete": ["e"]}
    return {"operation": f"o{number}", "document": "d", "version": version, "schema": 1, **change}


@pytest.mark.parametrize(("sent", "status", "said"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")])
def test_a_workbench_ends_on_a_signal_as_every_verb_does(project: Project, sent: int, status: int, said: str) -> None:
    with serving(project) as server:
        returned, errors = server.end(sent)
    assert (returned, errors.strip()) == (status, f"error: {said}")


def test_a_save_in_flight_is_answered_or_not_done_and_can_be_sent_again(project: Project) -> None:
    answered: list[dict[str, Any]] = []
    sent: list[dict[str, Any]] = []
    enough = threading.Event()

    def annotate(server: Server) -> None:
        version = 1
        for number in range(1, 100_000):
            sent.append(step(number, version))
            try:
                status, saved = server.ask("operations", sent[-1])
            except (OSError, http.client.HTTPException):
                return
            assert status == 200, saved
            answered.append(saved)
            version = saved["version"]
            if number == 20:
                enough.set()

    with serving(project) as server:
        annotator = threading.Thread(target=annotate, args=(server,))
        annotator.start()
        assert enough.wait(60)
        returned, _ = server.end(signal.SIGTERM)
        annotator.join()
    assert returned == 143
    assert len(sent) == len(answered) + 1
    with Store.of_project(project) as store:
        done = [event.operation for event in store.history("d", limit=100_000) if event.operation.startswith("o")]
        assert sorted(done) in (sorted(s["operation"] for s in sent), sorted(s["operation"] for s in sent[:-1]))
    with serving(project) as server:
        for last, first in zip(sent[-2:], [answered[-1], None], strict=True):
            status, saved = server.ask("operations", last)
            assert status == 200
            assert saved["replayed"] == (last["operation"] in done)
            if first is not None:
                assert saved["version"] == first["version"]
        _, document = server.ask("document?id=d")
        assert document["version"] == len(sent) + 1
