"""`viner init` leaves a project that runs, or nothing."""

from __future__ import annotations

import json
import os
import stat

import pytest

from viner import Document, Entity, Project
from viner.cli import init as init_module
from viner.samples import corpus

pytestmark = pytest.mark.usefixtures("stdin")


@pytest.fixture
def notices(tmp_path):
    """A folder of three texts, two of the same name, and a file that is none."""
    folder = tmp_path / "notices"
    (folder / "2021").mkdir(parents=True)
    (folder / "a.txt").write_bytes("BN 91 ở Hà Nội.\r\nHai dòng.".encode())
    (folder / "2021" / "a.txt").write_text("Lan đi Huế 😷", encoding="utf-8")
    (folder / "b.txt").write_text("ba", encoding="utf-8")
    return folder


def all_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_of_texts_becomes_a_project_where_it_is(notices, run, exported, monkeypatch):
    monkeypatch.chdir(notices)
    status, out, err = run("init", "--language", "vi", "--types", "PERSON,PLACE: towns")
    assert status == 0, err
    assert "3 documents" in out
    assert "viner serve\n" in out
    assert "viner train\n" in out
    assert [(item["id"], item["text"]) for item in exported(notices)] == [
        ("2021/a", "Lan đi Huế 😷"),
        ("a", "BN 91 ở Hà Nội.\r\nHai dòng."),
        ("b", "ba"),
    ]
    project = Project(notices)
    assert (project.settings().name, project.settings().language) == ("notices", "vi")
    assert "## PLACE\n\ntowns" in project.settings().guideline
    assert [item.description for item in project.schema()["entities"].types] == [None, "towns"]
    assert "viner.db*" in (notices / ".gitignore").read_text()


def test_texts_of_elsewhere_are_taken_and_stay_where_they_are(tmp_path, notices, run, exported):
    before = all_files(notices)
    status, out, _ = run("init", tmp_path / "x" / "y", "--language", "vi", "--types", "A", "--texts", notices, "--json")
    assert status == 0
    assert json.loads(out)["added"] == 3
    assert len(exported(tmp_path / "x" / "y")) == 3
    assert all_files(notices) == before


def test_a_text_file_named_by_itself_holds_one_document_a_line(tmp_path, notices, run, exported):
    run("init", tmp_path / "p", "--language", "vi", "--types", "A", "--texts", notices / "a.txt")
    assert [item["id"] for item in exported(tmp_path / "p")] == ["a:1", "a:2"]


def test_a_project_without_texts_says_how_to_get_some(tmp_path, run):
    status, out, _ = run("init", tmp_path / "my project", "--language", "en", "--types", "A")
    assert status == 0
    assert f"viner import FILE... --project '{tmp_path / 'my project'}'" in out


def test_files_that_are_no_texts_are_skipped_by_name(tmp_path, notices, run, exported):
    (notices / "scan.pdf").write_bytes(b"%PDF")
    (notices / "latin.txt").write_bytes("Nguyễn".encode("utf-16"))
    (notices / "empty.txt").touch()
    status, _, err = run("init", tmp_path / "p", "--language", "vi", "--types", "A", "--texts", notices)
    assert status == 0
    assert "scan.pdf: viner does not read .pdf files" in err
    assert "latin.txt: the file is UTF-16" in err
    assert "empty.txt: it is empty" in err
    assert len(exported(tmp_path / "p")) == 3


def test_a_binary_file_that_is_named_is_an_error_and_leaves_nothing(tmp_path, run):
    (tmp_path / "scan.txt").write_bytes(b"ab\0c")
    status, _, err = run("init", tmp_path / "p", "--language", "vi", "--types", "A", "--texts", tmp_path / "scan.txt")
    assert status == 1
    assert "scan.txt:1: binary data" in err
    assert not (tmp_path / "p").exists()


def test_annotated_texts_bring_their_types(tmp_path, run, exported):
    file = tmp_path / "old.jsonl"
    file.write_text(Document("ra Huế", entities=[Entity(3, 6, "LOC")]).to_json() + "\n", encoding="utf-8")
    assert run("init", tmp_path / "p", "--language", "vi", "--texts", file)[0] == 0
    assert Project(tmp_path / "p").schema()["entities"].names == ("LOC",)
    assert exported(tmp_path / "p", "--status", "done")[0]["entities"][0]["label"] == "LOC"
    status, out, _ = run("init", tmp_path / "q", "--language", "vi", "--types", "PERSON", "--texts", file)
    assert status == 0
    assert "new types: LOC" in out
    assert Project(tmp_path / "q").schema()["entities"].names == ("PERSON", "LOC")


def test_the_bundled_types_come_with_their_guideline(tmp_path, run):
    assert run("init", tmp_path / "p", "--language", "vi", "--types", "epidemic")[0] == 0
    project = Project(tmp_path / "p")
    assert project.schema() == corpus("epidemic").schema()
    assert "PATIENT_ID" in project.settings().guideline


def test_types_of_odd_characters_survive(tmp_path, run):
    given = 'a"b\\c: nói "gì" [x] = {1}, không; Tên người; #x: \'y\'; 人名'
    assert run("init", tmp_path / "p", "--language", "vi", "--types", given)[0] == 0
    types = Project(tmp_path / "p").schema()["entities"].types
    assert [item.name for item in types] == ['a"b\\c', "Tên người", "#x", "人名"]
    assert types[0].description == 'nói "gì" [x] = {1}, không'


