"""``viner search``, and ``viner train --choices``, which takes what was found."""

from __future__ import annotations

import json
import shlex
from itertools import pairwise

import pytest

from support.bases import toy_documents
from viner import Document, Entity
from viner.errors import UsageError
from viner.formats import write
from viner.workflow import search as room
from viner.workflow.trials import Search, Trial

pytestmark = pytest.mark.usefixtures("stdin")


@pytest.fixture
def searched(monkeypatch, tmp_path):
    """What searches were asked for; instead of one there is a table of three trials."""
    asked = []

    def search_choices(train, out, **options):
        asked.append(
            {"train": train, "out": out, **options, "texts": None if train is None else train.read_text(encoding="utf-8")}
        )
        trials = [
            Trial(1, "complete", {"learning_rate": 4e-4, "dropout": 0.1}, 0.5, 8, 60.0),
            Trial(2, "pruned", {"learning_rate": 1e-4, "dropout": 0.2}, 0.25, 3, 20.0),
            Trial(3, "complete", {"learning_rate": 2e-4, "dropout": 0.0}, 0.625, 8, 60.0),
        ]
        return Search(trials, 3, {"learning_rate": "0.0001..0.001", "dropout": "0..0.3"}, {"seed": 5}, (10, 4))

    monkeypatch.setattr(room, "search_choices", search_choices)
    write(toy_documents(4), tmp_path / "train.jsonl")
    return asked


def test_the_table_comes_with_the_command_that_trains(searched, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ["--train", "train.jsonl", "--dev", "train.jsonl", "--out", "my search", "--base", "some/base"]
    status, out, err = run("search", *given, "--trials", "3", "--budget", "90s", "--space", "dropout=0..0.3", "--seed", "5")
    assert status == 0, err
    lines = out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["3", "1", "2"]
    assert "0.6250" in lines[2]
    assert shlex.split(lines[-1]) == [
        "viner", "train", "--train", "train.jsonl", "--dev", "train.jsonl", "--out", "models/NAME",
        "--choices", "my search/best.toml", "--base", "some/base",
    ]  # fmt: skip
    assert searched[0]["budget_minutes"] == 1.5
    assert (searched[0]["trials"], searched[0]["space"], searched[0]["seed"]) == (3, ("dropout=0..0.3",), 5)


def test_the_command_reads_the_files_as_the_search_did(searched, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["tag_column=3", "separator=tab", "tag_columns=2,3", "comments=false", "drop_labels=OTH,"]
    given = [word for option in options for word in ("--option", option)]
    status, out, err = run("search", "--train", "train.jsonl", "--out", "s", "--format", "conll", *given)
    assert status == 0, err
    words = shlex.split(out.splitlines()[-1])
    assert [word for before, word in pairwise(words) if before == "--option"] == options


def test_json_has_the_trials_the_best_and_the_command(searched, run, tmp_path):
    status, out, err = run("search", "--train", tmp_path / "train.jsonl", "--out", tmp_path / "s", "--json")
    assert status == 0, err
    data = json.loads(out)
    assert [trial["state"] for trial in data["trials"]] == ["complete", "pruned", "complete"]
    assert (data["best"]["number"], data["best"]["choices"]) == (3, {"seed": 5, "learning_rate": 2e-4, "dropout": 0.0})
    assert data["command"].startswith("viner train --train ")
    assert searched[0]["dev"] is None


def test_it_needs_files_or_a_project(searched, run, project, tmp_path):
    status, _, err = run("search", "--out", tmp_path / "s")
    assert (status, "Give --train FILE, or --project DIR" in err) == (2, True)
    for more in (["--train", "a"], ["--dev", "a"], ["--format", "conll"], ["--option", "x=1"]):
        status, _, err = run("search", "--project", project, "--out", tmp_path / "s", *more)
        assert (status, f"{more[0]} does not go with --project" in err) == (2, True)
    assert searched == []


def test_a_project_is_searched_on_what_is_annotated_in_its_store(searched, run, project, tmp_path):
    lines = [
        Document(f"Lan {number} ra Huế", id=f"d{number}", entities=[Entity(0, 3, "PERSON")]).to_json() for number in range(6)
    ]
    (tmp_path / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert run("import", tmp_path / "gold.jsonl", "--project", project, "--split", "train")[0] == 0
    status, out, err = run("search", "--project", project, "--out", tmp_path / "s")
    assert status == 0, err
    assert searched[0]["texts"].count('"text"') == 6
    assert searched[0]["schema"]["entities"].names == ("PERSON", "PLACE")
    assert not searched[0]["train"].exists()  # no copy of the texts stays
    assert f"viner train --project {project} --choices" in out


def test_a_project_without_a_store_is_searched_on_its_data(searched, run, tmp_path):
    folder = tmp_path / "plain"
    (folder / "data").mkdir(parents=True)
    (folder / "viner.toml").write_text("", encoding="utf-8")
    for split in ("train", "dev"):
        write(toy_documents(3), folder / "data" / f"{split}.jsonl")
    assert run("search", "--project", folder, "--out", tmp_path / "s")[0] == 0
    assert (searched[0]["train"].name, searched[0]["dev"].name) == ("train.jsonl", "dev.jsonl")


@pytest.fixture
def trained(monkeypatch):
    asked = []
    monkeypatch.setattr("viner.workflow.train_model", lambda **options: asked.append(options) or options["out"])
    return asked


def test_a_training_takes_choices_from_a_file_and_options_go_before_them(run, trained, tmp_path):
    (tmp_path / "best.toml").write_text("learning_rate = 2e-4\nweight_decay = 0\nseed = 7\n", encoding="utf-8")
    given = ["train", "--train", "a", "--out", tmp_path / "m", "--choices", tmp_path / "best.toml", "--seed", "3"]
    assert run(*given)[0] == 0
    assert {name: trained[0][name] for name in ("learning_rate", "weight_decay", "seed")} == {
        "learning_rate": 2e-4,
        "weight_decay": 0.0,
        "seed": 3,
    }
    assert "choices" not in trained[0]


def test_a_file_with_what_is_no_choice_is_a_usage_error(run, trained, tmp_path):
    (tmp_path / "best.toml").write_text("rate = 2e-4\n", encoding="utf-8")
    status, _, err = run("train", "--train", "a", "--out", tmp_path / "m", "--choices", tmp_path / "best.toml")
    assert status == UsageError.exit_status
    assert "best.toml: there is no choice 'rate'" in err
    assert "learning_rate" in err
    assert trained == []


def test_a_run_of_a_project_takes_choices_and_is_resumed_with_the_same(run, project, tmp_path, monkeypatch):
    folders = []

    def work(folder):
        folders.append(folder.read()["options"])
        folder.update(state="stopped")
        return folder.path

    monkeypatch.setattr("viner.studio.work.work", work)
    lines = [Document(f"Lan {number}", id=f"d{number}", entities=[Entity(0, 3, "PERSON")]).to_json() for number in range(6)]
    (tmp_path / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert run("import", tmp_path / "gold.jsonl", "--project", project, "--split", "train")[0] == 0
    (tmp_path / "best.toml").write_text('dropout = 0.2\nviews = ["nfc"]\n', encoding="utf-8")
    for _ in range(2):
        status, _, err = run("train", "--project", project, "--choices", tmp_path / "best.toml")
        assert status == 0, err
    assert "Going on with run 001" in err
    assert folders[0] == {"dropout": 0.2, "views": ["nfc"]}
