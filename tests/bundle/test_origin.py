from __future__ import annotations

from dataclasses import replace

import pytest

from viner.bundle import BUNDLED_BASE, Origin, base_origin, data_origin, read_bundle
from viner.project import Project


@pytest.mark.parametrize("origin", [Origin(), BUNDLED_BASE, Origin("Notices", "minh/notices", "mit", ("vi", "en"))])
def test_it_comes_back_from_json(origin):
    assert Origin.from_dict(origin.to_dict()) == origin


@pytest.mark.parametrize(
    "broken", [None, 3, "text", [], {"name": 3, "languages": "vi"}, {"license": ["mit"], "languages": None}]
)
def test_what_cannot_be_read_counts_as_not_said(broken):
    assert Origin.from_dict(broken) == Origin()


def test_a_model_that_only_names_the_bundled_base_is_known(tiny_model):
    info = read_bundle(tiny_model).info
    assert base_origin(replace(info, base={"name": BUNDLED_BASE.name})) == BUNDLED_BASE
    assert base_origin(info) == Origin("tiny")
    assert data_origin(info) == Origin()


def test_a_project_gives_its_name_and_language(tmp_path):
    (tmp_path / "viner.toml").write_text('name = "Notices"\nlanguage = "vi"\n', encoding="utf-8")
    assert Origin.of_project(Project(tmp_path)) == Origin("Notices", languages=("vi",))
    (tmp_path / "viner.toml").write_text('name = "Notices"\n', encoding="utf-8")
    assert Origin.of_project(Project(tmp_path)) == Origin("Notices")
