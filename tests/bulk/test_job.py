from __future__ import annotations

import errno
import gzip
import io
import json
import os
import sys
import threading
from pathlib import Path

import pytest
from pretended import Finder

from viner.bulk import Job, Progress, Redactor
from viner.document import Document
from viner.errors import InputError, MissingExtraError, UsageError, VinerError
from viner.formats import read, write
from viner.formats.packing import packing, unpacked


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "a.txt").write_text("Lan 91\n\nở Huế\n", encoding="utf-8")
    (tmp_path / "b.csv").write_text("note,day\nMinh,1\n", encoding="utf-8")
    (tmp_path / "c.jsonl.gz").write_bytes(gzip.compress(b'{"text": "Nam", "id": "c1"}\n'))
    return tmp_path


def test_files_of_all_kinds_come_in_order(folder) -> None:
    report = Job(Finder(), [folder / "a.txt", folder / "c.jsonl.gz"], folder / "out.jsonl").run()
    assert [(line["id"], line["text"], len(line["entities"])) for line in lines(folder / "out.jsonl")] == [
        ("a:1", "Lan 91", 2), ("a:3", "ở Huế", 1), ("c1", "Nam", 1),
    ]  # fmt: skip
    assert report.to_dict() == {
        "out": str(folder / "out.jsonl"), "documents": 3, "entities": 4, "lost": {}, "files": 2, "skipped": 0, "resumed": 0,
        "passed_over": [],
        "repeated": [],
    }  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {"a.txt", "b.csv", "c.jsonl.gz", "out.jsonl"}


def test_columns_of_tables_are_named(folder) -> None:
    Job(Finder(), [folder / "b.csv"], folder / "out.jsonl", options={"text_column": "note"}).run()
    (line,) = lines(folder / "out.jsonl")
    assert (line["text"], line["meta"], line["id"]) == ("Minh", {"day": "1"}, "b:2")


