"""From a model folder to a repository that viner and plain Transformers load."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from huggingface_hub import metadata_load

import viner
from support.front_matter import front_matter_problems
from support.hub import LocalHub, connect
from viner.bundle import BUNDLED_BASE, Origin, read_bundle
from viner.errors import InputError, UsageError
from viner.publishing.hub import publish_model
from viner.publishing.space import SpaceChoices, publish_space
from viner.publishing.upload import UploadError
from viner.workflow.card import model_card
from viner.workflow.front_matter import CardChoices
from viner.workflow.lineage import as_teacher

CHOICES = CardChoices(repo="minh/notices")
TEXT = "Nguyễn Văn A từ Huế đến Paris, Lan ở Hà Nội."


@pytest.fixture
def model(tiny_model, tmp_path):
    """A model whose card nobody wrote."""
    made = tmp_path / "models" / "001"
    shutil.copytree(tiny_model, made)
    (made / "README.md").unlink()
    (made / "training.jsonl").write_text("{}\n")
    return made


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def found(recognizer):
    return [(entity.start, entity.end, entity.label) for entity in recognizer(TEXT).entities]


def test_a_folder_is_a_stock_repository(model, tmp_path):
    done = publish_model(model, CHOICES)
    assert (done.folder.name, done.url, done.kept_card, done.license) == ("notices", None, False, None)
    folder = tmp_path / "here" / "notices"
    assert set(done.files) == {path.name for path in folder.iterdir()} - {".viner-publish.json"}
    assert {"README.md", "config.json", "model.safetensors", "model.onnx", "viner.json"} <= set(done.files)
    assert "training.jsonl" not in done.files
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert front_matter_problems(card) == []
    assert 'viner.load("minh/notices")' in card
    assert found(viner.load(folder)) == found(viner.load(model)) != []


def test_plain_transformers_give_the_logits_of_the_graph(model, tmp_path):
    import onnxruntime
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    folder = publish_model(model, CHOICES).folder
    stock = AutoModelForTokenClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(["Lan Hà Nội .", "Huế"], padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = stock(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits.numpy()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    mask = batch.attention_mask.numpy() == 1
    inputs = {"input_ids": batch.input_ids.numpy(), "attention_mask": batch.attention_mask.numpy()}
    (logits,) = session.run(None, {**inputs, "first_pieces": np.arange(mask.size)})
    logits = logits.reshape(expected.shape)
    # The graph is int8, so near, and the same where it matters.
    assert np.abs(logits - expected)[mask].max() < 0.2
    assert (logits.argmax(-1) == expected.argmax(-1))[mask].all()
    # As the card says it.
    plain = pipeline("token-classification", model=str(folder), aggregation_strategy="simple")
    assert {item["entity_group"] for item in plain("Lan ở Huế")} == {"PERSON", "LOCATION"}


def test_it_is_read_back_by_tag_and_offline_from_the_cache(model, monkeypatch, tmp_path):
    with LocalHub() as server:
        connect(server, monkeypatch, tmp_path / "hf")
        done = publish_model(model, CHOICES, upload=True, tag="v1")
        assert (done.folder, done.url) == (None, f"{server.url}/minh/notices")
        expected = found(viner.load(model))
        assert found(viner.load("minh/notices@v1")) == expected
        assert found(viner.load("minh/notices")) == expected
        assert not any("safetensors" in request.path for request in server.sent if "resolve" in request.path)
        assert list((tmp_path / "here").iterdir()) == []
    assert found(viner.load("minh/notices@v1")) == expected  # the Hub is gone
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert found(viner.load("minh/notices@v1")) == expected


def test_a_later_state_leaves_the_tagged_one_alone(hub, model):
    publish_model(model, CHOICES, upload=True, tag="v1")
    first = hub.repository("minh/notices").head
    later = CardChoices(repo="minh/notices", license="apache-2.0")
    with pytest.raises(UploadError, match="not empty"):
        publish_model(model, later, upload=True)
    publish_model(model, later, upload=True, force=True, tag="v2")
    repository = hub.repository("minh/notices")
    assert repository.tags == {"v1": first, "v2": repository.head}
    assert b"apache-2.0" in repository.files["README.md"]
    # Only the card changed, so nothing else is committed again.
    assert repository.commits[first]["model.onnx"] is repository.commits[repository.head]["model.onnx"]


def test_a_folder_and_an_upload_at_once(hub, model, tmp_path):
    done = publish_model(model, CHOICES, out=tmp_path / "out", upload=True, private=False)
    held = {path.name: path.read_bytes() for path in done.folder.iterdir() if path.name != ".viner-publish.json"}
    assert hub.repository("minh/notices").files == held
    assert not hub.repository("minh/notices").private


def test_what_is_on_the_hub_is_published_on_with_its_card(hub, model):
    (model / "README.md").write_text("---\nlicense: mit\n---\n# My own words\n", encoding="utf-8")
    publish_model(model, CHOICES, upload=True)
    publish_model("minh/notices", CardChoices(repo="minh/copy"), upload=True)
    first, second = (hub.repository(f"minh/{name}").files for name in ("notices", "copy"))
    assert first == second


def test_a_title_without_anything_to_read_is_refused(model):
    with pytest.raises(UsageError, match="the title is empty"):
        publish_model(model, CardChoices(repo="minh/notices", title=" "))


def test_an_edited_card_is_kept(model):
    mine = "---\nlicense: mit\n---\n# My own words\n"
    (model / "README.md").write_text(mine, encoding="utf-8")
    done = publish_model(model, CHOICES)
    assert (done.kept_card, done.license) == (True, None)
    assert (done.folder / "README.md").read_text(encoding="utf-8") == mine


def test_a_card_that_viner_wrote_is_written_anew(model):
    first = publish_model(model, CHOICES).folder
    shutil.copyfile(first / "README.md", model / "README.md")
    done = publish_model(model, CardChoices(repo="lab/other", title="Reports"))
    card = (done.folder / "README.md").read_text(encoding="utf-8")
    assert "# Reports\n" in card
    assert 'viner.load("lab/other")' in card


def test_what_somebody_said_of_a_model_holds_for_what_is_made_of_it(model, tmp_path):
    """A fork, a Space, and a student of the published model are bound by its license, although nobody says it again."""
    said = CardChoices("minh/notices", "Notices", "cc-by-nc-4.0", ("vi",), ("minh/data",), "cc-by-nc-4.0")
    published = publish_model(model, said).folder
    fork = publish_model(published, CardChoices(repo="lab/fork"))
    assert fork.license == "cc-by-nc-4.0"
    theirs, ours = ((folder / "README.md").read_text(encoding="utf-8") for folder in (fork.folder, published))
    assert theirs.replace("lab/fork", "minh/notices")[:-150] == ours[:-150]  # whose last line is a checksum
    assert metadata_load(fork.folder / "README.md")["license"] == "cc-by-nc-4.0"
    space = publish_space(published, SpaceChoices("lab/try"), out=tmp_path / "space").folder
    assert metadata_load(space / "README.md")["license"] == "cc-by-nc-4.0"
    assert metadata_load(space / "README.md")["title"] == "Notices"
    told = as_teacher(read_bundle(published).info, "notices", with_base=True)
    assert Origin("notices", license="cc-by-nc-4.0").to_dict() in told["learned"]
    student = replace(read_bundle(model).info, base={**BUNDLED_BASE.to_dict(), "taught_by": {"models": [told]}})
    assert "\nlicense:" not in model_card(student)
    assert "\nlicense: mit\n" in model_card(replace(student, base=BUNDLED_BASE.to_dict(), data={"source": {"license": "mit"}}))
    assert found(viner.load(fork.folder)) == found(viner.load(model))


def test_a_license_that_was_written_into_a_card_by_hand_holds_as_well(model, tmp_path):
    (model / "README.md").write_text("---\nlicense: other\nlicense_name: ours\n---\n# My own words\n", encoding="utf-8")
    published = publish_model(model, CHOICES).folder
    (published / "README.md").unlink()
    assert publish_model(published, CardChoices(repo="lab/fork")).license == "ours"
    space = publish_space(model, SpaceChoices("lab/try"), out=tmp_path / "space").folder
    assert metadata_load(space / "README.md")["license_name"] == "ours"


@pytest.mark.parametrize("broken", [{"license": 3, "title": ["x"], "datasets": "all"}, {"license": " "}])
def test_choices_that_cannot_be_read_were_not_made(model, broken):
    about = json.loads((model / "viner.json").read_text())
    (model / "viner.json").write_text(json.dumps({**about, "chosen": broken}))
    assert publish_model(model, CHOICES).license is None


def test_choices_do_not_go_into_an_edited_card_in_silence(model):
    (model / "README.md").write_text("# My own words\n", encoding="utf-8")
    with pytest.raises(UsageError, match="the card was edited") as caught:
        publish_model(model, CardChoices(repo="minh/notices", license="mit"))
    assert "remove it" in caught.value.hint


@pytest.mark.parametrize("matter", ["{broken", "- a list", "key: [", "a: b: c"])
def test_an_edited_card_that_the_hub_cannot_read_is_refused_here(model, matter, tmp_path):
    (model / "README.md").write_text(f"---\n{matter}\n---\n# My own words\n", encoding="utf-8")
    with pytest.raises(InputError, match="front matter cannot be read") as caught:
        publish_model(model, CHOICES)
    assert caught.value.where == str(model / "README.md")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("options", [{"tag": "v1"}, {"private": False}])
def test_what_is_for_uploads_only_is_refused_without_one(model, options):
    with pytest.raises(UsageError, match="what is uploaded"):
        publish_model(model, CHOICES, **options)


def test_a_malformed_name_is_refused_before_anything_is_written(model, tmp_path):
    with pytest.raises(UsageError, match="names no repository"):
        publish_model(model, CardChoices(repo="notices"))
    assert list((tmp_path / "here").iterdir()) == []


def test_a_model_without_metrics_is_published(model):
    about = json.loads((model / "viner.json").read_text())
    assert about["metrics"] == {}
    folder = publish_model(model, CHOICES).folder
    assert "Nobody measured" in (folder / "README.md").read_text(encoding="utf-8")
    read_bundle(folder).verify()
