from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from studios import TOML

from viner.project import Project
from viner.server import Settings
from viner.server.studio_app import create_studio_app
from viner.studio import Studio

ORIGIN = {"origin": "http://127.0.0.1:7860"}


def test_the_console_knows_who_logged_in_and_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "viner.toml").write_text(TOML, encoding="utf-8")
    with Studio.open(Project(tmp_path), follow=False) as studio:
        studio.store.accounts.add("an", "correct horse")
        client = TestClient(create_studio_app(studio, Settings()), base_url="http://127.0.0.1:7860", follow_redirects=False)
        with client:
            for path in ("/vi/config", "/en/config", "/vi/gradio_api/info", "/vi/gradio_api/queue/data?session_hash=a"):
                assert client.get(path).status_code == 401
            assert client.post("/vi/gradio_api/upload", files={"files": ("a.txt", b"Lan")}).status_code == 401
            assert client.post("/vi/gradio_api/queue/join", json={}).status_code == 401
            client.post("/login", data={"name": "an", "password": "correct horse"}, headers=ORIGIN)
            assert client.get("/vi/config").json()["username"] == "an"
            response = client.post("/vi/gradio_api/upload", files={"files": ("a.txt", b"Lan")}, headers=ORIGIN)
            assert response.status_code == 200
            assert client.post("/vi/gradio_api/upload", files={"files": ("a.txt", b"Lan")}).status_code == 403