def test_whole_takes_text_files_as_one_document_and_others_as_they_are(folder) -> None:
    Job(Finder(), [folder / "a.txt", folder / "c.jsonl.gz"], folder / "out.jsonl", whole=True).run()
    assert [line["text"] for line in lines(folder / "out.jsonl")] == ["Lan 91\n\nở Huế\n", "Nam"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst", "out.parquet", "out.conll", "out.json"])
def test_every_output_holds_the_same(folder, name) -> None:
    pytest.importorskip("pyarrow", reason="the extra 'files' is not installed")
    Job(Finder(), [folder / "a.txt"], folder / "expected.jsonl").run()
    Job(Finder(), [folder / "a.txt"], folder / name, to="jsonl" if name == "out.json" else None).run()
    expected = [document.entities for document in read(folder / "expected.jsonl")]
    assert [document.entities and [(e.start, e.label) for e in document.entities] for document in read(folder / name)] == [
        [(entity.start, entity.label) for entity in entities] for entities in expected
    ]


def test_html_has_the_types_of_the_model(folder) -> None:
    Job(Finder(), [folder / "a.txt"], folder / "out.html").run()
    content = (folder / "out.html").read_text(encoding="utf-8")
    assert content.index("PERSON <span>2</span>") < content.index("AGE <span>1</span>")


def test_what_was_there_before_stays_until_the_new_is_complete(folder) -> None:
    (folder / "out.jsonl").write_text("old")
    (folder / "bad.jsonl").write_text('{"text": "a"}\n{\n')
    with pytest.raises(InputError, match="not JSON") as caught:
        Job(Finder(), [folder / "bad.jsonl"], folder / "out.jsonl").run()
    assert caught.value.where == f"{folder / 'bad.jsonl'}:2"
    assert (folder / "out.jsonl").read_text() == "old"


def test_lines_of_no_use_are_told_in_a_file_and_the_run_goes_on(folder) -> None:
    (folder / "bad.jsonl").write_bytes(b'{\n{"text": "Lan"}\n[]\n\xff\n{"text": "Minh"}\n')
    (folder / "bad.txt").write_bytes(b"gut\nb\xff\n")
    report = Job(Finder(), [folder / "bad.jsonl", folder / "bad.txt"], folder / "out.jsonl", errors=folder / "e.jsonl").run()
    assert [line["text"] for line in lines(folder / "out.jsonl")] == ["Lan", "Minh", "gut"]
    errors = lines(folder / "e.jsonl")
    assert [(Path(error["file"]).name, error["line"]) for error in errors] == [
        ("bad.jsonl", 1), ("bad.jsonl", 3), ("bad.jsonl", 4), ("bad.txt", 2),
    ]  # fmt: skip
    assert all(error["code"] == "invalid_format" and error["message"] for error in errors)
    assert report.skipped == 4


@pytest.mark.parametrize("out", ["out.jsonl", "out.jsonl.gz", "-"])
@pytest.mark.parametrize("name", ["e.jsonl.gz", "e.jsonl.zst"])
def test_the_ending_says_how_the_errors_file_is_packed(folder, out, name) -> None:
    pytest.importorskip("zstandard", reason="the extra 'files' is not installed")
    (folder / "bad.jsonl").write_text('{\n{"text": "Lan"}\n')
    target = out if out == "-" else folder / out
    Job(Finder(), [folder / "bad.jsonl"], target, errors=folder / name).run()
    with (folder / name).open("rb") as file, unpacked(file, packing(name)) as content:
        assert [json.loads(line)["line"] for line in content] == [1]


@pytest.mark.parametrize("errors", ["e.jsonl", "e.jsonl.gz"])
def test_on_another_disk_outputs_are_packed_once(folder, monkeypatch, errors) -> None:
    replace = Path.replace

    def over_disks(path: Path, target: Path) -> Path:
        if path.parent != Path(target).parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", over_disks)
    (folder / "bad.jsonl").write_text('{\n{"text": "Lan"}\n')
    Job(Finder(), [folder / "bad.jsonl"], folder / "out.jsonl.gz", errors=folder / errors).run()
    assert [document.text for document in read(folder / "out.jsonl.gz")] == ["Lan"]
    content = (folder / errors).read_bytes()
    assert json.loads(gzip.decompress(content) if errors.endswith(".gz") else content)["line"] == 1


def test_without_bad_lines_the_errors_file_is_empty(folder) -> None:
    (folder / "e.jsonl").write_text("of an earlier run")
    Job(Finder(), [folder / "a.txt"], folder / "out.jsonl", errors=folder / "e.jsonl").run()
    assert (folder / "e.jsonl").read_bytes() == b""


def test_where_every_line_is_wrong_the_call_is(folder) -> None:
    (folder / "bad.jsonl").write_text("{\n[]\n")
    with pytest.raises(InputError, match="not one line could be used, 2 were refused"):
        Job(Finder(), [folder / "bad.jsonl"], folder / "out.jsonl", errors=folder / "e.jsonl").run()
    assert len(lines(folder / "e.jsonl")) == 2
    assert not (folder / "out.jsonl").exists()
    assert not (folder / "out.jsonl.part").exists()


def test_a_damaged_file_ends_the_run_since_the_rest_of_it_is_lost(folder) -> None:
    (folder / "d.txt.gz").write_bytes(gzip.compress(b"Lan\n" * 9_999)[:-12])
    with pytest.raises(InputError, match="damaged gzip"):
        Job(Finder(), [folder / "d.txt.gz"], folder / "out.jsonl", errors=folder / "e.jsonl").run()


def test_no_document_is_a_document_less_output(folder) -> None:
    (folder / "empty.txt").write_text("\n\n")
    assert Job(Finder(), [folder / "empty.txt"], folder / "out.jsonl").run().written.documents == 0
    assert (folder / "out.jsonl").read_bytes() == b""


def test_standard_output_gets_each_document_at_once(folder, capfdbinary) -> None:
    (folder / "bad.jsonl").write_text('{\n{"text": "Lan"}\n')
    report = Job(Finder(), [folder / "bad.jsonl"], "-", errors=folder / "e.jsonl", step=Redactor()).run()
    assert json.loads(capfdbinary.readouterr().out)["text"] == "[PERSON]"
    assert (report.written.documents, report.skipped, len(lines(folder / "e.jsonl"))) == (1, 1, 1)


def test_standard_input_is_read(folder, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO(b"Lan\nMinh\n")})())
    Job(Finder(), ["-"], folder / "out.jsonl").run()
    assert [line["id"] for line in lines(folder / "out.jsonl")] == ["stdin:1", "stdin:2"]