def test_a_description_may_end_like_the_name_of_a_file(tmp_path, run):
    assert run("init", tmp_path / "p", "--language", "vi", "--types", "PERSON: a name; FILE: such as notes.txt")[0] == 0
    assert Project(tmp_path / "p").schema()["entities"].names == ("PERSON", "FILE")


def test_types_come_from_files_too(tmp_path, run):
    (tmp_path / "types.txt").write_text("# what we mark\nPERSON: people\n\nPLACE\n", encoding="utf-8")
    (tmp_path / "schema.json").write_text('{"layers": [{"name": "entities", "kind": "entities", "types": ["A"]}]}')
    run("init", tmp_path / "p", "--language", "vi", "--types", tmp_path / "types.txt")
    run("init", tmp_path / "q", "--language", "vi", "--types", tmp_path / "schema.json")
    assert Project(tmp_path / "p").schema()["entities"].names == ("PERSON", "PLACE")
    assert Project(tmp_path / "q").schema()["entities"].names == ("A",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("A,A", "used twice"),
        ("nosuch.txt", "nosuch.txt: there is no such file"),
        (" , ", "there is no type"),
        ("x" * 201, "cannot name a type"),
        ("a\tb", "cannot name a type"),
    ],
)
def test_types_that_cannot_be_are_refused(tmp_path, run, given, said):
    status, _, err = run("init", tmp_path / "p", "--language", "vi", "--types", given)
    assert status == 1
    assert said in err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [([], "--language and --types"), (["--language", "vi"], "--types"), (["--language", "v i", "--types", "A"], "no language")],
)
def test_without_a_terminal_what_is_missing_is_a_usage_error_and_nothing_hangs(tmp_path, run, args, said):
    status, _, err = run("init", tmp_path / "p", *args)
    assert status == 2
    assert said in err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("viner.toml", "a project already"),
        ("viner.db", "viner.db"),
        ("photo.jpg", "no texts (photo.jpg)"),
        ("models/001", "models"),
    ],
)
def test_a_folder_with_other_things_is_refused_and_stays_as_it_is(notices, run, file, said):
    (notices / file).parent.mkdir(exist_ok=True)
    (notices / file).touch()
    before = all_files(notices)
    status, _, err = run("init", notices, "--language", "vi", "--types", "A")
    assert status == 1
    assert said in err
    assert all_files(notices) == before


def test_a_gitignore_of_ones_own_stays(notices, run):
    (notices / ".gitignore").write_text("mine\n")
    status, _, err = run("init", notices, "--language", "vi", "--types", "A")
    assert status == 0
    assert "viner.db*" in err
    assert (notices / ".gitignore").read_text() == "mine\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_an_interrupted_or_failed_init_leaves_the_folder_as_it_was(notices, run, monkeypatch, error):
    def fail(texts, *_, **__):
        yield Document("a", id="a")
        raise error

    monkeypatch.setattr(init_module, "read_documents", fail)
    before = all_files(notices)
    for folder in (notices, notices.parent / "new" / "deep"):
        assert run("init", folder, "--language", "vi", "--types", "A", "--texts", notices)[0] in (1, 130)
    assert all_files(notices) == before
    assert not (notices.parent / "new").exists()
    assert not list(notices.glob(".viner*"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_told(notices, run):
    notices.chmod(stat.S_IRUSR | stat.S_IXUSR)
    status, _, err = run("init", notices, "--language", "vi", "--types", "A")
    notices.chmod(0o755)
    assert status == 1
    assert "Permission denied" in err


def test_a_database_of_another_project_is_not_taken(tmp_path, project, run, monkeypatch):
    monkeypatch.setenv("VINER_DATABASE_URL", f"sqlite:///{project / 'viner.db'}")
    status, _, err = run("init", tmp_path / "q", "--language", "vi", "--types", "OTHER")
    assert status == 1
    assert "belongs to another project" in err
    assert not (tmp_path / "q").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_on_a_terminal_it_asks_four_questions_each_with_a_default(notices):
    import pty
    import subprocess
    import sys

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "viner", "init"], cwd=notices, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, text=True
    )
    os.close(theirs)
    os.write(ours, b"\ntieng viet\n\nnowhere\n.\nPERSON\n")
    shown = b""
    try:
        while block := os.read(ours, 4096):
            shown += block
    except OSError:
        pass  # the other end is closed
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    text = shown.decode()
    assert process.returncode == 0, text
    assert [
        question for question in ("Name [notices]", "Language [vi]", "Texts [.]", "Types [PERSON: ") if question not in text
    ] == []
    assert "'tieng viet' is no language code" in text
    assert "nowhere: there is no such file or folder" in text
    assert "3 documents" in out


@pytest.mark.parametrize("name", [".", "-", "A,.", "…: dots"])
def test_a_name_without_a_letter_or_digit_is_no_type(tmp_path, run, name):
    status, _, err = run("init", tmp_path / "p", "--language", "vi", "--types", name)
    assert status == 1
    assert "with a letter or digit" in err
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    ("language", "said"), [("vi", "- Không gán nhãn: …"), ("vi-VN", "- Gán nhãn: …"), ("en", "- Do not mark: …")]
)
def test_the_guideline_to_fill_in_is_in_the_language_of_the_texts(tmp_path, run, language, said):
    run("init", tmp_path / "p", "--language", language, "--types", "TÊN")
    guideline = Project(tmp_path / "p").settings().guideline
    assert "## TÊN" in guideline
    assert said in guideline
