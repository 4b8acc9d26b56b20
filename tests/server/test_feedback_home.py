"""The whole loop: an answer is flagged over HTTP, imported, and served by the queue with the model's suggestions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import FakeRecognizer
from fastapi.testclient import TestClient

from viner.annotation.queue import Queue
from viner.cli import main
from viner.project import Project
from viner.server import Settings, create_app
from viner.store import Store


def test_a_flagged_answer_comes_home_as_suggestions_to_review(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    folder, project = tmp_path / "flagged", tmp_path / "notices"
    assert main(["init", str(project), "--language", "vi", "--types", "epidemic"]) == 0
    with TestClient(create_app(FakeRecognizer(), Settings(feedback=folder), console=False)) as app:
        body = {"text": "BN91 ở Hà Nội", "comment": "thiếu quận", "wrong": [[2, 4]]}
        receipt = app.post("/api/v1/feedback", json=body).json()["receipt"]
        capsys.readouterr()
        assert main(["import", str(folder / "feedback.jsonl"), "--project", str(project), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["suggestions"] == 2
    with Store.of_project(Project(project)) as store:
        served = Queue(store, Project(project).settings().annotation).next("lan", "tab")
        assert served is not None
        assert (served.id, served.status, served.flagged) == (f"flagged-{receipt}", "todo", True)
        assert [(entity.label, entity.state) for entity in served.entities] == [
            ("PATIENT_ID", "suggested"),
            ("LOCATION", "suggested"),
        ]
        assert [comment.text for comment in served.comments] == ["thiếu quận\n✗ 91 (PATIENT_ID)"]
        assert [document.entities for document in store.export()] == [None]
