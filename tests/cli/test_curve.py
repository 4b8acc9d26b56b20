"""``viner curve``, and ``viner evaluate --curve``, which shows it."""

from __future__ import annotations

import json

import pytest

from support.bases import toy_documents
from viner.evaluation.curve import Curve, CurveRun
from viner.formats import write
from viner.workflow import curve as room


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """What curves were asked for; instead of one there is one of two points."""
    asked = []

    def learning_curve(train, work, **options):
        asked.append({"train": train, "work": work, **options})
        work.mkdir(exist_ok=True)
        runs = [CurveRun(share, int(40 * share), 100, 1, 0.5 + share / 10, 9.0, f"key{share}") for share in (0.5, 1.0)]
        return Curve(runs, 10, 30)

    monkeypatch.setattr(room, "learning_curve", learning_curve)
    write(toy_documents(4), tmp_path / "train.jsonl")
    return asked


def test_a_page_and_figures_are_written_and_nothing_else_is_left(drawn, run, tmp_path):
    page, figures = tmp_path / "curve.html", tmp_path / "curve.json"
    options = ["--shares", "0.5,1", "--seeds", "1,2", "--epochs", "3"]
    status, out, err = run("curve", "--train", tmp_path / "train.jsonl", "--out", page, "--out", figures, *options)
    assert status == 0, err
    assert "The last doubling (20 to 40 documents) gained 5.0 points of F1" in out
    assert f"Written: {page}\nWritten: {figures}" in out
    assert "The last doubling" in page.read_text(encoding="utf-8")
    assert "of train.jsonl" in page.read_text(encoding="utf-8")
    assert [point["documents"] for point in json.loads(figures.read_text(encoding="utf-8"))["points"]] == [20, 40]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["curve.html", "curve.json", "train.jsonl"]
    asked = drawn[0]
    assert (asked["shares"], asked["seeds"], asked["epochs"]) == ([0.5, 1.0], [1, 2], 3)
    assert asked["known"] == []


def test_the_page_is_in_the_language_that_was_asked_for(drawn, run, tmp_path):
    given = ["curve", "--train", tmp_path / "train.jsonl", "--language", "vi", "--out", tmp_path / "c.json"]
    status, _, err = run(*given)
    assert (status, drawn) == (2, [])
    assert "--language is that of the page" in err
    assert run(*given, "--out", tmp_path / "c.html")[0] == 0
    assert "Lần gấp đôi cuối (20 lên 40 văn bản) tăng 5,0 điểm F1" in (tmp_path / "c.html").read_text(encoding="utf-8")


def test_what_is_learned_from_is_not_written(drawn, run, tmp_path):
    train = (tmp_path / "train.jsonl").rename(tmp_path / "train.json")
    before = train.read_bytes()
    status, _, err = run("curve", "--train", train, "--out", train)
    assert (status, drawn) == (2, [])
    assert "the command reads this file and would write it" in err
    assert train.read_bytes() == before


def test_trainings_of_figures_that_are_there_are_handed_on(drawn, run, tmp_path):
    given = ["curve", "--train", tmp_path / "train.jsonl", "--out", tmp_path / "curve.json", "--json"]
    assert run(*given)[0] == 0
    status, out, _ = run(*given)
    assert status == 0
    assert json.loads(out)["last_doubling"]["from"] == 20
    assert [run.key for run in drawn[1]["known"]] == ["key0.5", "key1.0"]


