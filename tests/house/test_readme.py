"""The commands of the README run as they stand there."""

from __future__ import annotations

import re
import shutil

import pytest

from support.bases import tiny_base
from support.commands import ROOT, blocks, run_as_it_stands, write_a_small_corpus
from viner.workflow import choose

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = [block.content for block in blocks(ROOT / "README.md") if block.language == language]
    assert len(found) == 1, f"the README has {len(found)} blocks of {language}"
    return found[0]


def test_it_opens_with_one_sentence_and_two_commands():
    lines = [line for line in README.splitlines() if line]
    assert lines[1].count(". ") == 0
    assert lines[1].endswith(".")
    assert lines[3].startswith("git clone")
    assert lines[4] == "make demo"


def test_the_whole_path_takes_six_lines_of_shell_and_ten_of_python():
    assert len(block("sh").splitlines()) == 6
    assert len([line for line in block("python").splitlines() if line]) == 10


def test_every_make_target_it_names_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {target for target in re.findall(r"make (\w+)", README) if f"\n{target}:" not in makefile} == set()


def test_every_file_it_links_to_exists():
    targets = re.findall(r"\[[^\]]*\]\(([^)#:]+)\)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_the_commands_and_the_program_run(tmp_path, monkeypatch, capsys):
    write_a_small_corpus(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, count in (("SENTENCES", 60), ("_CALIBRATION", 10)):
        monkeypatch.setattr(choose, name, count)  # how good the int8 graph is, is not under test here
    for line in block("sh").splitlines():
        run_as_it_stands(line)
    assert len((tmp_path / "notes.jsonl").read_text(encoding="utf-8").splitlines()) == 2

    # The bundled encoder has been trained above, as the command has it.
    base = tiny_base(tmp_path / "base")
    program = block("python").replace('out="models/002"', f'out="models/002", epochs=1, base="{base}"')
    exec(compile(program, "README.md", "exec"), {})
    assert "**micro**" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_the_commands_that_annotate_run(tmp_path, monkeypatch):
    write_a_small_corpus(tmp_path)
    (tmp_path / "notices").mkdir()
    (tmp_path / "notices" / "one.txt").write_text("Bệnh nhân 91 là phi công người Anh.", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    base = tiny_base(tmp_path / "base")
    for line in block("shell").splitlines():
        run_as_it_stands(line, base=base)
    assert len((tmp_path / "covid.jsonl").read_text(encoding="utf-8").splitlines()) > 2
    assert (tmp_path / "covid" / "models" / "001" / "viner.json").is_file()


def test_two_lines_lead_from_nothing_to_a_space(tiny_model, tmp_path, monkeypatch):
    first, second = block("bash").splitlines()
    assert first == "make demo"  # which leaves viner-demo/model
    shutil.copytree(tiny_model, tmp_path / "viner-demo" / "model")
    monkeypatch.chdir(tmp_path)
    run_as_it_stands(second.removeprefix(".venv/bin/"))
    assert {"README.md", "app.py", "requirements.txt", "model"} <= {path.name for path in (tmp_path / "my-notices").iterdir()}
