import json
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from viner.annotation.changes import Delete, Rename, apply
from viner.bundle import BundleWriter, Head, read_bundle
from viner.document import Document
from viner.errors import BundleError, InputError, UsageError
from viner.project import Project
from viner.store import Store, StoreLockedError
from viner.studio import NoModelError, refreshing
from viner.studio.promotion import promote
from viner.studio.versions import DevLearnedError, Versions


@pytest.fixture
def models(annotated, tiny_model):
    """A project with two equal models, of which the first is active."""
    for name in ("001", "002"):
        shutil.copytree(tiny_model, annotated.path / "models" / name)
    annotated.activate("001")
    return annotated


def test_a_new_project_has_everything_but_a_model(project, open_studio):
    studio = open_studio(project)
    with pytest.raises(NoModelError):
        studio.recognizer("Lan")
    assert studio.training() == {
        "run": None,
        "active": None,
        "done_since": 0,
        "retrain_after": 0,
        "message": None,
        "suggestions": {"state": "none", "mark": None, "model": None, "done": 0, "total": None, "error": None},
    }
    assert studio.suggester.idle


def test_the_active_model_serves_and_another_can_be_activated(models, open_studio):
    studio = open_studio(models)
    assert studio.recognizer.name == "001"
    assert [entity.label for entity in studio.recognizer("Lan ở Huế").entities] == ["PERSON", "LOCATION"]
    assert studio.versions.activate("002").active
    assert (studio.recognizer.name, studio.suggester.model, studio.versions.active()) == ("002", "002", "002")
    assert studio.versions.roll_back().name == "001"
    assert studio.recognizer.name == "001"
    with pytest.raises(InputError, match="no version before"):
        studio.versions.roll_back()


def test_what_another_process_activates_is_followed(models, open_studio):
    studio = open_studio(models)
    Project(models.path).activate("002")
    studio.follow()
    assert (studio.recognizer.name, studio.suggester.model) == ("002", "002")


