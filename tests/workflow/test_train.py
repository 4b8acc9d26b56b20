import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from support.bases import toy_documents
from support.traces import files_with
from training.conftest import stop_at
from viner.bundle import Origin, base_origin, data_origin, read_bundle
from viner.cli.main import main
from viner.corpus import REVIEWED, split_documents
from viner.document import Document, Entity
from viner.errors import BundleError, InputError, SchemaError, TrainingError, UsageError
from viner.evaluation import evaluate_model
from viner.evaluation.confidence import ConfidenceTally
from viner.formats import read, write
from viner.runtime import Recognizer
from viner.samples.corpus import corpus
from viner.schema import Layer, Schema, Type
from viner.training import export, precision
from viner.training.trainer import Trainer
from viner.workflow import Report, choose, finish, train_model
from viner.workflow.texts import PlainTexts, Reading

pytestmark = pytest.mark.xdist_group("train")  # one process makes what the tests share

SOURCE = Origin("Notices", license="cc-by-4.0", languages=("vi",))
CHOICES = {"epochs": 1, "learning_rate": 3e-3, "head_multiplier": 3.0, "precision": "fp32"}


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch):
    monkeypatch.setattr(choose, "SENTENCES", 60)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Slices of the bundled corpus as JSONL."""
    folder = tmp_path_factory.mktemp("files")
    for split, count in (("train", 60), ("dev", 20), ("test", 20)):
        write(islice(corpus().documents(split), count), folder / f"{split}.jsonl")
    return folder


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    """A task that the tiny base learns."""
    folder = tmp_path_factory.mktemp("toys")
    for split, count, seed in (("train", 150, 1), ("dev", 40, 2)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    return folder


def learn(out, base, files, **options):
    report = io.StringIO()
    given = {"train": files / "train.jsonl", "dev": files / "dev.jsonl", "base": base, **CHOICES, **options}
    return train_model(out=out, report=Report(report), **given), report


@pytest.fixture(scope="module")
def trained(tmp_path_factory, base, files):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "SENTENCES", 60)
        asked = Schema((*Schema.infer(corpus().documents("train")), Layer("topic", "labels", (Type("health"),))))
        options = {"test": files / "test.jsonl", "epochs": 2, "source": SOURCE, "schema": asked}
        return learn(tmp_path_factory.mktemp("models") / "001", base, files, **options)


def test_the_model_folder_is_whole_and_nothing_else_is_left(trained):
    path, _ = trained
    bundle = read_bundle(path)
    bundle.verify()
    assert {file.name for file in path.iterdir()} == {
        "README.md", "canaries.json", "config.json", "model.onnx", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json", "training.jsonl", "viner.json",
    }  # fmt: skip
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_what_was_measured_stands_in_viner_json_card_and_log(trained, files):
    path, report = trained
    info = read_bundle(path).info
    assert [info.data[split]["documents"] for split in ("train", "dev", "test")] == [60, 20, 20]
    assert info.metrics["training"]["epochs"] == 2
    tally = ConfidenceTally()
    again = evaluate_model(Recognizer.load(path), corpus_slice("test", 20), observe=tally.add)
    figures = {**again.to_dict(), "confidence": tally.confidence().to_dict()}
    assert info.metrics["test"] == json.loads(json.dumps(figures))
    card = (path / "README.md").read_text(encoding="utf-8")
    assert again.to_markdown() in card
    assert f"Engine: {info.engine}" in card
    assert f"| train | 60 | {info.data['train']['entities']} |" in card
    events = [json.loads(line) for line in (path / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event["event"] for event in events if event["event"] != "step"] == ["start", "epoch", "epoch", "end"]
    assert "On test:" in report.getvalue()


def corpus_slice(split, count):
    return list(islice(corpus().documents(split), count))


def test_plain_transformers_load_it_and_give_the_logits_of_the_graph(tmp_path, base, files, monkeypatch):
    import onnxruntime
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    monkeypatch.setattr(choose, "SAME", 1.1)  # keeps the float32 graph
    path, _ = learn(tmp_path / "m", base, files)
    assert read_bundle(path).info.engine == "fp32"
    model = AutoModelForTokenClassification.from_pretrained(path).eval()
    tokenizer = AutoTokenizer.from_pretrained(path)
    batch = tokenizer(["Lan ở Hà Nội.", "Huế"], padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits.numpy()
    session = onnxruntime.InferenceSession(str(path / "model.onnx"), providers=["CPUExecutionProvider"])
    inputs = {name: batch[name].numpy() for name in ("input_ids", "attention_mask")}
    (logits,) = session.run(None, inputs)
    assert np.abs(logits - expected)[inputs["attention_mask"] == 1].max() < 1e-4


def test_a_model_has_the_layers_that_it_answers_and_no_other_of_its_project(trained):
    about = json.loads((trained[0] / "viner.json").read_text(encoding="utf-8"))
    assert [layer["name"] for layer in about["schema"]["layers"]] == ["entities"]


def test_the_model_says_what_it_was_made_of_and_no_path(trained, base, files):
    path, _ = trained
    info = read_bundle(path).info
    assert base_origin(info).name == base.name
    assert data_origin(info) == SOURCE
    assert "# Notices: named entities" in (path / "README.md").read_text(encoding="utf-8")
    assert files_with(path, str(base.parent)) == files_with(path, str(files)) == []


def test_no_text_of_the_training_data_is_in_the_folder(tmp_path, base):
    secrets = [f"Zq{letter}xv{letter}w" for letter in "abcdefghijkl"]
    documents = [
        Document(f"Lan gặp {secret} ở Huế.", id=f"doc{secret}", entities=[Entity(8, 8 + len(secret), "PERSON")])
        for secret in secrets
    ]
    write(documents, tmp_path / "train.jsonl")
    path, report = learn(tmp_path / "m", base, tmp_path, dev=tmp_path / "train.jsonl")
    for file in path.rglob("*"):
        content = file.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], file.name
    assert not [secret for secret in secrets if secret in report.getvalue()]
    known = {document.text for document in corpus().documents("dev")}
    assert {document.text for document in read_bundle(path).canaries().documents} <= known


def test_files_can_be_read_by_others(tmp_path, base, toys):
    before = os.umask(0o022)
    try:
        path, _ = learn(tmp_path / "m", base, toys)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.iterdir()} == {0o644}
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_without_dev_a_seeded_tenth_is_set_aside(tmp_path, base, toys):
    infos = [
        read_bundle(learn(tmp_path / name, base, toys, dev=None, seed=seed)[0]).info
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert [(info.data["train"]["documents"], info.data["dev"]["documents"]) for info in infos] == [(135, 15)] * 3
    digests = [info.data["dev"]["sha256"] for info in infos]
    assert digests[0] == digests[1] != digests[2]


def hide(document):
    """The document as somebody left it who accepted its first entity."""
    entities = list(document.entities)[:1]
    return document.with_(entities=entities, meta={REVIEWED: [[entity.start, entity.end] for entity in entities]})


def test_partially_annotated_documents_teach_and_are_never_set_aside_or_scored(tmp_path, base, toys):
    whole, started = toy_documents(40, 1), [hide(document) for document in toy_documents(60, 2)]
    write([*started, *whole, hide(whole[0])], tmp_path / "train.jsonl")
    info = read_bundle(learn(tmp_path / "m", base, toys, train=tmp_path / "train.jsonl", dev=None)[0]).info
    assert info.data["dev"]["documents"] == 4
    texts = {document.text for document in split_documents(whole, seed=0)[1]}
    assert info.data["train"]["documents"] == 97 - (whole[0].text in texts)
    for split in ("dev", "test"):
        with pytest.raises(InputError, match="61 documents are annotated only in part") as caught:
            learn(tmp_path / "n", base, toys, **{split: tmp_path / "train.jsonl"})
        assert caught.value.where == str(tmp_path / "train.jsonl")
    write([*started, whole[0]], tmp_path / "few.jsonl")
    with pytest.raises(InputError, match=r"too few of the 61 documents are fully annotated \(1\)"):
        learn(tmp_path / "n", base, toys, train=tmp_path / "few.jsonl", dev=None)


def test_what_cannot_be_trained_is_said_before_anything_is_written(tmp_path, base, toys, tiny_model):
    with pytest.raises(UsageError, match="unknown engine 'int4'"):
        learn(tmp_path / "m", base, toys, engine="int4")

    def refused(error, match, *, out="m", where=None, **options):
        with pytest.raises(error, match=match) as caught:
            learn(tmp_path / out, options.pop("base", base), toys, **options)
        assert caught.value.where == str(where)
        assert caught.value.hint
        assert not (tmp_path / "m").exists()

    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("mine")
    refused(BundleError, "exists already", out="full", where=tmp_path / "full")
    refused(BundleError, "no model folder", out="full", where=tmp_path / "full", overwrite=True)
    (tmp_path / "plain.txt").write_text("Lan ở Huế.\n", encoding="utf-8")
    refused(InputError, "no annotated entity", train=tmp_path / "plain.txt", where=tmp_path / "plain.txt")
    refused(InputError, "no annotated entity", dev=tmp_path / "plain.txt", where=tmp_path / "plain.txt")
    twenty = toy_documents(20)
    write(toy_documents(1), tmp_path / "one.jsonl")
    refused(InputError, "one document cannot be split", train=tmp_path / "one.jsonl", dev=None, where=tmp_path / "one.jsonl")
    refused(SchemaError, "unknown label 'LOCATION'", schema=Schema.of_entities(["PERSON"]), where=toys / "train.jsonl")
    for typo in range(0, 20, 3):  # whichever documents are set aside
        labels = ["PRESON" if number == typo else "PERSON" for number in range(20)]
        made = [doc.with_(entities=[Entity(0, 3, label)]) for doc, label in zip(twenty, labels, strict=True)]
        write(made, tmp_path / "typo.jsonl")
        refused(
            SchemaError,
            "unknown label 'PRESON'",
            schema=Schema.of_entities(["PERSON"]),
            train=tmp_path / "typo.jsonl",
            dev=None,
            where=tmp_path / "typo.jsonl",
        )
    (tmp_path / "typo.jsonl").unlink()
    decoder = tmp_path / "decoder"
    shutil.copytree(base, decoder)
    (decoder / "config.json").write_text('{"model_type": "gpt2"}')
    refused(BundleError, "it is no encoder", base=decoder, where=decoder)
    refused(BundleError, "no such folder", base="no/such/folder", where="no/such/folder")
    assert {item.name for item in tmp_path.iterdir()} == {"full", "plain.txt", "one.jsonl", "decoder"}
    assert [item.name for item in (tmp_path / "full").iterdir()] == ["thesis.doc"]


def test_a_failed_export_leaves_only_what_the_same_command_goes_on_from(tmp_path, base, toys, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(export, "TOLERANCE", -1.0)
        with pytest.raises(TrainingError, match="other logits"):
            learn(tmp_path / "m", base, toys)
    assert [item.name for item in tmp_path.iterdir()] == ["m.training"]
    path, report = learn(tmp_path / "m", base, toys)
    assert "Going on after epoch 1" in report.getvalue()
    assert [item.name for item in tmp_path.iterdir()] == ["m"]
    assert read_bundle(path).info.metrics["training"]["epochs"] == 1


def test_labels_of_test_that_the_model_will_not_have_are_told_before_it_is_trained(tmp_path, base, toys):
    odd = tmp_path / "test.jsonl"
    write([Document("Lan ở Huế", entities=[Entity(0, 3, "NAME"), Entity(6, 9, "LOCATION")])], odd)
    with pytest.raises(SchemaError, match="unknown label 'NAME'") as caught:
        learn(tmp_path / "m", base, toys, test=odd, schema=Schema.of_entities(["PERSON", "LOCATION"]))
    assert caught.value.where == str(odd)
    report = io.StringIO()
    options = {"train": toys / "train.jsonl", "dev": toys / "dev.jsonl", "base": base, **CHOICES}
    with pytest.raises(InputError):  # there is too little to adapt to, which is found out before any training as well
        train_model(out=tmp_path / "m", report=Report(report), test=odd, adapt=[str(odd)], **options)
    assert f"Warning: {odd} has labels that the training files have nowhere, so none is found: NAME (1)" in report.getvalue()


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"lora_alpha": 32.0}, "there are none"),
        ({"lora_dropout": 0.1}, "there are none"),
        ({"imitation": 0.2}, "there is none"),
        ({"temperature": 3.0}, "there is none"),
    ],
)
def test_choices_that_would_do_nothing_are_refused(tmp_path, base, toys, choices, said):
    with pytest.raises(UsageError, match=said):
        learn(tmp_path / "m", base, toys, **choices)
    assert not (tmp_path / "m.training").exists()


def test_texts_to_learn_from_are_compared_without_their_spaces(tmp_path):
    """The test set is a tokenized file, the texts are what it was made of."""
    (tmp_path / "raw.txt").write_text("Bệnh nhân 91 (27-7).\n Bệnh  nhân 91 (27 -7).\nLan ở Huế.\nLan ở Hu\u00ea\u0301 .\n")
    texts = PlainTexts.find(tmp_path / "raw.txt", "--unlabeled")
    reading = Reading((), None, {})
    known = ["Bệnh nhân 91 ( 27 - 7 ) ."]
    assert [document.text for document in texts.read(reading, known, distinct=True)] == ["Lan ở Huế."]
    assert texts.counts == {"documents": 1, "left_out": 3}


def test_a_full_disk_at_the_end_leaves_no_half_model(tmp_path, base, toys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(finish, "model_card", full)
    with pytest.raises(BundleError, match="No space left"):
        learn(tmp_path / "m", base, toys)
    assert [item.name for item in tmp_path.iterdir()] == ["m.training"]


def test_an_engine_that_was_asked_for_runs(tmp_path, base, toys):
    for engine in ("int8", "fp32"):
        learn(tmp_path / engine, base, toys, engine=engine)
        info = read_bundle(tmp_path / engine).info
        assert (info.engine, info.evidence["asked"]) == (engine, True)
        assert Recognizer.load(tmp_path / engine).engine == engine


def test_a_model_is_replaced_only_where_that_is_allowed(tmp_path, base, toys):
    path, _ = learn(tmp_path / "m", base, toys)
    first = read_bundle(path).info
    with pytest.raises(BundleError, match="exists already"):
        learn(path, base, toys)
    learn(path, base, toys, overwrite=True, seed=3)
    assert read_bundle(path).info.files["model.safetensors"] != first.files["model.safetensors"]
    assert [item.name for item in tmp_path.iterdir()] == ["m"]


def test_a_base_that_reads_little_gives_windows_that_fit_it(tmp_path, toys):
    from support.bases import tiny_base

    path, _ = learn(tmp_path / "m", tiny_base(tmp_path / "small", positions=24), toys)
    windows = read_bundle(path).info.windows
    assert (windows.pieces, windows.overlap) == (24, 11)
    text = "Lan đi Hà Nội " * 50
    assert len(Recognizer.load(path)(text).words) == 200


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_exits_130_and_the_same_command_goes_on(tmp_path, tmp_path_factory, base, toys):
    choices = tmp_path_factory.mktemp("choices") / "choices.toml"
    choices.write_text("learning_rate = 3e-3\nhead_multiplier = 3.0\nlayer_decay = 1.0\n", encoding="utf-8")
    command = ["train", "--train", str(toys / "train.jsonl"), "--dev", str(toys / "dev.jsonl"), "--out", str(tmp_path / "m")]
    command += ["--base", str(base), "--epochs", "40", "--precision", "fp32", "--choices", str(choices)]
    process = subprocess.Popen([sys.executable, "-m", "viner", *command], stderr=subprocess.PIPE, text=True)
    log = tmp_path / "m.training" / "metrics.jsonl"
    deadline = time.monotonic() + 120
    while (
        '"epoch", ' not in (log.read_text() if log.exists() else "") and time.monotonic() < deadline and process.poll() is None
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert [item.name for item in tmp_path.iterdir()] == ["m.training"]
    assert main(command) == 0
    events = [json.loads(line)["event"] for line in (tmp_path / "m" / "training.jsonl").read_text().splitlines()]
    assert events.count("resume") == 1
    assert [item.name for item in tmp_path.iterdir()] == ["m"]


def test_two_trainings_into_one_folder(tmp_path, base, toys):
    from viner.training.checkpoint import TrainingFolder

    with TrainingFolder(tmp_path / "m.training") as first:
        first.save({"fingerprint": "mine"})
        with pytest.raises(TrainingError, match="another training writes here"):
            learn(tmp_path / "m", base, toys)
        assert first.load("mine") is not None
    assert not (tmp_path / "m").exists()


def test_data_in_the_place_of_the_working_folder_is_refused_and_kept(tmp_path, base, toys):
    data = tmp_path / "m.training"
    data.mkdir()
    copies = {split: shutil.copy(toys / f"{split}.jsonl", data) for split in ("train", "dev")}
    with pytest.raises(TrainingError, match="holds something else"):
        learn(tmp_path / "m", base, toys, **copies)
    assert sorted(path.name for path in data.iterdir()) == ["dev.jsonl", "train.jsonl"]
    assert not (tmp_path / "m").exists()


def test_out_may_be_the_folder_one_stands_in(tmp_path, base, toys, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path, _ = learn(Path(), base, toys)
    assert read_bundle(path).path == (tmp_path / "here").resolve()


def test_options_of_the_format_reach_the_files(tmp_path, base):
    bare = tmp_path / "bare.conll"
    bare.write_text("ra V\nHuế N\n\nở V\nnhà N\n\n", encoding="utf-8")

    def refused(error, match, **options):
        with pytest.raises(error, match=match):
            train_model(train=bare, dev=bare, out=tmp_path / "m", base=base, schema=Schema.of_entities(["V"]), **options)

    refused(InputError, "no column holds entity tags")
    refused(UsageError, "knows no option 'tag_columm'", read_options={"tag_columm": 1})
    refused(SchemaError, "unknown label 'N'", format="conll", read_options={"tag_column": 1, "scheme": "IO"})


def test_texts_that_are_learned_and_scored_are_told(tmp_path, base, toys):
    """Of a file for dev that is the one to learn from, and of a test file that shares a tenth with it."""
    learned = list(read(toys / "train.jsonl"))
    others = [document.with_(text=f"{document.text} .") for document in learned[: len(learned) // 2]]
    write([*others, *learned[: len(others) // 8]], tmp_path / "test.jsonl")
    _, said = learn(tmp_path / "m", base, toys, dev=toys / "train.jsonl", test=tmp_path / "test.jsonl", epochs=1, engine="fp32")
    told = [line for line in said.getvalue().splitlines() if "are learned as well" in line]
    assert len(told) == 2
    assert f"{len(learned)} of {len(learned)} documents of {toys / 'train.jsonl'}" in told[0]
    assert f"{len(others) // 8} of" in told[1]
    _, said = learn(tmp_path / "apart", base, toys, epochs=1, engine="fp32")
    assert "are learned as well" not in said.getvalue()


@pytest.mark.parametrize("still", [True, False])
def test_a_training_goes_on_in_the_arithmetic_that_it_began_in(tmp_path, base, toys, monkeypatch, still):
    """Which one is faster is timed in each process, and another machine may not have bf16 at all."""
    made = Trainer.__init__

    def stopped(self, *args, **options):
        made(self, *args, **options)
        observe = self._observe
        stop_at(self, "epoch", 2)
        stop = self._observe
        self._observe = lambda event: (observe(event), stop(event))

    monkeypatch.setattr(precision, "has_bf16", lambda: True)
    monkeypatch.setattr(precision, "_bf16_pays", lambda: True)
    options = {"epochs": 3, "engine": "fp32", "precision": None}
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "__init__", stopped)
        with pytest.raises(KeyboardInterrupt):
            learn(tmp_path / "m", base, toys, **options)
    monkeypatch.setattr(precision, "_bf16_pays", lambda: False)
    monkeypatch.setattr(precision, "has_bf16", lambda: still)
    path, said = learn(tmp_path / "m", base, toys, **options)
    events = [json.loads(line) for line in (path / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    begun = [event["precision"] for event in events if event["event"] == "start"]
    assert (begun[0], begun[-1]) == ("bf16", "bf16" if still else "fp32")
    assert ("it goes on in float32, as another training" in said.getvalue()) is not still


def test_a_log_alone_says_nothing_of_the_arithmetic_of_another_training(tmp_path, base, toys, monkeypatch):
    """One that was killed before its first epoch leaves nothing to go on from."""
    folder = tmp_path / "m.training"
    folder.mkdir()
    lines = ['{"event": "start", "precision": "bf16"}', '{"event": "sta', '{"event": "start", "precision": "fp32"}']
    (folder / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert precision.begun_in(folder / "metrics.jsonl") == "fp32"
    monkeypatch.setattr(precision, "_bf16_pays", lambda: True)
    path, _ = learn(tmp_path / "m", base, toys, engine="fp32", precision=None)
    events = [json.loads(line) for line in (path / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event["precision"] for event in events if event["event"] == "start"] == ["bf16"]
