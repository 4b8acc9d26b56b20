from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from viner.base import identity

FILES = {"config.json": "{}", "tokenizer.json": "{1}", "model.safetensors": "weights", "README.md": "card"}


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "one" / "base"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_a_base_is_what_it_is_wherever_it_lies(base, tmp_path):
    before = identity(base)
    (base / "README.md").write_text("another card", encoding="utf-8")
    (base / "tokenizer").mkdir()
    assert identity(shutil.copytree(base, tmp_path / "moved")) == identity(base) == before


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_content_of_the_same_size_is_another_base(base, tmp_path, name):
    other = shutil.copytree(base, tmp_path / "other" / "base")
    (other / name).write_text(FILES[name][:-1] + "?", encoding="utf-8")
    assert (other / name).stat().st_size == (base / name).stat().st_size
    assert identity(other) != identity(base)


def test_a_file_is_read_once_as_long_as_it_stays_as_it_is(base, monkeypatch):
    before = identity(base)
    opened = []
    kept = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *arguments: opened.append(self.name) or kept(self, *arguments))
    assert identity(base) == before
    assert opened == []
    with kept(base / "model.safetensors", "a") as file:
        file.write(" and more")
    assert identity(base) != before
    assert opened == ["model.safetensors"]
