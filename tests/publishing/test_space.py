from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from importlib import metadata

import pytest
import yaml

import viner
from support.front_matter import front_matter_problems
from support.tiny import tiny_bundle
from viner.bundle import BundleInfo, BundleWriter, Head, read_bundle
from viner.cli import main
from viner.errors import BundleError, InputError, UsageError
from viner.publishing import space as spaces
from viner.publishing.folder import PublishError
from viner.publishing.space import SpaceChoices, app_address, publish_space
from viner.samples.examples import read_examples
from viner.schema import Schema, Type

CHOICES = SpaceChoices("someone/notices")
ODD = ("A|B", "`code` & <b>", 'say "hi"', "- [x](y): #1", "😷 Bệnh", "'single' \\ back")


def front_matter(folder) -> dict:
    head = re.match(r"---\n(.*?)\n---\n", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert head is not None
    return yaml.safe_load(head[1])


@pytest.fixture(scope="module")
def published(tiny_model, tmp_path_factory):
    out = tmp_path_factory.mktemp("published") / "notices"
    return publish_space(tiny_model, CHOICES, out=out)


@pytest.fixture
def changed(tmp_path):
    """A tiny model whose ``viner.json`` says something else."""

    def change(**fields):
        folder = tiny_bundle(tmp_path / "changed")
        path = folder / "viner.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | fields), encoding="utf-8")
        return folder

    return change


def test_the_front_matter_is_what_the_hub_asks_for(published):
    assert front_matter_problems((published.folder / "README.md").read_text(encoding="utf-8"), "space") == []
    about = front_matter(published.folder)
    assert about["sdk"] == "gradio"
    assert about["sdk_version"] == metadata.version("gradio")
    assert isinstance(about["python_version"], str)
    assert about["app_file"] == "app.py"
    assert about["emoji"].strip()
    assert len(about["short_description"]) <= 60
    assert "preload_from_hub" not in about


def test_it_holds_what_recognition_needs_and_nothing_else(published):
    assert set(published.files) == {
        ".gitattributes",
        "README.md",
        "app.py",
        "examples.json",
        "model/canaries.json",
        "model/config.json",
        "model/model.onnx",
        "model/tokenizer.json",
        "model/viner.json",
        "requirements.txt",
        f"viner-{metadata.version('viner')}-py3-none-any.whl",
    }
    read_bundle(published.folder / "model", weights=False)


def test_its_requirements_are_pinned_and_name_no_file(published):
    lines = [line for line in (published.folder / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert len(lines) > 20
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+(\[[a-z,]+\])?==[0-9][0-9a-z.]*", line)] == []
    assert not {"torch", "transformers", "viner"} & {line.partition("==")[0] for line in lines}


def test_app_py_is_a_few_lines_of_python(published):
    code = (published.folder / "app.py").read_text()
    ast.parse(code)
    assert len([line for line in code.splitlines() if line.strip()]) <= 15


def test_the_examples_are_texts_in_which_the_model_finds_something(published, tiny_model):
    examples = read_examples(published.folder / "examples.json")
    assert len(examples) == published.examples >= 2
    assert all(document.entities for document in viner.load(tiny_model).stream(example.text for example in examples))


def test_own_examples_take_their_place(tiny_model, tmp_path):
    (tmp_path / "mine.txt").write_text("Lan ở Hà Nội.\n\nMột câu dài hơn hẳn để tiêu đề phải ngắn lại.\n", encoding="utf-8")
    choices = replace(CHOICES, examples=tmp_path / "mine.txt")
    done = publish_space(tiny_model, choices, out=tmp_path / "out")
    examples = read_examples(done.folder / "examples.json")
    assert [example.title for example in examples] == ["Lan ở Hà Nội.", "Một câu dài hơn hẳn để tiêu …"]
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="no text"):
        publish_space(tiny_model, replace(CHOICES, examples=tmp_path / "empty.txt"), out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_same_twice_is_the_same_folder(published, tiny_model):
    before = (published.folder / "README.md").stat().st_ino
    publish_space(tiny_model, CHOICES, out=published.folder)
    assert (published.folder / "README.md").stat().st_ino == before


def odd_bundle(folder, plain):
    """The tiny model with labels of odd characters."""
    source = read_bundle(plain)
    schema = Schema.of_entities(ODD[:2])
    layer = replace(schema.layers[0], types=tuple(Type(name, description=" ".join(ODD) + "\n---\n") for name in ODD[:2]))
    head = Head.softmax_bio("entities", ODD[:2])
    info: BundleInfo = replace(source.info, schema=Schema((layer,)), heads=(head,), metrics={})
    with BundleWriter(folder) as writer:
        for path in plain.iterdir():
            (writer.folder / path.name).write_bytes(path.read_bytes())
        config = json.loads((writer.folder / "config.json").read_text())
        config["id2label"] = dict(enumerate(head.tags))
        config["label2id"] = {tag: index for index, tag in enumerate(head.tags)}
        (writer.folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
        writer.finish(info)
    return folder


def test_labels_and_titles_of_odd_characters_stay_what_they_are(tiny_model, tmp_path):
    title = "\n---\nsdk: docker " + " ".join(ODD)
    choices = replace(CHOICES, title=title)
    done = publish_space(odd_bundle(tmp_path / "odd", tiny_model), choices, out=tmp_path / "out")
    assert front_matter_problems((done.folder / "README.md").read_text(encoding="utf-8"), "space") == []
    about = front_matter(done.folder)
    assert about["sdk"] == "gradio"
    assert about["title"] == " ".join(title.split())
    text = (done.folder / "README.md").read_text(encoding="utf-8").split("\n---\n", 1)[1]
    assert "<b>" not in text
    rows = [line for line in text.splitlines() if line.startswith(("| A", "| \\`"))]
    assert len(rows) == 2
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 3 for row in rows)


@pytest.mark.parametrize("title", ["", "  ", "\n\t", "\u200b"])
def test_a_title_without_anything_to_read_is_refused(tiny_model, tmp_path, title):
    with pytest.raises(UsageError, match="the title is empty"):
        publish_space(tiny_model, replace(CHOICES, title=title), out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_who_may_see_it_is_for_what_is_uploaded(tiny_model, tmp_path, capsys):
    command = ["publish", "space", str(tiny_model), "--repo", "someone/notices", "--out", str(tmp_path / "out"), "--public"]
    assert main(command) == 2
    assert "Add --push" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("metrics", [{}, {"test": "none"}, {"test": {"micro": {"f1": None}}}, {"test": {"micro": 3}}])
def test_a_model_without_figures_is_published_without(changed, tmp_path, metrics):
    done = publish_space(changed(metrics=metrics), CHOICES, out=tmp_path / "out")
    assert "## Figures" not in (done.folder / "README.md").read_text()


def test_figures_stand_in_the_readme(changed, tmp_path):
    micro = {"precision": 0.9, "recall": 0.8, "f1": 0.847, "correct": 1}
    done = publish_space(changed(metrics={"test": {"micro": micro}}), CHOICES, out=tmp_path / "out")
    assert "| test | 0.9000 | 0.8000 | 0.8470 |" in (done.folder / "README.md").read_text()


def test_a_model_too_large_for_a_space_is_refused_before_anything_is_written(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setattr(spaces, "LIMIT", 20_000_000)
    with pytest.raises(PublishError, match="--model-repo"):
        publish_space(tiny_model, CHOICES, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_the_hub_would_refuse_is_refused(tiny_model, tmp_path):
    with pytest.raises(UsageError, match="user/name"):
        publish_space(tiny_model, SpaceChoices("notices"), out=tmp_path / "out")


def test_no_model_is_a_sentence(tmp_path):
    with pytest.raises(BundleError):
        publish_space(tmp_path / "nothing", CHOICES, out=tmp_path / "out")


@pytest.mark.parametrize(
    ("repo", "address"),
    [
        ("Minh/My_Space.v2", "https://minh-my-space-v2.hf.space"),
        (f"minh/{'x' * 80}", f"https://huggingface.co/spaces/minh/{'x' * 80}"),
    ],
)
def test_where_the_app_will_be(repo, address):
    assert app_address(repo) == address


def test_feedback_is_opted_into_and_said(tiny_model, tmp_path):
    done = publish_space(tiny_model, replace(CHOICES, feedback=True), out=tmp_path / "out")
    assert 'feedback="/data/feedback"' in (done.folder / "app.py").read_text()
    assert "Settings, Storage" in (done.folder / "README.md").read_text()


def test_the_command_says_where_the_app_will_be_and_what_to_do(tiny_model, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["publish", "space", str(tiny_model), "--repo", "minh/notices"]) == 0
    told = capsys.readouterr().out
    assert "https://minh-notices.hf.space" in told
    assert "--push" in told
    assert (tmp_path / "notices" / "app.py").is_file()


def test_the_command_answers_json(tiny_model, tmp_path, capsys):
    command = ["publish", "space", str(tiny_model), "--repo", "minh/notices", "--out", str(tmp_path / "out"), "--json"]
    assert main(command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["app"] == "https://minh-notices.hf.space"
    assert answer["url"] is None
    assert answer["bytes"] == sum(answer["files"].values()) > 500_000


def test_a_folder_of_somebody_else_is_left_alone(tiny_model, tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    command = ["publish", "space", str(tiny_model), "--repo", "minh/notices", "--out", str(tmp_path), "--force"]
    assert main(command) == 1
    assert "viner did not publish it" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
