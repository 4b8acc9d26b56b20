"""The encoder that ships with viner: packed in the wheel, unpacked once into the cache as a stock Hugging Face folder.

``weights/`` holds ``model.q4.safetensors`` (matrices as 4-bit blocks, see :mod:`viner.base.blocks`; everything else as it
was), ``tokenizer.json.xz``, the two small configuration files, and ``manifest.json`` with the SHA-256 of every unpacked file.
``scripts/build_base.py`` writes it; README.md beside this file says where the encoder comes from.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from viner.base import blocks
from viner.bundle.home import home
from viner.bundle.place import draft_beside
from viner.errors import BundleError, MissingExtraError

NAME = "e5-small-vi-en"
WEIGHTS = Path(__file__).parent / "weights"
MATRICES = "model.q4.safetensors"
TOKENIZER = "tokenizer.json.xz"
MANIFEST = "manifest.json"
PLAIN = ("config.json", "tokenizer_config.json")
QUANTS, SCALES = ".q4", ".scale"
"""Suffixes of the two tensors that stand for a packed matrix."""


def unpack(folder: str | Path | None = None) -> Path:
    """Unpacks the bundled encoder, or finds it unpacked already.

    Args:
        folder: Where to; None means the cache (:func:`home`), under a name made of the content's hash, so that another version
            of the encoder never meets an old folder.

    Returns:
        A folder with ``config.json``, ``model.safetensors`` (fp16), ``tokenizer.json`` and ``tokenizer_config.json``. It
        appears as a whole or not at all.

    Raises:
        BundleError: If the package is damaged, the disk is full, or the folder exists and holds something else.
        MissingExtraError: If safetensors is not installed.
    """
    manifest = _manifest()
    sizes = {name: entry["bytes"] for name, entry in manifest["files"].items()}
    if folder is None:
        digest = hashlib.sha256(json.dumps(manifest["files"], sort_keys=True).encode()).hexdigest()
        folder = home() / "base" / f"{NAME}-{digest[:12]}"
    target = Path(folder)
    if _holds(target, sizes):
        return target
    try:
        with draft_beside(target) as draft:
            _write(draft, manifest)
            draft.chmod(0o755)
            _move(draft, target, sizes)
    except OSError as error:
        raise _unwritable(target, error) from error
    return target


def _manifest() -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((WEIGHTS / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError("the bundled encoder is missing or damaged", where=WEIGHTS, hint="Install viner again") from error
    return manifest


def _holds(folder: Path, sizes: dict[str, int]) -> bool:
    """Whether every file is there in full size. Folders are renamed into place whole: this finds what people did to them."""
    return all((folder / name).is_file() and (folder / name).stat().st_size == size for name, size in sizes.items())


def _write(folder: Path, manifest: dict[str, Any]) -> None:
    try:
        from safetensors.numpy import load_file, save
    except ImportError:
        raise MissingExtraError("the bundled encoder", "train") from None
    try:
        stored = load_file(WEIGHTS / MATRICES)
        tensors = {}
        for name, tensor in stored.items():
            if name.endswith(QUANTS):
                name = name.removesuffix(QUANTS)
                tensor = blocks.unpack(tensor, stored[name + SCALES], manifest["columns"][name])
            elif name.endswith(SCALES):
                continue
            tensors[name] = np.ascontiguousarray(tensor)
        tokenizer = lzma.decompress((WEIGHTS / TOKENIZER).read_bytes())
        plain = {name: (WEIGHTS / name).read_bytes() for name in PLAIN}
    except Exception as error:  # safetensors, lzma and numpy each have their own ways to say "damaged"
        raise BundleError("the bundled encoder is damaged", where=WEIGHTS, hint="Install viner again") from error
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    (folder / "tokenizer.json").write_bytes(tokenizer)
    for name, content in plain.items():
        (folder / name).write_bytes(content)
    for name, entry in manifest["files"].items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != entry["sha256"]:
                raise BundleError(f"{name} of the bundled encoder is damaged", where=WEIGHTS, hint="Install viner again")


def _move(draft: Path, target: Path, sizes: dict[str, int]) -> None:
    if target.exists() and any(target.iterdir()):
        if not {file.name for file in target.iterdir()} <= set(sizes):
            raise BundleError("the folder holds other files", where=target, hint="Name an empty or new folder")
        shutil.rmtree(target)  # our own files, incomplete
    try:
        draft.rename(target)
    except OSError:
        if not _holds(target, sizes):  # else another process was faster, with the same content
            raise


def _unwritable(target: Path, error: OSError) -> BundleError:
    return BundleError(
        f"the bundled encoder cannot be unpacked ({error.strerror or error})",
        where=target,
        hint="It needs 75 MB; free some space, or set VINER_HOME to a folder on another disk",
    )
