"""A published Space, and the environment that its own files make."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from filelock import FileLock

from support.spaces import build_environment
from viner.publishing.space import SpaceChoices, publish_space


@pytest.fixture(scope="session")
def space_folder(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Space. Run it, never change it."""
    folder = publish_space(tiny_model, SpaceChoices("someone/notices"), out=tmp_path_factory.mktemp("space") / "notices").folder
    assert folder is not None
    return folder


@pytest.fixture(scope="session")
def space_python(space_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a clean environment, built once for all workers from the Space's requirements."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    with FileLock(shared / "space-environment.lock"):
        found = [
            path for name in ("bin/python", "Scripts/python.exe") if (path := shared / "space-environment" / name).exists()
        ]
        done = shared / "space-environment.done"
        if not done.exists():
            found = [build_environment(space_folder, shared / "space-environment")]
            done.touch()
    return found[0]
