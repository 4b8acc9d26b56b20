"""Packages of the npm registry: fetched once, as the registry's own archive, and only the one whose content is known."""

from __future__ import annotations

import base64
import hashlib
import os
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from viner.bundle import home
from viner.publishing.folder import PublishError
from viner.version import __version__

REGISTRY = "https://registry.npmjs.org"
_PATIENCE = 30  # seconds without a byte
_PART = 1 << 18


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package.

    Args:
        name: Its name in the registry.
        version: Its version.
        size: Bytes of its archive.
        sha512: Hash of its archive as ``package-lock.json`` writes it, base64 without the prefix.
    """

    name: str
    version: str
    size: int
    sha512: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def archive(self) -> str:
        """File name of the archive, as ``npm pack`` gives it."""
        return f"{self.name}-{self.version}.tgz"


def read_package(
    package: Package,
    names: Mapping[str, str],
    *,
    archive: Path | None = None,
    fetching: Callable[[Package], None] | None = None,
) -> dict[str, bytes]:
    """Files of a package, from an archive on this disk, from viner's cache, or from the registry.

    Args:
        package: What is wanted.
        names: For each wanted file the name that it gets, by its path within the package.
        archive: The archive, where it lies on this disk already.
        fetching: Called before something is fetched.

    Returns:
        The contents by their new names.

    Raises:
        PublishError: If the archive cannot be had, or is another one.
    """
    path = _given(package, archive) if archive is not None else _cached(package, fetching)
    try:
        with tarfile.open(path) as archived:
            return {new: _content(archived, f"package/{old}") for old, new in names.items()}
    except (OSError, tarfile.TarError, KeyError) as error:
        raise PublishError(f"the archive of {package} cannot be read ({error})", where=path) from error


def _content(archived: tarfile.TarFile, name: str) -> bytes:
    file = archived.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def _given(package: Package, archive: Path) -> Path:
    try:
        right = _hash(archive) == package.sha512
    except OSError as error:
        raise PublishError(f"the archive of {package} cannot be read ({error.strerror})", where=archive) from error
    if not right:
        raise PublishError(
            f"this is not the archive of {package}",
            where=archive,
            hint=f"Get it with: npm pack {package.name}@{package.version}",
        )
    return archive


def registry() -> str:
    """The address of the registry: that of ``NPM_CONFIG_REGISTRY``, else npm's own."""
    return (os.environ.get("NPM_CONFIG_REGISTRY") or REGISTRY).rstrip("/")


def _cached(package: Package, fetching: Callable[[Package], None] | None) -> Path:
    path = home() / "npm" / package.archive
    if path.is_file() and _hash(path) == package.sha512:
        return path
    if fetching is not None:
        fetching(package)
    address = f"{registry()}/{package.name}/-/{package.archive}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PublishError(
            f"what is fetched cannot be kept there ({error.strerror or error})",
            where=path.parent,
            hint="Name another folder with VINER_HOME",
        ) from None
    try:
        # Beside its place, so that what was interrupted is never taken for the whole.
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as draft:
            try:
                _fetch(address, draft.write)
                draft.close()
                if _hash(Path(draft.name)) != package.sha512:
                    raise PublishError(f"what came is not the archive of {package}", where=address, hint=_elsewhere(package))
                Path(draft.name).replace(path)
            finally:
                draft.close()
                Path(draft.name).unlink(missing_ok=True)
    except (OSError, ValueError, HTTPException) as error:  # URLError is an OSError, a malformed address either of the others
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        raise PublishError(f"{package} cannot be fetched ({reason})", where=address, hint=_elsewhere(package)) from error
    return path


def _fetch(address: str, write: Callable[[bytes], object]) -> None:
    request = urllib.request.Request(address, headers={"User-Agent": f"viner/{__version__}"})
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:
        while part := answer.read(_PART):
            write(part)


def _elsewhere(package: Package) -> str:
    return (
        "Check the network and run the same command again; or get it on another machine with"
        f" `npm pack {package.name}@{package.version}` and give the file with --runtime"
    )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return base64.b64encode(hashlib.file_digest(file, "sha512").digest()).decode()
