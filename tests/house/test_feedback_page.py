"""The page about flagged answers runs from top to bottom, with what a visitor sent as it shows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.commands import ROOT, blocks, run_page
from viner.cli import main
from viner.corpus import flag_of
from viner.document import Document
from viner.feedback import FeedbackBox

PAGE = ROOT / "docs" / "publishing" / "feedback.md"


def shown() -> Document:
    """The document that the page shows."""
    (content,) = (block.content for block in blocks(PAGE) if block.language == "json")
    return Document.from_dict(json.loads(content))


def test_the_document_that_it_shows_is_one_that_is_kept() -> None:
    document = shown()
    flag = flag_of(document)
    assert flag is not None
    assert document.id == f"flagged-{flag.receipt}"
    assert document.meta["viner:feedback"] == flag.to_meta()
    assert flag.remark(document) == "91 is a case number\n✗ 91 (AGE)"


@pytest.mark.slow
def test_its_commands_run(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VINER_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "viner-demo").mkdir()
    (tmp_path / "viner-demo" / "model").symlink_to(tiny_model, target_is_directory=True)
    assert main(["init", "notices", "--language", "vi", "--types", "epidemic"]) == 0
    FeedbackBox.open("flagged").add(shown())
    run_page(PAGE)
    assert not (tmp_path / "flagged" / "feedback.jsonl").exists()
    exported = tmp_path / "out.jsonl"
    assert main(["export", str(exported), "--project", "notices"]) == 0
    assert exported.read_text(encoding="utf-8") == ""
