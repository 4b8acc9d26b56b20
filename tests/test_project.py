from __future__ import annotations

import os

import pytest

from viner import Project, Schema
from viner.errors import InputError, SchemaError


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


def test_a_training_that_was_interrupted_keeps_its_number_whatever_is_written_meanwhile(project):
    (project.path / "models" / "001.training").mkdir(parents=True)
    (project.path / "models" / "notes.training").mkdir()
    assert project.next_model().name == "002"
    for meanwhile in ("002", "005"):
        (project.path / "models" / meanwhile).mkdir()
        assert project.training_files()["out"].name == "001", "it goes on there"
    (project.path / "models" / "001").mkdir()
    assert project.training_files()["out"].name == project.next_model().name == "006"


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
    ("layer", "message"),
    [
        ('types = [{name = "A", description = 5}]', "the description of type 'A' must be a text, not 5"),
        ('types = ["B", {name = "A", color = "red"}]', "the color of type 'A' is 'red'"),
        ('types = [{name = "A", color = "#12345g"}]', "the color of type 'A' is '#12345g'"),
        ('types = [{name = "A", key = 3}]', "the key of type 'A' must be a text, not 3"),
        ('types = [{name = "A", key = "ab"}]', "the key of type 'A' is 'ab'"),
        ('types = [{name = "A", colour = "#000000"}]', "unknown key 'colour' in type 'A'"),
        ('types = ["A"]\nmultipel = true', "unknown key 'multipel' in layer 'x'"),
        ('types = ["A"]\nkind = "labels"\nmultiple = "yes"', "'multiple' must be true or false, not 'yes'"),
    ],
)
def test_a_schema_that_would_end_what_reads_it_is_refused_with_its_place(project, layer, message):
    path = project.path / "viner.toml"
    path.write_text(f'[[schema.layers]]\nname = "entities"\ntypes = []\n[[schema.layers]]\nname = "x"\n{layer}\n')
    with pytest.raises(SchemaError) as error:
        project.schema()
    assert message in error.value.message
    place = ".types[" if "type '" in message else ""
    assert error.value.where.startswith(f"{path}: layers[1]{place}")


@pytest.mark.parametrize(
    ("content", "message"), [("x = ", "cannot be read"), ("[schema]\nlayers = 3", "needs a list 'layers'")]
)
def test_a_broken_viner_toml_is_named(project, content, message):
    (project.path / "viner.toml").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        project.schema()
    assert str(project.path / "viner.toml") in str(error.value)


SETTINGS = """\
# ours
name = "Notices"
language = "vi"  # of the texts

[[schema.layers]]
name = "entities"
kind = "entities"
types = ["PERSON", "PLACE"]

# how it goes
[annotation]
order = "given"
lease_minutes = 5
guideline = "docs/how.md"

[[rules.dictionaries]]
label = "PLACE"
terms = ["Huế", "Huế"]
file = "places.txt"
ignore_case = true

[[rules.patterns]]
label = "PERSON"
pattern = 'BN\\d+'
"""


@pytest.fixture
def settled(project, monkeypatch):
    """A project whose viner.toml says everything."""
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    (project.path / "viner.toml").write_text(SETTINGS, encoding="utf-8")
    (project.path / "places.txt").write_text("\ufeffĐà Nẵng\r\n\n Huế \nHải\u2028Phòng", encoding="utf-8")
    (project.path / "docs").mkdir()
    (project.path / "docs" / "how.md").write_text("# How", encoding="utf-8")
    return project


def test_settings_are_what_viner_toml_says_and_defaults(settled):
    settings = settled.settings()
    assert (settings.name, settings.language, settings.guideline) == ("Notices", "vi", "# How")
    assert (settings.annotation.order, settings.annotation.lease_minutes) == ("given", 5)
    assert (settings.annotation.random_share, settings.annotation.retrain_after) == (0.15, 0)
    assert settings.dictionaries[0].terms == ("Huế", "Đà Nẵng", "Hải\u2028Phòng")
    assert settings.dictionaries[0].ignore_case
    assert settings.patterns[0].pattern == r"BN\d+"
    assert [rule.recognize for rule in (*settings.dictionaries, *settings.patterns)] == ["never", "never"]
    assert [rule.place for rule in (*settings.dictionaries, *settings.patterns)] == [
        "rules.dictionaries[0]",
        "rules.patterns[0]",
    ]
    assert settings.dictionaries[0].file == settled.path / "places.txt"


