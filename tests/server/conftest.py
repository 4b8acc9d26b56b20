"""The app around a fake recognizer, without the page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from viner.server import Settings, create_app
from viner.server.studio_app import create_studio_app
from viner.store import Store

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode does not; `fakes` lives here
from fakes import FakeRecognizer
from studios import FakeStudio


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer()


@pytest.fixture
def client(recognizer: FakeRecognizer) -> Iterator[TestClient]:
    with TestClient(create_app(recognizer, Settings(), console=False)) as client:
        yield client


@pytest.fixture
def make_studio(tmp_path: Path) -> Iterator[Callable[..., FakeStudio]]:
    """Makes projects on SQLite, or on the store given."""
    made: list[FakeStudio] = []

    def make(store: Store | None = None, **parts: Any) -> FakeStudio:
        studio = FakeStudio(tmp_path / "project", store, **parts)
        made.append(studio)
        return studio

    yield make
    for studio in made:
        studio.store.close()


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrypt takes a tenth of a second on purpose; here it need not."""
    monkeypatch.setattr("viner.store.accounts._N", 16)


@pytest.fixture
def studio(make_studio: Callable[..., FakeStudio]) -> FakeStudio:
    return make_studio()


def visit(studio: FakeStudio, *, base_url: str = "http://127.0.0.1:7860", **settings: Any) -> TestClient:
    """A browser, or a program, at the server of a studio."""
    return TestClient(
        create_studio_app(studio, Settings(**settings), console=False),
        base_url=base_url,
        follow_redirects=False,
        client=("127.0.0.1", 50000),
    )


@pytest.fixture
def local(studio: FakeStudio) -> Iterator[TestClient]:
    """The only person of a project without accounts."""
    with visit(studio) as client:
        yield client
