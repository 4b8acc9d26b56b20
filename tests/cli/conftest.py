from __future__ import annotations

import io
import json

import pytest

from viner.cli import main


@pytest.fixture(autouse=True)
def _no_database_of_the_environment(monkeypatch):
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)


@pytest.fixture
def run(capsys):
    """Runs a verb: exit status, stdout, stderr."""

    def call(*args):
        status = main([str(arg) for arg in args])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def stdin(monkeypatch):
    """Gives stdin, which is no terminal."""

    def give(data: str = "") -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data.encode()))))

    give()
    return give


@pytest.fixture
def project(tmp_path, run, stdin):
    """A project with two types and no texts."""
    folder = tmp_path / "covid"
    assert run("init", folder, "--language", "vi", "--types", "PERSON,PLACE: towns")[0] == 0
    return folder


@pytest.fixture
def exported(run):
    """The documents of a project, as `viner export` writes them."""

    def documents(folder, *options):
        status, out, err = run("export", "--project", folder, *options)
        assert status == 0, err
        return [json.loads(line) for line in out.splitlines()]

    return documents
