"""What the docs say about annotating is what the code does."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from viner.cli.main import cli
from viner.project import Project

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "annotation.md").read_text(encoding="utf-8")
HELP = (ROOT / "src" / "viner" / "annotator" / "static" / "help.js").read_text(encoding="utf-8")


def test_the_key_table_is_that_of_the_page():
    rows = re.findall(r"\[\[([^\[\]]*)\], \"key_", HELP)
    assert len(rows) > 20
    in_code = {" ".join(f"`{key}`" for key in re.findall(r'"([^"]*)"', row)) for row in rows}
    in_docs = set(re.findall(r"^\| (`.*?`) \| .* \|$", PAGE.split("| keys |")[1].split("\n\n")[0], re.MULTILINE))
    assert in_docs == in_code


@pytest.mark.parametrize("line", [line for line in PAGE.splitlines() if line.startswith("viner ")])
def test_every_command_is_one(line):
    words = shlex.split(line.split("#")[0])[1:]
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0
    options = set(re.findall(r"--[a-z-]+", " ".join(words)))
    assert options - set(re.findall(r"--[a-z-]+", result.output)) == set()


def test_the_settings_that_it_shows_can_be_read(tmp_path, monkeypatch):
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    (tmp_path / "places.txt").write_text("Huế\n", encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "viner.toml").write_text("\n".join(blocks), encoding="utf-8")
    schema = Project(tmp_path).schema()
    assert [(layer.name, layer.kind, layer.multiple) for layer in schema] == [
        ("entities", "entities", False),
        ("topic", "labels", True),
    ]
    settings = Project(tmp_path).settings()
    assert settings.dictionaries[0].terms == ("Huế",)
    assert settings.patterns[0].pattern == r"BN\d+"
    assert settings.database_url.startswith("postgresql")


def test_a_new_project_has_every_setting_at_its_default(tmp_path):
    from dataclasses import asdict

    from viner import Schema
    from viner.project import AnnotationSettings
    from viner.project.create import project_files

    made = tomllib.loads(project_files("x", "vi", Schema.of_entities(["A"]))["viner.toml"])
    assert made["annotation"] == asdict(AnnotationSettings())
