"""The Space in which a team annotates: no text leaves, and nothing starts where annotations would be lost."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

import httpx
import pytest

from support.segmenters import NAME, says_it_reads_segments
from support.spaces import running
from support.stores import scratch_database
from viner.cli import main
from viner.errors import UsageError
from viner.project import Project
from viner.publishing.folder import PublishError
from viner.publishing.space import SpaceChoices, publish_workbench
from viner.store import Store
from viner.text import DEFAULT_SEGMENTER

TOML = """
language = "vi"
[[schema.layers]]
name = "entities"
kind = "entities"
types = ["PERSON", "LOCATION"]
[store]
# url = "postgresql+psycopg://viner:geheim@old.example/notices"
url = "postgresql+psycopg://viner:geheim@db.example/notices"
[[rules.dictionaries]]
label = "LOCATION"
file = "terms/places.txt"
# ask geheim
"""
CHOICES = SpaceChoices("someone/annotate")


@pytest.fixture
def project(tmp_path, tiny_model, monkeypatch):
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    folder = tmp_path / "covid"
    for name, content in {
        "viner.toml": TOML,
        "GUIDELINE.md": "Mark it.",
        "terms/places.txt": "Huế\n",
        "data/train.jsonl": '{"text": "private text"}\n',
        "notes.txt": "private note",
        ".session-key": "private key",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "models").mkdir()
    (folder / "models" / "007").symlink_to(tiny_model)
    return Project(folder)


def test_who_may_see_it_is_for_what_is_uploaded(project, tmp_path):
    with pytest.raises(UsageError, match="for what is uploaded"):
        publish_workbench(project, CHOICES, out=tmp_path / "out", private=False)
    assert not (tmp_path / "out").exists()


def test_settings_and_the_model_go_and_nothing_else(project, tmp_path):
    done = publish_workbench(project, CHOICES, out=tmp_path / "out")
    inside = {name.removeprefix("project/") for name in done.files if name.startswith("project/")}
    assert {name for name in inside if not name.startswith("models/007/")} == {"viner.toml", "GUIDELINE.md", "terms/places.txt"}
    assert "models/007/model.onnx" in inside
    everything = b"".join(path.read_bytes() for path in done.folder.rglob("*") if path.is_file() and path.suffix != ".whl")
    assert b"geheim" not in everything
    assert b"private" not in everything
    about = tomllib.loads((done.folder / "project" / "viner.toml").read_text())
    assert about["name"] == "covid"
    assert "store" not in about
    assert Project(done.folder / "project").settings().dictionaries[0].terms == ("Huế",)
    requirements = (done.folder / "requirements.txt").read_text()
    assert "psycopg[binary]==" in requirements
    assert "torch" not in requirements


def test_files_that_are_named_for_this_machine_alone_are_found_everywhere(project, tmp_path):
    """Absolute, or out of the project and back: nothing is written outside of the folder, and no local path leaves."""
    (project.path / "docs").mkdir()
    (project.path / "docs" / "how.md").write_text("Mark them all.", encoding="utf-8")
    back = f"../{project.path.name}/docs/../docs/how.md"
    old = (project.path / "viner.toml").read_text(encoding="utf-8")
    changed = old.replace("terms/places.txt", str(project.path / "terms" / "places.txt"))
    (project.path / "viner.toml").write_text(f'{changed}\n[annotation]\nguideline = "{back}"\n', encoding="utf-8")
    terms = (project.path / "terms" / "places.txt").read_bytes()
    done = publish_workbench(project, CHOICES, out=tmp_path / "new" / "out")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]
    assert (project.path / "terms" / "places.txt").read_bytes() == terms
    there = done.folder / "project"
    assert (there / "docs" / "how.md").is_file()
    assert (there / "terms" / "places.txt").read_bytes() == terms
    assert str(project.path) not in (there / "viner.toml").read_text(encoding="utf-8")
    project.path.rename(tmp_path / "gone")
    settings = Project(there).settings()
    assert settings.dictionaries[0].terms == ("Huế",)
    assert settings.guideline == "Mark them all."


def test_a_model_of_segments_brings_what_cuts_them_and_one_that_nobody_could_install_is_refused(project, tmp_path, tiny_model):
    pytest.importorskip("underthesea", reason="the extra 'vi' is not installed")
    says_it_reads_segments(tiny_model, project.path / "models" / "008", DEFAULT_SEGMENTER)
    done = publish_workbench(project, CHOICES, out=tmp_path / "out")
    requirements = (done.folder / "requirements.txt").read_text()
    assert "underthesea==" in requirements
    assert "psycopg[binary]==" in requirements
    says_it_reads_segments(tiny_model, project.path / "models" / "009")
    with pytest.raises(PublishError, match=f"reads segments of '{NAME}'"):
        publish_workbench(project, CHOICES, out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_a_model_too_large_for_a_space_is_refused_and_leaves_nothing(project, tmp_path, monkeypatch):
    monkeypatch.setattr("viner.publishing.space.LIMIT", 500_000)
    with pytest.raises(PublishError, match="may have 1 GB"):
        publish_workbench(project, CHOICES, out=tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["covid"]


def test_options_of_a_models_page_are_refused(project, tmp_path, capsys):
    command = ["publish", "space", str(project.path), "--repo", "someone/annotate", "--workbench", "--feedback"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "workbench" in capsys.readouterr().err


def test_the_command_says_what_the_space_needs(project, tmp_path, capsys):
    command = ["publish", "space", str(project.path), "--repo", "someone/annotate", "--workbench"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    assert "VINER_DATABASE_URL" in capsys.readouterr().err


@pytest.mark.slow
def test_it_starts_with_a_database_only_and_asks_who_one_is(project, tmp_path):
    done = publish_workbench(project, CHOICES, out=tmp_path / "out")
    environment = {"PATH": os.environ["PATH"], "SPACE_ID": "someone/annotate", "SYSTEM": "spaces", "VINER_PORT": "0"}
    refused = subprocess.run(
        [sys.executable, "app.py"], cwd=done.folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert refused.returncode == 2
    assert "VINER_DATABASE_URL" in refused.stderr
    assert "Traceback" not in refused.stderr
    for url in scratch_database():
        with Store.open(url, schema=project.schema()) as store:
            store.accounts.add("lan", "a long password")
        with running(done.folder, sys.executable, None, VINER_DATABASE_URL=url) as app:
            answer = httpx.get(f"{app.url}/vi/", headers={"Accept": "text/html"})
            assert answer.headers["location"] == "/login?next=/vi/"
            assert httpx.get(f"{app.url}/config").status_code == 401
            form = {"name": "lan", "password": "a long password"}
            entered = httpx.post(f"{app.url}/login", data=form, headers={"Origin": app.url})
            assert entered.headers["set-cookie"].endswith("HttpOnly; Secure; SameSite=None; Partitioned")
            assert "frame-ancestors 'self' https://huggingface.co" in entered.headers["content-security-policy"]
