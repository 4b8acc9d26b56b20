"""What a model needs to recognize, and which segmenters are there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from viner.bundle import Bundle, find_bundle
from viner.cli.checks import Check, check
from viner.errors import VinerError
from viner.text.segment import GROUP, find_segmenter, segmenters


def check_segmenters() -> list[Check]:
    """Loads every segmenter that can be named here, and says where it is from."""
    return [check(name, partial(_segmenter, name)) for name in segmenters()]


def check_model(name: str) -> list[Check]:
    """Looks whether this machine has what a model needs.

    Args:
        name: A model folder, a project or a Hub id.

    Returns:
        What was looked at; a model that cannot be opened is one thing alone.
    """
    try:
        bundle = find_bundle(name, weights=False)
    except VinerError as error:
        said = error.message if error.where is None else f"{error.where}: {error.message}"
        return [Check("model", False, said, error.hint)]
    looks: dict[str, Callable[[Bundle], str]] = {"model": _model, "reads": _reads, "scores": _scores}
    return [check(what, partial(look, bundle)) for what, look in looks.items()]


def _segmenter(name: str) -> str:
    version = _loaded(name)
    point = segmenters()[name]
    package = "viner" if point.dist is None else f"{point.dist.name} {point.dist.version}"
    return f"{version}, from {package}"


def _loaded(name: str) -> str:
    """The version of a segmenter, once it is loaded.

    Raises:
        VinerError: If it cannot be.
    """
    try:
        return find_segmenter(name).version
    except VinerError:
        raise
    except Exception as error:  # of anybody's package
        raise VinerError(f"it cannot be loaded ({error})", hint="Install its package again") from error


def _model(bundle: Bundle) -> str:
    bundle.verify(weights=False)
    size = sum((bundle.path / name).stat().st_size for name in bundle.needed)
    labels = len(bundle.info.schema.entity_labels)
    return f"complete, {bundle.info.engine}, {labels} types, {size / 2**20:,.1f} MiB; written by viner {bundle.info.viner}"


def _reads(bundle: Bundle) -> str:
    record = bundle.info.segmenter
    if record is None:
        return "words; it needs no segmenter"
    if record.name not in segmenters():
        raise VinerError(
            f"segments of {record.name} {record.version}, which no package here offers",
            hint=f"Install the package that offers it as an entry point in the group {GROUP}",
        )
    found = _loaded(record.name)
    if found != record.version:
        return f"segments of {record.name} {record.version}; {found} is here, so a few answers may differ"
    return f"segments of {record.name} {record.version}, which is here"


def _scores(bundle: Bundle) -> str:
    calibration = bundle.info.calibration
    if calibration is None:
        return "the model's own estimates; viner calibrate makes them say how often an entity is right"
    return f"calibrated (slope {calibration.slope:.2f}, intercept {calibration.intercept:.2f})"
