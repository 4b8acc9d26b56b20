"""The wheel of the viner that runs, packed from its installed files: what a Space or an image carries.

Only what belongs to viner is packed, since wheels go to strangers: what the installation put there, or in a checkout what git
tracks, not whatever else lies between. The base encoder is most of a release's wheel, and who recognizes needs none of it, so
it is left out unless asked for.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from viner.publishing.folder import PublishError
from viner.version import __version__

_PACKAGE = Path(__file__).parents[1]
_BASE = "base/weights/"
_WHEEL = "Wheel-Version: 1.0\nGenerator: viner {version}\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_WHEN = (2020, 1, 1, 0, 0, 0)  # the same bytes whenever it is packed
_RIGHTS = 0o100644 << 16
_AGAIN = "Install viner again: pip install --force-reinstall --no-deps viner, or pip install -e . in a checkout"


def pack_wheel(into: Path, *, base: bool = False) -> Path:
    """Packs the running viner as a wheel, from an installation or an editable checkout, without network and build tools.

    The same files give the same bytes.

    Args:
        into: The folder to write it to; made if missing.
        base: With the bundled base encoder, which training needs.

    Returns:
        The wheel, which ``pip install FILE`` and ``pip install FILE[app]`` take.

    Raises:
        PublishError: If viner's own installation is incomplete.
    """
    about = _installed()
    name = f"viner-{__version__}"
    metadata = f"{name}.dist-info"
    files = {
        f"viner/{inner}": (_PACKAGE / inner).read_bytes() for inner in _own_files(about) if base or not inner.startswith(_BASE)
    }
    files[f"{metadata}/METADATA"] = _text(about, "METADATA")
    files[f"{metadata}/WHEEL"] = _WHEEL.format(version=__version__).encode()
    files[f"{metadata}/entry_points.txt"] = _text(about, "entry_points.txt")
    for installed in about.files or ():
        inner = installed.as_posix().partition(".dist-info/licenses/")[2]
        if inner:
            files[f"{metadata}/licenses/{inner}"] = Path(str(about.locate_file(installed))).read_bytes()
    record = "".join(f"{path},{_digest(files[path])},{len(files[path])}\n" for path in sorted(files))
    into.mkdir(parents=True, exist_ok=True)
    wheel = into / f"{name}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        # The metadata lie at the end, where an installer looks first.
        for path in sorted(files, key=lambda path: (path.startswith(metadata), path)):
            _add(archive, path, files[path])
        _add(archive, f"{metadata}/RECORD", f"{record}{metadata}/RECORD,,\n".encode())
    return wheel


def _installed() -> Distribution:
    try:
        about = distribution("viner")
    except PackageNotFoundError:
        raise PublishError("viner runs without being installed, so it cannot be packed", hint=_AGAIN) from None
    if about.version != __version__:
        message = f"viner is installed as {about.version} and runs as {__version__}"
        raise PublishError(message, where=_PACKAGE, hint=_AGAIN)
    return about


def _own_files(about: Distribution) -> set[str]:
    """The files of the package, relative to it, with slashes."""
    installed = (file.as_posix().partition("viner/") for file in about.files or ())
    for names in ({inner for outer, _, inner in installed if not outer}, _known_to_git()):
        if "__init__.py" in names:  # an editable installation has no list; what runs may also be no checkout
            break
    else:
        names = {path.relative_to(_PACKAGE).as_posix() for path in _PACKAGE.rglob("*")}
    return {inner for inner in names if not _is_hidden(inner) and (_PACKAGE / inner).is_file()}


def _known_to_git() -> set[str]:
    """What git tracks of the package, and modules that it may track soon: one that is tracked may need them already."""
    git = shutil.which("git")
    if git is None:
        return set()
    # Whoever owns the checkout: only names are read, and nothing of it is run.
    command = [git, "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", str(_PACKAGE), "ls-files", "-z"]
    names: set[str] = set()
    for which in (["--cached"], ["--others", "--exclude-standard", "--", "*.py"]):
        found = subprocess.run([*command, *which], capture_output=True, check=False)
        names |= set(found.stdout.decode("utf-8", "surrogateescape").split("\0"))
    return names - {""}


def _is_hidden(inner: str) -> bool:
    return any(part == "__pycache__" or part.startswith(".") for part in inner.split("/"))


def _text(about: Distribution, name: str) -> bytes:
    text = about.read_text(name)
    if text is None:
        raise PublishError(f"the installation of viner lacks its {name}", hint=_AGAIN)
    return text.encode("utf-8")


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


def _add(archive: zipfile.ZipFile, path: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(path, _WHEN)
    entry.external_attr = _RIGHTS
    entry.create_system = 3  # Unix, wherever it is packed
    archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
