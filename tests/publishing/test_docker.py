"""The folder that an image is built from: its files, its Dockerfile, its services, and what it never holds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from compose_spec import PyCompose

from support.dockerfile import pairs, read_stages
from support.notices import TOML
from support.segmenters import NAME, says_it_reads_segments
from viner.bundle import BundleWriter, Origin, read_bundle
from viner.cli import main
from viner.errors import InputError, UsageError
from viner.project import Project
from viner.publishing.docker import publish_recognizer, publish_workbench
from viner.publishing.folder import PublishError
from viner.text import DEFAULT_SEGMENTER
from viner.version import __version__

KINDS = ("recognizer", "workbench", "training")
PRIVATE_TOML = f"""{TOML}
[store]
url = "postgresql+psycopg://viner:hunter2@db.example.org/notices"  # not for others

[[rules.dictionaries]]
label = "LOCATION"
file = "lists/towns.txt"
"""


@pytest.fixture(scope="session")
def project(tiny_model, tmp_path_factory) -> Path:
    """A project with a model, term lists, and what must never leave it."""
    folder = tmp_path_factory.mktemp("projects") / "Ghi chú"
    (folder / "lists").mkdir(parents=True)
    (folder / "data").mkdir()
    for name, text in {
        "viner.toml": PRIVATE_TOML,
        "lists/towns.txt": "Huế\n",
        "GUIDELINE.md": "Mark names.\n",
        "viner.db": "a secret text",
        ".session-key": "a secret key",
        "data/train.jsonl": '{"text": "a secret text"}\n',
        "README.md": "a secret note",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copytree(tiny_model, folder / "models" / "001")
    return folder


@pytest.fixture(scope="session")
def published(tiny_model, project, tmp_path_factory) -> Mapping[str, Path]:
    """A folder of each kind. Read them, never change them."""
    place = tmp_path_factory.mktemp("published")
    publish_recognizer(tiny_model, out=place / "recognizer")
    publish_workbench(project, out=place / "workbench")
    publish_workbench(project, out=place / "training", training=True)
    return {kind: place / kind for kind in KINDS}


def services(folder: Path, **variables: str) -> dict:
    """The compose file as compose sees it: variables replaced, checked against the specification."""

    def value(match: re.Match) -> str:
        name, kind, rest = match[1], match[2], match[3]
        if variables.get(name):
            return variables[name]
        if kind == ":?":
            raise LookupError(f"{name} {rest}")
        return rest

    text = (folder / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", value, text)
    assert "$" not in text
    PyCompose.from_yaml(text)
    return yaml.safe_load(text)


@pytest.mark.parametrize("kind", KINDS)
def test_the_linter_of_dockerfiles_has_nothing_to_say(published, kind):
    command = [Path(sys.executable).with_name("hadolint"), "--failure-threshold=style", published[kind] / "Dockerfile"]
    linted = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (linted.returncode, linted.stdout) == (0, ""), linted.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_the_image_has_what_a_container_should(published, kind):
    packages, last = read_stages((published[kind] / "Dockerfile").read_text(encoding="utf-8"))
    python = f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"
    assert (packages.base, packages.name, last.base) == (python, "packages", python)
    assert last.last("USER").value == "10001:10001"
    assert last.last("ENTRYPOINT").words() == ["viner"]
    assert last.last("CMD").words()[0] == "serve"
    assert last.last("EXPOSE").value == "7860"
    environ = pairs(last.last("ENV").value, {"PATH": "/usr/bin"})
    assert environ["PATH"] == "/opt/viner/bin:/usr/bin"
    assert environ["VINER_HOST"] == "0.0.0.0"
    assert last.last("VOLUME").words() == ["/data"]
    for name in ("HOME", "TMPDIR", "VINER_HOME", "HF_HOME"):
        assert environ[name].startswith(("/tmp", "/data")), name
    check = last.last("HEALTHCHECK")
    assert {"interval", "timeout", "start-period", "retries"} == set(check.flags)
    assert "/api/v1/ready" in check.value
    assert "curl" not in check.value
    labels = pairs(last.last("LABEL").value)
    assert labels["org.opencontainers.image.title"] == kind
    assert labels["org.opencontainers.image.version"] == __version__


@pytest.mark.parametrize("kind", KINDS)
def test_everything_is_pinned_and_torch_is_for_who_trains(published, kind):
    lines = (published[kind] / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+(\[[\w,-]+\])?==[\w.]+", line) for line in lines)
    names = {re.split(r"[\[=]", line)[0] for line in lines}
    assert {"onnxruntime", "gradio", "pydantic", "uvicorn"} <= names
    assert ("psycopg" in names) == (kind != "recognizer")
    assert ("torch" in names, "transformers" in names) == (kind == "training", kind == "training")
    assert not [name for name in names if name.startswith(("nvidia", "cuda", "triton"))]
    assert ("download.pytorch.org" in (published[kind] / "Dockerfile").read_text(encoding="utf-8")) == (kind == "training")


@pytest.mark.parametrize("kind", KINDS)
def test_services_are_shut_in(published, kind):
    found = services(published[kind], POSTGRES_PASSWORD="one of mine")
    assert found["name"] == kind
    for name, service in found["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert "privileged" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"].endswith("m"), name
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert all(volume.split(":")[0] in found["volumes"] for volume in service["volumes"]), name
    ours = found["services"]["recognizer" if kind == "recognizer" else "workbench"]
    assert ours["ports"] == ["127.0.0.1:7860:7860"]
    last = read_stages((published[kind] / "Dockerfile").read_text(encoding="utf-8"))[-1]
    assert ours["healthcheck"]["test"] == ["CMD", *json.loads(last.last("HEALTHCHECK").value.removeprefix("CMD "))]


@pytest.mark.parametrize("kind", ["workbench", "training"])
def test_the_database_is_reached_by_the_workbench_only_and_has_no_password_of_ours(published, kind):
    with pytest.raises(LookupError, match="POSTGRES_PASSWORD"):
        services(published[kind])
    found = services(published[kind], POSTGRES_PASSWORD="one of mine")
    database = found["services"]["database"]
    assert "ports" not in database
    assert found["networks"]["store"] == {"internal": True}
    assert database["networks"] == ["store"]
    assert re.fullmatch(r"postgres:\d+", database["image"])
    assert database["environment"]["POSTGRES_PASSWORD"] == "one of mine"
    workbench = found["services"]["workbench"]
    assert workbench["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert workbench["environment"]["PGPASSWORD"] == "one of mine"
    assert workbench["environment"]["VINER_DATABASE_URL"] == "postgresql+psycopg://viner@database/viner"


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_image_needs_is_sent_to_the_builder(published, kind):
    lines = [line for line in (published[kind] / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    assert set(lines[1:]) == {"!requirements.txt", "!*.whl", "!model", "!rules.toml", "!project"}


def test_of_a_project_settings_lists_guideline_and_model_leave_and_nothing_else(published, project):
    folder = published["workbench"] / "project"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"viner.toml", "GUIDELINE.md", "lists/towns.txt", "models/active", "models/001/model.onnx"} <= files
    assert not [name for name in files if not name.startswith(("viner.toml", "GUIDELINE.md", "lists/", "models/"))]
    for path in published["workbench"].rglob("*"):
        if path.is_file() and path.suffix != ".whl":
            content = path.read_bytes()
            assert b"hunter2" not in content, path
            assert b"db.example.org" not in content, path
            assert b"a secret" not in content, path
    there = Project(folder)
    assert there.schema() == Project(project).schema()
    assert there.settings().dictionaries[0].terms == ("Huế",)
    assert there.active_model().name == "001"


def test_the_encoder_comes_along_to_train_only(published):
    sizes = {kind: next(published[kind].glob("*.whl")).stat().st_size for kind in KINDS}
    assert sizes["recognizer"] == sizes["workbench"] < 4_000_000 < 20_000_000 < sizes["training"]


def test_a_project_without_a_model_gets_a_workbench_and_no_recognizer(project, tmp_path):
    shutil.copytree(project, tmp_path / "new", ignore=shutil.ignore_patterns("models"))
    done = publish_workbench(tmp_path / "new", out=tmp_path / "out")
    assert not [name for name in done.files if "models" in name]
    with pytest.raises(InputError, match="no model yet"):
        publish_recognizer(tmp_path / "new", out=tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("training", [False, True])
def test_a_workbench_has_what_cuts_the_segments_that_its_model_reads(project, tiny_model, tmp_path, training):
    pytest.importorskip("underthesea", reason="the extra 'vi' is not installed")
    shutil.copytree(project, tmp_path / "new", ignore=shutil.ignore_patterns("models"))
    says_it_reads_segments(tiny_model, tmp_path / "new" / "models" / "001", DEFAULT_SEGMENTER)
    done = publish_workbench(tmp_path / "new", out=tmp_path / "out", training=training)
    lines = (done.folder / "requirements.txt").read_text(encoding="utf-8")
    assert ("underthesea==" in lines, "torch==" in lines) == (True, training)
    says_it_reads_segments(tiny_model, tmp_path / "new" / "models" / "002")
    with pytest.raises(PublishError, match=f"reads segments of '{NAME}'"):
        publish_workbench(tmp_path / "new", out=tmp_path / "other", training=training)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ['"; RUN rm -rf / #', "tab\tand\nline", "$PATH ${HOME} \\", "🦠 Sốt `x` | <b>", "a: [b] # c"])
def test_a_title_of_any_characters_stays_a_title(tiny_model, tmp_path, name):
    bundle = read_bundle(tiny_model)
    with BundleWriter(tmp_path / "model") as writer:
        shutil.copytree(tiny_model, writer.folder, dirs_exist_ok=True)
        writer.finish(replace(bundle.info, data={"source": Origin(name, license=name).to_dict()}))
    done = publish_recognizer(tmp_path / "model", out=tmp_path / "out")
    last = read_stages((done.folder / "Dockerfile").read_text(encoding="utf-8"))[-1]
    label = pairs(last.last("LABEL").value)["org.opencontainers.image.description"]
    assert label.startswith(" ".join(name.split()))
    assert services(done.folder)["name"] == "out"
    assert (done.folder / "README.md").read_text(encoding="utf-8").splitlines()[0].startswith("# out:")
    linted = subprocess.run([Path(sys.executable).with_name("hadolint"), done.folder / "Dockerfile"], check=False, timeout=60)
    assert linted.returncode == 0


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        *[("Ghi chú Đà Nẵng", "ghi-chu-da-nang"), ("_x_", "x"), ("日本", "viner"), ("a" * 50, "a" * 40)],
        *[("003", "003"), ("2026-01-01", "2026-01-01"), ("null", "null")],  # which YAML takes for something else
    ],
)
def test_images_and_volumes_are_named_like_the_folder(tiny_model, tmp_path, folder, name):
    done = publish_recognizer(tiny_model, out=tmp_path / folder)
    assert done.name == name
    compose = services(done.folder)
    assert compose["name"] == name
    assert compose["services"]["recognizer"]["image"] == f"viner-{name}:{__version__}"


def test_a_folder_is_named_like_the_model_however_that_is_called(tiny_model, tmp_path, monkeypatch):
    shutil.copytree(tiny_model, tmp_path / "m@2024")
    monkeypatch.chdir(tmp_path)
    assert publish_recognizer("m@2024").folder == Path("m-2024-docker")


def test_what_the_operator_put_there_survives(tiny_model, project, tmp_path, monkeypatch):
    rights = []
    out = tmp_path / "out"
    publish_recognizer(tiny_model, out=out)
    (out / ".env").write_text("VINER_PORT=8080\n", encoding="utf-8")
    (out / ".env").chmod(0o600)
    publish_recognizer(tiny_model, out=out)  # the same once more
    with pytest.raises(InputError, match="--force"):
        publish_workbench(project, out=out)
    with monkeypatch.context() as patch:
        patch.setattr("viner.bundle.place.flush", lambda path: rights.append((path.name, path.stat().st_mode & 0o777)))
        publish_workbench(project, out=out, force=True)
    assert [mode for name, mode in rights if name == ".env"] == [0o600]  # nobody may read it in between
    assert (out / "project").is_dir()
    assert not (out / "model").exists()
    assert (out / ".env").read_text() == "VINER_PORT=8080\n"
    assert (out / ".env").stat().st_mode & 0o777 == 0o600
    (out / "monday.backup").write_text("work of months", encoding="utf-8")
    with pytest.raises(InputError, match=r"monday\.backup"):
        publish_workbench(project, out=out, force=True)
    assert (out / "monday.backup").read_text() == "work of months"


def test_a_workbench_is_made_of_a_project(tiny_model, tmp_path):
    for model in (tiny_model, tmp_path / "nowhere"):
        with pytest.raises(UsageError, match="leave --workbench out"):
            publish_workbench(model, out=tmp_path / "out")


def test_the_verb_says_what_comes_next(tiny_model, project, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["publish", "docker", str(tiny_model), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["folder"], facts["name"]) == ("model-docker", "model-docker")
    assert facts["files"]["Dockerfile"] == Path("model-docker/Dockerfile").stat().st_size
    assert facts["bytes"] == sum(facts["files"].values())
    assert main(["publish", "docker", str(project)]) == 0
    assert "cd ghi-chu-docker && docker compose up" in capsys.readouterr().out
    assert main(["publish", "docker", str(tiny_model), "--out", "my model"]) == 0
    assert "cd 'my model' && docker compose up" in capsys.readouterr().out
    assert main(["publish", "docker", str(project), "--workbench"]) == 0
    assert "ghi-chu-workbench/README.md" in capsys.readouterr().out
    assert main(["publish", "docker", str(tiny_model), "--training"]) == 2
    assert "--workbench" in capsys.readouterr().err
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("years", encoding="utf-8")
    assert main(["publish", "docker", str(tiny_model), "--out", "thesis", "--force"]) == 1
    assert "viner did not publish it" in capsys.readouterr().err
