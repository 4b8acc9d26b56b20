"""Requirements with the versions that are installed here, and so are known to work together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from viner.errors import MissingExtraError

_TARGET = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"}
"""Where it will run, whatever machine publishes."""
_BUILDER = ("oauth", "mcp")
"""The extras of Gradio that the builder of Spaces adds to every Gradio Space."""
_TRAINING = ("train", "search", "lora")
"""The extras of viner that nothing but trainings needs."""
_ACCELERATORS = re.compile(r"(?:nvidia|cuda|triton)(?:-.*)?")
"""What PyPI's torch adds for NVIDIA's cards; gigabytes, and of no use where torch is the build for processors."""


def pinned(extras: Sequence[str], *, training: bool = False, beside: Sequence[str] = _BUILDER) -> list[str]:
    """All that viner with some extras needs, as ``name==version`` lines, with the versions installed here.

    Left out are what only training needs, torch first of all, unless asked for, and packages whose installed version
    contradicts what is installed beside: the resolver finds another one for them.

    Args:
        extras: Extras of viner, such as "app".
        training: Whether what only training needs is pinned as well, for processors.
        beside: Extras of Gradio that are installed beside; those that the builder of Spaces adds if not given.

    Returns:
        The lines, sorted. Local parts of versions, as in ``2.5+cpu``, are cut off.

    Raises:
        MissingExtraError: If an extra, or a part of it, is not installed here.
    """
    viner = distribution("viner")
    left_out = set() if training else set(_direct(viner, _TRAINING)) - set(_direct(viner, ("", "app", "postgres")))
    limits = _limits(beside)
    found: dict[str, tuple[Distribution, set[str]]] = {}
    for extra in ("", *extras):
        for name, requirement in _direct(viner, (extra,)).items():
            if name in left_out:
                continue
            if _installed(requirement) is None:
                raise MissingExtraError(f"pinning {requirement.name}, which is not installed here,", extra)
            _collect(requirement, found, limits)
    return sorted(_line(about, chosen) for name, (about, chosen) in found.items() if not _ACCELERATORS.fullmatch(name))


def _direct(about: Distribution, extras: Sequence[str]) -> dict[str, Requirement]:
    return {canonicalize_name(requirement.name): requirement for requirement in _requirements(about, extras)}


def _requirements(about: Distribution, extras: Sequence[str]) -> Iterator[Requirement]:
    """What a package needs where it will run, with any of some extras; "" stands for none of them."""
    for line in about.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({**_TARGET, "extra": extra}) for extra in extras):
            yield requirement


def _limits(extras: Sequence[str]) -> Mapping[str, Requirement]:
    """What extras of Gradio ask of other packages."""
    try:
        gradio = distribution("gradio")
    except PackageNotFoundError:
        return {}
    return _direct(gradio, extras)


def _collect(
    requirement: Requirement, found: dict[str, tuple[Distribution, set[str]]], limits: Mapping[str, Requirement]
) -> None:
    name = canonicalize_name(requirement.name)
    about = _installed(requirement)
    if about is None:  # needed there and not here
        return
    limit = limits.get(name)
    if limit is not None and not limit.specifier.contains(_public(about), prereleases=True):
        return
    known = name in found and requirement.extras <= found[name][1]
    _, extras = found.setdefault(name, (about, set()))
    if known:
        return
    extras |= requirement.extras
    for further in _requirements(about, ("", *requirement.extras)):
        _collect(further, found, limits)


def _installed(requirement: Requirement) -> Distribution | None:
    try:
        return distribution(requirement.name)
    except PackageNotFoundError:
        return None


def _public(about: Distribution) -> str:
    return Version(about.version).public


def _line(about: Distribution, extras: set[str]) -> str:
    chosen = f"[{','.join(sorted(extras))}]" if extras else ""
    return f"{canonicalize_name(about.metadata['Name'])}{chosen}=={_public(about)}"
