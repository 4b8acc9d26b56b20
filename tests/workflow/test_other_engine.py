from __future__ import annotations

import io
import json
import shutil

import pytest

import viner
from support.tiny import tiny_bundle
from viner.bundle import read_bundle
from viner.document import Document
from viner.errors import BundleError, InputError, UsageError
from viner.evaluation import evaluate_model
from viner.evaluation.confidence import ConfidenceTally
from viner.project import Project
from viner.runtime import Recognizer
from viner.workflow import Report, other_engine
from viner.workflow.card import is_untouched, model_card
from viner.workflow.choose import canary_documents
from viner.workflow.fingerprint import fingerprint
from viner.workflow.other_engine import take_engine

TEXT = "Nguyễn Văn A và Lan từ Hà Nội đến Huế."


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Where graphs that were built are kept."""
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))


@pytest.fixture
def exact(tmp_path):
    """A model that runs float32."""
    return tiny_bundle(tmp_path / "model", engine="fp32")


@pytest.fixture(scope="module")
def documents(tiny_model):
    """Texts whose entities are those that the model finds, but for one."""
    found = [viner.load(tiny_model)(text) for text in (TEXT, "Minh ở Paris", "Lan, Nam và Minh") * 4]
    return [found[0].bare().with_(entities=()), *(answer.bare().with_(entities=answer.entities) for answer in found[1:])]


@pytest.mark.parametrize(("held", "wanted"), [("fp32", "int8"), ("int8", "fp32")])
def test_a_new_folder_runs_the_other_graph_and_the_model_stays(tmp_path, documents, held, wanted):
    folder = tiny_bundle(tmp_path / "model", engine=held)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    found = take_engine(folder, wanted, documents, out=tmp_path / "other")
    assert (found.previous, found.choice.engine, found.written) == (held, wanted, tmp_path / "other")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    other = read_bundle(tmp_path / "other")
    other.verify()
    assert other.info.engine == wanted
    assert other.info.evidence["asked"] is True
    assert other.info.evidence["measured_with"] == held
    assert other.graph.read_bytes() != before["model.onnx"]
    recognizer = Recognizer.load(tmp_path / "other")
    assert recognizer.engine == wanted
    assert [e.labeled_span for e in recognizer(TEXT).entities] == [
        e.labeled_span for e in Recognizer.load(folder)(TEXT).entities
    ]


def test_canaries_are_those_of_the_graph_that_runs(exact, documents, tmp_path):
    take_engine(exact, "int8", documents, out=tmp_path / "other")
    kept = read_bundle(tmp_path / "other").canaries()
    again = Recognizer.load(tmp_path / "other").canaries(kept.documents)
    assert kept.logits
    before = Recognizer.load(exact).canaries(kept.documents)
    assert kept.distance(again) < kept.distance(before) / 2
    assert [document.text for document in kept.documents] == [document.text for document in canary_documents()]


def test_both_are_compared_on_the_documents(exact, documents, tmp_path):
    found = take_engine(exact, "int8", documents, dry_run=True)
    assert found.written is None
    assert found.choice.evidence["dev_f1"]["fp32"] == pytest.approx(found.choice.evidence["dev_f1"]["int8"], abs=0.1)
    assert 0 < found.choice.evidence["dev_f1"]["fp32"] < 1
    assert found.to_dict()["evidence"]["sentences"] == len(documents)
    mixed = take_engine(exact, "int8", [*documents, Document(TEXT)], dry_run=True)
    assert mixed.choice.evidence["dev_f1"] == found.choice.evidence["dev_f1"], "what nobody annotated is not scored"
    unannotated = take_engine(exact, "int8", [Document(TEXT)], dry_run=True)
    assert "dev_f1" not in unannotated.choice.evidence
    assert unannotated.choice.evidence["sentences"] == 1
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("home", "model")] == []


@pytest.mark.parametrize("learned", ["train", "train_and_dev", "dev"])
def test_no_f1_is_told_on_documents_that_the_model_has_learned(exact, documents, tmp_path, learned):
    data = json.loads((exact / "viner.json").read_text(encoding="utf-8"))
    data["data"] = {learned: fingerprint(documents), "refit": True}
    (exact / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    said = io.StringIO()
    given = {"where": "gold.jsonl", "report": Report(said)}
    # What nobody annotated is not learned.
    found = take_engine(exact, "int8", [*documents, Document(TEXT)], out=tmp_path / "other", **given)
    assert f"Warning: {exact} has learned the documents of gold.jsonl" in said.getvalue()
    assert "dev_f1" not in found.choice.evidence
    assert "that it has learned (" in found.choice.summary()
    info = read_bundle(tmp_path / "other").info
    assert info.evidence["learned"] is True
    assert "dev_f1" not in info.evidence
    assert info.data == data["data"]
    assert "sentences that it had learned int8 gave" in model_card(info)
    said.truncate(0)
    found = take_engine(exact, "int8", documents[1:], dry_run=True, **given)
    assert "Warning" not in said.getvalue()
    assert "dev_f1" in found.choice.evidence
    assert "learned" not in found.choice.evidence


def test_all_of_a_file_is_what_a_model_has_learned_though_its_beginning_is_compared(exact, documents, monkeypatch):
    monkeypatch.setattr(other_engine, "SENTENCES", 3)
    data = json.loads((exact / "viner.json").read_text(encoding="utf-8"))
    data["data"] = {"train": fingerprint(documents)}
    (exact / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    found = take_engine(exact, "int8", iter(documents), dry_run=True, report=Report(io.StringIO()))
    assert found.choice.evidence["learned"] is True
    assert found.choice.evidence["sentences"] == 3


def test_the_card_says_what_its_figures_were_measured_with(exact, documents, tmp_path):
    (exact / "README.md").write_text(model_card(read_bundle(exact).info), encoding="utf-8")
    assert not take_engine(exact, "int8", documents, out=tmp_path / "other").card_kept
    card = (tmp_path / "other" / "README.md").read_text(encoding="utf-8")
    assert "Engine: int8." in card
    assert "These figures" not in card, "it has none"
    # Back again, the figures are its own.
    take_engine(tmp_path / "other", "fp32", documents, out=tmp_path / "back")
    assert "measured_with" not in read_bundle(tmp_path / "back").info.evidence
    assert "measured with" not in (tmp_path / "back" / "README.md").read_text(encoding="utf-8")


def test_figures_and_calibration_say_which_graph_they_are_of(exact, documents, tmp_path):
    tally = ConfidenceTally()
    evaluation = evaluate_model(Recognizer.load(exact), documents, observe=tally.add).to_dict()
    confidence = {"before": tally.confidence().to_dict(), "after": tally.confidence().to_dict()}
    data = json.loads((exact / "viner.json").read_text(encoding="utf-8"))
    data["metrics"] = {"dev": evaluation, "calibration": {"on": "dev", **confidence}}
    data["calibration"] = {"slope": 1.5, "intercept": 0.5}
    (exact / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    take_engine(exact, "int8", documents, out=tmp_path / "other")
    info = read_bundle(tmp_path / "other").info
    assert info.metrics["calibration"]["measured_with"] == "fp32"
    assert "These figures were measured with fp32, before the model was made to run int8." in model_card(info)
    assert "The scores were those of fp32." in model_card(info)
    take_engine(tmp_path / "other", "fp32", documents, out=tmp_path / "back")
    assert read_bundle(tmp_path / "back").info.metrics == read_bundle(exact).info.metrics


def test_what_recognition_does_without_may_be_missing(exact, documents, tmp_path):
    data = json.loads((exact / "viner.json").read_text(encoding="utf-8"))
    data["files"]["training.jsonl"] = {"bytes": 3, "sha256": "0" * 64}
    (exact / "viner.json").write_text(json.dumps(data), encoding="utf-8")
    take_engine(exact, "int8", documents, out=tmp_path / "other")
    assert "training.jsonl" not in read_bundle(tmp_path / "other").info.files


def test_an_edited_card_stays(exact, documents, tmp_path):
    (exact / "README.md").write_text("# Ours\n", encoding="utf-8")
    assert take_engine(exact, "int8", documents, out=tmp_path / "other").card_kept
    assert (tmp_path / "other" / "README.md").read_text(encoding="utf-8") == "# Ours\n"
    assert not is_untouched("# Ours\n")


def test_what_people_put_beside_a_model_stays_there(exact, documents, tmp_path):
    (exact / "notes.txt").write_text("ours", encoding="utf-8")
    take_engine(exact, "int8", documents, out=tmp_path / "other")
    assert not (tmp_path / "other" / "notes.txt").exists()
    assert (exact / "notes.txt").exists()


def test_in_a_project_the_next_number_takes_over(tmp_path, documents):
    project = Project(tmp_path / "project")
    (project.path / "models").mkdir(parents=True)
    (project.path / "viner.toml").write_text("", encoding="utf-8")
    for name in ("001", "002"):
        tiny_bundle(project.path / "models" / name, engine="fp32")
    older = take_engine(project.path / "models" / "001", "int8", documents)
    assert (older.written, older.activated) == (project.path / "models" / "003", False)
    assert project.active_model().name == "002"
    found = take_engine(project.path, "int8", documents)
    assert (found.written, found.activated) == (project.path / "models" / "004", True)
    assert project.active_model().name == "004"


@pytest.mark.parametrize("pointed", [True, False])
def test_a_model_that_was_activated_meanwhile_goes_on(tmp_path, documents, monkeypatch, pointed):
    project = Project(tmp_path / "project")
    (project.path / "models").mkdir(parents=True)
    (project.path / "viner.toml").write_text("", encoding="utf-8")
    for name in ("001", "002"):
        tiny_bundle(project.path / "models" / name, engine="fp32")
    if pointed:
        project.activate("002")
    kept = other_engine._write

    def activate_another(*args):
        kept(*args)
        project.activate("001")

    monkeypatch.setattr(other_engine, "_write", activate_another)
    found = take_engine(project.path / "models" / "002", "int8", documents)
    assert (found.activated, project.active_model().name) == (False, "001")


def test_what_cannot_be_done_is_said_before_anything_is_built(exact, documents, tmp_path):
    with pytest.raises(UsageError, match="runs fp32 already"):
        take_engine(exact, "fp32", documents, out=tmp_path / "other")
    with pytest.raises(UsageError, match="unknown engine"):
        take_engine(exact, "int4", documents, out=tmp_path / "other")
    with pytest.raises(UsageError, match="in no project"):
        take_engine(exact, "int8", documents)
    with pytest.raises(BundleError, match="exists already"):
        take_engine(exact, "int8", documents, out=exact)
    with pytest.raises(InputError, match=r"empty\.txt.*no document"):
        take_engine(exact, "int8", [], where="empty.txt", out=tmp_path / "other")
    with pytest.raises(InputError, match="finds nothing"):
        take_engine(exact, "int8", [Document("không có gì")], out=tmp_path / "other")
    assert not (tmp_path / "home").exists()
    assert not (tmp_path / "other").exists()


def test_a_failure_leaves_nothing(exact, documents, tmp_path, monkeypatch):
    monkeypatch.setattr("viner.workflow.choose.canary_documents", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        take_engine(exact, "int8", documents, out=tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    covid = tmp_path / "covid"
    shutil.copytree(exact, covid / "models" / "001")
    (covid / "viner.toml").write_text("", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        take_engine(covid, "int8", documents)
    assert [path.name for path in (covid / "models").iterdir()] == ["001"]
    assert json.loads((exact / "viner.json").read_text(encoding="utf-8"))["engine"] == "fp32"


@pytest.mark.parametrize("held", ["int8", "fp32"])
def test_a_cascade_takes_the_graph_that_is_there_and_builds_the_other(tmp_path, documents, held):
    folder = tiny_bundle(tmp_path / "model", engine=held)
    found = take_engine(folder, "cascade", documents, out=tmp_path / "both")
    assert found.choice.engine == "cascade"
    both = read_bundle(tmp_path / "both")
    both.verify()
    assert both.graph_of(held).read_bytes() == (folder / "model.onnx").read_bytes()
    assert Recognizer.load(tmp_path / "both").engine == "cascade"
    card = model_card(both.info)
    assert "is unsure" not in model_card(read_bundle(folder).info)
    assert "What it is unsure of is computed again by `model.onnx.fp32.onnx`" in card
    assert "Engine: cascade." in card
    # And back, with nothing to build.
    take_engine(tmp_path / "both", held, documents, out=tmp_path / "back")
    back = read_bundle(tmp_path / "back")
    assert sorted(back.info.files) == sorted(read_bundle(folder).info.files)
    assert back.graph.read_bytes() == (folder / "model.onnx").read_bytes()
