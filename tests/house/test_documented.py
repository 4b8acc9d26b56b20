"""What there is, is documented; what is documented, there is."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from fastapi.testclient import TestClient

from support.commands import ROOT, name_of, pages, verbs

REFERENCE = ROOT / "docs" / "reference"
SOURCES = sorted((ROOT / "src" / "viner").rglob("*.py"))
# Set by torchrun, read by other programs, or by the Hub's client.
FOREIGN = {
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "HF_TOKEN",
    "HF_HOME",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
    "HUGGING_FACE_HUB_TOKEN",
    "HTTPS_PROXY",
}


def text_of(*pages: Path) -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def first_cells(page: Path, title: str) -> set[str]:
    """What stands as code in the first column of the table whose head begins with a title."""
    table = re.search(rf"^\| {title} \|.*\n\|[-| ]+\n((?:\|.*\n)+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert table, f"{page} has no table of {title}"
    return {name for row in table[1].splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


# Settings


def test_every_variable_is_in_the_table_and_every_one_in_it_is_read():
    read = set()
    places = [*SOURCES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py"), ROOT / ".ci" / "run"]
    for place in places:
        if place != Path(__file__):
            read |= set(re.findall(r"\bVINER_[A-Z_]+\b", place.read_text(encoding="utf-8")))
    read |= {name for name in variables_of_the_code() if not name.startswith("VINER_")} - FOREIGN
    page = REFERENCE / "settings.md"
    documented = set(re.findall(r"^\| `([A-Z_]+)`", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == read


def variables_of_the_code() -> Iterator[str]:
    """Names in capitals that the code asks the environment for."""
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            asked: ast.expr | None = None
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Load)
                and ast.unparse(node.value) in ("os.environ", "environ", "env")
            ):
                asked = node.slice
            elif isinstance(node, ast.Call) and re.search(r"(environ|env)\.get$|getenv$", ast.unparse(node.func)):
                asked = node.args[0]
            if isinstance(asked, ast.Constant) and isinstance(asked.value, str) and asked.value.isupper():
                yield asked.value


def test_no_page_names_a_variable_that_nothing_reads():
    documented = set(re.findall(r"`([A-Z_]+)`", text_of(REFERENCE / "settings.md")))
    named = {(name_of(page), name) for page in pages() for name in re.findall(r"\bVINER_[A-Z_]+\b", text_of(page))}
    assert {(page, name) for page, name in named if name not in documented} == set()


def test_every_key_of_viner_toml_is_in_the_table_and_every_one_in_it_is_known(tmp_path):
    documented = first_cells(REFERENCE / "settings.md", "key")
    assert {key for key in documented if not key.startswith("schema.")} == set(known_keys(tmp_path))
    assert {key for key in documented if key.startswith("schema.")} == {
        *(f"schema.layers[].{key}" for key in ("name", "kind", "types", "multiple")),
        *(f"schema.layers[].types[].{key}" for key in ("name", "description", "color", "key")),
    }


def test_the_keys_of_a_schema_are_those_that_it_writes():
    from viner.schema import Layer, Type

    layer = Layer("x", "labels", (Type("A", "description", "#000000", "a"),), multiple=True).to_dict()
    assert set(layer) == {"name", "kind", "types", "multiple"}
    assert set(layer["types"][0]) == {"name", "description", "color", "key"}


def known_keys(folder: Path, path: str = "") -> Iterator[str]:
    """The keys below a place of viner.toml, asked for by a key that cannot exist."""
    from viner.errors import InputError
    from viner.project.settings import read_settings

    for inner in ({"?": 1}, [{"?": 1}]):
        data: object = inner
        for part in reversed(path.split(".") if path else []):
            data = {part: data}
        try:
            read_settings(folder, data)  # type: ignore[arg-type]
        except InputError as error:
            keys = re.fullmatch(r"Known keys: (.*)", error.hint or "")
            if error.message != "unknown key" or not keys:
                continue
            for key in keys[1].split(", "):
                below = f"{path}.{key}" if path else key
                if below != "schema":
                    yield from known_keys(folder, below)
            return
    yield re.sub(r"^(rules\.(?:dictionaries|patterns))", r"\1[]", path)


def test_the_defaults_in_the_table_are_those_of_the_code():
    from dataclasses import asdict

    from viner.feedback.box import QUOTA
    from viner.project import AnnotationSettings
    from viner.server import settings as server

    page = text_of(REFERENCE / "settings.md")
    said = dict(re.findall(r"^\| `([\w.]+)` \| `([^`]*)` \|", page, re.MULTILINE))
    for key, value in asdict(AnnotationSettings()).items():
        written = f'"{value}"' if isinstance(value, str) else str(value).lower()
        assert said[f"annotation.{key}"] == written
    for variable, value in {
        **{name.replace("DEFAULT", "VINER"): getattr(server, name) for name in dir(server) if name.startswith("DEFAULT_")},
        "VINER_FEEDBACK_QUOTA": QUOTA,
    }.items():
        assert said[variable] == str(value)


# The command line


ALL_VERBS = verbs()


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_a_verb_explains_itself_and_each_of_its_options_with_an_example(verb):
    command = ALL_VERBS[verb]
    assert command.help
    if not isinstance(command, click.Group):
        assert f"  viner {verb}" in command.help, "no example"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.opts


@pytest.mark.parametrize("verb", ALL_VERBS)
def test_a_verb_is_shown_on_a_page(verb):
    prose = text_of(*(page for page in pages() if page.name != "command-line.md"))
    assert re.search(rf"\bviner {verb}\b", prose)


def test_the_reference_shows_the_whole_tree_of_verbs():
    assert re.search(
        r"^\.\. click:: viner.cli.main:cli\n   :prog: viner\n   :nested: full$",
        text_of(REFERENCE / "command-line.md"),
        re.MULTILINE,
    )


# REST


@pytest.fixture(scope="module")
def servers(tmp_path_factory, tiny_model):
    """A client of a model's server and one of a project's."""
    import viner
    from viner.cli.main import main
    from viner.project import Project
    from viner.server import Settings, create_app
    from viner.server.studio_app import create_studio_app
    from viner.studio import Studio

    folder = tmp_path_factory.mktemp("documented") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("VINER_DATABASE_URL", raising=False)
        assert main(["init", str(folder), "--language", "vi", "--types", "PERSON"]) == 0
        with Studio.open(Project(folder)) as studio:
            yield [
                TestClient(create_app(viner.load(tiny_model), Settings(feedback=folder / "flagged"), console=False)),
                TestClient(create_studio_app(studio, Settings(), console=False), base_url="http://127.0.0.1:7860"),
            ]


def documented_endpoints() -> set[tuple[str, str]]:
    """Method and path of each endpoint that a page names as code; the annotate API's stand there without their prefix."""
    found = set()
    for page in pages():
        for method, path in re.findall(r"`(GET|POST|PUT|PATCH|DELETE) ([\w/{}-]+)", text_of(page)):
            found.add((method, path if path.startswith("/") else f"/annotate/api/{path}"))
    return found