def test_progress_goes_through_the_bytes_of_all_files(folder) -> None:
    seen: list[Progress] = []
    inputs = [folder / "a.txt", folder / "c.jsonl.gz"]
    Job(Finder(), inputs, folder / "out.jsonl", progress=seen.append).run()
    assert [item.documents for item in seen] == [1, 2, 3]
    assert {item.bytes_total for item in seen} == {sum(path.stat().st_size for path in inputs)}
    assert [item.bytes_read for item in seen] == sorted(item.bytes_read for item in seen)
    assert seen[-1].bytes_read == seen[-1].bytes_total
    assert seen[-1].characters == len("Lan 91ở HuếNam")


def test_documents_wait_in_no_list(folder) -> None:
    """Constant memory: no more documents are read than the recognizer asks for."""
    write((Document(f"Lan {number}") for number in range(1_000)), folder / "many.jsonl")
    finder = Finder(ahead=5)
    seen: list[int] = []
    job = Job(
        finder,
        [folder / "many.jsonl"],
        folder / "out.jsonl",
        block=200,
        progress=lambda p: seen.append(p.documents - finder.seen),
    )
    job.run()
    assert set(seen) == {0}
    assert len(lines(folder / "out.jsonl")) == 1_000


@pytest.mark.parametrize(
    ("out", "errors", "message"),
    [
        ("out.xyz", None, "names no format"),
        ("out.jsonl", "-", "cannot go to standard output"),
        ("out.jsonl", "out.jsonl", "the same file"),
        ("out.jsonl", "out.jsonl.part", "keeps there what is done"),
        ("a.txt", None, "would write it"),
        (".", None, "names no format|this is a folder"),
    ],
)
def test_outputs_that_make_no_sense(folder, monkeypatch, out, errors, message) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises((UsageError, InputError), match=message):
        Job(Finder(), ["a.txt"], out, errors=errors)


def test_an_output_without_a_folder_says_so(folder) -> None:
    with pytest.raises(VinerError, match="cannot be written"):
        Job(Finder(), [folder / "a.txt"], folder / "none" / "out.jsonl").run()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_options_are_not_looked_for_in_what_can_be_read_but_once(tmp_path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = "".join(f"Lan{number}\tB-PERSON\nở\tO\n\n" for number in range(3000))
    writer = threading.Thread(target=pipe.write_text, args=(content,), daemon=True)
    writer.start()
    Job(Finder(), [pipe], tmp_path / "out.jsonl", options={"tag_column": 1}).run()
    writer.join(60)
    texts = [line["text"] for line in lines(tmp_path / "out.jsonl")]
    assert (len(texts), texts[0], texts[-1]) == (3000, "Lan0 ở", "Lan2999 ở")


def test_each_of_several_files_takes_the_options_that_its_format_knows(folder) -> None:
    options = {"text_column": "note"}
    Job(Finder(), [folder], folder.parent / "out.jsonl", options=options).run()
    assert [line["text"] for line in lines(folder.parent / "out.jsonl")] == ["Lan 91", "ở Huế", "Minh", "Nam"]
    Job(Finder(), [folder], folder.parent / "out.jsonl", options=options, whole=True).run()
    assert [line["text"] for line in lines(folder.parent / "out.jsonl")][1:] == ["Minh", "Nam"]
    with pytest.raises(UsageError, match="knows no option 'text_colunm'"):
        Job(Finder(), [folder], folder.parent / "out2.jsonl", options={"text_colunm": "note"}).run()
    (folder / "d.txt").write_text("id\tnote\n1\tLan\n", encoding="utf-8")
    with pytest.raises(UsageError, match="knows no option 'text_column'"):  # these are no tables, whatever stands in them
        Job(Finder(), [folder / "a.txt", folder / "d.txt"], folder.parent / "out2.jsonl", options=options).run()
    with pytest.raises(UsageError, match="knows no option 'text_column'") as caught:
        Job(Finder(), [folder / "a.txt"], folder.parent / "out2.jsonl", options=options).run()
    assert "--format csv" in (caught.value.hint or "")


def test_what_is_redacted_is_quoted_in_no_error(folder) -> None:
    entity = {"start": 0, "end": 3, "label": "PERSON", "text": "Bí Mật"}
    (folder / "bad.jsonl").write_text(json.dumps({"text": "Lan ra", "entities": [entity]}) + '\n{"text": "Lan"}\n', "utf-8")
    for step, quoted in ((None, True), (Redactor(), False)):
        Job(Finder(), [folder / "bad.jsonl"], folder / "out.jsonl", errors=folder / "e.jsonl", step=step).run()
        (error,) = lines(folder / "e.jsonl")
        assert ("Bí Mật" in error["message"]) is quoted
        assert (error["line"], error["code"]) == (1, "invalid_format")


def test_a_file_of_errors_that_cannot_be_written_is_told_at_once(folder) -> None:
    finder = Finder()
    with pytest.raises(InputError, match="cannot be written there"):
        Job(finder, [folder / "a.txt"], folder / "out.jsonl", errors=folder / "no" / "e.jsonl").run()
    with pytest.raises(InputError, match="a folder"):
        Job(finder, [folder / "a.txt"], folder / "out.jsonl", errors=folder).run()
    assert finder.seen == 0


def test_half_of_a_character_outside_of_a_text_is_a_bad_line(folder) -> None:
    bad = [
        '{"id": "\\ud800", "text": "Lan"}',
        '{"text": "Lan", "meta": {"a": "\\udc00"}}',
        '{"text": "Lan", "id": "\\ud83d\\ude00"}',
    ]
    (folder / "half.jsonl").write_text("\n".join(bad), "utf-8")
    Job(Finder(), [folder / "half.jsonl"], folder / "out.jsonl", errors=folder / "e.jsonl").run()
    assert [line["id"] for line in lines(folder / "out.jsonl")] == ["😀"]
    assert [(error["line"], "lone surrogate" in error["message"]) for error in lines(folder / "e.jsonl")] == [
        (1, True),
        (2, True),
    ]


def test_a_quote_that_takes_in_other_rows_ends_the_run(folder) -> None:
    (folder / "q.csv").write_text('text\nLan\n"Minh\nNam\nAnh\n', "utf-8")
    with pytest.raises(InputError, match="which goes on to line 5") as caught:
        Job(Finder(), [folder / "q.csv"], folder / "out.jsonl", errors=folder / "e.jsonl").run()
    assert str(caught.value.where).endswith("q.csv:3")


@pytest.mark.parametrize(("name", "package"), [("out.parquet", "pyarrow"), ("out.jsonl.zst", "zstandard")])
def test_what_an_output_needs_is_missed_before_anything_is_recognized(folder, monkeypatch, name, package) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match="needs the extra 'files'"):
        Job(Finder(), [folder / "a.txt"], folder / name)


