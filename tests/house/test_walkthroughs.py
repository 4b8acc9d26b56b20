"""Tutorial and how-tos run from top to bottom, as a reader would type them."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from support.bases import tiny_base
from support.commands import ROOT, name_of, run_page, write_a_small_corpus
from support.static_pages import runtime_archive
from support.stores import scratch_database
from support.systems import needs_system
from viner.cli import main
from viner.project import Project
from viner.store import Store

DOCS = ROOT / "docs"
PUBLISHING = DOCS / "publishing"
TUTORIAL = DOCS / "tutorial.md"
SYSTEMS = {"clusters": ("ray", "pyspark"), "spacy-presidio": ("spacy", "presidio_analyzer")}
"""What pages need of the extra `systems`."""
HOW_TOS = [
    pytest.param(page, id=name_of(page), marks=needs_system(*SYSTEMS.get(page.stem, ())))
    for page in sorted((DOCS / "how-to").glob("*.md"))
]

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("training")]


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    """An encoder that learns nothing, in seconds."""
    return tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def folder(tmp_path, tiny_model, monkeypatch) -> Path:
    """The reader's folder: a model where the pages have one, some files, and a bundled corpus of a few documents."""
    from viner.samples import Corpus

    documents = Corpus.documents
    monkeypatch.setattr(Corpus, "documents", lambda corpus, split: islice(documents(corpus, split), 30))
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.chdir(tmp_path)
    for name in ("viner-demo/model", "models/001", "models/003"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(tiny_model, target_is_directory=True)
    write_a_small_corpus(tmp_path)
    (tmp_path / "report.txt").write_text("Lan gặp Minh ở Huế, rồi về Hà Nội.\n" * 200, encoding="utf-8")
    return tmp_path


def test_the_tutorial_goes_from_the_demo_to_a_space(folder, base):
    run_page(TUTORIAL, base=base)
    suggested = [json.loads(line) for line in (folder / "suggested.jsonl").read_text(encoding="utf-8").splitlines()]
    answers = [json.loads(line) for line in (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [item["text"] for item in suggested] == [item["text"] for item in answers]
    assert any(item["entities"] for item in suggested), "nothing was suggested"
    assert (folder / "covid" / "models" / "001" / "viner.json").is_file()
    assert (folder / "covid-space" / "app.py").is_file()


@pytest.mark.parametrize("page", HOW_TOS)
def test_a_how_to_runs(page, folder, base):
    if page.stem == "labels":
        (folder / "visits.txt").write_text("Uống paracetamol 500 mg khi sốt.\n", encoding="utf-8")
        entity = {"start": 5, "end": 16, "label": "DRUG"}
        (folder / "old.jsonl").write_text(json.dumps({"id": "o", "text": "Uống amoxicillin.", "entities": [entity]}) + "\n")
    if page.stem == "vietnamese":
        (folder / "segmented.conll").write_text("Hà_Nội\tB-LOC\nvà\tO\nHuế\tB-LOC\n", encoding="utf-8")
    if page.stem != "teams":
        run_page(page, base=base)
        return
    (folder / "notices.txt").write_text("Bệnh nhân 91 ở Hà Nội.\n", encoding="utf-8")
    with contextmanager(scratch_database)() as url:
        run_page(page, base=base, replace={"postgresql+psycopg://viner@db.example.org/covid": url})
        assert Project(folder / "covid").settings().database_url == url
        with Store.of_project(Project(folder / "covid"), create=False) as store:
            assert store.counts().documents == 1
            assert [account.name for account in store.accounts.list()] == ["lan"]


@pytest.mark.parametrize("kind", ["hub", "space", "docker"])
def test_a_page_about_publishing_runs(kind, folder, hub):
    hub.users[hub.token] |= {"name": "user", "writes": {"user"}}
    project = Project(folder / "covid")
    assert main(["init", str(project.path), "--language", "vi", "--types", "PERSON,LOCATION"]) == 0
    project.next_model().parent.mkdir()
    project.next_model().symlink_to(folder / "models" / "001", target_is_directory=True)
    # What the page of a Space shows in Python asks the running Space.
    run_page(PUBLISHING / f"{kind}.md", programs=kind != "space")


def test_the_page_about_static_pages_runs(folder):
    runtime_archive()
    run_page(PUBLISHING / "static.md")
    assert (folder / "page" / "index.html").is_file()
