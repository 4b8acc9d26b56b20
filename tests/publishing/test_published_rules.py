"""Rules that travel with a published model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import viner
from support.dockerfile import read_stages
from support.spaces import running
from viner.cli import main
from viner.publishing.examples import bundled_examples
from viner.rules import rules_beside
from viner.samples.examples import NEWS, NOTICES, read_examples

RULES = """
[rules]
recognize = "over"

[[rules.dictionaries]]
label = "SCHOOL"
file = "lists/schools.txt"

[[rules.patterns]]
label = "CASE"
pattern = 'BN\\d+'

[[rules.patterns]]
label = "YEAR"
pattern = '\\d{4}'
recognize = "never"
"""
TEXT = "Lan (BN12) học ở Đại học Hà Nội."
FOUND = [("Lan", "PERSON"), ("BN12", "CASE"), ("Đại học Hà Nội", "SCHOOL")]


@pytest.fixture
def project(tmp_path, tiny_model):
    """A project whose rules recognize."""
    folder = tmp_path / "trips"
    for name, content in {"viner.toml": RULES, "lists/schools.txt": "Đại học Hà Nội\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    (folder / "models").mkdir()
    (folder / "models" / "001").symlink_to(tiny_model, target_is_directory=True)
    return folder


@pytest.fixture
def publish(tmp_path, capsys):
    """Publishes into ``out``: exit status, what was said for people, and the JSON."""

    def call(kind, *args):
        repo = [] if kind in ("docker", "static") else ["--repo", "someone/trips"]
        status = main(["publish", kind, *map(str, args), *repo, "--out", str(tmp_path / "out"), "--json"])
        told = capsys.readouterr()
        return status, told.err, json.loads(told.out) if told.out else None

    return call


def found_in(document):
    return [(entity.text, entity.label) for entity in document.entities]


@pytest.mark.parametrize("kind", ["space", "docker"])
def test_those_of_a_project_come_along_and_that_is_said(project, publish, tmp_path, kind):
    status, told, facts = publish(kind, project)
    assert status == 0, told
    assert f"2 rules of {project / 'viner.toml'}, terms included, recognize beside the model" in told
    assert "--no-rules" in told
    assert facts["rules"] == 2
    assert "rules.toml" in facts["files"]
    text = (tmp_path / "out" / "rules.toml").read_text(encoding="utf-8")
    assert "YEAR" not in text
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.suffix != ".whl":
            assert str(tmp_path).encode() not in path.read_bytes(), path
    ner = viner.load(tmp_path / "out" / "model", rules=tmp_path / "out" / "rules.toml")
    assert found_in(ner(TEXT)) == found_in(viner.load(project)(TEXT)) == FOUND
    assert publish(kind, project)[0] == 0  # the same once more is the same folder


@pytest.mark.parametrize("kind", ["space", "docker"])
@pytest.mark.parametrize("ruled", [True, False])
def test_without_any_the_model_is_alone(project, publish, tiny_model, tmp_path, kind, ruled):
    status, told, facts = publish(kind, *([project, "--no-rules"] if ruled else [tiny_model]))
    assert (status, facts["rules"]) == (0, 0)
    assert "rules" not in told
    assert "rules.toml" not in facts["files"]
    for name in ("README.md", "app.py" if kind == "space" else "Dockerfile"):
        assert "rules" not in (tmp_path / "out" / name).read_text(encoding="utf-8")


def test_a_file_of_rules_goes_with_any_model_and_before_those_of_a_project(project, publish, tiny_model, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('[[rules.patterns]]\nlabel = "ID"\npattern = "BN12"\nrecognize = "under"\n', encoding="utf-8")
    for model in (tiny_model, project):
        status, told, facts = publish("space", model, "--rules", other)
        assert (status, facts["rules"]) == (0, 1)
        assert f"1 rule of {other}" in told
        assert "--no-rules" not in told
        ner = viner.load(tmp_path / "out" / "model", rules=tmp_path / "out" / "rules.toml")
        assert found_in(ner(TEXT)) == [("Lan", "PERSON"), ("BN12", "ID"), ("Hà Nội", "LOCATION")]


@pytest.mark.parametrize("kind", ["space", "docker"])
@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (RULES.replace("\\d+'", "\\d+('"), "rules.patterns[0].pattern: this is no regular expression"),
        (RULES.replace("schools.txt", "nowhere.txt"), "rules.dictionaries[0].file"),
        (f"{RULES}\n[[schema.layers]]\nname = 'entities'\ntypes = ['CASE']\n", "'SCHOOL' is no label of the schema"),
    ],
)
def test_rules_that_cannot_be_used_are_told_before_anything_is_written(project, publish, tmp_path, kind, rules, reason):
    (project / "viner.toml").write_text(rules, encoding="utf-8")
    status, told, facts = publish(kind, project)
    assert (status, facts) == (1, None)
    assert reason in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trips"]


def test_a_file_without_a_rule_that_recognizes_is_a_mistake(publish, tiny_model, tmp_path):
    (tmp_path / "rules.toml").write_text(
        RULES.replace('"over"', '"never"').replace("file", "terms = ['x'] #"), encoding="utf-8"
    )
    status, told, _ = publish("space", tiny_model, "--rules", tmp_path / "rules.toml")
    assert status == 1
    assert "none of its rules recognizes" in told


@pytest.mark.parametrize("kind", ["space", "docker"])
@pytest.mark.parametrize("option", ["--rules", "--no-rules"])
def test_a_workbench_follows_its_viner_toml(project, publish, tmp_path, kind, option):
    given = [option, project / "viner.toml"] if option == "--rules" else [option]
    status, told, _ = publish(kind, project, "--workbench", *given)
    assert status == 2
    assert f"{option} and --workbench exclude each other" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("kind", "name"), [("hub", "a model on the Hub"), ("static", "a page without a server")])
def test_where_rules_cannot_go_the_option_is_refused_with_a_way_out(publish, tiny_model, tmp_path, kind, name):
    (tmp_path / "rules.toml").write_text(RULES, encoding="utf-8")
    status, told, _ = publish(kind, tiny_model, "--rules", tmp_path / "rules.toml")
    assert status == 2
    assert f"--rules: {name} has no rules" in told
    assert "viner publish space" in told
    assert not (tmp_path / "out").exists()


def test_a_project_on_the_hub_leaves_its_rules_at_home_and_says_so(project, publish, tmp_path):
    status, told, facts = publish("hub", project)
    assert status == 0, told
    assert f"2 rules of {project / 'viner.toml'} stay at home" in told
    assert 'viner.load("USER/NAME", rules="rules.toml")' in told
    assert "rules.toml" not in facts["files"]
    (project / "viner.toml").write_text("[rules]\nrecognize = 3\n", encoding="utf-8")
    status, told, _ = publish("hub", project)
    assert (status, "stay at home" in told) == (0, False)


def test_examples_are_chosen_by_what_model_and_rules_find(project, publish, tmp_path):
    alone = bundled_examples(viner.load(project, rules=False))
    passed_over = next(example for example in (*NOTICES, *NEWS) if example not in alone)
    words = [word for word in passed_over.text.split() if word.isalpha()][:12]
    rules = [f'[[rules.patterns]]\nlabel = "L{index}"\npattern = "{word}"\n' for index, word in enumerate(words)]
    (project / "viner.toml").write_text('[rules]\nrecognize = "over"\n' + "\n".join(rules), encoding="utf-8")
    assert publish("space", project)[0] == 0
    chosen = [example.text for example in read_examples(tmp_path / "out" / "examples.json")]
    assert passed_over.text in chosen


def test_the_readme_of_a_space_tells_of_labels_and_rules(project, publish, tmp_path):
    types = '["SCHOOL", {name = "CASE", description = "Case | number"}]'
    schema = f'[[schema.layers]]\nname = "entities"\ntypes = {types}\n'
    (project / "viner.toml").write_text(f"{RULES}\n{schema}", encoding="utf-8")
    assert publish("space", project)[0] == 0
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "| CASE | Case \\| number |" in readme
    assert "2 rules recognize (`rules.toml`" in readme


def test_an_image_serves_with_them(project, publish, tmp_path):
    assert publish("docker", project)[0] == 0
    out = tmp_path / "out"
    last = read_stages((out / "Dockerfile").read_text(encoding="utf-8"))[-1]
    assert last.last("CMD").words() == ["serve", "/opt/model", "--rules", "/opt/rules.toml"]
    assert "COPY --chown=10001:10001 rules.toml /opt/rules.toml" in (out / "Dockerfile").read_text(encoding="utf-8")
    assert "!rules.toml" in (out / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "SCHOOL, CASE" in last.last("LABEL").value
    readme = (out / "README.md").read_text(encoding="utf-8")
    assert "beside it 2 rules that recognize, too (`rules.toml`)" in readme
    assert "viner publish docker MODEL --rules FILE --out" in readme
    linted = subprocess.run([Path(sys.executable).with_name("hadolint"), out / "Dockerfile"], check=False, timeout=60)
    assert linted.returncode == 0


@pytest.mark.slow
def test_a_published_space_answers_with_them(project, publish, tmp_path):
    """The app as it stands in the folder, in the packages of this environment."""
    assert publish("space", project)[0] == 0
    with running(tmp_path / "out", sys.executable, TEXT) as app:
        entities = app.answer["entities"]
        assert [(entity["text"], entity["label"]) for entity in entities] == FOUND
        assert [entity["source"] for entity in entities] == ["model", "pattern", "dictionary"]
        assert ["score" in entity for entity in entities] == [True, False, False]


def test_rules_beside_a_model_folder_are_none(project, tiny_model):
    assert rules_beside(tiny_model) is None
    assert rules_beside(project, False) is None
    assert len(rules_beside(project)) == 2