def test_what_the_errors_file_needs_is_missed_at_once(folder, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtraError, match="needs the extra 'files'"):
        Job(Finder(), [folder / "a.txt"], folder / "out.jsonl", errors=folder / "e.jsonl.zst")


@pytest.mark.parametrize("what", ["out", "errors"])
def test_what_is_open_already_is_written_on_and_not_replaced(folder, what) -> None:
    """As ``--errors /dev/stderr`` is where a shell has ``2>> run.log``."""
    (folder / "bad.jsonl").write_text('{"text": "Lan"}\n{\n', encoding="utf-8")
    log = folder / "run.log"
    log.write_text("before\n")
    with log.open("a") as file:
        name = f"/dev/fd/{file.fileno()}"
        options = {"out": folder / "out.jsonl", "errors": name} if what == "errors" else {"out": name, "to": "jsonl"}
        source = folder / ("bad.jsonl" if what == "errors" else "a.txt")
        Job(Finder(), [source], options.pop("out"), **options).run()
        file.write("behind\n")
    before, *written, behind = log.read_text(encoding="utf-8").splitlines()
    assert (before, behind) == ("before", "behind")
    assert [next(iter(json.loads(line))) for line in written] == (["file"] if what == "errors" else ["id", "id"])


def test_what_standard_output_is_sent_to_is_no_input(folder, monkeypatch) -> None:
    (folder / "in").mkdir()
    (folder / "in" / "a.txt").write_text("Lan\n", encoding="utf-8")
    with (folder / "in" / "out.txt").open("ab") as file:
        monkeypatch.setattr("sys.stdout", sent := io.TextIOWrapper(file))
        assert [Path(item.path).name for item in Job(Finder(), [folder / "in"], "-").inputs.files] == ["a.txt"]
        for named in (folder / "in" / "out.txt", folder / "in" / "*t.txt"):
            with pytest.raises((UsageError, InputError), match=r"would write it|no file matches"):
                Job(Finder(), [named], "-")
        os.link(folder / "in" / "out.txt", folder / "other.txt")
        with pytest.raises(UsageError, match="would write it"):
            Job(Finder(), [folder / "other.txt"], f"/dev/fd/{file.fileno()}", to="jsonl")
        monkeypatch.undo()
        sent.detach()
