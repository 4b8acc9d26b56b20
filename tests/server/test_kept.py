"""A Space serves no project whose annotations it would lose."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from viner.errors import UsageError
from viner.server import Settings
from viner.server.studio_app import check_kept

SPACE = Settings(space=True)


def test_a_store_on_the_disk_of_a_space_is_refused(studio):
    with pytest.raises(UsageError, match="VINER_DATABASE_URL"):
        check_kept(studio, SPACE)
    check_kept(studio, Settings())


def test_persistent_storage_keeps_everything(studio, monkeypatch, caplog):
    monkeypatch.setattr("viner.server.studio_app.STORAGE", studio.project.path.parent)
    check_kept(studio, SPACE)
    assert not caplog.records


def test_with_a_database_elsewhere_it_is_said_what_does_not_last(studio, caplog):
    studio.settings = replace(studio.settings, database_url="postgresql+psycopg://viner@db.example/notices")
    with caplog.at_level(logging.WARNING, logger="viner.server"):
        check_kept(studio, SPACE)
    assert "models" in caplog.text
    assert "db.example" not in caplog.text
