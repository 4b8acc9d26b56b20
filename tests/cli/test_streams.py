from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from viner.cli.streams import read_all, write_out
from viner.document import Document, Entity
from viner.errors import FormatError, UsageError

STDIN = Path("-")


@pytest.fixture
def stdin(monkeypatch):
    def give(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))

    return give


def test_stdin_is_text_with_one_document_a_line(stdin):
    stdin("\ufeffBệnh nhân 91\r\n\n  ở Hà Nội \n".encode())
    assert [document.text for document in read_all([STDIN])] == ["Bệnh nhân 91", "  ở Hà Nội "]


def test_stdin_that_starts_with_a_brace_is_jsonl(stdin):
    stdin(b'{"text": "a", "id": "1"}\n{"text": "b"}\n')
    assert list(read_all([STDIN])) == [Document("a", id="1"), Document("b")]


def test_text_that_starts_with_a_brace_is_text_when_asked_for(stdin):
    stdin(b"{ob} a\n")
    assert [document.text for document in read_all([STDIN], "text")] == ["{ob} a"]


@pytest.mark.parametrize(
    ("data", "where", "says"),
    [
        (b'{"text": "a"}\n{"text": \n', "<stdin>:2", "not JSON"),
        (b'{"text": "a", "entities": [{"start": 0, "end": 5, "label": "X"}]}', "<stdin>:1", "entities"),
        (b"a\n\xff\xfe\n", "<stdin>:2", "UTF-8"),
    ],
)
def test_a_broken_line_of_stdin_is_named(stdin, data, where, says):
    stdin(data)
    with pytest.raises(FormatError, match=says) as error:
        list(read_all([STDIN]))
    assert error.value.where == where


def test_lines_are_read_as_they_come():
    def lines():
        yield b"first\n"
        raise AssertionError("read ahead")

    from viner.cli.streams import _read_lines

    assert next(_read_lines(lines(), None)).text == "first"


def test_a_whole_file_is_one_document_with_its_line_ends(tmp_path):
    file = tmp_path / "notice.txt"
    file.write_bytes("Thông báo\r\n\r\nBN91".encode())
    assert list(read_all([file], whole=True)) == [Document("Thông báo\r\n\r\nBN91", id="notice.txt")]


def test_a_whole_file_that_is_not_utf8_is_named_with_its_line(tmp_path):
    file = tmp_path / "notice.txt"
    file.write_bytes(b"a\nb\xff")
    with pytest.raises(FormatError) as error:
        list(read_all([file], whole=True))
    assert error.value.where == f"{file}:2"


def test_stdout_gets_one_json_document_a_line(capsys):
    write_out([Document("ở Huế", entities=[Entity(2, 5, "LOCATION")]), Document("b")], STDIN)
    lines = capsys.readouterr().out.splitlines()
    assert json.loads(lines[0])["entities"] == [{"start": 2, "end": 5, "label": "LOCATION"}]
    assert len(lines) == 2


def test_documents_and_report_cannot_both_go_to_stdout():
    with pytest.raises(UsageError):
        write_out([], STDIN, as_json=True)


def test_a_file_appears_when_it_is_complete(tmp_path):
    target = tmp_path / "out.jsonl"

    def documents():
        yield Document("a")
        assert not target.exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_out(documents(), target)
    assert list(tmp_path.iterdir()) == []


def test_formats_other_than_jsonl_pass_through_a_pipe_too(stdin, capfdbinary):
    stdin("Huế\tB-LOC\n\n".encode())
    documents = list(read_all([STDIN], "conll"))
    assert [entity.label for document in documents for entity in document.entities or ()] == ["LOC"]
