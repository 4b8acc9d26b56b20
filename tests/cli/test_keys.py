from __future__ import annotations

import json

import pytest

from viner.cli.main import main

pytest.importorskip("fastapi", reason="the server needs viner[app]")


def test_a_key_is_made_listed_and_removed(tmp_path, capsys):
    file = tmp_path / "keys.txt"
    assert main(["keys", "add", "crawler", "--file", str(file)]) == 0
    key, told = capsys.readouterr()
    assert key.startswith("viner_")
    assert key.strip() not in file.read_text() + told
    assert main(["keys", "add", "desk", "--file", str(file), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert f"desk {made['hash']}" in file.read_text()
    assert main(["keys", "list", "--file", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"keys": ["crawler", "desk"]}
    assert main(["keys", "remove", "crawler", "--file", str(file)]) == 0
    assert main(["keys", "list", "--file", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "desk"


def test_what_cannot_be_done_says_what_to_do(tmp_path, capsys):
    file = tmp_path / "keys.txt"
    assert main(["keys", "remove", "x", "--file", str(file)]) == 1
    file.write_text("nonsense\n")
    assert main(["keys", "list", "--file", str(file)]) == 1
    assert f"{file}:1" in capsys.readouterr().err
    assert main(["keys", "add", "a b", "--file", str(tmp_path / "other.txt")]) == 2
    assert not (tmp_path / "other.txt").exists()


def test_serve_reads_the_keys_before_the_model(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("viner.load", lambda *_, **__: pytest.fail("the model was loaded"))
    monkeypatch.setattr("viner.server.check_address", lambda host, port: None)
    assert main(["serve", "models/003", "--api-keys", str(tmp_path / "none.txt")]) == 2
    assert "viner keys add" in capsys.readouterr().err
