"""What publishing asks of a model: title, labels, languages, licenses and size, and which of its files leave the machine."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

from viner.bundle import Bundle, BundleInfo, FileRecord, base_origin, data_origin, find_bundle, read_bundle
from viner.bundle.bundle import CARD, FILES, INFO, NEEDED
from viner.bundle.info import GRAPH
from viner.errors import UsageError
from viner.formats.files import real_path
from viner.paths import expanded
from viner.publishing.folder import PublishError
from viner.publishing.paths import shortened, without_paths
from viner.text import DEFAULT_SEGMENTER
from viner.workflow.card import license_lines as lines_of
from viner.workflow.card import with_card
from viner.workflow.front_matter import card_title
from viner.workflow.markdown import one_line


def find_model(model: str | Path, *, weights: bool = False) -> Bundle:
    """Opens a model by any name.

    Args:
        model: A model folder, a project, which stands for its active model, or a Hub id ``user/name[@revision]``.
        weights: Whether the weights must be there, too; recognition does without them.

    Raises:
        VinerError: If there is none of that name, or it is not a whole model folder.
    """
    return with_card(find_bundle(model, weights=weights))


def model_name(model: str | Path) -> str:
    """The last part of a model's name, without the revision of a Hub id; a folder may have an "@" in its name."""
    path = expanded(model)
    return real_path(path).name if path.exists() else path.name.partition("@")[0]


def title(bundle: Bundle) -> str:
    """A title for people: the name of the data that it learned from, where there is one."""
    return card_title(bundle.info)


def check_title(chosen: str | None) -> None:
    """Refuses a title in which there is nothing to read.

    Raises:
        UsageError: If somebody chose one and it is empty, or made of spaces and control characters alone.
    """
    if chosen is not None and not one_line(chosen):
        raise UsageError("the title is empty", where="--title", hint="Leave it out for that of the model")


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


def needed_extras(bundle: Bundle) -> tuple[str, ...]:
    """The extras of viner that the model needs where it recognizes.

    Raises:
        PublishError: If it reads segments of a segmenter that no extra brings.
    """
    segmenter = bundle.info.segmenter
    if segmenter is None:
        return ()
    if segmenter.name != DEFAULT_SEGMENTER:
        raise PublishError(
            f"the model reads segments of {segmenter.name!r}, which comes from a package that is not viner's",
            where=bundle.path,
            hint=f"Train on segments of {DEFAULT_SEGMENTER}, or publish the model alone: viner publish hub",
        )
    return ("vi",)


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
    """What a model says about itself, its base and its data named without where on this machine they lay."""
    return replace(info, base=shortened(info.base), data=shortened(info.data))


def _forget_paths(file: Path) -> bool:
    """Removes from a configuration where on this machine something lies; False if it does not say."""
    config = json.loads(file.read_text(encoding="utf-8"))
    kept = without_paths(config)
    if kept == config:
        return False
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return True
