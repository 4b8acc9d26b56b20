"""The images, built step by step from their own Dockerfiles and run as a container would: tests/support/rootfs.py says how."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from support.notices import TOML
from support.rootfs import Container, Roots, build, need_roots
from support.stores import scratch_database
from viner import Document
from viner.project import Pattern, Project
from viner.publishing.docker import publish_recognizer, publish_workbench
from viner.rules import RecognitionRules
from viner.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("images")]

TEXT = "Lan ở Hà Nội."
PASSWORD = "a password for tests"


@pytest.fixture(scope="module")
def roots(tmp_path_factory) -> Iterator[Roots]:
    need_roots()
    with Roots(tmp_path_factory.mktemp("roots")) as place:
        yield place


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(port: int, path: str, body: object = None, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    """Status, body and headers of an answer; a body that is no text is sent as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        if body is not None and not isinstance(body, str):
            body, headers = json.dumps(body), {"Content-Type": "application/json", **headers}
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def entities(answer: bytes) -> list[tuple[str, str]]:
    return [(entity["text"], entity["label"]) for entity in json.loads(answer)["documents"][0]["entities"]]


def check_rights(container: Container) -> None:
    """A user without rights, who can write to two places only."""
    first = container.first()
    assert set(first.uids()) == set(first.gids()) == {10001}
    status = Path(f"/proc/{first.pid}/status").read_text()
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Groups:\t \n"):
        assert line in status
    for place, writable in (("/opt/viner/x", False), ("/etc/x", False), ("/tmp/x", True), ("/data/x", True)):
        touched = container.image.run("touch", place)
        assert (touched.returncode == 0) == writable, f"{place}: {touched.stderr}"


def test_the_recognizer_is_built_starts_answers_and_stops(roots, tiny_model, tmp_path, port):
    rules = RecognitionRules([], [Pattern("PLACE", "ở Hà", recognize="over")])
    folder = publish_recognizer(tiny_model, rules=rules, out=tmp_path / "notices").folder
    image = build(roots, folder)
    image.freeze()
    absent = image.run(
        "python", "-c", "from importlib.util import find_spec as f; print(f('torch'), f('transformers'), f('pip'))"
    )
    assert absent.stdout == "None None None\n", absent.stderr
    assert image.run("python", "-c", "import viner; print(viner.__file__)").stdout.startswith("/opt/viner/lib/")
    with image.started({"VINER_PORT": str(port), "VINER_FEEDBACK": "/data/feedback"}) as container:
        assert container.healthy() == 1  # nothing listens yet
        seconds = container.wait()
        megabytes = container.first().memory_info().rss / 1e6
        print(f"\nhealthy after {seconds:.1f} s, {megabytes:.0f} MB")
        status, answer, _ = ask(port, "/api/v1/recognize", {"texts": [TEXT]})
        assert (status, entities(answer)) == (200, [("Lan", "PERSON"), ("ở Hà", "PLACE")])
        status, page, _ = ask(port, "/en/")
        assert (status, b"gradio" in page) == (200, True)
        assert ask(port, "/api/v1/feedback")[0] == 200
        check_rights(container)
        status, output = container.stop()
    assert status in (0, 143), output
    assert "Traceback" not in output
    assert image.run(*image.health, variables={"VINER_PORT": str(port)}).returncode == 1


@pytest.fixture
def database() -> Iterator[str]:
    yield from scratch_database()


def test_the_workbench_takes_a_backup_lets_a_team_in_and_gives_a_backup(roots, tiny_model, tmp_path, port, database):
    source = tmp_path / "notices"
    shutil.copytree(tiny_model, source / "models" / "001")
    (source / "viner.toml").write_text(TOML, encoding="utf-8")
    with Store.of_project(Project(source)) as store:
        store.add([Document(TEXT, id="d")], who="import", split="train")
        store.backup(tmp_path / "backup")
    image = build(roots, publish_workbench(source, out=tmp_path / "out").folder)
    image.freeze()
    variables = {"VINER_PORT": str(port), "VINER_DATABASE_URL": database}

    restored = image.run("viner", "restore", "-", data=(tmp_path / "backup").read_bytes(), variables=variables)
    assert "1 documents restored into" in restored.stdout, restored.stderr
    with image.started(variables) as container:  # nobody could log in yet
        output, _ = container.process.communicate(timeout=60)
        assert container.process.returncode == 2
        assert "viner accounts add" in output
    added = image.run("viner", "accounts", "add", "lan", "--password-stdin", data=PASSWORD.encode(), variables=variables)
    assert added.returncode == 0, added.stderr
    with image.started(variables) as container:
        container.wait()
        assert ask(port, "/annotate/api/session")[0] == 401
        form = urlencode({"name": "lan", "password": PASSWORD})
        origin = f"http://127.0.0.1:{port}"
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": origin}
        status, _, headers = ask(port, "/login", form, **kind)
        assert status == 303
        session = {"Cookie": headers["set-cookie"].partition(";")[0], "Origin": origin}
        status, answer, _ = ask(port, "/annotate/api/document?id=d", **session)
        assert (status, json.loads(answer)["text"]) == (200, TEXT)
        status, answer, _ = ask(port, "/api/v1/recognize", {"texts": [TEXT]}, **session)
        assert (status, entities(answer)) == (200, [("Lan", "PERSON"), ("Hà Nội", "LOCATION")])
        check_rights(container)
        copied = image.run("viner", "backup", "-", variables=variables, text=False)
        (tmp_path / "again").write_bytes(copied.stdout)
        status, output = container.stop()
    assert status in (0, 143), output
    assert "Traceback" not in output
    Store.restore_backup(tmp_path / "again", f"sqlite:///{tmp_path / 'again.db'}")
    with Store.open(f"sqlite:///{tmp_path / 'again.db'}", create=False) as store:
        assert [document.id for document in store.export()] == ["d"]
        assert [account.name for account in store.accounts.list()] == ["lan"]
