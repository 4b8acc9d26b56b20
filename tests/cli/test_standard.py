"""Standard streams as they may come: closed, full, in another encoding than UTF-8."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTES = '{"id": "n", "text": "ở Huế", "entities": [{"start": 2, "end": 5, "label": "PLACE Ếö😷"}]}\n'


@pytest.fixture
def shell(tmp_path):
    """Runs `viner` in a shell, so that streams can be closed: exit status, stdout, stderr."""
    (tmp_path / "notes.jsonl").write_text(NOTES, encoding="utf-8")

    def call(command: str, **environment: str) -> tuple[int, bytes, str]:
        found = subprocess.run(
            ["sh", "-c", command.replace("viner", f"{sys.executable} -m viner", 1)],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            timeout=120,
            check=False,
        )
        return found.returncode, found.stdout, found.stderr.decode()

    return call


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("viner stats notes.jsonl", "a standard stream that is needed is closed"),
        ("viner convert notes.jsonl -", "<stdout>: cannot be written: Bad file descriptor"),
        ("viner --help", "a standard stream that is needed is closed"),
    ],
)
def test_a_closed_stdout_is_an_error_in_a_sentence(shell, command, told):
    status, _, err = shell(f"{command} >&-")
    assert status == 1
    assert told in err
    assert "check the folder" not in err
    assert "Traceback" not in err
    assert "Exception ignored" not in err


def test_a_closed_stdin_is_an_error_of_reading(shell, tmp_path):
    status, _, err = shell("viner convert - out.jsonl <&-")
    assert status == 1
    assert "<stdin>: cannot be read" in err
    assert not (tmp_path / "out.jsonl").exists()


def test_messages_are_dropped_where_stderr_is_closed_and_the_work_is_done(shell, tmp_path):
    assert shell("viner convert notes.jsonl out.jsonl 2>&-") == (0, b"", "")
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == NOTES


def test_no_file_gets_the_number_of_a_closed_stream(shell, tmp_path):
    # A library that writes to number 1 would otherwise write into the output.
    status, _, err = shell("viner convert notes.jsonl out.jsonl <&- >&-")
    assert (status, (tmp_path / "out.jsonl").read_text(encoding="utf-8")) == (0, NOTES), err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_stdout_is_told(shell):
    status, _, err = shell("viner stats notes.jsonl > /dev/full")
    assert (status, err.count("No space left on device")) == (1, 1)
    assert "Traceback" not in err


def test_an_encoding_that_cannot_say_a_label_gets_an_escape(shell):
    status, out, err = shell("viner stats notes.jsonl --json", PYTHONIOENCODING="latin-1")
    assert status == 0, err
    assert json.loads(out.decode("latin-1"))["labels"] == {"PLACE Ếö😷": 1}
    assert shell("viner stats notes.jsonl", PYTHONIOENCODING="latin-1")[0] == 0
    assert shell("viner convert notes.jsonl -", PYTHONIOENCODING="latin-1")[1].decode() == NOTES  # documents are UTF-8
