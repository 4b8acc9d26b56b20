from __future__ import annotations

import pytest

from viner import Project
from viner.errors import InputError


@pytest.fixture
def project(tmp_path):
    (tmp_path / "viner.toml").touch()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.jsonl").touch()
    return Project(tmp_path)


def test_a_training_reads_the_splits_that_exist_and_writes_the_next_model(project):
    assert project.training_files() == {
        "train": project.path / "data" / "train.jsonl",
        "out": project.path / "models" / "001",
    }
    (project.path / "models" / "009").mkdir(parents=True)
    assert project.training_files()["out"].name == "010"


def test_the_newest_model_is_active(project):
    for name in ("002", "010", "notes"):
        (project.path / "models" / name).mkdir(parents=True)
    assert project.active_model().name == "010"


def test_a_project_without_data_or_model_says_what_to_do(project):
    with pytest.raises(InputError, match="no model yet") as error:
        project.active_model()
    assert "viner train --project" in str(error.value.hint)
    (project.path / "data" / "train.jsonl").unlink()
    with pytest.raises(InputError, match="no training data"):
        project.training_files()


def test_the_schema_is_that_of_viner_toml(project):
    assert project.schema() is None
    (project.path / "viner.toml").write_text(
        '[[schema.layers]]\nname = "entities"\nkind = "entities"\n'
        'types = [{name = "PERSON", description = "People"}, "PLACE"]\n',
        encoding="utf-8",
    )
    layer = project.schema()["entities"]
    assert layer.names == ("PERSON", "PLACE")
    assert layer.types[0].description == "People"


@pytest.mark.parametrize(
    ("content", "message"), [("x = ", "cannot be read"), ("[schema]\nlayers = 3", "needs a list 'layers'")]
)
def test_a_broken_viner_toml_is_named(project, content, message):
    (project.path / "viner.toml").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        project.schema()
    assert str(project.path / "viner.toml") in str(error.value)
