"""Each verb hands its arguments to the API and prints what comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import viner
from viner import Document, Entity, Schema
from viner.bundle import Origin
from viner.cli import main
from viner.training.config import TrainingConfig


class Finder:
    """A recognizer that finds "Huế"."""

    labels = ("LOC",)
    schema = Schema.of_entities(labels)
    info = Origin(name="finder")

    def stream(self, documents, *, unanswered=None):
        for document in documents:
            start = document.text.find("Huế")
            found = [Entity(start, start + 3, "LOC", score=0.9, source="model")] if start >= 0 else []
            yield document.with_(entities=found, words=document.words or [(0, len(document.text))])


@pytest.fixture
def loaded(monkeypatch):
    """Names of the models that were loaded."""
    names: list[str] = []

    def load(name, *, provider=None, rules=None, least_score=None):
        names.append(name)
        return Finder()

    monkeypatch.setattr(viner, "load", load)
    return names


@pytest.fixture
def trainings(monkeypatch):
    """What `train_model` was called with."""
    calls: list[dict[str, object]] = []

    def train_model(**options):
        calls.append(options)
        return Path(str(options["out"]))

    monkeypatch.setattr("viner.workflow.train_model", train_model, raising=False)
    return calls


@pytest.fixture
def served(monkeypatch):
    pytest.importorskip("fastapi", reason="the server needs viner[app]")
    calls: list[dict[str, object]] = []
    monkeypatch.setattr("viner.server.serve", lambda recognizer, **options: calls.append(options))
    monkeypatch.setattr("viner.server.check_address", lambda host, port: None)
    return calls


def test_predict_writes_the_documents_in_order(tmp_path, loaded, capsys):
    (tmp_path / "notes.txt").write_text("ra Huế\nở nhà\n", encoding="utf-8")
    assert main(["predict", "models/003", str(tmp_path / "notes.txt"), "--out", str(tmp_path / "out.jsonl")]) == 0
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [[entity["label"] for entity in line["entities"]] for line in lines] == [["LOC"], []]
    assert loaded == ["models/003"]
    assert "2 documents" in capsys.readouterr().err


def test_predict_shows_no_bar_in_a_pipe(tmp_path, loaded, capsys):
    (tmp_path / "notes.txt").write_text("ra Huế\n", encoding="utf-8")
    assert main(["predict", "m", str(tmp_path / "notes.txt")]) == 0
    assert capsys.readouterr().err == ""


def test_predict_of_a_missing_file_leaves_nothing_behind(tmp_path, loaded, capsys):
    assert main(["predict", "m", str(tmp_path / "no.txt"), "--out", str(tmp_path / "out.jsonl")]) == 1
    assert "no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_evaluate_prints_a_table_or_json(tmp_path, loaded, capsys):
    file = tmp_path / "test.conll"
    file.write_text("ra\tO\nHuế\tB-LOC\n\n", encoding="utf-8")
    assert main(["evaluate", "m", str(file)]) == 0
    assert "| **micro** |" in capsys.readouterr().out
    assert main(["evaluate", "m", str(file), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["micro"]["f1"] == 1.0
    assert figures["labels"]["LOC"]["support"] == 1
    assert figures["truncated_entities"] == 0


def test_evaluate_of_plain_text_says_what_is_missing(tmp_path, loaded, capsys):
    (tmp_path / "notes.txt").write_text("ra Huế\n", encoding="utf-8")
    assert main(["evaluate", "m", str(tmp_path / "notes.txt")]) == 1
    assert "notes.txt: none of the 1 documents has an entity" in capsys.readouterr().err


def test_train_passes_on_what_was_given_and_nothing_else(trainings, capsys):
    command = [
        "train",
        "--train",
        "a.conll",
        "--out",
        "model",
        "--epochs",
        "3",
        "--learning-rate",
        "2e-4",
        "--budget",
        "1m30s",
    ]
    assert main(command) == 0
    assert trainings == [
        {"train": Path("a.conll"), "out": Path("model"), "epochs": 3, "learning_rate": 2e-4, "budget_minutes": 1.5}
    ]
    assert "viner serve model" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("--harden", 0.3, "harden"),
        ("--r-drop", 1.0, "r_drop"),
        ("--adversarial", 0.6, "adversarial"),
        ("--lora", 8, "lora"),
        ("--accumulate", 2, "accumulate"),
    ],
)
def test_train_passes_choices_on_by_their_names(trainings, option, value, name):
    assert main(["train", "--train", "a.conll", "--out", "m", option, str(value)]) == 0
    assert trainings[0][name] == value
    TrainingConfig(**{name: value})


@pytest.mark.parametrize(
    ("time", "minutes"),
    [("10m", 10), ("10", 10), ("1.5h", 90), ("90s", 1.5), ("1h30m", 90), ("2MIN", 2), ("45 min", 45), ("1h1m30s", 61.5)],
)
def test_a_budget_is_a_time(time, minutes, trainings):
    assert main(["train", "--train", "a.conll", "--out", "model", "--budget", time]) == 0
    assert trainings[0]["budget_minutes"] == minutes


@pytest.mark.parametrize("time", ["0", "0m", "-1", "", "soon", "10d", "3 weeks", "1h30", "m", "1m1h", "1e3", "nan"])
def test_what_is_no_time_is_refused(time, trainings, capsys):
    assert main(["train", "--train", "a.conll", "--out", "model", "--budget", time]) == 2
    assert "--budget" in capsys.readouterr().err
    assert trainings == []


def test_train_distills_from_a_model_with_as_many_layers_as_asked_for(trainings):
    command = ["train", "--train", "a.conll", "--out", "small", "--distill-from", "user/large"]
    assert main([*command, "--layers", "4"]) == 0
    assert main(command) == 0
    given = {"train": Path("a.conll"), "out": Path("small"), "distill_from": "user/large"}
    assert trainings == [{**given, "layers": 4}, given]


def test_train_learns_from_as_many_teachers_as_are_named(trainings):
    command = ["train", "--train", "a.conll", "--out", "m", "--teacher", "user/large"]
    assert main([*command, "--teacher", "models/001", "--unlabeled", "notes", "--unlabeled", "*.txt"]) == 0
    teachers = {"teacher": ["user/large", "models/001"], "unlabeled": ["notes", "*.txt"]}
    assert trainings == [{"train": Path("a.conll"), "out": Path("m"), **teachers}]


@pytest.mark.parametrize("layers", ["0", "-1", "half"])
def test_train_wants_a_number_of_layers(trainings, capsys, layers):
    assert main(["train", "--train", "a.conll", "--out", "m", "--distill-from", "large", "--layers", layers]) == 2
    assert "--layers" in capsys.readouterr().err
    assert trainings == []


def test_train_passes_on_how_its_files_are_read(trainings):
    options = ["--format", "conll", "--option", "tag_column=1", "--option", "scheme=IO"]
    assert main(["train", "--train", "a.tsv", "--out", "model", *options]) == 0
    assert trainings[0]["format"] == "conll"
    assert trainings[0]["read_options"] == {"tag_column": 1, "scheme": "IO"}


def test_train_on_a_project_writes_its_next_model(tmp_path, trainings):
    (tmp_path / "viner.toml").write_text('name = "Notices"\nlanguage = "vi"\n', encoding="utf-8")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").touch()
    assert main(["train", "--project", str(tmp_path), "--seed", "7"]) == 0
    assert trainings == [
        {
            "train": tmp_path / "data" / "train.jsonl",
            "out": tmp_path / "models" / "001",
            "seed": 7,
            "source": Origin("Notices", languages=("vi",)),
        }
    ]


@pytest.mark.parametrize("given", [[], ["--train", "a.conll"], ["--out", "model"]])
def test_train_without_files_is_a_usage_error(trainings, given, capsys):
    assert main(["train", *given]) == 2
    assert "--train FILE and --out DIR" in capsys.readouterr().err


def test_serve_leaves_to_the_environment_what_is_not_given(loaded, served):
    assert main(["serve", "models/003"]) == 0
    assert main(["serve", "models/003", "--host", "::1", "--port", "0", "--no-browser", "--no-page"]) == 0
    assert served == [
        {"host": None, "port": None, "open_browser": None, "feedback": None, "api_keys": None, "log": None, "page": None},
        {"host": "::1", "port": 0, "open_browser": False, "feedback": None, "api_keys": None, "log": None, "page": False},
    ]


@pytest.mark.parametrize("verb", [["serve", "models/003"], ["demo"]])
def test_a_taken_port_is_told_before_anything_is_loaded_or_trained(verb, loaded, monkeypatch, capsys):
    import socket

    monkeypatch.setattr("viner.workflow.run_demo", lambda out: pytest.fail("trained"), raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([*verb, "--host", "127.0.0.1", "--port", str(port)]) == 1
    assert f"port {port} is in use" in capsys.readouterr().err
    assert loaded == []


def test_demo_serves_the_model_that_it_trained(loaded, served, monkeypatch, tmp_path):
    monkeypatch.setattr("viner.workflow.run_demo", lambda out: out / "model", raising=False)
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert loaded == [tmp_path / "model"]
    assert len(served) == 1


def test_convert_says_what_the_target_cannot_hold(tmp_path, capsys):
    source = tmp_path / "a.jsonl"
    source.write_text(Document("ra Huế", id="a", labels={"topic": ["travel"]}).to_json() + "\n", encoding="utf-8")
    assert main(["convert", str(source), str(tmp_path / "a.txt")]) == 0
    assert "no place for labels" in capsys.readouterr().err
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "ra Huế\n"


def test_stats_for_scripts_and_for_people(tmp_path, capsys):
    file = tmp_path / "a.conll"
    file.write_text("ra\tO\nHuế\tB-LOC\n\nở\tO\nnhà\tO\n\n", encoding="utf-8")
    assert main(["stats", str(file), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    counted = {"documents", "partial", "unannotated", "sentences", "words", "entities", "labels"}
    assert set(figures) == {*counted, "scheme", "unread_tag_columns"}
    assert (figures["words"], figures["labels"]) == (4, {"LOC": 1})
    assert main(["stats", str(file)]) == 0
    assert "LOC" in capsys.readouterr().out
    file.write_text("ra\tO\tO\nHuế\tB-ORG\tB-LOC\n", encoding="utf-8")
    assert main(["stats", str(file)]) == 0
    assert "tags in column 1 are not read" in capsys.readouterr().out


def test_stats_of_a_text_without_annotation(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("ra Huế\n", encoding="utf-8")
    assert main(["stats", str(tmp_path / "a.txt")]) == 0
    assert "entities" in capsys.readouterr().out


def test_lint_lists_what_it_found_and_fails(tmp_path, capsys):
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text(Document("ra Huế", entities=[Entity(3, 6, "LOC")]).to_json() + "\n", encoding="utf-8")
    bad.write_text(Document("ra Huế", entities=[Entity(3, 5, "LOC")]).to_json() + "\n", encoding="utf-8")
    assert main(["lint", str(good)]) == 0
    assert main(["lint", str(good), str(bad)]) == 1
    assert "[cuts-word]" in capsys.readouterr().out
    assert main(["lint", str(bad), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["code"] == "cuts-word"
    bad.write_text("\n" + good.read_text(encoding="utf-8") + bad.read_text(encoding="utf-8"), encoding="utf-8")
    assert main(["lint", str(bad)]) == 1
    assert capsys.readouterr().out.startswith(f"{bad}:3: ")


def test_lint_names_the_lines_of_the_file_that_it_reads(tmp_path, capsys):
    conll, lines = tmp_path / "l.conll", tmp_path / "l.jsonl"
    conll.write_text("Lan\tB-PER\nx\tO\n\na\tO\n\nb\tO\nNam\tI-PER\nc\tO\n\n", encoding="utf-8")
    assert main(["convert", str(conll), str(lines)]) == 0
    capsys.readouterr()
    assert main(["lint", str(conll)]) == 1
    assert f"{conll}:7 " in capsys.readouterr().out
    assert main(["lint", str(lines)]) == 1
    assert f"{lines}:3 " in capsys.readouterr().out


def test_lint_takes_each_file_once(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.inline").write_text("[Lan](PERSON)\n", encoding="utf-8")
    Path("b.inline").symlink_to("a.inline")
    assert main(["lint", "a.inline", "b.inline"]) == 2
    assert "b.inline: this is a.inline once more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["train", "--train", "a.inline", "--out", "m", "--track-dir", "t"], "there is none"),
        (["train", "--train", "a.inline", "--out", "m", "--seed", "-1"], "is not in the range"),
        (["train", "--train", "a.inline", "--out", "m", "--learning-rate", "inf"], "finite number"),
        (["doubts", "a.inline", "--out", "d.html", "--seed", "-1"], "is not in the range"),
    ],
)
def test_choices_without_a_meaning_are_refused_at_once(args, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.inline").write_text("[Lan](PERSON)\n", encoding="utf-8")
    assert main(args) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.inline"]


def test_models_of_a_folder_that_is_not_there(tmp_path, capsys):
    assert main(["models", str(tmp_path / "none")]) == 1
    assert "there is no such folder" in capsys.readouterr().err


def test_a_stress_without_names_is_refused(loaded, tmp_path, capsys):
    gold = tmp_path / "a.inline"
    gold.write_text("[Lan](PERSON)\n", encoding="utf-8")
    assert main(["evaluate", "model", str(gold), "--stress", " , "]) == 2
    assert "names no perturbation" in capsys.readouterr().err


def test_lint_knows_labels_from_a_list_a_project_or_a_model(tmp_path, tiny_model, capsys):
    notes = tmp_path / "notes.jsonl"
    notes.write_text(Document("ra Huế", entities=[Entity(3, 6, "TOWN")]).to_json() + "\n", encoding="utf-8")
    (tmp_path / "viner.toml").write_text('[[schema.layers]]\nname = "entities"\nkind = "entities"\ntypes = ["TOWN"]\n')
    assert main(["lint", str(notes)]) == 0
    assert main(["lint", str(notes), "--labels", "TOWN, PERSON"]) == 0
    assert main(["lint", str(notes), "--project", str(tmp_path)]) == 0
    capsys.readouterr()
    for option in (["--labels", "PERSON"], ["--model", str(tiny_model)]):
        assert main(["lint", str(notes), *option]) == 1
        assert "[unknown-label]" in capsys.readouterr().out
    assert main(["lint", str(notes), "--labels", "TOWN", "--model", str(tiny_model)]) == 2
    (tmp_path / "viner.toml").unlink()
    assert main(["lint", str(notes), "--project", str(tmp_path)]) == 1
    assert "no project" in capsys.readouterr().err


def test_lint_names_labels_that_only_a_later_file_has(tmp_path, capsys):
    for name, label in (("train", "LOC"), ("dev", "LOCATION")):
        line = Document("ra Huế", entities=[Entity(3, 6, label)]).to_json() + "\n"
        (tmp_path / f"{name}.jsonl").write_text(line, encoding="utf-8")
    assert main(["lint", str(tmp_path / "train.jsonl"), str(tmp_path / "dev.jsonl")]) == 1
    out = capsys.readouterr().out
    assert "train.jsonl has nowhere [new-label]" in out
    assert len(out.splitlines()) == 1


@pytest.fixture
def bare(tmp_path):
    """A file whose tags are bare labels, which nobody can tell from words."""
    file = tmp_path / "bare.conll"
    file.write_text("ra V\nHuế N\n\n", encoding="utf-8")
    return str(file)


BARE = ["--format", "conll", "--option", "tag_column=1", "--option", "scheme=IO"]


def test_options_of_the_format_reach_every_verb_that_reads(tmp_path, bare, loaded, capsys):
    assert main(["stats", bare]) == 1
    assert "--option tag_column=1 --option scheme=IO" in capsys.readouterr().err
    assert main(["stats", bare, "--json", *BARE]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == {"N": 1, "V": 1}
    assert main(["lint", bare, *BARE]) == 0
    assert main(["convert", bare, str(tmp_path / "bare.jsonl"), *BARE]) == 0
    assert main(["predict", "m", bare, "--out", str(tmp_path / "out.jsonl"), *BARE]) == 0
    assert main(["evaluate", "m", bare, *BARE]) == 0


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("tag_columm=1", "knows no option 'tag_columm'"),
        ("tag_column", "'tag_column' is not KEY=VALUE"),
        ("=1", "'=1' is not KEY=VALUE"),
        ("tag_column=ner", "tag_column must be the number of a column"),
    ],
)
def test_options_that_the_format_does_not_know_are_usage_errors(bare, option, said, capsys):
    assert main(["stats", bare, "--option", option]) == 2
    err = capsys.readouterr().err
    assert said in err
    if "knows" in said:
        assert "separator, token_column, tag_column" in err


@pytest.mark.parametrize(
    ("given", "value"),
    [("3", 3), ("-1", -1), ("2,3", (2, 3)), ("OTH,O", ("OTH", "O")), ("true", True), ("tab", "\t"), ("a=b", "a=b"), ("", "")],
)
def test_values_of_options_are_numbers_truth_lists_or_text(monkeypatch, tmp_path, given, value):
    seen = {}
    monkeypatch.setattr("viner.formats.read", lambda path, format, **options: seen.update(options) or [])
    assert main(["stats", "a.conll", "--option", f"key={given}"]) == 0
    assert seen == {"key": value}
