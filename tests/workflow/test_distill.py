"""A smaller model of a finished one: what the folder holds and says, and what is refused."""

from __future__ import annotations

import io
import json
import shutil

import numpy as np
import pytest
from safetensors.torch import load_file

from support.bases import tiny_base, toy_documents
from support.traces import files_with
from viner.bundle import Origin, base_origin, read_bundle
from viner.corpus import REVIEWED
from viner.document import Document, Entity
from viner.errors import BundleError, InputError, SchemaError, TrainingError, UsageError
from viner.evaluation import evaluate_model
from viner.formats import write
from viner.runtime import Recognizer
from viner.schema import Schema
from viner.workflow import Report, choose, train_model

pytestmark = pytest.mark.xdist_group("distill")  # one process makes what the tests share

CHOICES = {"learning_rate": 3e-3, "head_multiplier": 3.0, "batch_pieces": 128, "precision": "fp32", "patience": 99}


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch):
    monkeypatch.setattr(choose, "SENTENCES", 60)


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    for split, count, seed in (("train", 150, 1), ("dev", 40, 2)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    return folder


def learn(out, toys, **options):
    said = io.StringIO()
    given = {
        "train": toys / "train.jsonl",
        "dev": toys / "dev.jsonl",
        "epochs": 3,
        "report": Report(said),
        **CHOICES,
        **options,
    }
    return train_model(out=out, **given), said.getvalue()


@pytest.fixture(scope="module")
def large(tmp_path_factory, toys):
    """A model of four layers that has learned the toy task. Read it, never change it."""
    folder = tmp_path_factory.mktemp("large")
    base = tiny_base(folder / "four-layers", layers=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "SENTENCES", 60)
        schema = Schema.of_entities(["LOCATION", "PERSON"])
        return learn(folder / "large", toys, base=base, epochs=3, schema=schema, window_pieces=48, views=("nfc",))[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory, toys, large):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "SENTENCES", 60)
        return learn(tmp_path_factory.mktemp("small") / "small", toys, distill_from=large)


def test_a_smaller_model_is_a_whole_model_folder(small, large, toys):
    path, _ = small
    bundle = read_bundle(path)
    bundle.verify()
    assert [item.name for item in path.parent.iterdir()] == [path.name]
    assert json.loads((path / "config.json").read_text())["num_hidden_layers"] == 2
    weights = load_file(path / "model.safetensors")
    assert {name.split(".")[3] for name in weights if ".layer." in name} == {"0", "1"}
    assert (path / "tokenizer.json").read_bytes() == (large / "tokenizer.json").read_bytes()
    assert (path / "model.safetensors").stat().st_size < (large / "model.safetensors").stat().st_size
    theirs = read_bundle(large).info
    for name in ("schema", "heads", "windows", "views"):
        assert getattr(bundle.info, name) == getattr(theirs, name), name
    found = evaluate_model(Recognizer.load(path), [*toy_documents(40, 2)]).to_dict()
    assert bundle.info.metrics["dev"].items() >= json.loads(json.dumps(found)).items()
    assert found["micro"]["f1"] > 0.9


