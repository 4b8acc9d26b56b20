import json
import math
import shutil

import pytest

from support.tiny import LABELS, tiny_bundle
from viner.bundle import find_bundle, read_bundle
from viner.errors import BundleError
from viner.metrics.calibration import Calibration
from viner.schema import Layer, Schema, Type


@pytest.fixture
def folder(tmp_path):
    return tiny_bundle(tmp_path / "model")


def change(folder, **values):
    path = folder / "viner.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_bundle_says_what_it_is(folder):
    bundle = read_bundle(folder)
    assert bundle.info.engine == "int8"
    assert bundle.info.schema["entities"].names == LABELS
    assert bundle.info.heads[0].kind == "softmax-bio"
    assert bundle.info.heads[0].labels == LABELS
    assert json.loads((folder / "viner.json").read_text())["bundle"] == 1
    assert len(bundle.canaries().documents) == 4
    bundle.verify()


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "model.onnx", "canaries.json"]
)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        read_bundle(folder)


def test_a_card_that_people_edited_or_removed_is_fine(folder):
    (folder / "README.md").write_text("mine")
    read_bundle(folder).verify()
    (folder / "README.md").unlink()
    read_bundle(folder).verify()


def test_recognition_does_not_need_the_weights(folder):
    (folder / "model.safetensors").unlink()
    (folder / "tokenizer_config.json").unlink()
    assert read_bundle(folder, weights=False).graph.is_file()


def test_layers_that_no_head_answers_are_not_the_models(folder):
    """Which models of before list: a project may ask for more than was trained."""
    schema = read_bundle(folder).info.schema
    topics = Layer("topic", "labels", (Type("health"),))
    change(folder, schema=Schema((topics, *schema)).to_dict())
    assert read_bundle(folder).info.schema == schema


def test_a_later_version_says_update(folder):
    change(folder, bundle=3, viner="9.0")
    with pytest.raises(BundleError, match=r"viner 9.0 as bundle version 3.*pip install -U viner"):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"bundle": None}, "no bundle version"),
        ({"heads": [{"layer": "entities", "kind": "crf", "tags": ["O"]}]}, "unknown kind of head 'crf'"),
        ({"heads": [{"layer": "entities", "kind": "softmax-bio", "tags": ["O", "B-X", "I-X"]}]}, "do not fit its types"),
        ({"heads": []}, "no head"),
        ({"engine": "fp64"}, "unknown engine 'fp64'"),
        ({"windows": {"pieces": 10, "overlap": 10}}, "cannot overlap"),
        ({"windows": {}}, "the key 'pieces' is missing"),
        ({"calibration": {"slope": 0, "intercept": 0}}, "slope 0.0 and intercept 0.0 makes no scores"),
        ({"calibration": {"slope": 1}}, "the key 'intercept' is missing"),
        ({"calibration": {"slope": "steep", "intercept": 0}}, "steep"),
        ({"schema": []}, "layers"),
        ({"files": 3}, "viner.json"),
        ({"files": {"../a.txt": {"bytes": 1, "sha256": ""}}}, "'../a.txt' is no name of a file in the folder"),
        ({"files": {"a/../../b": {"bytes": 1, "sha256": ""}}}, "is no name of a file in the folder"),
        ({"files": {"/etc/passwd": {"bytes": 1, "sha256": ""}}}, "is no name of a file in the folder"),
        ({"files": {"C:\\a.txt": {"bytes": 1, "sha256": ""}}}, "is no name of a file in the folder"),
    ],
)
def test_a_viner_json_that_makes_no_sense(folder, values, message):
    change(folder, **values)
    with pytest.raises(BundleError, match=message):
        read_bundle(folder)


def test_a_calibration_comes_back_and_a_model_may_have_none(folder):
    assert read_bundle(folder).info.calibration is None
    assert read_bundle(folder).info.to_dict()["calibration"] == {}
    change(folder, calibration={"slope": 0.5, "intercept": 0.25})
    info = read_bundle(folder).info
    assert info.calibration == Calibration(slope=0.5, intercept=0.25)
    assert info.to_dict()["calibration"] == {"slope": 0.5, "intercept": 0.25}


def test_a_least_estimate_comes_back_with_the_score_that_people_see(folder):
    info = read_bundle(folder).info
    assert (info.least_estimate, info.least_score) == (0, 0)
    assert "least_estimate" not in info.to_dict()
    change(folder, least_estimate=0.5)
    assert read_bundle(folder).info.least_score is None
    change(folder, calibration={"slope": 0.5, "intercept": -1.0})
    info = read_bundle(folder).info
    assert (info.least_estimate, info.to_dict()["least_estimate"]) == (0.5, 0.5)
    assert info.least_score == pytest.approx(1 / (1 + math.e))


