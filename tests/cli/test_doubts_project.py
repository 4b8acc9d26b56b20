"""``viner doubts`` on a project: its done documents, whatever keeps them."""

from __future__ import annotations

import json

import pytest

from viner import Document, Entity
from viner.formats import write
from viner.workflow import doubts

pytestmark = pytest.mark.usefixtures("stdin", "untrained")


@pytest.fixture
def untrained(monkeypatch, tiny_model):
    """Instead of a training there is a model that knows a few names."""
    monkeypatch.setattr(doubts, "train_model", lambda out, **_: out.symlink_to(tiny_model, target_is_directory=True))


@pytest.fixture
def annotated(project, run, tmp_path):
    """A project with done documents in each split, of which the first has a slip, and one that nobody began."""
    for split in ("train", "dev", "test"):
        documents = [Document(f"Lan {n} {split}", id=f"{split}{n}", entities=[Entity(0, 3, "PERSON")]) for n in range(4)]
        documents[0] = documents[0].with_(entities=[Entity(0, 3, "PLACE")])
        write([*documents, Document(f"Lan chưa {split}", id=f"open-{split}")], tmp_path / "gold.jsonl")
        status, _, err = run("import", tmp_path / "gold.jsonl", "--project", project, "--split", split)
        assert status == 0, err
    return project


def doubted(out):
    return {json.loads(line)["document"] for line in out.read_text(encoding="utf-8").splitlines()}


def test_done_documents_of_train_and_dev_are_judged(annotated, run, tmp_path):
    out = tmp_path / "doubts.jsonl"
    status, told, err = run("doubts", "--project", annotated, "--out", out, "--folds", "2")
    assert status == 0, err
    assert "Each of the 8 documents was judged" in told
    assert doubted(out) == {"train0", "dev0"}
    assert not out.with_name("doubts.jsonl.folds").exists()


def test_a_page_is_in_the_language_that_was_asked_for(annotated, run, tmp_path):
    given = ["doubts", "--project", annotated, "--folds", "2", "--language", "vi"]
    status, _, err = run(*given, "--out", tmp_path / "doubts.jsonl")
    assert status == 2
    assert "--language is that of the page" in err
    status, told, err = run(*given, "--out", tmp_path / "doubts.html")
    assert status == 0, err
    assert "Each of the 8 documents was judged" in told
    content = (tmp_path / "doubts.html").read_text(encoding="utf-8")
    assert "Mỗi văn bản trong số 8 được đánh giá bởi một trong 2 mô hình" in content
    assert "documents" not in content.split("<main>")[1]


def test_without_a_file_the_console_gets_them(annotated, run):
    from viner.project import Project
    from viner.store import Store
    from viner.studio.doubts import open_doubts

    status, told, err = run("doubts", "--project", annotated, "--folds", "2")
    assert status == 0, err
    assert f"on the page Errors of: viner serve --project {annotated}\n" in told
    project = Project(annotated)
    with Store.of_project(project) as store:
        found = open_doubts(project, store)
    assert {doubt.excerpt.document for doubt in found.doubts} == {"train0", "dev0"}
    assert sorted(path.name for path in (annotated / "runs").iterdir()) == ["doubting", "doubts.json", "doubts_aside.lock"]


def test_what_was_put_aside_is_left_out_wherever_doubts_go(annotated, run, tmp_path):
    from viner.project import Project
    from viner.store import Store
    from viner.studio.doubts import doubt_key, open_doubts, put_aside

    assert run("doubts", "--project", annotated, "--folds", "2")[0] == 0
    project = Project(annotated)
    with Store.of_project(project) as store:
        right = next(doubt for doubt in open_doubts(project, store).doubts if doubt.excerpt.document == "dev0")
        assert put_aside(project, store, doubt_key(right))
    _, told, _ = run("doubts", "--project", annotated, "--folds", "2")
    assert "train0" in told
    assert "dev0" not in told
    assert run("doubts", "--project", annotated, "--folds", "2", "--out", tmp_path / "doubts.jsonl")[0] == 0
    assert doubted(tmp_path / "doubts.jsonl") == {"train0"}
    with Store.of_project(project) as store:
        found = open_doubts(project, store)
    assert ([doubt.excerpt.document for doubt in found.doubts], found.found, found.put) == (["train0"], 2, 1)


def test_what_another_search_left_is_removed(annotated, run):
    (annotated / "runs" / "doubts" / "0123456789abcdef").mkdir(parents=True)
    assert "a search for doubts that has not finished" in run("doctor", "--project", annotated)[1]
    assert run("doubts", "--project", annotated, "--folds", "2")[0] == 0
    assert not (annotated / "runs" / "doubts").exists()


@pytest.mark.parametrize("where", ["file", "project"])
def test_without_a_console_somebody_must_say_where_they_go(tmp_path, run, where):
    (tmp_path / "data").mkdir()
    (tmp_path / "viner.toml").write_text("", encoding="utf-8")
    write([Document("Lan", entities=[Entity(0, 3, "PERSON")])], tmp_path / "data" / "train.jsonl")
    of = ["--project", tmp_path] if where == "project" else [tmp_path / "data" / "train.jsonl"]
    status, _, err = run("doubts", *of)
    assert status == 2
    assert "Give --out doubts.html" in err


def test_one_split_of_the_project_in_the_current_folder(annotated, run, tmp_path, monkeypatch):
    monkeypatch.chdir(annotated)
    out = tmp_path / "doubts.html"
    status, told, err = run("doubts", "--split", "test", "--out", out, "--folds", "2", "--json")
    assert status == 0, err
    data = json.loads(told)
    assert (data["documents"], data["entities"]) == (4, 4)
    assert "in covid" in out.read_text(encoding="utf-8")


def test_a_project_without_a_store_has_files(tmp_path, run):
    folder = tmp_path / "files"
    (folder / "data").mkdir(parents=True)
    (folder / "viner.toml").write_text("", encoding="utf-8")
    documents = [Document(f"Lan {n}", id=f"f{n}", entities=[Entity(0, 3, "PERSON" if n else "LOCATION")]) for n in range(4)]
    write(documents, folder / "data" / "train.jsonl")
    write(documents[:1], folder / "data" / "test.jsonl")
    status, told, err = run("doubts", "--project", folder, "--out", tmp_path / "doubts.jsonl", "--folds", "2", "--json")
    assert status == 0, err
    assert json.loads(told)["documents"] == 4, "test is not among them"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["file.jsonl", "--project", "covid"], "go without FILE"),
        (["file.jsonl", "--split", "dev"], "go without FILE"),
        (["--project", "covid", "--format", "jsonl"], "go with FILE"),
        ([], "which project"),
    ],
)
def test_a_file_and_a_project_exclude_each_other(run, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    status, _, err = run("doubts", *arguments, "--out", "doubts.jsonl")
    assert status == 2
    assert said in err


def test_a_project_in_which_nothing_is_done_says_so(project, run, tmp_path):
    (tmp_path / "t.txt").write_text("Lan\n", encoding="utf-8")
    assert run("import", tmp_path / "t.txt", "--project", project)[0] == 0
    status, _, err = run("doubts", "--project", project, "--out", tmp_path / "doubts.jsonl")
    assert status == 1
    assert "no annotated entity" in err