def test_plain_transformers_load_it_and_give_the_logits_of_the_graph(tmp_path, toys, large, monkeypatch):
    import onnxruntime
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    monkeypatch.setattr(choose, "SAME", 1.1)  # keeps the float32 graph
    path, _ = learn(tmp_path / "m", toys, distill_from=large, layers=3, epochs=1)
    assert read_bundle(path).info.engine == "fp32"
    model = AutoModelForTokenClassification.from_pretrained(path).eval()
    assert len(model.bert.encoder.layer) == 3
    batch = AutoTokenizer.from_pretrained(path)(["Lan ở Hà Nội.", "Huế"], padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits.numpy()
    inputs = {name: batch[name].numpy() for name in ("input_ids", "attention_mask")}
    session = onnxruntime.InferenceSession(str(path / "model.onnx"), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, inputs)
    assert np.abs(logits - expected)[inputs["attention_mask"] == 1].max() < 1e-4


def test_it_says_what_it_was_distilled_from_and_no_path(small, large, toys):
    path, report = small
    info = read_bundle(path).info
    teacher = read_bundle(large).info
    f1 = info.base["distilled_from"]["dev_f1"]
    assert info.base["distilled_from"] == {
        "name": "large",
        "sha256": teacher.files["model.safetensors"].sha256,
        "layers": 4,
        "kept": [2, 4],
        "dev_f1": f1,
    }
    assert base_origin(info) == base_origin(teacher) == Origin("four-layers")
    assert f1 > 0.9
    assert f1 == pytest.approx(teacher.metrics["dev"]["micro"]["f1"], abs=0.05)  # which its int8 graph reached
    card = (path / "README.md").read_text(encoding="utf-8")
    assert (
        f"Distilled from large, of whose 4 layers it began with 2, 4; the larger model's F1 on the same dev set is {f1:.4f}."
        in card
    )
    assert f"Teacher: 4 layers, dev F1 {f1:.4f}; the student has 2 of them (2, 4)" in report
    assert f"(teacher {f1:.4f})" in report
    events = [json.loads(line) for line in (path / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [event["kept"] for event in events if event["event"] == "teacher"] == [[2, 4]]
    assert files_with(path, str(large.parent)) == files_with(path, str(toys)) == []


def test_it_can_be_distilled_again(tmp_path, toys, small):
    path, _ = learn(tmp_path / "tiny", toys, distill_from=small[0], epochs=1)
    said = read_bundle(path).info.base["distilled_from"]
    assert (said["name"], said["layers"], said["kept"]) == ("small", 2, [2])
    assert json.loads((path / "config.json").read_text())["num_hidden_layers"] == 1


def test_the_schema_of_a_project_may_list_the_labels_in_another_order(tmp_path, toys, large):
    schema = Schema.of_entities(["PERSON", "LOCATION"])
    path, _ = learn(tmp_path / "m", toys, distill_from=large, schema=schema, epochs=1)
    info = read_bundle(path).info
    assert info.schema == schema
    assert info.heads == read_bundle(large).info.heads


def test_words_that_nobody_decided_on_teach_what_the_teacher_says(tmp_path, toys, large):
    """No person is annotated, and no word is known to be outside of entities."""
    started = [
        document.with_(
            entities=tuple(entity for entity in document.entities if entity.label == "LOCATION"), meta={REVIEWED: []}
        )
        for document in toy_documents(150, 1)
    ]
    write(started, tmp_path / "train.jsonl")
    with pytest.raises(InputError, match="no word of them is known to be outside of entities"):
        learn(tmp_path / "m", toys, train=tmp_path / "train.jsonl", base=tiny_base(tmp_path / "base"))
    path, _ = learn(tmp_path / "m", toys, train=tmp_path / "train.jsonl", distill_from=large)
    assert read_bundle(path).info.metrics["dev"]["labels"]["PERSON"]["f1"] > 0.9


def test_an_interrupted_distillation_goes_on(tmp_path, toys, large):
    class Stopping(Report):
        def event(self, event):
            if event["event"] == "step" and event["epoch"] == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(tmp_path / "m", toys, distill_from=large, report=Stopping())
    assert [item.name for item in tmp_path.iterdir()] == ["m.training"]
    path, report = learn(tmp_path / "m", toys, distill_from=large)
    assert "Going on after epoch 1" in report
    assert [item.name for item in tmp_path.iterdir()] == ["m"]
    assert read_bundle(path).info.metrics["training"]["epochs"] == 3


def test_what_cannot_be_distilled_is_said_before_anything_is_written(tmp_path, toys, large, monkeypatch):
    def refused(error, match, *, where=None, distill_from=large, **options):
        with pytest.raises(error, match=match) as caught:
            learn(tmp_path / "m", toys, distill_from=distill_from, **options)
        assert caught.value.where == (None if where is None else str(where))
        assert caught.value.hint
        assert not (tmp_path / "m").exists()
        assert not (tmp_path / "m.training").exists()

    refused(UsageError, "--base and --distill-from exclude each other", base=large)
    refused(UsageError, "--r-drop and --distill-from exclude each other", r_drop=1.0)
    refused(UsageError, "--adversarial and --distill-from exclude each other", adversarial=0.6)
    refused(UsageError, "--layers goes with --distill-from only", distill_from=None, layers=2)
    refused(UsageError, "a model of 4 layers can be distilled into 1 to 4, not 5", layers=5)
    refused(UsageError, r"window_pieces is that of the model to distill from: 48, not 64", window_pieces=64)
    refused(BundleError, "no such model folder", distill_from=tmp_path / "none", where=tmp_path / "none")
    base = tiny_base(tmp_path / "base")
    refused(BundleError, "no model folder of viner", distill_from=base, where=base)
    bare = tmp_path / "bare"
    shutil.copytree(large, bare)
    (bare / "model.safetensors").unlink()
    refused(BundleError, "model.safetensors is missing", distill_from=bare, where=bare)
    unlisted = tmp_path / "unlisted"
    shutil.copytree(large, unlisted)
    info = json.loads((unlisted / "viner.json").read_text(encoding="utf-8"))
    del info["files"]["model.safetensors"]
    (unlisted / "viner.json").write_text(json.dumps(info), encoding="utf-8")
    refused(BundleError, "does not list model.safetensors", distill_from=unlisted, where=unlisted)
    foreign = [Document("Uống aspirin.", id="d1", entities=[Entity(5, 12, "DRUG")])]
    write([*toy_documents(4), *foreign], tmp_path / "drugs.jsonl")
    drugs = {"train": tmp_path / "drugs.jsonl", "where": tmp_path / "drugs.jsonl"}
    refused(SchemaError, "unknown label 'DRUG': 'aspirin' in document d1", **drugs)
    refused(
        SchemaError,
        "other labels than the schema: it lacks DRUG, the schema lacks LOCATION",
        schema=Schema.of_entities(["DRUG", "PERSON"]),
        where=large,
    )


def test_a_model_whose_layers_share_their_weights_cannot_be_distilled(tmp_path, toys, large):
    folder = tmp_path / "albert"
    shutil.copytree(large, folder)
    config = json.loads((tiny_base(tmp_path / "base", "albert", layers=4) / "config.json").read_text())
    labels = json.loads((large / "config.json").read_text())["id2label"]
    (folder / "config.json").write_text(json.dumps({**config, "id2label": labels}))
    info = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    info["files"]["config.json"]["bytes"] = (folder / "config.json").stat().st_size
    (folder / "viner.json").write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(TrainingError, match="no layer can be left out of an encoder of type 'albert'") as caught:
        learn(tmp_path / "m", toys, distill_from=folder)
    assert caught.value.hint
    assert not (tmp_path / "m").exists()
    assert not (tmp_path / "m.training").exists()