def test_a_rule_says_itself_what_it_does_at_recognition_or_does_as_the_others(settled):
    text = SETTINGS.replace("[[rules.dictionaries]]", '[rules]\nrecognize = "under"\n\n[[rules.dictionaries]]', 1)
    (settled.path / "viner.toml").write_text(text + 'recognize = "over"\n', encoding="utf-8")
    settings = settled.settings()
    assert (settings.dictionaries[0].recognize, settings.patterns[0].recognize) == ("under", "over")


def test_an_empty_viner_toml_is_enough(project, monkeypatch):
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    settings = project.settings()
    assert (settings.name, settings.language, settings.guideline) == (project.path.name, "und", None)
    assert settings.database_url == f"sqlite:///{project.path}/viner.db"


def test_the_database_of_the_environment_goes_before_that_of_the_file(settled, monkeypatch):
    path = settled.path / "viner.toml"
    path.write_text(SETTINGS + '[store]\nurl = "sqlite:///sub/x.db"\n', encoding="utf-8")
    monkeypatch.chdir("/")
    assert settled.settings().database_url == f"sqlite:///{settled.path}/sub/x.db"
    monkeypatch.setenv("VINER_DATABASE_URL", "postgresql+psycopg://lan@db/covid")
    assert settled.settings().database_url == "postgresql+psycopg://lan@db/covid"


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ('order = "given"', 'ordre = "given"', "annotation.ordre", "unknown key. Did you mean 'order'?"),
        ('order = "given"', 'order = "best"', "annotation.order", "none of given, random"),
        ('order = "given"', "random_share = 1.5", "annotation.random_share", "from 0 to 1"),
        ('order = "given"', "dev = 0.5\ntest = 0.5", "annotation.dev", "to train on"),
        ('order = "given"', "retrain_after = 2.5", "annotation.retrain_after", "whole number"),
        ("lease_minutes = 5", "lease_minutes = true", "annotation.lease_minutes", "number"),
        ('language = "vi"', 'language = "tiếng Việt"', "language", "cannot be used"),
        ('language = "vi"', "langauge = 3", "langauge", "unknown key"),
        ('terms = ["Huế", "Huế"]', 'terms = "Huế"', "rules.dictionaries[0].terms", "list of texts"),
        ('terms = ["Huế", "Huế"]', 'terms = [""]', "rules.dictionaries[0].terms", "none of them empty"),
        ('"places.txt"', '"nowhere.txt"', "rules.dictionaries[0].file", "cannot be read"),
        ('"places.txt"', '"places\\u0000.txt"', "rules.dictionaries[0].file", "cannot be used"),
        ('label = "PERSON"\n', "", "rules.patterns[0].label", "is missing"),
        ("[[rules.patterns]]", "[rules.patterns]", "rules.patterns", "[[rules.patterns]]"),
        ("ignore_case = true", 'recognize = "always"', "rules.dictionaries[0].recognize", "none of never, under, over"),
    ],
)
def test_a_setting_that_cannot_be_is_named_with_file_and_key(settled, old, new, where, said):
    path = settled.path / "viner.toml"
    assert old in SETTINGS
    path.write_text(SETTINGS.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as error:
        settled.settings()
    assert error.value.where == f"{path}: {where}"
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("old", "where"), [("docs/how.md", "annotation.guideline"), ("places.txt", "rules.dictionaries[0].file")]
)
def test_a_file_outside_the_project_is_refused_however_its_path_leads_there(settled, tmp_path_factory, old, where):
    path = settled.path / "viner.toml"
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.txt"
    secret.write_text("not theirs", encoding="utf-8")
    (settled.path / "link.txt").symlink_to(secret)
    (settled.path / "away").symlink_to(secret.parent)
    upwards = f"docs/../../{os.path.relpath(secret, settled.path.parent)}"
    for name in (str(secret), upwards, "link.txt", "away/secret.txt", "../nowhere.txt"):
        path.write_text(SETTINGS.replace(old, name), encoding="utf-8")
        with pytest.raises(InputError, match="lies outside the project folder") as error:
            settled.settings()
        assert error.value.where == f"{path}: {where}"
        assert "Copy the file into the project folder" in str(error.value)
        assert "not theirs" not in str(error.value)