@pytest.mark.parametrize("content", ["", "{", "[]", "\0\0"])
def test_a_viner_json_that_is_no_json_object(folder, content):
    (folder / "viner.json").write_text(content)
    with pytest.raises(BundleError, match=r"viner\.json"):
        read_bundle(folder)


def test_a_truncated_file_is_found_by_its_size(folder):
    graph = folder / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    with pytest.raises(BundleError, match=r"model.onnx has .* bytes instead of"):
        read_bundle(folder)


def test_a_changed_byte_is_found_by_verify(folder):
    graph = folder / "model.onnx"
    content = bytearray(graph.read_bytes())
    content[-1] ^= 1
    graph.write_bytes(content)
    with pytest.raises(BundleError, match=r"model.onnx was changed or damaged"):
        read_bundle(folder).verify()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "optimizer.pt", "extra/x.PKL"])
def test_a_pickle_is_refused(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"")
    with pytest.raises(BundleError, match="may hold a pickle"):
        read_bundle(folder)


def test_labels_of_the_weights_must_be_those_of_the_head(folder):
    config = json.loads((folder / "config.json").read_text())
    config["id2label"]["1"] = "B-OTHERS"
    text = json.dumps(config)
    (folder / "config.json").write_text(text)
    files = json.loads((folder / "viner.json").read_text())["files"]
    files["config.json"]["bytes"] = len(text)
    change(folder, files=files)
    with pytest.raises(BundleError, match="differ from the tags"):
        read_bundle(folder)


def test_no_folder_and_no_model_are_told_apart(tmp_path):
    with pytest.raises(BundleError, match="no such model folder"):
        read_bundle(tmp_path / "nothing")
    with pytest.raises(BundleError, match=r"no viner\.json"):
        read_bundle(tmp_path)


def test_a_project_means_its_newest_model(folder, tmp_path):
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "viner.toml").write_text("")
    shutil.copytree(folder, project / "models" / "001")
    shutil.copytree(folder, project / "models" / "010")
    assert find_bundle(project).path == project / "models" / "010"


def record(folder, name, content):
    """Puts one more file into a model folder, as a BundleWriter would."""
    (folder / name).write_text(content)
    files = json.loads((folder / "viner.json").read_text())["files"]
    change(folder, files=files | {name: {"bytes": len(content), "sha256": ""}})


def test_what_nobody_reads_may_be_missing_but_not_damaged(folder):
    record(folder, "training.jsonl", "{}")
    (folder / "training.jsonl").write_text("{")
    with pytest.raises(BundleError, match=r"training\.jsonl has 1 bytes"):
        read_bundle(folder)
    (folder / "training.jsonl").unlink()
    assert read_bundle(folder).graph.is_file()


@pytest.mark.parametrize("weights", [True, False])
def test_numbers_beside_the_graph_are_part_of_it(folder, weights):
    record(folder, "model.onnx.data", "0")
    (folder / "model.onnx.data").unlink()
    with pytest.raises(BundleError, match=r"model\.onnx\.data is missing"):
        read_bundle(folder, weights=weights)


def test_a_local_folder_without_weights_is_found_for_recognition_only(folder):
    (folder / "model.safetensors").unlink()
    assert find_bundle(folder, weights=False).path == folder
    with pytest.raises(BundleError, match=r"model\.safetensors is missing"):
        find_bundle(folder)


@pytest.mark.parametrize("weights", [True, False])
def test_a_hub_model_is_whole_with_the_files_that_are_fetched(folder, tmp_path, monkeypatch, weights):
    import fnmatch

    import huggingface_hub

    record(folder, "training.jsonl", "{}")

    def fetch(repository, *, revision, allow_patterns):
        for path in folder.iterdir():
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in allow_patterns):
                shutil.copyfile(path, tmp_path / "hub" / path.name)
        return str(tmp_path / "hub")

    (tmp_path / "hub").mkdir()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    bundle = find_bundle("somebody/model", weights=weights)
    assert (bundle.path / "model.safetensors").is_file() == weights
    assert not (bundle.path / "training.jsonl").exists()


def test_a_hub_id_is_fetched_without_weights_or_pickles(folder, monkeypatch):
    import huggingface_hub

    calls = []

    def fetch(repository, *, revision, allow_patterns):
        calls.append((repository, revision, allow_patterns))
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    assert find_bundle("somebody/model@main", weights=False).path == folder
    assert calls[0][:2] == ("somebody/model", "main")
    assert "model.safetensors" not in calls[0][2]
