from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from viner.bundle import read_bundle
from viner.document import Document
from viner.errors import BundleError, InputError, UsageError, VinerError
from viner.evaluation import evaluate_model
from viner.evaluation.confidence import ConfidenceTally
from viner.metrics.calibration import IDENTITY
from viner.project import Project
from viner.runtime import Recognizer
from viner.runtime.canaries import disagreement
from viner.workflow.card import is_untouched, model_card
from viner.workflow.fingerprint import WHOLE, fingerprint
from viner.workflow.recalibrate import recalibrate_model

NAMES = ("Lan", "Nam", "Minh", "Huế", "Paris")


@pytest.fixture(scope="module")
def texts(tiny_model):
    """Makes documents in which the tiny model finds five entities each: those that it is surer of are annotated more often."""
    recognizer = Recognizer.load(tiny_model).calibrated_by(IDENTITY)

    def make(count, *, wrong=0.5, seed=0):
        draw = np.random.default_rng(seed)
        fillers = ("và", "ở", "không", "gì")
        written = (
            f"số {number}: " + " ".join(f"{name} {draw.choice(fillers)}" for name in draw.permutation(NAMES).tolist())
            for number in range(count)
        )
        answers = list(recognizer.stream(written))
        middle = np.median([entity.score for answer in answers for entity in answer.entities])
        return [
            answer.bare().with_(
                entities=[
                    replace(entity, score=None, source=None)
                    for entity in answer.entities
                    if draw.random() > (wrong / 5 if entity.score > middle else wrong)
                ]
            )
            for answer in answers
        ]

    return make


