"""A Space on its way to the Hub, and a model that it fetches from there; the Hub is a local one, the client the real one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

import viner
from support.hub import LocalHub
from viner.cli import main
from viner.errors import BundleError, InputError
from viner.publishing.hub import publish_model
from viner.publishing.space import SpaceChoices, publish_space
from viner.publishing.upload import UploadError
from viner.workflow.front_matter import CardChoices

REPO = "minh/notices"
COMMAND = ["publish", "space", "--repo", REPO, "--push"]


def test_push_uploads_the_whole_space_and_says_where_the_app_will_be(hub: LocalHub, tiny_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*COMMAND, str(tiny_model)]) == 0
    told = capsys.readouterr().out
    assert f"{hub.url}/spaces/{REPO} (private)" in told
    assert told.splitlines()[-1].startswith("The app will be at https://minh-notices.hf.space")
    repository = hub.repository(REPO, "space")
    assert repository.private
    assert {"README.md", "app.py", "requirements.txt", "model/model.onnx", "examples.json"} <= set(repository.files)
    assert not [name for name in repository.files if name.startswith(".viner")]
    assert not (tmp_path / "notices").exists()


def test_the_same_command_again_sends_nothing_and_another_content_needs_force(hub: LocalHub, tiny_model):
    publish_space(tiny_model, SpaceChoices(REPO), upload=True)
    commits = len([request for request in hub.sent if "/commit/" in request.path])
    publish_space(tiny_model, SpaceChoices(REPO), upload=True)
    assert len([request for request in hub.sent if "/commit/" in request.path]) == commits
    with pytest.raises(UploadError, match="--force"):
        publish_space(tiny_model, SpaceChoices(REPO, title="Another"), upload=True)
    publish_space(tiny_model, SpaceChoices(REPO, title="Another"), upload=True, force=True)
    assert b"title: Another" in hub.repository(REPO, "space").files["README.md"]


def test_a_folder_that_was_looked_at_is_uploaded_as_it_is(hub: LocalHub, tiny_model, tmp_path):
    folder = publish_space(tiny_model, SpaceChoices(REPO), out=tmp_path / "notices").folder
    done = publish_space(tiny_model, SpaceChoices(REPO), out=tmp_path / "notices", upload=True)
    assert done.folder == folder
    assert hub.repository(REPO, "space").files["app.py"] == (folder / "app.py").read_bytes()


def test_an_upload_that_breaks_shows_nothing_and_the_same_command_goes_on(hub: LocalHub, tiny_model, capsys):
    hub.fail("POST", "/commit/", status=503)
    assert main([*COMMAND, str(tiny_model)]) == 1
    told = capsys.readouterr()
    assert "The app will be" not in told.out
    assert told.err.count("error:") == 1
    assert "app.py" not in hub.repository(REPO, "space").files
    assert main([*COMMAND, str(tiny_model)]) == 0
    assert "app.py" in hub.repository(REPO, "space").files


def test_the_space_fetches_the_model_at_the_commit_where_it_was_found(hub: LocalHub, tiny_model, tmp_path):
    publish_model(tiny_model, CardChoices(repo="minh/model"), upload=True, tag="v1")
    choices = SpaceChoices(REPO, model_repo="minh/model@v1")
    done = publish_space(tiny_model, choices, out=tmp_path / "notices")
    repo, _, commit = done.model.partition("@")
    assert repo == "minh/model"
    assert len(commit) == 40
    assert f'viner.load("minh/model@{commit}")' in (done.folder / "app.py").read_text()
    readme = (done.folder / "README.md").read_text()
    assert "models:\n- minh/model\n" in readme
    assert f"{commit}\n" in readme.split("preload_from_hub:")[1]
    assert not [name for name in done.files if name.endswith((".onnx", "tokenizer.json"))]
    assert viner.load(done.model)("Lan ở Hà Nội.").entities


def test_another_model_on_the_hub_is_refused(hub: LocalHub, tiny_model, tmp_path):
    from support.tiny import tiny_bundle

    publish_model(tiny_bundle(tmp_path / "fp32", engine="fp32"), CardChoices(repo="minh/model"), upload=True)
    with pytest.raises(InputError, match="another one"):
        publish_space(tiny_model, replace(SpaceChoices(REPO), model_repo="minh/model"), out=tmp_path / "notices")
    with pytest.raises(BundleError):
        publish_space(tiny_model, replace(SpaceChoices(REPO), model_repo="minh/nothing"), out=tmp_path / "notices")
    assert not (tmp_path / "notices").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"calibration": {"slope": 0.5, "intercept": 0.25}},
        {"calibration": {"slope": 0.5, "intercept": 0.25}, "least_estimate": 0.3},
        {"views": ["nfc", "tone-new"]},
        {"windows": {"pieces": 64, "overlap": 8}},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_a_model_that_answers_otherwise_with_the_same_numbers_is_another_one(hub: LocalHub, tiny_model, tmp_path, changes):
    publish_model(tiny_model, CardChoices(repo="minh/model"), upload=True)
    shutil.copytree(tiny_model, tmp_path / "mine")
    about = json.loads((tmp_path / "mine" / "viner.json").read_text())
    (tmp_path / "mine" / "viner.json").write_text(json.dumps(about | changes))
    choices = SpaceChoices(REPO, model_repo="minh/model")
    with pytest.raises(
        InputError, match=f"another one: its {', '.join(f'{key} .in viner.json.' for key in changes)} differ"
    ) as told:
        publish_space(tmp_path / "mine", choices, out=tmp_path / "notices")
    assert "viner publish hub" in told.value.hint
    assert not (tmp_path / "notices").exists()


def test_a_schema_that_says_otherwise_makes_another_model(hub: LocalHub, tiny_model, tmp_path):
    publish_model(tiny_model, CardChoices(repo="minh/model"), upload=True)
    shutil.copytree(tiny_model, tmp_path / "mine")
    about = json.loads((tmp_path / "mine" / "viner.json").read_text())
    about["schema"]["layers"][0]["types"][0]["description"] = "a person"
    (tmp_path / "mine" / "viner.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match="its schema"):
        publish_space(tmp_path / "mine", SpaceChoices(REPO, model_repo="minh/model"), out=tmp_path / "notices")
