"""What the pages say about commands, files and keys is what there is."""

from __future__ import annotations

import re
import tomllib

import click
import pytest
from click.testing import CliRunner

from support.commands import ROOT, blocks, command_lines, name_of, pages
from viner.cli.main import cli
from viner.project import Project

PAGE = (ROOT / "docs" / "annotation.md").read_text(encoding="utf-8")
HELP = (ROOT / "src" / "viner" / "annotator" / "static" / "help.js").read_text(encoding="utf-8")


def test_the_key_table_is_that_of_the_page():
    rows = re.findall(r"\[\[([^\[\]]*)\], \"key_", HELP)
    assert len(rows) > 20
    in_code = {" ".join(f"`{key}`" for key in re.findall(r'"([^"]*)"', row)) for row in rows}
    in_docs = set(re.findall(r"^\| (`.*?`) \| .* \|$", PAGE.split("| keys |")[1].split("\n\n")[0], re.MULTILINE))
    assert in_docs == in_code


COMMANDS = [
    (name_of(page), words)
    for page in pages()
    for block in blocks(page)
    if block.language in ("", "sh", "shell", "console", "bash")
    for words in command_lines(block.content)
]


@pytest.mark.parametrize(("page", "words"), COMMANDS, ids=[f"{page}: viner {' '.join(words)}" for page, words in COMMANDS])
def test_every_command_is_one(page, words, monkeypatch):
    """Verb, arguments and options are read as they would be, and nothing is done."""
    monkeypatch.setattr(click.Command, "invoke", lambda command, context: None)
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_verbs_and_options_within_the_text_exist(page):
    text = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for span in re.findall(r"`viner ([^`]+)`", text):
        command: click.Command = cli
        words = span.split()
        while isinstance(command, click.Group) and words and re.fullmatch(r"[a-z]+", words[0]):
            inner = command.get_command(click.Context(command), words.pop(0))
            assert inner is not None, f"viner {span}"
            command = inner
        known = {option for parameter in command.params for option in parameter.opts} | {"--help", "--version"}
        assert {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"} - known == set(), (
            f"viner {span}"
        )


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_file_that_it_links_to_exists(page):
    text = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]*`", "", text)
    targets = re.findall(r"\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_tutorial_is_the_same_in_vietnamese():
    """It shows the same commands and programs, so running the one runs the other (test_walkthroughs.py)."""
    english, vietnamese = (
        [block.content for block in blocks(ROOT / "docs" / name) if block.language in ("sh", "python")]
        for name in ("tutorial.md", "vi/tutorial.md")
    )
    assert len(english) > 8
    assert vietnamese == english


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
