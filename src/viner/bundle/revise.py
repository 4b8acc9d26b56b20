"""Changing what a model folder says about itself, where its files stay as they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from viner.bundle.bundle import CARD, INFO, Bundle, read_bundle
from viner.bundle.info import BundleInfo, parse_info
from viner.bundle.place import draft_beside, settle
from viner.errors import BundleError
from viner.project.toml import write_text

Change = Callable[[dict[str, Any]], None]
"""Changes the content of ``viner.json`` in place."""


def revise(bundle: Bundle, change: Change) -> BundleInfo:
    """Puts another ``viner.json`` in the place of the one of a model folder, at once: a reader sees the old one or the new.

    It has no hash of its own, so the folder stays whole. Keys that this viner does not know stay.

    Args:
        bundle: The model folder.
        change: What to change; neither files nor their hashes.

    Returns:
        What the folder says now.

    Raises:
        ValueError: If the changed content contradicts itself; nothing is written then.
        BundleError: If it cannot be read.
        VinerError: If it cannot be written; then it is as before.
    """
    path = bundle.path / INFO
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"it cannot be read ({error})", where=path, hint="Copy the model folder again") from error
    change(data)
    info = parse_info(data)
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")
    return info


def copy_files(bundle: Bundle, names: Iterable[str], folder: Path) -> None:
    """Copies files of a model folder; those that are not there are left out, as in a copy of the Hub.

    Args:
        bundle: The model folder.
        names: Names as ``viner.json`` lists them.
        folder: Where they go.

    Raises:
        OSError: If one cannot be read or written.
    """
    for name in names:
        if (bundle.path / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.path / name, folder / name)


def copy_bundle(bundle: Bundle, target: Path, revised: Callable[[Bundle], None]) -> Bundle:
    """Copies a model folder: the files that it lists, ``viner.json`` and the card; what people put beside them stays behind.

    Args:
        bundle: The model folder.
        target: The folder to be; it is there as a whole or not at all.
        revised: Is called with the copy before it takes its place.

    Raises:
        BundleError: If something is there already, or the copy is incomplete or cannot be written.
    """
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise BundleError("it exists already", where=target, hint="Name a new folder")
    try:
        with draft_beside(target) as draft:
            copy_files(bundle, (*bundle.info.files, INFO, CARD), draft)
            revised(Bundle(draft, bundle.info))
            read_bundle(draft)
            if target.exists():
                target.rmdir()  # it is empty, or another process was faster, whose folder stays
            settle(draft, target)
    except OSError as error:
        raise BundleError(
            f"the model cannot be written ({error.strerror or error})",
            where=target,
            hint="Free some space or name another folder; nothing was left behind",
        ) from error
    return read_bundle(target)
