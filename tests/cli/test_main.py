from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from importlib import import_module

import click
import pytest
from click.testing import CliRunner

import viner
from viner.cli.main import _VERBS, cli, main
from viner.cli.publish import _KINDS
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


@pytest.mark.parametrize(
    "verb",
    [[verb] for verb in _VERBS if verb not in ("demo", "serve", "accounts", "keys", "publish")]
    + [["publish", kind] for kind in _KINDS]
    + [["accounts", verb] for verb in ("add", "list", "password", "remove")]
    + [["keys", verb] for verb in ("add", "list", "remove")],
    ids=" ".join,
)
def test_every_verb_that_reports_can_report_json(verb):
    output = CliRunner().invoke(cli, [*verb, "--help"]).output
    assert "--json" in output
    assert f"viner {' '.join(verb)}" in output.split("Example:")[1]


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


def read_a_pipe(tmp_path, out: str, **streams) -> tuple[subprocess.Popen[bytes], int]:
    """`viner convert PIPE OUT`, and the open end of the pipe, through which a document went."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "viner", "convert", str(pipe), out, "--format", "text", "--to", "jsonl"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, **streams)
    writer = os.open(pipe, os.O_WRONLY)
    os.write(writer, b"a line\n" * 10_000)
    return process, writer


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_leaves_nothing_half_written(tmp_path, sent, status):
    process, writer = read_a_pipe(tmp_path, str(tmp_path / "out.jsonl"))
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out.jsonl.*.part")):
        assert time.monotonic() < deadline, "the writing never began"
        time.sleep(0.02)
    process.send_signal(sent)
    _, err = process.communicate(timeout=60)
    os.close(writer)
    assert process.returncode == status
    assert err.decode().splitlines()[-1] == "error: " + {143: "terminated", 130: "interrupted"}[status]
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes")
def test_documents_that_nobody_reads_any_more_end_the_run_quietly(tmp_path):
    process, writer = read_a_pipe(tmp_path, "-", stdout=subprocess.PIPE)
    assert process.stdout.readline().startswith(b'{"id": "pipe:1", "text": "a line"')
    process.stdout.close()
    with contextlib.suppress(BrokenPipeError):
        os.write(writer, b"a line\n" * 10_000)
    os.close(writer)
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


def test_help_is_quick_and_imports_nothing_heavy():
    code = (
        "import sys; from viner.cli import main; main(['--help'])\n"
        "heavy = {'numpy', 'onnxruntime', 'tokenizers', 'huggingface_hub', 'torch', 'transformers', 'gradio', 'tqdm',\n"
        "    'sqlalchemy', 'alembic', 'tomlkit', 'tomllib'}\n"
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