def test_trainings_that_a_later_call_does_not_ask_for_stay_in_the_figures(drawn, run, tmp_path, monkeypatch):
    given = ["curve", "--train", tmp_path / "train.jsonl", "--out", tmp_path / "curve.json"]
    assert run(*given)[0] == 0
    first = json.loads((tmp_path / "curve.json").read_text(encoding="utf-8"))
    others = [CurveRun(share, int(40 * share), 100, 3, 0.6, 9.0, f"other{share}") for share in (0.5, 1.0)]

    def another(train, work, *, known, **options):
        drawn.append({"known": known})
        return Curve(others, 10, 30)

    monkeypatch.setattr(room, "learning_curve", another)
    assert run(*given, "--seeds", "3")[0] == 0
    second = json.loads((tmp_path / "curve.json").read_text(encoding="utf-8"))
    assert [item["seed"] for item in second["runs"]] == [3, 3]
    assert second["kept"] == first["runs"]
    assert len(second["points"]) == 2
    assert run(*given, "--seeds", "3")[0] == 0
    assert json.loads((tmp_path / "curve.json").read_text(encoding="utf-8")) == second
    assert sorted(item.key for item in drawn[-1]["known"]) == ["key0.5", "key1.0", "other0.5", "other1.0"]


def test_files_of_somebody_else_beside_the_trainings_stay(drawn, run, tmp_path):
    work = tmp_path / "c.json.trainings"
    (work / "training").mkdir(parents=True)
    (work / f"{'0' * 24}.json").write_text("{}", encoding="utf-8")
    (work / "notes.json").write_text("mine", encoding="utf-8")
    assert run("curve", "--train", tmp_path / "train.jsonl", "--out", tmp_path / "c.json")[0] == 0
    assert [path.name for path in work.iterdir()] == ["notes.json"]


def test_choices_come_from_a_file_but_for_the_seed(drawn, run, tmp_path):
    (tmp_path / "best.toml").write_text("dropout = 0.2\nepochs = 9\nseed = 4\n", encoding="utf-8")
    options = ["--choices", tmp_path / "best.toml", "--epochs", "2"]
    assert run("curve", "--train", tmp_path / "train.jsonl", "--out", tmp_path / "c.json", *options)[0] == 0
    assert (drawn[0]["dropout"], drawn[0]["epochs"], drawn[0]["seeds"]) == (0.2, 2, [1])
    assert "seed" not in drawn[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "curve.pdf"], "the ending of 'curve.pdf' says nothing"),
        (["--out", "folder.html"], "folder.html: this is a folder, and a curve goes to a file"),
        (["--out", "c.html", "--shares", "half,1"], "are no numbers between commas"),
        (["--out", "c.html", "--seeds", "1.5"], "are no numbers between commas"),
        ([], "Missing option"),
    ],
)
def test_what_cannot_be_is_a_usage_error(drawn, run, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.html").mkdir()
    status, _, err = run("curve", "--train", tmp_path / "train.jsonl", *options)
    assert status == 2
    assert said in err
    assert drawn == []


def test_the_page_of_errors_shows_a_curve(drawn, run, tmp_path, tiny_model):
    assert run("curve", "--train", tmp_path / "train.jsonl", "--out", tmp_path / "curve.json")[0] == 0
    page = tmp_path / "errors.html"
    given = ["evaluate", tiny_model, tmp_path / "train.jsonl"]
    assert run(*given, "--report", page)[0] == 0
    assert "What more documents bring" not in page.read_text(encoding="utf-8")
    assert run(*given, "--report", page, "--curve", tmp_path / "curve.json")[0] == 0
    content = page.read_text(encoding="utf-8")
    assert '<a href="#ve-curve">What more documents bring</a>' in content
    assert "The last doubling (20 to 40 documents)" in content
    status, _, err = run(*given, "--curve", tmp_path / "curve.json")
    assert (status, "--curve goes with --report only" in err) == (2, True)
    (tmp_path / "curve.json").write_text("{}", encoding="utf-8")
    status, _, err = run(*given, "--report", page, "--curve", tmp_path / "curve.json")
    assert (status, "this is no learning curve" in err) == (1, True)


def test_a_place_that_cannot_be_written_to_is_told_before_anything_is_trained(drawn, run, tmp_path):
    options = ["--out", tmp_path / "c.json", "--out", tmp_path / "none" / "c.html"]
    status, _, err = run("curve", "--train", tmp_path / "train.jsonl", *options)
    assert (status, drawn) == (2, [])
    assert "nothing can be written there" in err
