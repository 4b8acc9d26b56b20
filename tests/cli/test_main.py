from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

import viner
from viner.cli.main import _VERBS, cli, main
from viner.errors import FormatError, UsageError


@pytest.fixture
def failing(monkeypatch):
    """Makes `viner doctor` raise what the test gives."""

    def set_error(error: BaseException) -> None:
        def callback(**_: object) -> None:
            raise error

        monkeypatch.setattr(import_module("viner.cli.doctor").doctor, "callback", callback)

    return set_error


def test_help_lists_every_verb():
    text = CliRunner().invoke(cli, ["--help"]).output
    assert [verb for verb in _VERBS if f"\n  {verb} " not in text] == []


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_has_help_with_an_example(verb):
    result = CliRunner().invoke(cli, [verb, "--help"])
    assert result.exit_code == 0
    assert f"viner {verb}" in result.output.split("Example:")[1]


@pytest.mark.parametrize("verb", [verb for verb in _VERBS if verb not in ("demo", "serve")])
def test_every_verb_that_reports_can_report_json(verb):
    assert "--json" in CliRunner().invoke(cli, [verb, "--help"]).output


def test_version(capsys):
    assert main(["--version"]) == 0
    assert viner.__version__ in capsys.readouterr().out


def test_an_error_says_where_and_what_to_do(failing, capsys):
    failing(FormatError("3 columns, 2 before", where="train.conll:17", hint="Remove the spare column"))
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err == "error: train.conll:17: 3 columns, 2 before\nhint: Remove the spare column\n"


def test_a_usage_error_of_the_api_exits_with_2(failing):
    failing(UsageError("cannot be"))
    assert main(["doctor"]) == 2


@pytest.mark.parametrize("args", [["nothing"], ["doctor", "--nothing"], ["evaluate"]])
def test_a_wrong_call_exits_with_2(args, capsys):
    assert main(args) == 2
    assert "Usage:" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_exits_with_130(failing, capsys, error):
    failing(error)
    assert main(["doctor"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_a_full_disk_is_a_message_and_not_a_traceback(failing, capsys):
    failing(OSError(28, "No space left on device", "out.jsonl"))
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err == "error: out.jsonl: No space left on device\n"


def test_a_reader_that_leaves_ends_the_run_quietly():
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "viner", "doctor", "--json"], stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writer)
    assert process.stderr == b""
    assert process.returncode == 1


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; from viner.cli import main; main(['--help'])\n"
        "heavy = {'numpy', 'onnxruntime', 'tokenizers', 'huggingface_hub', 'torch', 'transformers', 'gradio', 'tqdm'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 0, process.stderr


def processor_seconds(*command: str) -> float:
    """Least processor time of a few runs: what the code costs, whatever else the machine is doing."""
    times = []
    for _ in range(5):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        after = os.times()
        times.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(times)


def test_start_up_times():
    bare = processor_seconds(sys.executable, "-c", "pass")
    assert processor_seconds(sys.executable, "-c", "import viner") - bare < 0.15
    assert processor_seconds(sys.executable, "-m", "viner", "--help") < 0.4
