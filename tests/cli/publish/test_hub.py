"""``viner publish hub`` as people type it, against a Hub on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from support.hub import LocalHub, connect
from viner.document import Document, Entity
from viner.formats import write

REPO = "minh/notices"


@pytest.fixture
def model(tiny_model, tmp_path):
    made = tmp_path / "model"
    shutil.copytree(tiny_model, made)
    (made / "README.md").unlink()
    return made


def viner(*args: object, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "viner", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def test_a_stranger_publishes_and_somebody_else_uses_it_with_the_hub_gone(model, tmp_path, monkeypatch):
    """In processes of their own: the environment is all that they share."""
    notes, gold = tmp_path / "notes.txt", tmp_path / "gold.jsonl"
    notes.write_text("Lan ở Huế\n", encoding="utf-8")
    write([Document("Lan ở Huế", entities=[Entity(0, 3, "PERSON"), Entity(6, 9, "LOCATION")])], gold)
    with LocalHub() as server:
        connect(server, monkeypatch, tmp_path / "hf")
        done = viner("publish", "hub", model, "--repo", REPO, "--push", "--tag", "v1", "--license", "apache-2.0", "--json")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""  # a pipe sees no progress
        said = json.loads(done.stdout)
        assert (said["url"], said["folder"], said["license"]) == (f"{server.url}/{REPO}", None, "apache-2.0")
        assert said["files"].keys() == server.repository(REPO).files.keys()
        assert viner("predict", f"{REPO}@v1", notes).returncode == 0
    for offline in ({}, {"HF_HUB_OFFLINE": "1"}):
        told = viner("predict", f"{REPO}@v1", notes, env=os.environ | offline)
        assert told.returncode == 0, told.stderr
        assert [entity["label"] for entity in json.loads(told.stdout)["entities"]] == ["PERSON", "LOCATION"]
    scores = viner("evaluate", f"{REPO}@v1", gold, "--json", env=os.environ | {"HF_HUB_OFFLINE": "1"})
    assert json.loads(scores.stdout)["micro"]["f1"] == 1
    unknown = viner("predict", f"{REPO}@v2", notes, env=os.environ | {"HF_HUB_OFFLINE": "1"})
    assert unknown.returncode == 1
    assert "it is not in the Hub's cache" in unknown.stderr


@pytest.mark.parametrize(
    ("number", "status", "method", "pattern", "xet"),
    [
        (signal.SIGINT, 130, "POST", "/v1/xorbs/", True),
        (signal.SIGINT, 130, "POST", "/commit/", True),
        (signal.SIGTERM, 143, "PUT", "/storage/", False),
    ],
)
def test_an_interrupted_upload_shows_nothing_and_the_second_run_completes(
    hub,
    model,
    tmp_path,
    monkeypatch,
    number,
    status,
    method,
    pattern,
    xet,
):
    connect(hub, monkeypatch, tmp_path / "hf", xet=xet)
    command = [sys.executable, "-m", "viner", "publish", "hub", str(model), "--repo", REPO, "--push"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    hub.fail(method, pattern, delay=100, drop_after=0, then=lambda: process.send_signal(number))
    began = time.monotonic()
    out, err = process.communicate(timeout=120)
    assert process.returncode == status, err
    assert time.monotonic() - began < 90  # it does not wait for the Hub's answer
    assert out == ""
    assert "Traceback" not in err
    if number == signal.SIGINT:
        assert "goes on where it stopped" in err
    assert hub.repository(REPO).files == {}
    assert viner(*command[3:]).returncode == 0
    assert "viner.json" in hub.repository(REPO).files


def test_people_are_told_where_it_is_and_how_to_go_on(run, model, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run("publish", "hub", model, "--repo", REPO)
    assert status == 0
    assert out.startswith("Folder: notices (8 files")
    assert "--push" in out
    assert "--license" in err
    status, out, err = run("publish", "hub", model, "--repo", REPO, "--license", "mit", "--push", "--public", "--out", "two")
    assert (status, err) == (0, "")
    assert f"{hub.url}/{REPO} (public)" in out
    assert f'viner.load("{REPO}")' in out


@pytest.mark.parametrize(
    ("options", "status", "message", "hint"),
    [
        (["--repo", "notices"], 2, "names no repository", "user/name"),
        (["--repo", REPO, "--tag", "v1"], 2, "what is uploaded", "--push"),
        (["--repo", "lan/notices", "--push"], 1, "minh may not make repositories of lan", "minh/notices"),
        (["--repo", "minh/full", "--push"], 1, "not empty", "--force"),
        (["--repo", "minh/open", "--push", "--force"], 1, "public already", "--public"),
    ],
)
def test_what_goes_wrong_is_one_sentence_and_a_hint(run, model, hub, options, status, message, hint):
    hub.add("minh/full", {"README.md": b"theirs"})
    hub.add("minh/open", {"README.md": b"theirs"}, private=False)
    code, out, err = run("publish", "hub", model, *options)
    assert (code, out) == (status, "")
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert lines[1].startswith("hint: ")
    assert hint in lines[1]


def test_serve_takes_it_by_name(run, model, hub, monkeypatch):
    assert run("publish", "hub", model, "--repo", REPO, "--push")[0] == 0
    served = []
    monkeypatch.setattr("viner.server.serve", lambda recognizer, **options: served.append(recognizer))
    monkeypatch.setattr("viner.server.check_address", lambda host, port: None)
    status, _, err = run("serve", REPO, "--no-browser")
    assert status == 0, err
    assert served[0].labels == ("PERSON", "LOCATION")
