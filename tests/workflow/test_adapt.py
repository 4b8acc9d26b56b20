"""A base that learns from texts before the task: what the model folder says, what goes on after a kill, what is refused."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
import torch

from support.bases import tiny_base, toy_documents
from support.segmenters import NAME, PAIRS, offer
from support.traces import files_with
from viner.bundle import base_origin, read_bundle
from viner.cli.main import main
from viner.errors import BundleError, FormatError, InputError, UsageError
from viner.formats import write
from viner.runtime import Recognizer
from viner.training import adapt
from viner.training.model import load_encoder
from viner.workflow import Report, choose, train_model
from viner.workflow.adapt import Adaptation, Reading
from viner.workflow.start import Start

pytestmark = pytest.mark.xdist_group("adapt")  # one process makes what the tests share

CHOICES = {"epochs": 1, "learning_rate": 3e-3, "head_multiplier": 3.0, "precision": "fp32"}
LIGHT = {"adapt_epochs": 2, "adapt_learning_rate": 5e-3, "adapt_batch_pieces": 256, "adapt_head_steps": 5}


def hasten(patch):
    for name in ("SENTENCES", "_CANARIES", "_CALIBRATION"):
        patch.setattr(choose, name, 10)
    patch.setattr(adapt, "_ROUNDS", 5)


@pytest.fixture(autouse=True)
def in_haste(monkeypatch):
    hasten(monkeypatch)


class Stopping(Report):
    """Interrupts a training at an event, or where the model is trained."""

    def __init__(self, at=lambda event: False):
        super().__init__(io.StringIO())
        self.at = at
        self.seen = []

    def event(self, event):
        self.seen.append(event)
        if self.at(event):
            raise KeyboardInterrupt

    def stage(self, name):
        if name.startswith("Exporting"):
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for split, count, seed in (("train", 60, 1), ("dev", 20, 2)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    (folder / "texts").mkdir()
    for number in (3, 4):
        texts = [document.text for document in toy_documents(80, number)]
        (folder / "texts" / f"{number}.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    return folder


def learn(out, base, files, report=None, **options):
    said = io.StringIO()
    given = {"train": files / "train.jsonl", "dev": files / "dev.jsonl", "base": base, **CHOICES, **options}
    return train_model(out=out, report=report or Report(said), **given), said.getvalue()


@pytest.fixture(scope="module")
def adapted(tmp_path_factory, base, files):
    with pytest.MonkeyPatch.context() as patch:
        hasten(patch)
        # The dev documents are among the texts, as they are where somebody gives all that there is.
        texts = [files / "texts" / "*.txt", files / "dev.jsonl"]
        return learn(tmp_path_factory.mktemp("models") / "001", base, files, adapt=texts, **LIGHT)


def test_the_model_says_what_its_base_was_adapted_to(adapted, base, files):
    path, said = adapted
    bundle = read_bundle(path)
    bundle.verify()
    record = bundle.info.base["adapted"]
    assert (record["documents"], record["left_out"]) == (160, 20)
    assert 1000 < record["words"] <= record["pieces"]
    assert record["epochs"] == 2
    assert record["after"]["loss"] < record["before"]["loss"]
    assert len(record["sha256"]) == 64
    assert base_origin(bundle.info).name == base.name
    card = (path / "README.md").read_text(encoding="utf-8")
    assert f"It was adapted to 160 texts without annotations ({record['words']:,} words, 2 epochs)" in card
    assert f"{record['after']['accuracy']:.1%}" in card
    assert "Adapted in 2 epochs" in said
    assert said.index("Adapted in 2 epochs") < said.index("Training on 60 documents")
    assert files_with(path, str(files)) == []
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    assert Recognizer.load(path)("Lan ở Huế").words


def test_the_log_tells_adaptation_and_training_in_their_order(adapted):
    events = [json.loads(line) for line in (adapted[0] / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    kinds = [event["event"] for event in events if event["event"] not in ("step", "adapt_step")]
    rounds = kinds.count("adapt_round")
    assert kinds == ["adapt_start", *["adapt_round"] * rounds, "adapt_end", "start", "epoch", "end"]
    assert all({"loss", "rate", "pieces"} <= event.keys() for event in events if event["event"] == "adapt_step")


def test_the_training_starts_from_the_adapted_weights(tmp_path, base, files):
    """With a rate that changes nothing the best weights of the training are those that the adaptation ended in."""
    still = {**LIGHT, "learning_rate": 1e-12, "weight_decay": 0.0, "adapt": files / "texts", "report": Stopping()}
    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path / "m", base, files, **still)
    (folder,) = (tmp_path / "m.training").glob("adapted-*")
    trained = torch.load(tmp_path / "m.training" / "checkpoint.pt", weights_only=True)["best"]
    before, after = (load_encoder(path, 0.0).state_dict() for path in (base, folder))
    matrices = [name for name in before if name.endswith("dense.weight")]
    assert matrices
    for name in matrices:
        assert (trained[f"encoder.{name}"] - after[name]).abs().max() < 1e-6
        assert (trained[f"encoder.{name}"] - before[name]).abs().max() > 1e-3


def test_a_killed_adaptation_and_a_killed_training_go_on(tmp_path, base, files):
    def learning(**options):
        return learn(tmp_path / "m", base, files, adapt=files / "texts", **{**LIGHT, **options})

    in_the_middle = Stopping(lambda event: event["event"] == "adapt_round" and event["round"] == 3)
    with pytest.raises(KeyboardInterrupt):
        learning(report=in_the_middle)
    in_the_task = Stopping(lambda event: event["event"] == "step")
    with pytest.raises(KeyboardInterrupt):
        learning(report=in_the_task)
    assert in_the_task.seen[0]["event"] == "adapt_resume"
    assert [event["round"] for event in in_the_task.seen if event["event"] == "adapt_round"] == [3, 4, 5]
    names = {item.name.partition("-")[0] for item in (tmp_path / "m.training").iterdir()}
    assert names == {"adapted", "lock", "metrics.jsonl"}
    # Another choice of the training leaves the adaptation as it is.
    path, said = learning(epochs=2)
    assert "The base is adapted already: held-out loss" in said
    assert "Adapted in" not in said
    assert [item.name for item in tmp_path.iterdir()] == ["m"]
    events = [json.loads(line)["event"] for line in (path / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    assert events[0] == "adapt_start"
    assert events.count("adapt_resume") == 1
    assert [event for event in events if event in ("start", "epoch", "end")] == ["start", "epoch", "epoch", "end"]
    assert read_bundle(path).info.base["adapted"]["documents"] == 160


def test_texts_are_read_as_the_task_is_in_segments(tmp_path, files, monkeypatch):
    offer(monkeypatch)
    words = ["_".join(pair) for pair in PAIRS]
    base = tiny_base(tmp_path / "phobert", "roberta", layers=1, tokenizer="PhoBERT", words=words)
    text = next(document.text for document in toy_documents(80, 3) if "Hà Nội" in document.text)
    start = Start.find(base, None)
    record = start.segmenter(NAME)
    config = start.config({}, record)
    adaptation = Adaptation.find(files / "texts" / "3.txt", {}, None)
    texts = adaptation.prepare(start, config, record, [], Reading((), None, {}))
    at = text.index("Hà Nội")
    segment = texts.encoder.encode("Hà_Nội", [(0, 6)]).pieces.tolist()
    assert texts.encoder.encode(text, [(at, at + 6)]).pieces.tolist() == segment
    found = 0
    for index in range(len(texts.passages)):
        pieces, begins = texts.passages[index]
        ends = [*np.flatnonzero(begins)[1:], len(pieces)]
        found += sum(pieces[a:b].tolist() == segment for a, b in zip(np.flatnonzero(begins), ends, strict=True))
    assert found == sum(document.text.count("Hà Nội") for document in toy_documents(80, 3))


def test_the_command_line_takes_several_files_and_annotated_ones_with_their_options(tmp_path, base, files, capsys):
    lines = []
    for number, document in enumerate(toy_documents(150, 5)):
        lines += [f"{word}\t{'PERSON' if word == 'Lan' else 'O'}\tX{number}" for word in document.text.split()] + [""]
    file = tmp_path / "train.conll"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["train", "--train", str(file), "--out", str(tmp_path / "m"), "--base", str(base), "--epochs", "1"]
    command += ["--precision", "fp32", "--format", "conll", "--option", "tag_column=2", "--option", "scheme=IO"]
    assert main([*command, "--adapt-epochs", "2"]) == 2
    assert "--adapt-epochs goes with --adapt only" in capsys.readouterr().err
    texts = ["--adapt", str(file), "--adapt", str(files / "texts" / "4.txt")]
    options = ["--adapt-epochs", "2", "--adapt-budget", "5", "--adapt-learning-rate", "1e-3"]
    assert main([*command, *texts, *options]) == 0
    assert "Adapting the base to" in capsys.readouterr().err
    info = read_bundle(tmp_path / "m").info
    record = info.base["adapted"]
    # What was set aside to choose on is no text to learn from.
    assert record["left_out"] == info.data["dev"]["documents"] > 0
    assert record["documents"] == info.data["train"]["documents"] + 80
    assert record["rate"] == 1e-3


def test_what_cannot_be_adapted_is_said_before_anything_is_written(tmp_path, base, files, adapted):
    def refused(error, match, *, where=None, hint=True, **options):
        with pytest.raises(error, match=match) as caught:
            learn(tmp_path / "m", options.pop("base", base), files, **options)
        assert where is None or caught.value.where == str(where)
        assert caught.value.hint or not hint
        assert not (tmp_path / "m").exists()
        assert not (tmp_path / "m.training").exists()

    refused(UsageError, "--adapt-epochs goes with --adapt only", adapt_epochs=2)
    refused(UsageError, "--adapt-budget goes with --adapt only", adapt_budget_minutes=2)
    both = {"base": None, "distill_from": adapted[0], "adapt": files / "texts"}
    refused(UsageError, "--adapt and --distill-from exclude each other", **both)
    refused(UsageError, "cannot read standard input", adapt="-")
    refused(
        UsageError, "adapt_budget_minutes must be greater than 0", adapt=files / "texts", adapt_budget_minutes=0, hint=False
    )
    refused(UsageError, "no such choice of an adaptation", adapt=files / "texts", adapt_epoch=1, hint=False)
    refused(InputError, "no such file or folder", adapt=tmp_path / "none.txt", where=tmp_path / "none.txt")
    refused(InputError, "no file matches this pattern", adapt=str(tmp_path / "*.txt"), where=tmp_path / "*.txt")
    (tmp_path / "empty.txt").write_text("\n  \n", encoding="utf-8")
    refused(InputError, "there is no text to adapt to", adapt=tmp_path / "empty.txt", where=tmp_path / "empty.txt")
    few = tmp_path / "few.txt"
    few.write_text("Lan ở Huế.\n" * 2000, encoding="utf-8")
    refused(InputError, "too little text to adapt to: 4 words in 1 different", adapt=few, where=few)
    refused(InputError, "no text to adapt to besides 20 of the dev and test documents", adapt=files / "dev.jsonl")
    (tmp_path / "broken.jsonl").write_text('{"text": "Lan"}\n{"text": \n', encoding="utf-8")
    refused(FormatError, "", adapt=tmp_path / "broken.jsonl", where=f"{tmp_path / 'broken.jsonl'}:2", hint=False)
    masked = tmp_path / "masked"
    shutil.copytree(base, masked)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (masked / name).write_text((masked / name).read_text(encoding="utf-8").replace("[MASK]", "[OTHER]"), encoding="utf-8")
    config = json.loads((masked / "tokenizer_config.json").read_text(encoding="utf-8"))
    (masked / "tokenizer_config.json").write_text(json.dumps({**config, "mask_token": None}), encoding="utf-8")
    refused(BundleError, "no mask piece", base=masked, adapt=files / "texts", where=masked)
