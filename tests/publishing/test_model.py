"""What leaves the machine, and what does not."""

from __future__ import annotations

import json
import shutil

import pytest

from support.traces import files_with
from viner.bundle import read_bundle
from viner.errors import BundleError
from viner.publishing import model as questions
from viner.publishing.model import copy_model, find_model, license_lines, published_files, size

NEEDED = {"viner.json", "config.json", "tokenizer.json", "model.onnx", "canaries.json"}


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A model that was trained by somebody who leaves things about."""
    made = tmp_path / "home" / "001"
    shutil.copytree(tiny_model, made)
    (made / "training.jsonl").write_text('{"event": "start"}\n')
    (made / "notes.txt").write_text("call Lan\n")
    (made / ".env").write_text("HF_TOKEN=hf_secret\n")
    (made / "data").mkdir()
    (made / "data" / "train.jsonl").write_text('{"text": "secret"}\n')
    change(made, "viner.json", base={"name": str(tmp_path / "bases" / "mine")})
    change(made, "config.json", _name_or_path=str(tmp_path / "bases" / "mine"))
    change(
        made,
        "tokenizer_config.json",
        name_or_path="C:\\Users\\minh\\bases\\mine",
        vocab_file=str(tmp_path / "bases" / "vocab.txt"),
        init={"merges_file": "~/bases/bpe.codes"},
    )
    files = json.loads((made / "viner.json").read_text())["files"]
    for name in ("config.json", "tokenizer_config.json", "training.jsonl"):
        files[name] = {"bytes": (made / name).stat().st_size, "sha256": "0" * 64}
    change(made, "viner.json", files=files)
    return made


def change(folder, name, **changes):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("weights", [True, False])
def test_only_what_others_need_leaves(folder, tmp_path, weights):
    copied = copy_model(find_model(folder, weights=weights), tmp_path / "out", weights=weights)
    names = {path.name for path in copied.path.iterdir()}
    assert names == (NEEDED | {"README.md", "model.safetensors", "tokenizer_config.json"} if weights else NEEDED)
    assert "training.jsonl" not in copied.info.files
    assert size(find_model(folder), weights=weights) == pytest.approx(
        sum(path.stat().st_size for path in copied.path.iterdir()), abs=2000
    )


def test_the_copy_is_whole_and_names_no_path_of_this_machine(folder, tmp_path):
    copied = copy_model(find_model(folder, weights=True), tmp_path / "out", weights=True)
    read_bundle(copied.path)
    changed = {name for name, record in copied.info.files.items() if record != find_model(folder).info.files[name]}
    assert changed == {"config.json", "tokenizer_config.json"}
    assert copied.info.base["name"] == "mine"
    assert license_lines(find_model(folder))[0].startswith("Base encoder: mine")
    for trace in (str(tmp_path), "C:\\Users", "~/bases", "hf_secret", "call Lan"):
        assert files_with(copied.path, trace) == []
    (copied.path / "model.onnx").read_bytes()


def test_every_hash_of_a_copy_is_right(tiny_model, tmp_path):
    copied = copy_model(find_model(tiny_model), tmp_path / "out", weights=True)
    copied.verify()


def test_a_copy_without_weights_still_names_the_model(folder, tmp_path):
    """A processor that cannot be trusted with int8 looks for the float32 graph by the hash of the weights."""
    copied = copy_model(find_model(folder), tmp_path / "out")
    assert copied.info.files["model.safetensors"] == find_model(folder).info.files["model.safetensors"]


def test_numbers_beside_the_graph_come_along(folder):
    (folder / "model.onnx.data").write_bytes(b"numbers")
    files = json.loads((folder / "viner.json").read_text())["files"]
    change(folder, "viner.json", files=files | {"model.onnx.data": {"bytes": 7, "sha256": "0" * 64}})
    (folder / "model.onnx.old").write_bytes(b"forgotten")
    assert {"model.onnx", "model.onnx.data"} <= set(published_files(find_model(folder)))
    assert "model.onnx.old" not in published_files(find_model(folder))


def test_a_project_means_its_active_model(folder, tmp_path):
    (tmp_path / "project" / "models").mkdir(parents=True)
    (tmp_path / "project" / "viner.toml").write_text("")
    shutil.copytree(folder, tmp_path / "project" / "models" / "001")
    assert find_model(tmp_path / "project").path.name == "001"


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"no viner\.json"):
        find_model(tmp_path)


def test_what_it_is_called_and_may_be_used_for(folder):
    bundle = find_model(folder)
    assert questions.labels(bundle) == ("PERSON", "LOCATION")
    assert questions.title(bundle) == "Named-entity recognizer"
    assert questions.languages(bundle) == ()
    change(folder, "viner.json", data={"source": {"name": "Notices", "license": "cc0-1.0", "languages": ["vi"]}})
    bundle = find_model(folder)
    assert questions.title(bundle) == "Notices: named entities"
    assert questions.languages(bundle) == ("vi",)
    assert questions.license_lines(bundle)[1] == "Training data: Notices, license: cc0-1.0."
