from __future__ import annotations

import json

from viner.cli import main


def test_doctor_says_what_is_there(capsys):
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["packages"]["base"]["numpy"]
    assert facts["cores"] >= 1
    assert all(isinstance(there, bool) for there in facts["features"].values())


def test_doctor_names_the_install_that_is_missing(capsys, monkeypatch):
    monkeypatch.setattr("viner.cli.machine._version", lambda package: None if package == "torch" else "1.0")
    assert main(["doctor"]) == 0
    assert "train: missing torch; pip install 'viner[train]'" in capsys.readouterr().out
