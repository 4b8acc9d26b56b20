"""The folder that is published: there as a whole or not at all, and never in the place of something else."""

from __future__ import annotations

import filecmp
import json
import shutil
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from viner.bundle.place import settle
from viner.errors import InputError, VinerError
from viner.version import __version__

MARKER = ".viner-publish.json"
"""Names the kind of the folder, the viner that wrote it, and its files. Only a folder with this file is ever replaced."""
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What file managers leave in every folder that they show."""


class PublishError(VinerError):
    """Something cannot be published, although model and arguments are fine."""

    code = "publish_failed"


@contextmanager
def new_folder(target: Path, *, kind: str, force: bool = False, kept: Collection[str] = ()) -> Iterator[Path]:
    """An empty folder to fill, which takes the target's place when the block ends well.

    After an error or an interrupt nothing of it stays, and what the target was, it still is. A target that holds exactly the
    same is left as it is, so that a command can be repeated.

    Args:
        target: The folder to be. One that is there must be empty, or hold the same.
        kind: What is published, such as "space".
        force: Replace what :func:`new_folder` wrote there before, of the same kind. Anything else is refused even so, and so is
            a folder with files that somebody put there since.
        kept: Files of somebody else that the block copies, so that they may be there.

    Raises:
        InputError: If the target may not be replaced.
        PublishError: If the folder cannot be written.
    """
    target = Path(target).expanduser().resolve()
    _check(target, kind)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from error
    try:
        yield draft
        names = sorted(name.as_posix() for name in _files(draft) if name.as_posix() not in kept)
        marker = json.dumps({"kind": kind, "viner": __version__, "files": names}, ensure_ascii=False, indent=1)
        (draft / MARKER).write_text(f"{marker}\n", encoding="utf-8")
        _check(target, kind)  # somebody else may have been faster
        if (target / MARKER).is_file():
            if _same(draft, target):
                return
            _check_replaceable(target, force, kept)
        settle(draft, target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _check(target: Path, kind: str) -> None:
    empty = not target.exists() or (target.is_dir() and not any(target.iterdir()))
    if target == Path.cwd():
        raise InputError("it is the folder that you are in", where=target, hint="Name another one with --out")
    if not empty and not (target / MARKER).is_file():
        raise InputError("it exists, and viner did not publish it", where=target, hint="Name a new folder with --out")
    if not empty and _marker(target).get("kind") != kind:
        raise InputError("another kind of thing was published there", where=target, hint="Name a new folder with --out")


def _marker(target: Path) -> dict[str, Any]:
    """What the marker of a folder says; nothing where it cannot be read."""
    try:
        marker = json.loads((target / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def _check_replaceable(target: Path, force: bool, kept: Collection[str]) -> None:
    written = _marker(target).get("files")
    ours = {MARKER, *kept, *(map(str, written) if isinstance(written, list) else ())}
    theirs = sorted(name.as_posix() for name in _files(target) if name.as_posix() not in ours and name.name not in _LITTER)
    if (target / ".git").exists():
        raise InputError("it is a git repository with a history of its own", where=target, hint="Name another with --out")
    if theirs:
        raise InputError(
            f"it holds what viner did not put there: {', '.join(theirs[:5])}",
            where=target,
            hint="Move that elsewhere, or name a new folder with --out",
        )
    if not force:
        raise InputError("something else was published there", where=target, hint="Replace it with --force, or use --out")


def _same(draft: Path, target: Path) -> bool:
    names = _files(draft)
    return names == _files(target) and all(filecmp.cmp(draft / name, target / name, shallow=False) for name in names)


def _files(folder: Path) -> list[Path]:
    """The files of a folder, relative to it, in order."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def files_in(folder: Path) -> dict[str, Path]:
    """The files of a published folder by their names in it, with slashes, in order; without the marker."""
    return {name.as_posix(): folder / name for name in _files(folder) if name != Path(MARKER)}


def file_sizes(folder: Path) -> dict[str, int]:
    """How many bytes each of :func:`files_in` has."""
    return {name: path.stat().st_size for name, path in files_in(folder).items()}


def _unwritable(target: Path, error: OSError) -> PublishError:
    return PublishError(
        f"the folder cannot be written ({error.strerror or error})",
        where=target,
        hint="Free some space or name another folder with --out; nothing was left behind",
    )
