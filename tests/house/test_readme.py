"""The commands of the README run as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"the README has {len(blocks)} blocks of {language}"
    return blocks[0]


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


def test_the_shell_blocks_use_each_verb_as_its_help_says():
    from click.testing import CliRunner

    from viner.cli.main import cli

    for line in (block("sh") + block("shell")).splitlines():
        result = CliRunner().invoke(cli, [*shlex.split(line)[1:], "--help"])
        assert result.exit_code == 0, line


@pytest.mark.slow
@pytest.mark.xdist_group("training")
def test_the_commands_and_the_program_run(tmp_path, monkeypatch, capsys):
    write_a_small_corpus(tmp_path)
    monkeypatch.chdir(tmp_path)
    for line in block("sh").splitlines():
        run_as_it_stands(line)
    assert len((tmp_path / "notes.jsonl").read_text(encoding="utf-8").splitlines()) == 2

    program = block("python").replace('out="models/002"', 'out="models/002", epochs=1')
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
    for line in block("shell").splitlines():
        run_as_it_stands(line)
    assert len((tmp_path / "covid.jsonl").read_text(encoding="utf-8").splitlines()) > 2
    assert (tmp_path / "covid" / "models" / "001" / "viner.json").is_file()


def run_as_it_stands(line: str) -> None:
    command = shlex.split(line)
    assert command.pop(0) == "viner"
    if command[0] == "train":
        command += ["--epochs", "1"]  # the commands are under test here, not the figures
    if command[0] == "serve":
        serve_and_ask(command)
        return
    process = subprocess.run(
        [sys.executable, "-m", "viner", *command], capture_output=True, text=True, timeout=600, check=False
    )
    # lint tells by its status that it found something
    assert process.returncode in ((0, 1) if command[0] == "lint" else (0,)), f"{line}\n{process.stderr}"


def write_a_small_corpus(folder: Path) -> None:
    from itertools import islice

    from viner.formats import write
    from viner.samples import corpus

    for split, count in (("train", 48), ("dev", 8), ("test", 8)):
        write(islice(corpus().documents(split), count), folder / f"{split}.conll")
    (folder / "notes.txt").write_text("Bệnh nhân 91 là phi công người Anh.\nPatient 17 flew to Da Nang.\n", encoding="utf-8")


def serve_and_ask(command: list[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"VINER_PORT": str(port), "VINER_NO_BROWSER": "1"}
    process = subprocess.Popen([sys.executable, "-m", "viner", *command], env=environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health", timeout=5) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "no page after 60 s"
                time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)
