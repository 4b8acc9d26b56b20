"""The app around a fake recognizer, without the page."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from viner.server import Settings, create_app

sys.path.insert(0, str(Path(__file__).parent))  # pytest's importlib mode does not; `fakes` lives here
from fakes import FakeRecognizer


@pytest.fixture
def recognizer() -> FakeRecognizer:
    return FakeRecognizer()


@pytest.fixture
def client(recognizer: FakeRecognizer) -> Iterator[TestClient]:
    with TestClient(create_app(recognizer, Settings(), console=False)) as client:
        yield client
