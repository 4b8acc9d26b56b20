"""import, export, backup, restore, erase, accounts: what they do to a store, and what they refuse."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from viner import Document, Entity, Project
from viner.store import Store

pytestmark = pytest.mark.usefixtures("stdin")


def write(path, *documents):
    path.write_text("".join(document.to_json() + "\n" for document in documents), encoding="utf-8")
    return path


@pytest.fixture
def gold(tmp_path):
    """Two annotated documents, one with a suggestion, and one that is not annotated."""
    return write(
        tmp_path / "gold.jsonl",
        Document("ra Huế", id="g1", meta={"from": "here"}, entities=[Entity(3, 6, "PLACE", id="e")]),
        Document(
            "Lan 😷 ở nhà", id="g2", entities=[], suggestions=[Entity(0, 3, "PERSON", id="s", score=0.5, source="model 001")]
        ),
        Document("không có gì"),
    )


def test_what_goes_in_comes_out(project, gold, run, exported):
    status, out, err = run("import", gold, "--project", project, "--json")
    assert status == 0, err
    assert {key: json.loads(out)[key] for key in ("added", "entities", "suggestions")} == {
        "added": 3,
        "entities": 1,
        "suggestions": 1,
    }
    first, second, third = exported(project)
    assert (first["id"], first["meta"]) == ("g1", {"from": "here"})
    assert [(item["start"], item["end"], item["label"]) for item in first["entities"]] == [(3, 6, "PLACE")]
    assert second["suggestions"][0]["score"] == 0.5
    assert (third["id"], third["text"]) == ("gold-000003", "không có gì")
    assert "entities" not in third


def test_export_picks_by_split_and_status_and_says_what_a_format_cannot_hold(project, gold, run, exported, tmp_path):
    run("import", gold, "--project", project, "--split", "test")
    assert len(exported(project, "--split", "test")) == 3
    assert exported(project, "--split", "dev") == []
    assert [item["id"] for item in exported(project, "--status", "done")] == ["g1", "g2"]
    status, _, err = run("export", "--project", project, tmp_path / "out.conll")
    assert status == 0
    assert "no place for suggestions" in err
    assert (tmp_path / "out.conll").exists()


def test_stdin_and_folders_are_imported(project, run, stdin, exported, tmp_path):
    stdin("một\nhai\n")
    assert run("import", "-", "--project", project)[0] == 0
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "x.txt").write_text("a\nb\n")
    (tmp_path / "new" / "x.pdf").write_bytes(b"%PDF")
    status, out, err = run("import", tmp_path / "new", "--project", project)
    assert (status, "1 documents" in out, "x.pdf" in err) == (0, True, True)
    assert [item["id"] for item in exported(project)] == ["stdin:1", "stdin:2", "x"]


def test_a_whole_text_file_is_one_document(project, run, exported, tmp_path):
    (tmp_path / "x.txt").write_bytes(b"a\r\nb")
    assert run("import", tmp_path / "x.txt", "--project", project, "--whole")[0] == 0
    assert exported(project)[0]["text"] == "a\r\nb"


def test_files_of_one_name_do_not_collide(project, run, exported, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(name)
    assert run("import", tmp_path / "a" / "x.txt", tmp_path / "b" / "x.txt", "--project", project)[0] == 0
    first, second = exported(project)
    assert first["id"] != second["id"]


def test_an_id_that_is_there_is_refused_skipped_or_updated(project, gold, run, exported, tmp_path):
    run("import", gold, "--project", project)
    more = write(tmp_path / "more.jsonl", Document("new", id="n"), Document("ra Huế", id="g1", entities=[]))
    status, _, err = run("import", more, "--project", project)
    assert status == 1
    assert "g1" in err
    assert len(exported(project)) == 3, "all or nothing"
    status, out, _ = run("import", more, "--project", project, "--on-duplicate", "skip", "--json")
    assert (status, json.loads(out)["added"], json.loads(out)["skipped"]) == (0, 1, 1)
    status, out, _ = run("import", more, "--project", project, "--on-duplicate", "update", "--json")
    assert status == 0
    assert exported(project)[0]["entities"] == []


def test_an_id_twice_in_one_file_is_refused(project, run, exported, tmp_path):
    twice = write(tmp_path / "twice.jsonl", Document("a", id="x"), Document("b", id="x"))
    status, _, err = run("import", twice, "--project", project)
    assert status == 1
    assert "x" in err
    assert exported(project) == []


def test_a_broken_line_takes_nothing_in(project, run, exported, tmp_path):
    good = write(tmp_path / "good.jsonl", Document("a", id="a"))
    (tmp_path / "bad.jsonl").write_text('{"text": "b"}\n{"text": \n')
    status, _, err = run("import", good, tmp_path / "bad.jsonl", "--project", project)
    assert status == 1
    assert "bad.jsonl:2" in err
    assert exported(project) == []


def test_suggestions_wait_for_a_person(project, gold, run, exported):
    assert run("import", gold, "--project", project, "--as-suggestions")[0] == 0
    assert {item["label"] for document in exported(project) for item in document.get("suggestions", ())} == {"PLACE", "PERSON"}
    assert exported(project, "--status", "done") == []


def test_labels_that_the_project_lacks_are_refused_or_added(project, run, tmp_path):
    other = write(tmp_path / "o.jsonl", Document("ra Huế", id="o", entities=[Entity(3, 6, "TOWN")]))
    status, _, err = run("import", other, "--project", project)
    assert status == 1
    assert "TOWN" in err
    assert run("import", other, "--project", project, "--new-labels", "add")[0] == 0
    assert Project(project).schema()["entities"].names == ("PERSON", "PLACE", "TOWN")
    assert "# given | random" in (project / "viner.toml").read_text(), "comments stay"


def _unknown_label(name):
    return f'{{"id": "{name}", "text": "Lan", "entities": [{{"start": 0, "end": 3, "label": "NONE"}}]}}\n'


def test_what_is_wrong_with_a_document_is_told_with_its_file_and_line(project, run, tmp_path):
    fine, bad = tmp_path / "fine.jsonl", tmp_path / "bad.jsonl"
    fine.write_text('{"id": "n", "text": "a"}\n{"id": "n: 1", "text": "b"}\n')
    bad.write_text('{"id": "m", "text": "c"}\n\n' + _unknown_label("n: 1: 2"))
    status, _, err = run("import", fine, bad, "--project", project)
    assert (status, f"{bad}:3: n: 1: 2: entities[0]: the schema has no entity label" in err) == (1, True), err
    bad.write_text('{"id": "m", "text": "c"}\n{"id": "n", "text": "d"}\n')
    status, _, err = run("import", fine, bad, "--project", project)
    assert (status, f"{bad}:2: n: the id 'n' is used twice" in err) == (1, True), err


@pytest.mark.parametrize(
    "verb", [["import", "x.txt"], ["export"], ["backup", "b"], ["erase", "x", "--yes"], ["accounts", "list"], ["serve"]]
)
def test_a_verb_needs_to_know_its_project(verb, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, err = run(*verb)
    assert status == 2
    assert "viner init" in err
    status, _, err = run(*verb, "--project", tmp_path / "moved")
    assert status == 1
    assert "no such folder" in err
    assert list(tmp_path.iterdir()) == []


def test_a_project_that_moved_works_where_it_is_now(project, gold, run, exported):
    run("import", gold, "--project", project)
    moved = project.rename(project.with_name("moved"))
    assert len(exported(moved)) == 3


def test_a_store_that_is_gone_is_said_and_not_made_anew(project, run):
    (project / "viner.db").unlink()
    status, _, err = run("export", "--project", project)
    assert status == 1
    assert "viner.db" in err
    assert not (project / "viner.db").exists()


def test_a_backup_comes_back_into_an_empty_place_only(project, gold, run, exported, tmp_path):
    run("import", gold, "--project", project)
    before = exported(project)
    status, out, err = run("backup", "--project", project, tmp_path / "b", "--json")
    assert status == 0, err
    assert json.loads(out)["documents"] == 3
    status, _, err = run("backup", "--project", project, tmp_path / "b")
    assert (status, "exists" in err) == (2, True)
    status, _, err = run("restore", tmp_path / "b", "--project", project)
    assert status == 1
    assert exported(project) == before
    for file in project.glob("viner.db*"):
        file.unlink()
    status, out, err = run("restore", tmp_path / "b", "--project", project)
    assert (status, "3 documents restored" in out) == (0, True), err
    assert exported(project) == before


def test_a_backup_goes_through_a_pipe(project, gold, run, tmp_path):
    run("import", gold, "--project", project)
    viner = [sys.executable, "-m", "viner"]
    sent = subprocess.run([*viner, "backup", "-", "--project", project], capture_output=True, timeout=60, check=True)
    assert sent.stdout.startswith(b"SQLite format 3")
    assert sorted(project.glob(".backup*")) == []
    for file in project.glob("viner.db*"):
        file.unlink()
    command = [*viner, "restore", "-", "--project", project, "--json"]
    taken = subprocess.run(command, input=sent.stdout, capture_output=True, timeout=60, check=True)
    assert json.loads(taken.stdout)["documents"] == 3
    assert sorted(project.glob(".restore*")) == []
    status, _, err = run("backup", "-", "--project", project, "--json")
    assert (status, "where the backup goes" in err) == (2, True)


@pytest.mark.parametrize("content", [None, b"no database", b""])
def test_what_is_no_backup_is_refused(project, run, tmp_path, content):
    for file in project.glob("viner.db*"):
        file.unlink()
    if content is not None:
        (tmp_path / "b").write_bytes(content)
    status, _, err = run("restore", tmp_path / "b", "--project", project)
    assert status == 1
    assert str(tmp_path / "b") in err
    assert not (project / "viner.db").exists()


def test_erasing_asks_and_takes_all_or_nothing(project, gold, run, exported):
    run("import", gold, "--project", project)
    status, _, err = run("erase", "g1", "--project", project)
    assert (status, "--yes" in err) == (2, True)
    status, _, err = run("erase", "g1", "nobody", "--project", project, "--yes")
    assert (status, "nobody" in err) == (1, True)
    assert len(exported(project)) == 3
    assert run("erase", "g1", "g2", "--project", project, "--yes")[0] == 0
    assert [item["id"] for item in exported(project)] == ["gold-000003"]


def test_accounts_come_and_go(project, run, stdin):
    stdin("mật khẩu dài\n")
    assert run("accounts", "add", "lan", "--project", project, "--password-stdin")[0] == 0
    status, out, _ = run("accounts", "list", "--project", project, "--json")
    assert json.loads(out) == {"accounts": ["lan"]}
    stdin("another one\n")
    assert run("accounts", "password", "lan", "--project", project, "--password-stdin")[0] == 0
    with Store.of_project(Project(project)) as store:
        assert store.accounts.verify("lan", "another one")
        assert not store.accounts.verify("lan", "mật khẩu dài")
    status, _, err = run("accounts", "remove", "lan", "--project", project)
    assert (status, "without a login" in err) == (0, True)


@pytest.mark.parametrize(
    ("args", "given", "status", "said"),
    [
        (["add", "nam", "--password-stdin"], "short\n", 1, "8 to"),
        (["add", "nam"], "long enough\n", 2, "--password-stdin"),
        (["add", "lan", "--password-stdin"], "long enough\n", 2, "there is an account"),
        (["password", "nam", "--password-stdin"], "long enough\n", 2, "no account 'nam'"),
        (["remove", "nam"], "", 2, "Accounts: lan"),
    ],
)
def test_accounts_that_cannot_be(project, run, stdin, args, given, status, said):
    stdin("long enough\n")
    run("accounts", "add", "lan", "--project", project, "--password-stdin")
    stdin(given)
    got, out, err = run("accounts", *args, "--project", project)
    assert got == status
    assert said in err
    assert given.strip() not in (out + err) or not given.strip()


def test_types_that_were_written_into_viner_toml_count_at_the_next_import(project, run, tmp_path, exported):
    settings = (project / "viner.toml").read_text(encoding="utf-8")
    (project / "viner.toml").write_text(settings.replace("types = [", 'types = [\n    "TOWN",'), encoding="utf-8")
    other = write(tmp_path / "o.jsonl", Document("ra Huế", id="o", entities=[Entity(3, 6, "TOWN")]))
    status, _, err = run("import", other, "--project", project)
    assert status == 0, err
    assert exported(project)[0]["entities"][0]["label"] == "TOWN"


def test_a_short_password_is_refused_before_it_is_typed_again(project, run, stdin, monkeypatch):
    typed = iter(["short", "long enough", "long enough"])
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda text: next(typed))
    monkeypatch.setattr("sys.stdin", Terminal())
    status, _, err = run("accounts", "add", "lan", "--project", project)
    assert status == 0
    assert err.count("a password has at least 8 characters") == 1
    with Store.of_project(Project(project)) as store:
        assert store.accounts.verify("lan", "long enough")


class Terminal(io.StringIO):
    """A stdin that says it is one of a person."""

    def isatty(self):
        return True
