"""Fixtures and gates that every room's tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from support.hub import LocalHub

settings.register_profile("viner", deadline=None)  # a busy machine is no defect
settings.load_profile("viner")

# Threads of models as small as the tests' only wait for each other, the more so with other tests beside them. It is read when
# torch is first imported, here and in every process that a test starts.
os.environ["OMP_NUM_THREADS"] = "1"

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # A shell that starts the tests in the background has them ignore Ctrl-C, and with them every program that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("VINER_SLOW", "") not in ("", "0"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: runs with VINER_SLOW=1, as in .ci/run"))


@pytest.fixture(scope="session")
def data_sets() -> Path:
    """The folder of open data sets that VINER_DATA names."""
    folder = os.environ.get("VINER_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("no data sets: set VINER_DATA to their folder")
    return Path(folder)


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that knows a few names (tests/support/tiny.py says which). Read it, never change it."""
    from support.tiny import tiny_bundle

    return tiny_bundle(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def silent_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same model, which leaves out all entities, as if it were unsure of each. Read it, never change it."""
    import json

    from support.tiny import tiny_bundle

    folder = tiny_bundle(tmp_path_factory.mktemp("silent") / "model")
    content = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    (folder / "viner.json").write_text(json.dumps(content | {"least_estimate": 1.0}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for all rooms."""
    from support.chromium import open_browser

    with open_browser() as browser:
        yield browser


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LocalHub]:
    """A Hugging Face Hub on this machine, which everything in the test talks to (tests/support/hub.py)."""
    from support.hub import LocalHub, connect

    with LocalHub() as server:
        connect(server, monkeypatch, tmp_path / "hf")
        yield server
