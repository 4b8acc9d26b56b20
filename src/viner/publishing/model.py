"""What publishing asks of a model: title, labels, languages, licenses and size, and which of its files leave the machine."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from viner.bundle import Bundle, BundleInfo, FileRecord, base_origin, data_origin, find_bundle, read_bundle
from viner.bundle.bundle import CARD, FILES, GRAPH, INFO, NEEDED
from viner.workflow.card import license_lines as lines_of
from viner.workflow.front_matter import card_title


def find_model(model: str | Path, *, weights: bool = False) -> Bundle:
    """Opens a model by any name.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id ``user/name[@revision]``.
        weights: Whether the weights must be there, too; recognition does without them.

    Raises:
        VinerError: If there is none of that name, or it is not a whole model folder.
    """
    return find_bundle(model, weights=weights)


def title(bundle: Bundle) -> str:
    """A title for people: the name of the data that it learned from, where there is one."""
    return card_title(bundle.info)


def labels(bundle: Bundle) -> tuple[str, ...]:
    """The labels that the model gives to entities, in the order of its schema."""
    return bundle.info.schema.entity_labels


def languages(bundle: Bundle) -> tuple[str, ...]:
    """The languages of the data that it learned from (BCP 47); empty where nobody named them."""
    return data_origin(bundle.info).languages


def license_lines(bundle: Bundle) -> list[str]:
    """Which licenses base encoder and training data have, a plain sentence each."""
    return lines_of(base_origin(_without_paths(bundle.info)), data_origin(bundle.info))


def published_files(bundle: Bundle, *, weights: bool = False) -> list[str]:
    """Names of the files that leave the machine, sorted: what recognition reads, and the weights and the card if asked for.

    Nothing else does, whatever lies in the folder: the log of the training stays at home, and so does what people put there.
    """
    wanted = {*FILES, CARD, "special_tokens_map.json"} if weights else set(NEEDED)
    names = (path.name for path in bundle.path.iterdir() if path.is_file())
    return sorted(name for name in names if name in wanted or (name.startswith(GRAPH) and name in bundle.info.files))


def size(bundle: Bundle, *, weights: bool = False) -> int:
    """How many bytes :func:`published_files` have."""
    return sum((bundle.path / name).stat().st_size for name in published_files(bundle, weights=weights))


def copy_model(bundle: Bundle, folder: Path, *, weights: bool = False) -> Bundle:
    """Copies a model to where others will find it: :func:`published_files`, without paths of this machine.

    Args:
        bundle: The model.
        folder: Where to; made if missing.
        weights: Whether the weights and the card come along.

    Raises:
        OSError: If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = published_files(bundle, weights=weights)
    for name in names:
        shutil.copyfile(bundle.path / name, folder / name)
    # Records of files that everybody leaves out would only tell what there is at home. Those of the weights name the model.
    records = {name: item for name, item in bundle.info.files.items() if name in FILES or name in names}
    for name in ("config.json", "tokenizer_config.json"):
        if name in names and _forget_paths(folder / name):
            content = (folder / name).read_bytes()
            records[name] = FileRecord(len(content), hashlib.sha256(content).hexdigest())
    info = replace(_without_paths(bundle.info), files=records)
    (folder / INFO).write_text(json.dumps(info.to_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return read_bundle(folder, weights=weights)


def _without_paths(info: BundleInfo) -> BundleInfo:
    """What a model says about itself, its base named without where on this machine it lay."""
    name = info.base.get("name")
    if not _is_path(name):
        return info
    return replace(info, base={**info.base, "name": PureWindowsPath(str(name)).name})  # which knows both kinds of slashes


def _forget_paths(file: Path) -> bool:
    """Removes from a configuration where on this machine it was read from; False if it does not say."""
    config = json.loads(file.read_text(encoding="utf-8"))
    paths = [key for key in ("_name_or_path", "name_or_path") if _is_path(config.get(key))]
    for key in paths:
        del config[key]
    if paths:
        file.write_text(json.dumps(config, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return bool(paths)


def _is_path(value: Any) -> bool:
    """Whether a name is a path, of this system or of Windows."""
    return isinstance(value, str) and (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute())