def test_a_file_within_the_project_may_be_named_in_any_way(settled):
    (settled.path / "link.txt").symlink_to(settled.path / "places.txt")
    for name in ("./docs/../places.txt", str(settled.path / "places.txt"), "link.txt"):
        (settled.path / "viner.toml").write_text(SETTINGS.replace("places.txt", name), encoding="utf-8")
        assert settled.settings().dictionaries[0].terms == ("Huế", "Đà Nẵng", "Hải\u2028Phòng")


def test_a_written_schema_leaves_comments_and_settings_as_they_were(settled):
    path = settled.path / "viner.toml"
    schema = Schema.of_entities(['a"b\\c', "Tên người", "#x", "[y]", "😷"])
    settled.write_schema(schema)
    assert settled.schema() == schema
    content = path.read_text(encoding="utf-8")
    assert [part for part in ("# ours\n", "# of the texts", "# how it goes\n", "BN\\d+") if part not in content] == []
    settled.write_schema(Schema.of_entities(["PERSON", "PLACE"]))
    settled.write_schema(schema)
    assert path.read_text(encoding="utf-8") == content
    assert [item.name for item in settled.path.iterdir() if item.name.endswith(".part")] == []


def test_a_schema_is_written_where_there_was_none(project):
    schema = Schema.of_entities(["A"])
    for content in ("", 'name = "x"', "[annotation]\r\ndev = 0.2\r\n"):
        (project.path / "viner.toml").write_bytes(content.encode())
        project.write_schema(schema)
        assert project.schema() == schema
        assert (project.path / "viner.toml").read_text(encoding="utf-8").startswith(content.strip().replace("\r\n", "\n"))


def test_an_activated_model_stays_active_until_another_is(project):
    for name in ("001", "002", "003"):
        (project.path / "models" / name).mkdir(parents=True)
    assert project.activate("001").name == "001"
    assert project.active_model().name == "001"
    project.activate("003")
    assert project.active_model().name == "003"
    with pytest.raises(InputError, match="no model '7'"):
        project.activate("7")
    (project.path / "models" / "003").rmdir()
    with pytest.raises(InputError, match="no model '003'") as error:
        project.active_model()
    assert error.value.where == str(project.path / "models" / "active")
    assert "001, 002" in str(error.value.hint)


def test_folders_that_are_no_models_yet_are_neither_active_nor_count(project):
    """As a copy leaves them that broke off."""
    for number in range(1, 6):
        (project.path / "models" / f"{number:03d}").mkdir(parents=True)
    assert project.active_model().name == "005"
    assert project.prunable(1) == []
    for number in range(1, 3):
        (project.path / "models" / f"{number:03d}" / "viner.json").touch()
    assert project.active_model().name == "002"
    assert project.prunable(3) == []
    assert [path.name for path in project.prunable(1)] == ["001"]
    assert project.next_model().name == "006"


def test_only_models_that_are_old_and_not_active_can_go(project):
    assert project.prunable(2) == []
    for number in range(1, 6):
        (project.path / "models" / f"{number:03d}").mkdir(parents=True)
        (project.path / "models" / f"{number:03d}" / "viner.json").touch()
    project.activate("002")
    assert [path.name for path in project.prunable(2)] == ["001", "003"]
    with pytest.raises(InputError, match="active"):
        project.remove_model("002")
    project.remove_model("001")
    assert [path.name for path in project.models()] == ["002", "003", "004", "005"]
