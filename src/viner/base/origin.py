"""Where a base encoder comes from: what its own card says about it, as far as there is one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from viner.bundle import BUNDLED_BASE, Origin
from viner.paths import expanded


def origin(base: str | Path | None, folder: Path) -> Origin:
    """Describes a base encoder for the models that start from it.

    Args:
        base: What it was asked for by: None, a folder or a Hub id, as for :func:`viner.base.resolve`.
        folder: Where that was found.
    """
    if base is None:
        return BUNDLED_BASE
    said = said_by_card(folder / "README.md")
    if expanded(base).exists():
        # Models travel further than the names of folders on the machine that trained them should.
        return replace(said, name=folder.resolve().name)
    return replace(said, name=str(base), id=str(base).partition("@")[0])


def said_by_card(card: Path) -> Origin:
    """License and languages in the front matter of a card; of what is missing or cannot be read, nothing was said."""
    said = _front_matter(card)
    license_ = said.get("license_name") if said.get("license") == "other" else said.get("license")
    languages = said.get("language")
    return Origin.from_dict({"license": license_, "languages": [languages] if isinstance(languages, str) else languages})


def _front_matter(card: Path) -> dict[str, Any]:
    """The front matter of a card; empty where there is none that can be read."""
    from huggingface_hub import metadata_load

    try:
        return metadata_load(card) or {}
    except Exception:  # whatever a stranger wrote there: YAML of any kind, other encodings, or no file at all
        return {}
