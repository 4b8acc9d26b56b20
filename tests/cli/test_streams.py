from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from viner.cli.streams import read_all, write_out
from viner.document import Document, Entity
from viner.errors import FormatError, UsageError

STDIN = Path("-")


@pytest.fixture
def stdin(monkeypatch):
    def give(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))

    return give


def test_stdin_is_text_with_one_document_a_line(stdin):
    stdin("Bệnh nhân 91\r\n\n  ở Hà Nội \n".encode())
    assert [document.text for document in read_all([STDIN])] == ["Bệnh nhân 91", "  ở Hà Nội "]


def test_stdin_that_starts_with_a_brace_is_jsonl(stdin):
    stdin(b'{"text": "a", "id": "1"}\n{"text": "b"}\n')
    assert list(read_all([STDIN])) == [Document("a", id="1"), Document("b")]


def test_a_broken_line_of_stdin_is_named(stdin):
    stdin(b'{"text": "a"}\n{"text": \n')
    with pytest.raises(FormatError) as error:
        list(read_all([STDIN]))
    assert error.value.where == "<stdin>:2"


def test_files_come_in_order(tmp_path):
    files = [tmp_path / "b.txt", tmp_path / "a.txt"]
    for file in files:
        file.write_bytes(f"{file.stem}1\r\n\r\n{file.stem}2".encode())
    assert [document.text for document in read_all(files)] == ["b1", "b2", "a1", "a2"]


def test_stdout_gets_one_json_document_a_line_and_stderr_nothing(capfd):
    write_out([Document("ở Huế", entities=[Entity(2, 5, "LOCATION")]), Document("b")], STDIN)
    out, err = capfd.readouterr()
    assert json.loads(out.splitlines()[0])["entities"] == [{"start": 2, "end": 5, "label": "LOCATION"}]
    assert len(out.splitlines()) == 2
    assert err == ""


def test_what_the_format_cannot_hold_is_said(capfd):
    write_out([Document("ở Huế", entities=[Entity(2, 5, "LOCATION")])], STDIN, "text")
    out, err = capfd.readouterr()
    assert out == "ở Huế\n"
    assert "no place for entities" in err


def test_documents_and_report_cannot_both_go_to_stdout():
    with pytest.raises(UsageError):
        write_out([], STDIN, as_json=True)


def test_a_file_gets_its_report_as_json(tmp_path, capsys):
    write_out([Document("a")], tmp_path / "out.jsonl", as_json=True)
    report = json.loads(capsys.readouterr().out)
    assert (report["documents"], report["out"]) == (1, str(tmp_path / "out.jsonl"))


def test_a_file_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "out.jsonl"

    def documents():
        yield Document("a")
        assert not target.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_out(documents(), target)
    assert list(tmp_path.iterdir()) == []
