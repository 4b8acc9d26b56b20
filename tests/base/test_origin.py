from __future__ import annotations

import pytest

from viner.base import origin
from viner.bundle import BUNDLED_BASE, Origin


def test_the_bundled_base_is_known():
    assert origin(None, None) is BUNDLED_BASE


def test_a_hub_id_is_kept_with_what_its_card_says(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: mit\nlanguage: vi\n---\n# PhoBERT\n", encoding="utf-8")
    assert origin("vinai/phobert-base@main", tmp_path) == Origin(
        "vinai/phobert-base@main", "vinai/phobert-base", "mit", ("vi",)
    )


def test_a_folder_is_named_without_its_path(tmp_path):
    folder = tmp_path / "secret" / "mine"
    folder.mkdir(parents=True)
    assert origin(folder, folder) == Origin("mine")


@pytest.mark.parametrize(
    "card", ["# no front matter", "---\n- a list\n---\n", "---\n{broken\n---\n", "---\nlicense: [a]\n---\n"]
)
def test_a_card_that_cannot_be_read_says_nothing(tmp_path, card):
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    assert origin("a/b", tmp_path) == Origin("a/b", "a/b")
