"""What publishing asks of a model: title, labels, languages, licenses and size, and which of its files leave the machine."""

from __future__ import annotations

from pathlib import Path

from viner.bundle import Bundle, base_origin, data_origin, find_bundle
from viner.bundle.bundle import CARD, FILES, GRAPH, NEEDED


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
    name = data_origin(bundle.info).name
    return f"{name}: named entities" if name else "Named-entity recognizer"


def labels(bundle: Bundle) -> tuple[str, ...]:
    """The labels that the model gives to entities, in the order of its schema."""
    return bundle.info.schema.entity_labels


def languages(bundle: Bundle) -> tuple[str, ...]:
    """The languages of the data that it learned from (BCP 47); empty where nobody named them."""
    return data_origin(bundle.info).languages


def license_lines(bundle: Bundle) -> list[str]:
    """Which licenses base encoder and training data have, a plain sentence each."""
    base, data = base_origin(bundle.info), data_origin(bundle.info)
    return [
        f"Base encoder: {base.name or 'unknown'}, license: {base.license or 'unknown'}.",
        f"Training data: {data.name or 'unnamed'}, license: {data.license or 'unknown'}.",
    ]


def published_files(bundle: Bundle, *, weights: bool = False) -> list[str]:
    """Names of the files that leave the machine, sorted: what recognition reads, the card, and the weights if asked for.

    Nothing else does, whatever lies in the folder: the log of the training stays at home, and so does what people put there.
    """
    wanted = {*(FILES if weights else NEEDED), CARD}
    names = (path.name for path in bundle.path.iterdir() if path.is_file())
    return sorted(name for name in names if name in wanted or (name.startswith(GRAPH) and name in bundle.info.files))


def size(bundle: Bundle, *, weights: bool = False) -> int:
    """How many bytes :func:`published_files` have."""
    return sum((bundle.path / name).stat().st_size for name in published_files(bundle, weights=weights))