def test_a_damaged_model_is_not_activated_and_is_listed_with_its_error(models, open_studio):
    studio = open_studio(models)
    (models.path / "models" / "002" / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx is missing"):
        studio.versions.activate("002")
    assert (studio.recognizer.name, studio.versions.active()) == ("001", "001")
    assert studio.versions.list()[1].error["code"] == "invalid_model"
    models.activate("002")
    studio.follow()
    assert studio.recognizer.name == "001"
    assert "goes on serving" in studio.message


def test_each_thing_that_is_wrong_is_told_until_it_is_mended(models, open_studio):
    studio = open_studio(models)
    (models.path / "models" / "002" / "model.onnx").unlink()
    models.activate("002")
    toml = models.path / "viner.toml"
    text = toml.read_text(encoding="utf-8")
    studio.follow()
    toml.write_text(text + "\n[annotation\n", encoding="utf-8")
    studio.follow()
    assert "viner.toml" in studio.message
    with pytest.raises(InputError, match="cannot be read") as caught:
        studio.set_retrain_after(7)
    assert "viner.toml" in str(caught.value)
    toml.write_text(text, encoding="utf-8")
    studio.follow()
    assert "model.onnx is missing" in studio.message
    (models.path / "models" / "active").write_text("099\n")
    studio.follow()
    assert "099" in studio.message
    models.activate("002")
    studio.follow()
    assert "model.onnx is missing" in studio.message
    models.activate("001")
    studio.follow()
    assert studio.message is None


@pytest.mark.parametrize("which", ["001", "002"])
def test_a_model_that_has_learned_dev_is_compared_with_none(models, open_studio, which):
    folder = models.path / "models" / which
    described = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    described["data"]["refit"] = True
    (folder / "viner.json").write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(DevLearnedError, match=f"{which} has learned dev"):
        open_studio(models).versions.compare("001", "002")
    outcome = promote(models, "002")
    assert (outcome["activated"], outcome["code"], outcome["f1"]) == (True, "model_uncompared", None)


def test_a_version_that_took_another_engine_says_which_one_its_figures_are_of(models, open_studio):
    folder = models.path / "models" / "002"
    described = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    described["evidence"]["measured_with"] = "fp32"
    (folder / "viner.json").write_text(json.dumps(described), encoding="utf-8")
    one, other = (version.to_dict() for version in open_studio(models).versions.list())
    assert (one["measured_with"], other["measured_with"], other["engine"]) == (None, "fp32", "int8")


def test_settings_are_followed_and_bad_ones_leave_those_before(models, open_studio):
    studio = open_studio(models)
    studio.set_retrain_after(7)
    assert studio.settings.annotation.retrain_after == 7
    toml = models.path / "viner.toml"
    text = toml.read_text(encoding="utf-8")
    assert text.startswith("# kept\n")
    toml.write_text(text.replace("retrain_after = 7", "retrain_after = 'x'"), encoding="utf-8")
    studio.follow()
    assert studio.settings.annotation.retrain_after == 7
    assert "retrain_after" in studio.message
    toml.write_text(text, encoding="utf-8")
    studio.follow()
    assert studio.message is None


RULES = """
[[rules.dictionaries]]
label = "LOCATION"
file = "places.txt"
recognize = "over"

[[rules.patterns]]
label = "PERSON"
pattern = 'BN\\d+'
recognize = "under"
"""


def answered(studio, text):
    return [(entity.text, entity.label, entity.source) for entity in studio.recognizer(text).entities]


def test_rules_recognize_as_today_s_viner_toml_says(models, open_studio):
    studio = open_studio(models)
    text = "Lan và BN12 ở Cố đô Huế"
    alone = [("Lan", "PERSON", "model"), ("Huế", "LOCATION", "model")]
    assert answered(studio, text) == alone
    toml = models.path / "viner.toml"
    before = toml.read_text(encoding="utf-8")
    (models.path / "places.txt").write_text("Cố đô Huế\n", encoding="utf-8")
    toml.write_text(before + RULES, encoding="utf-8")
    studio.follow()
    ruled = [("Lan", "PERSON", "model"), ("BN12", "PERSON", "pattern"), ("Cố đô Huế", "LOCATION", "dictionary")]
    assert answered(studio, text) == ruled
    toml.write_text(before + RULES.replace("'BN", "'(BN"), encoding="utf-8")
    studio.follow()
    assert "rules.patterns[0].pattern" in studio.message
    assert answered(studio, text) == ruled
    toml.write_text(before + RULES, encoding="utf-8")
    (models.path / "places.txt").write_text("Lan\nBN12 ở Cố\n", encoding="utf-8")
    studio.follow()
    assert studio.message is None
    assert answered(studio, text) == [
        ("Lan", "LOCATION", "dictionary"),
        ("BN12 ở Cố", "LOCATION", "dictionary"),
        ("Huế", "LOCATION", "model"),
    ]
    toml.write_text(before + RULES.replace("recognize", "# recognize"), encoding="utf-8")
    studio.follow()
    assert answered(studio, text) == alone


def test_suggestions_and_comparisons_are_of_the_model_alone(models, open_studio):
    with Store.of_project(models) as store:
        before = open_studio(models).versions.compare("001", "002").to_dict()
        # It would make every entity of the model wrong.
        rules = "\n[[rules.patterns]]\nlabel = 'PERSON'\npattern = '(?s).+'\nrecognize = 'over'\n"
        toml = models.path / "viner.toml"
        toml.write_text(toml.read_text(encoding="utf-8") + rules, encoding="utf-8")
        shutil.rmtree(models.path / "runs" / "comparisons")
        studio = open_studio(models)
        assert answered(studio, "Lan ở Huế") == [("Lan ở Huế", "PERSON", "pattern")]
        assert studio.versions.compare("001", "002").to_dict() == before
        assert promote(models, "002")["f1"] == before["overall"]["b"] > 0
        document = store.get("todo-0")
        suggested = studio.suggester.suggest(Document(document.text))
    assert {(document.text[e.start : e.end], e.label, e.source) for e in suggested} == {
        ("Lan", "PERSON", "model 001"),
        ("Huế", "LOCATION", "model 001"),
        (document.text, "PERSON", "pattern"),
    }


def test_a_rule_whose_label_is_gone_is_left_out_and_told(models, open_studio):
    toml = models.path / "viner.toml"
    rules = RULES.replace('file = "places.txt"', 'terms = ["Cố đô"]').replace('"PERSON"', '"PATIENT"')
    toml.write_text(toml.read_text(encoding="utf-8") + rules, encoding="utf-8")
    studio = open_studio(models)
    for _ in range(2):
        assert answered(studio, "BN12 ở Cố đô") == [("Cố đô", "LOCATION", "dictionary")]
        assert studio.message == (
            f"{toml}: rules.patterns[0].label: 'PATIENT' is no label of the schema; the rule does not recognize"
        )
        studio.follow()
    apply(studio.store, Delete(label="LOCATION"), operation="op", who="lan")
    studio.schema_changed()
    assert answered(studio, "Lan ở Cố đô Huế") == [("Lan", "PERSON", "model")]
    studio.follow()
    assert "rules.dictionaries[0].label: 'LOCATION'" in studio.message


def test_suggestions_are_refreshed_in_the_background(models, open_studio):
    studio = open_studio(models)
    state = studio.refreshing.wait()
    assert (state["state"], state["model"], state["error"]) == ("done", "001", None)
    assert [(e.label, e.state, e.source) for e in studio.store.get("todo-0").entities] == [
        ("PERSON", "suggested", "model 001"),
        ("LOCATION", "suggested", "model 001"),
    ]


def test_a_refreshing_that_fails_is_tried_again_after_longer_and_longer(project, monkeypatch):
    starts = []
    now = 0.0

    def fails(module, *arguments, output):
        starts.append(now)
        child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
        child.wait()
        return child

    monkeypatch.setattr(refreshing, "spawn", fails)
    monkeypatch.setattr(refreshing, "monotonic", lambda: now)
    work = refreshing.Refreshing(project)
    for second in range(1500):
        now = float(second)
        work.start("model 001")
    assert starts == [0, 10, 30, 70, 150, 310, 630, 1230]
    work.start("model 002")  # another one may do better
    assert len(starts) == 9


def test_versions_are_compared_on_the_done_documents_of_dev(models, open_studio):
    studio = open_studio(models)
    comparison = studio.versions.compare("001", "002").to_dict()
    assert (comparison["documents"], comparison["delta"], comparison["p_value"]) == (12, 0.0, 1.0)
    assert set(comparison["labels"]) == {"PERSON", "LOCATION"}
    with Store.of_project(models) as store:
        store.add([Document("Lan", id="new", entities=[])], who="import", split="dev")
    assert studio.versions.compare("001", "002").documents == 13


def test_a_new_model_that_is_not_worse_takes_over(models, open_studio):
    outcome = promote(models, "002")
    assert (outcome["activated"], outcome["former"], outcome["documents"]) == (True, "001", 12)
    assert outcome["f1"] == outcome["former_f1"] > 0
    assert models.active_model().name == "002"


def test_where_the_documents_cannot_be_read_none_takes_over(models, monkeypatch):
    models.activate("001")

    def locked(*args: Any) -> None:
        raise StoreLockedError("another program writes")

    monkeypatch.setattr(Versions, "compare", locked)
    with pytest.raises(StoreLockedError):
        promote(models, "002")
    assert models.active_model().name == "001"


def test_a_new_model_that_is_worse_does_not_and_the_choice_is_left(models, open_studio):
    # Its labels change places: people are found where places stand.
    bundle = read_bundle(models.path / "models" / "001")
    shutil.rmtree(models.path / "models" / "002")
    names = tuple(reversed(bundle.info.schema["entities"].names))
    with BundleWriter(models.path / "models" / "002") as writer:
        for name in bundle.info.files:
            shutil.copy(bundle.path / name, writer.folder / name)
        config = json.loads((writer.folder / "config.json").read_text(encoding="utf-8"))
        tags = Head.softmax_bio("entities", names).tags
        config |= {"id2label": dict(enumerate(tags)), "label2id": {tag: place for place, tag in enumerate(tags)}}
        (writer.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        writer.finish(replace(bundle.info, heads=(Head.softmax_bio("entities", names),)))
    outcome = promote(models, "002")
    assert (outcome["activated"], outcome["former"], outcome["f1"]) == (False, "001", 0.0)
    assert outcome["former_f1"] > 0
    assert outcome["message"].startswith("Model 001 stays in service, since 002 is worse: F1 0.0000 against ")
    assert models.active_model().name == "001"
    studio = open_studio(models)
    assert studio.recognizer.name == "001"
    assert studio.versions.activate("002").active


def test_old_models_go_but_never_the_active_one(models, tiny_model, open_studio):
    for name in ("003", "004"):
        shutil.copytree(tiny_model, models.path / "models" / name)
    studio = open_studio(models)
    assert [version.name for version in studio.versions.prunable(keep=1)] == ["002", "003"]
    assert studio.versions.prune(keep=1) == ["002", "003"]
    assert [version.name for version in studio.versions.list()] == ["001", "004"]
    with pytest.raises(UsageError, match="at least one"):
        studio.versions.prunable(keep=0)


def test_rules_follow_a_renamed_label_at_once_and_a_lost_write_is_made_up_for(models, open_studio):
    (models.path / "places.txt").write_text("Cố đô\n", encoding="utf-8")
    toml = models.path / "viner.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    studio = open_studio(models)
    text = "Lan và BN12 ở Cố đô"
    apply(studio.store, Rename(label="LOCATION", to="PLACE"), operation="op", who="lan", project=studio.project)
    studio.schema_changed()
    assert answered(studio, text) == [
        ("Lan", "PERSON", "model"),
        ("BN12", "PERSON", "pattern"),
        ("Cố đô", "PLACE", "dictionary"),
    ]
    assert {entity.label for entity in studio.suggester.suggest(Document("Cố đô"))} == {"PLACE"}
    studio.follow()
    assert studio.message is None
    apply(studio.store, Rename(label="PLACE", to="SPOT"), operation="op2", who="lan")  # killed before the file was written
    studio.schema_changed()
    assert answered(studio, "Cố đô") == []
    studio.follow()
    assert answered(studio, "Cố đô") == [("Cố đô", "SPOT", "dictionary")]
    assert studio.message is None
    assert studio.settings.dictionaries[0].label == "SPOT"