@pytest.fixture
def model(tiny_model, tmp_path):
    """A copy of the tiny model, with the card that viner writes and figures of scores that it no longer has."""
    folder = shutil.copytree(tiny_model, tmp_path / "model")
    data = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    data["metrics"] = {"dev": {"confidence": {"entities": 3}, "note": "kept"}}
    data["of a later viner"] = {"kept": True}
    (folder / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    (folder / "README.md").write_text(model_card(read_bundle(folder).info), encoding="utf-8")
    return folder


def said(folder):
    return json.loads((folder / "viner.json").read_text(encoding="utf-8"))


def test_scores_change_and_neither_entities_nor_files_do(model, texts):
    documents = texts(60)
    before = [Recognizer.load(model)(document.bare()) for document in documents]
    bundle = read_bundle(model)
    found = recalibrate_model(model, documents)
    assert found.written == model
    read_bundle(model).verify()
    assert read_bundle(model).info.files == bundle.info.files
    after = [Recognizer.load(model)(document.bare()) for document in documents]
    for old, new in zip(before, after, strict=True):
        assert [entity.labeled_span for entity in old.entities] == [entity.labeled_span for entity in new.entities]
    # Seven in ten are right, and now the scores say so.
    scores = [entity.score for document in after for entity in document.entities]
    right = sum(len(document.entities) for document in documents) / len(scores)
    assert np.mean(scores) == pytest.approx(right, abs=0.01)
    assert found.before is not None
    assert found.after is not None
    assert found.after.ece < 0.75 * found.before.ece
    assert disagreement(Recognizer.load(model), read_bundle(model)) is None, "the canaries still hold"


def test_the_model_says_what_its_scores_were_fitted_to(model, texts):
    documents = texts(60)
    recalibrate_model(model, documents)
    data = said(model)
    assert data["data"]["calibration"] == fingerprint(documents)
    assert data["metrics"]["calibration"]["on"] == "calibration"
    assert data["metrics"]["calibration"]["before"]["entities"] == 300
    assert data["metrics"]["dev"] == {"note": "kept"}, "its confidence was that of other scores"
    assert data["of a later viner"] == {"kept": True}
    card = (model / "README.md").read_text(encoding="utf-8")
    assert is_untouched(card)
    assert "fitted to 300 entities of calibration" in card
    assert f"expected calibration error is {data['metrics']['calibration']['after']['ece']:.4f}" in card


def test_a_second_calibration_begins_with_the_scores_of_the_first(model, texts):
    first = recalibrate_model(model, texts(60))
    documents = texts(60, seed=1)
    tally = ConfidenceTally()
    evaluate_model(Recognizer.load(model), documents, observe=tally.add)
    again = recalibrate_model(model, documents)
    assert again.previous == first.calibration
    assert again.before is not None
    assert again.before.brier == pytest.approx(tally.confidence().brier, abs=1e-3)


def test_a_reset_gives_back_what_was_there_before(model, texts):
    info = read_bundle(model).info
    recalibrate_model(model, texts(60))
    found = recalibrate_model(model, None)
    assert found.written == model
    assert found.previous is not None
    assert read_bundle(model).info.calibration is info.calibration is None
    assert not {"calibration"} & {*said(model)["data"], *said(model)["metrics"]}
    assert "model's own estimate" in (model / "README.md").read_text(encoding="utf-8")
    assert recalibrate_model(model, None).written is None, "there is nothing more to take away"


def test_an_edited_card_is_kept(model, texts):
    (model / "README.md").write_text("# Ours\n", encoding="utf-8")
    assert recalibrate_model(model, texts(60)).card_kept
    assert (model / "README.md").read_text(encoding="utf-8") == "# Ours\n"


def test_a_dry_run_writes_nothing(model, texts):
    before = (model / "viner.json").read_bytes()
    found = recalibrate_model(model, texts(60), dry_run=True)
    assert (found.written, found.calibration is None) == (None, False)
    assert (model / "viner.json").read_bytes() == before


@pytest.mark.parametrize(
    ("documents", "why"),
    [
        (lambda texts: texts(9), "45 found entities say too little"),
        (lambda texts: texts(20, wrong=0), "all of the 100 found entities are right"),
        (lambda texts: [Document("không có gì", entities=[])], "none of the 1 documents has an entity"),
    ],
)
def test_documents_that_say_too_little_change_nothing(model, texts, documents, why):
    before = (model / "viner.json").read_bytes()
    with pytest.raises(InputError, match=why):
        recalibrate_model(model, documents(texts), where="dev.jsonl")
    assert (model / "viner.json").read_bytes() == before


def test_what_the_model_learned_from_is_refused(model, texts):
    data = said(model)
    data["data"]["train"] = fingerprint(texts(60))
    (model / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match="learned from these documents"):
        recalibrate_model(model, texts(60))


def test_the_file_that_a_tenth_was_set_aside_of_is_refused_and_the_tenth_is_not(model, texts):
    whole = texts(60)
    data = said(model)
    data["data"] |= {"train": fingerprint(whole[:40]), "dev": fingerprint(whole[40:]), WHOLE: fingerprint(whole)}
    (model / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    for learned in (whole, whole[:40]):
        with pytest.raises(InputError, match="learned from these documents"):
            recalibrate_model(model, learned)
    assert recalibrate_model(model, whole[40:]).written == model


def test_a_copy_leaves_the_model_as_it_is(model, texts, tmp_path):
    (model / "note.txt").write_text("somebody's own", encoding="utf-8")
    before = (model / "viner.json").read_bytes()
    found = recalibrate_model(model, texts(60), out=tmp_path / "copy")
    assert found.written == tmp_path / "copy"
    assert (model / "viner.json").read_bytes() == before
    read_bundle(tmp_path / "copy").verify()
    assert read_bundle(tmp_path / "copy").info.calibration == found.calibration
    assert not (tmp_path / "copy" / "note.txt").exists()
    with pytest.raises(BundleError, match="exists already"):
        recalibrate_model(model, texts(60), out=tmp_path / "copy")


def test_a_project_gets_another_model_which_takes_over_from_the_active_one(model, texts, tmp_path):
    covid = tmp_path / "covid"
    (covid / "runs" / "002").mkdir(parents=True)
    (covid / "viner.toml").write_text("", encoding="utf-8")
    shutil.copytree(model, covid / "models" / "001")
    before = (covid / "models" / "001" / "viner.json").read_bytes()
    found = recalibrate_model(covid, texts(60))
    assert found.written == covid / "models" / "003", "002 is the name of a training"
    assert found.activated
    assert Project(covid).active_model().name == "003"
    assert (covid / "models" / "001" / "viner.json").read_bytes() == before
    beside = recalibrate_model(covid / "models" / "001", texts(60, seed=1))
    assert (beside.written, beside.activated) == (covid / "models" / "004", False)
    (covid / "models" / "005.training").mkdir()
    assert recalibrate_model(covid / "models" / "001", texts(60)).written.name == "006", "a training will write 005"
    assert Project(covid).active_model().name == "003"


def test_the_cache_of_the_hub_is_not_changed(model, texts, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    cached = shutil.copytree(model, tmp_path / "hub" / "models--nhat--covid" / "snapshots" / "abc")
    with pytest.raises(UsageError, match="cache of the Hub"):
        recalibrate_model(cached, texts(60))
    assert recalibrate_model(cached, texts(60), out=tmp_path / "copy").written == tmp_path / "copy"


def test_a_crash_over_the_copy_leaves_nothing(model, texts, tmp_path, monkeypatch):
    monkeypatch.setattr("viner.workflow.recalibrate.write_text", _full)
    with pytest.raises(VinerError, match="No space"):
        recalibrate_model(model, texts(60), out=tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


def _full(*_):
    raise VinerError("No space left on device")


def test_scores_that_were_fitted_to_the_same_documents_are_not_compared_with_others(model, texts):
    documents = texts(60)
    assert not recalibrate_model(model, documents, dry_run=True).before_fitted, "the model's own scores"
    recalibrate_model(model, documents)
    again = recalibrate_model(model, documents, dry_run=True)
    assert again.before_fitted
    assert again.to_dict()["before_fitted"]
    assert "were fitted to these very documents" in again.to_markdown()
    assert "no better than those before" not in again.to_markdown()
    assert not recalibrate_model(model, texts(60, seed=1), dry_run=True).before_fitted
