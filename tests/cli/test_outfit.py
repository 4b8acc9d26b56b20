from __future__ import annotations

import json
import shutil
import socket
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from viner.cli.outfit import check_outfit

SECRET = "hf_thisTokenMustNotBeShown"


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A machine with nobody logged in, no engine, and an empty home."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "not" / "there"))
    monkeypatch.setattr(shutil, "which", lambda name: None)


def found(**arguments):
    return {check.name: check for check in check_outfit(**arguments)}


def test_each_thing_that_is_missing_comes_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    checks = found()
    assert not checks["hub login"].good
    assert "hf auth login" in checks["hub login"].mend
    assert not checks["containers"].good
    assert checks["containers"].mend == "Install one: sudo apt-get install podman"
    assert checks["disk"].good


def test_without_a_known_package_manager_it_still_says_what_to_install():
    assert "Docker or Podman" in found()["containers"].mend


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_either_container_engine_will_do(monkeypatch, engine):
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}" if name == engine else None)
    assert found()["containers"].said == f"{engine} (/opt/{engine})"


@pytest.mark.parametrize("way", ["variable", "file"])
def test_a_token_is_found_and_never_shown(monkeypatch, tmp_path, run, way):
    if way == "variable":
        monkeypatch.setenv("HF_TOKEN", SECRET)
    else:
        (tmp_path / "token").write_text(SECRET)
    login = found()["hub login"]
    assert login.good
    assert ("HF_TOKEN" if way == "variable" else str(tmp_path / "token")) in login.said
    for options in ([], ["--json"]):
        status, out, err = run("doctor", *options)
        assert status == 0
        assert SECRET not in out + err


def test_a_full_disk_is_told_with_the_folder_and_the_way_out(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 3 << 28))
    disk = found()["disk"]
    assert not disk.good
    assert disk.said == f"{tmp_path / 'not' / 'there'}: 0.8 GiB free"
    assert "VINER_HOME" in disk.mend


def test_nothing_leaves_the_machine_unless_asked(monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert set(found()) == {"hub login", "containers", "disk"}


@pytest.fixture
def server():
    """A server that answers every request with 404, and what it was asked."""
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            asked.append(self.headers)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/", asked
        httpd.shutdown()


def test_asked_for_the_network_it_says_who_answers(monkeypatch, server):
    address, asked = server
    monkeypatch.setenv("HF_TOKEN", SECRET)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"http://127.0.0.1:{nobody.getsockname()[1]}/")
        checks = found(network=True)
    assert checks["hub"].said == f"{address} answers"
    assert not checks["npm registry"].good
    assert "refused" in checks["npm registry"].said
    assert "--runtime" in checks["npm registry"].mend
    assert SECRET not in str([headers.items() for headers in asked])


def test_a_malformed_address_of_a_server_is_told(monkeypatch, server):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server[0])
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "registry.example.org")
    assert "registry.example.org does not answer (unknown url type" in found(network=True)["npm registry"].said


def test_what_publishing_lacks_is_no_failure(run):
    status, out, _ = run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)["publishing"]}
    assert status == 0
    assert checks["containers"]["good"] is False
    assert checks["containers"]["mend"]
