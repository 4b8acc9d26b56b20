"""The folder that is published: there as a whole or not at all, and never in the place of something else."""

from __future__ import annotations

import errno
import filecmp
import hashlib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from viner.bundle.place import draft_beside, settle
from viner.errors import InputError, VinerError
from viner.formats.files import real_path
from viner.paths import expanded
from viner.version import __version__

MARKER = ".viner-publish.json"
"""Names the kind of the folder, the viner that wrote it, and its files by their SHA-256. Only a folder with this file is ever
replaced."""
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
            a folder with files that somebody put there or edited since.
        kept: Files of somebody else that the block copies, so that they may be there; they keep their permissions.

    Raises:
        InputError: If the target may not be replaced.
        PublishError: If the folder cannot be written.
    """
    target = real_path(expanded(target))
    _check(target, kind)
    try:
        with draft_beside(target) as draft:
            yield draft
            written = {name: _digest(draft / name) for name in map(Path.as_posix, _files(draft)) if name not in kept}
            marker = json.dumps({"kind": kind, "viner": __version__, "files": written}, ensure_ascii=False, indent=1)
            (draft / MARKER).write_text(f"{marker}\n", encoding="utf-8")
            _check(target, kind)  # somebody else may have been faster
            if (target / MARKER).is_file():
                if _same(draft, target):
                    return
                _check_replaceable(target, force, kept)
            settle(draft, target, private=kept)
    except OSError as error:
        raise _unwritable(target, error) from error


def _check(target: Path, kind: str) -> None:
    above = next((folder for folder in target.parents if folder.exists()), target)
    if not above.is_dir():
        raise InputError("this is a file, so no folder can be in it", where=above, hint="Name another folder with --out")
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


def _written(target: Path) -> dict[str, str | None]:
    """What viner wrote into a folder, by name, with its SHA-256; None where an earlier viner did not note it."""
    files = _marker(target).get("files")
    return dict.fromkeys(map(str, files)) if isinstance(files, list) else files if isinstance(files, dict) else {}


def _check_replaceable(target: Path, force: bool, kept: Collection[str]) -> None:
    written = _written(target)
    here = [name.as_posix() for name in _files(target)]
    ours = {MARKER, *kept, *written}
    theirs = [name for name in here if name not in ours] + _beside_files(target)
    edited = [name for name in here if written.get(name) and written[name] != _digest(target / name)]
    if (target / ".git").exists():
        raise InputError("it is a git repository with a history of its own", where=target, hint="Name another with --out")
    if theirs:
        raise InputError(
            f"it holds what viner did not put there: {', '.join(theirs[:5])}",
            where=target,
            hint="Move that elsewhere, or name a new folder with --out",
        )
    if edited:
        raise InputError(
            f"somebody edited what viner put there: {', '.join(edited[:5])}",
            where=target,
            hint="Move the edited files elsewhere, or delete them, and publish again; or name a new folder with --out",
        )
    if not force:
        raise InputError("something else was published there", where=target, hint="Replace it with --force, or use --out")


def _same(draft: Path, target: Path) -> bool:
    names = _files(draft)
    same = names == _files(target) and all(filecmp.cmp(draft / name, target / name, shallow=False) for name in names)
    return same and not _beside_files(target)


def _files(folder: Path) -> list[Path]:
    """The files of a folder, relative to it, in order, but for those that a desktop leaves anywhere."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() and path.name not in _LITTER)


def _beside_files(folder: Path) -> list[str]:
    """What viner never writes into a folder: links, pipes and the like, and folders without anything in them."""
    others = (path for path in folder.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir()))
    empty = (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink() and not any(path.iterdir()))
    return sorted({path.relative_to(folder).as_posix() for path in (*others, *empty)})


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def files_in(folder: Path) -> dict[str, Path]:
    """The files of a published folder by their names in it, with slashes, in order; without the marker."""
    return {name.as_posix(): folder / name for name in _files(folder) if name != Path(MARKER)}


def file_sizes(folder: Path) -> dict[str, int]:
    """How many bytes each of :func:`files_in` has."""
    return {name: path.stat().st_size for name, path in files_in(folder).items()}


def _unwritable(target: Path, error: OSError) -> PublishError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return PublishError(
        f"the folder cannot be written ({error.strerror or error})",
        where=target,
        hint=f"{'Free some space' if full else 'Check who may write there'}, or name another folder with --out;"
        " nothing was left behind",
    )