def described_endpoints(servers: list[TestClient]) -> set[tuple[str, str]]:
    """Method and path of each endpoint that a server describes itself."""
    described = [client.app.openapi()["paths"] for client in servers]
    return {(method.upper(), path) for paths in described for path, methods in paths.items() for method in methods}


def test_every_endpoint_is_documented(servers):
    assert described_endpoints(servers) - documented_endpoints() == set()


def test_every_documented_endpoint_is_served(servers):
    for method, path in documented_endpoints() - described_endpoints(servers):
        statuses = [client.request(method, path, json={}).status_code for client in servers]
        assert any(status not in (404, 405) for status in statuses), (method, path, statuses)


def test_the_codes_of_requests_are_in_the_list():
    page = text_of(ROOT / "docs" / "rest.md")
    codes = set()
    for source in (ROOT / "src" / "viner" / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "RequestError" and len(node.args) > 1:
                codes |= {part.value for part in ast.walk(node.args[1]) if isinstance(part, ast.Constant)}
    assert len(codes) > 5
    assert {code for code in codes if f"`{code}`" not in page} == set()


# Extras, errors, Python

EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"])


def test_every_extra_is_in_the_table_and_every_one_in_it_exists():
    assert first_cells(REFERENCE / "install.md", "extra") == EXTRAS


def test_no_page_installs_an_extra_that_does_not_exist():
    named = re.findall(r"(?:viner|\.)\[([a-z,]+)\]", text_of(*pages()))
    assert {extra for names in named for extra in names.split(",")} - EXTRAS == set()


def test_every_code_of_an_error_is_in_the_table_and_every_one_in_it_is_raised():
    raised = set()
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "code":
                        raised.add(ast.literal_eval(line.value))
    assert first_cells(REFERENCE / "errors.md", "code") == raised


def test_the_public_names_are_in_the_reference():
    import viner
    import viner.errors

    page = text_of(REFERENCE / "python.md")
    shown = set(re.findall(r"^\.\. auto\w+:: viner\.[\w.]*?(\w+)$", page, re.MULTILINE))
    assert {name for name in viner.__all__ if not name.startswith("_")} - shown == set()
    assert re.search(r"^\.\. automodule:: viner.errors$", text_of(REFERENCE / "errors.md"), re.MULTILINE)
    for room in ("formats", "evaluation", "workflow", "metrics"):
        assert f"viner.{room}." in page
