"""What goes to the Hub: a folder, a repository made of it, or both."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from viner.errors import UsageError
from viner.publishing.folder import file_sizes, new_folder
from viner.publishing.upload import Kind, push

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Placed(Generic[Told]):
    """Where something went.

    Args:
        folder: Where it lies; None where it was only uploaded.
        url: Where people find it; None where it was not uploaded.
        files: Size of each of its files, in bytes.
        told: What the writer said about it.
    """

    folder: Path | None
    url: str | None
    files: dict[str, int]
    told: Told


def check_upload(*, upload: bool, private: bool, tag: str | None = None) -> None:
    """Refuses what is said of an upload where nothing is uploaded: it would be taken for done.

    Raises:
        UsageError: If there is a tag, or everybody may see it.
    """
    if not upload and (tag is not None or not private):
        raise UsageError("a tag, and who may see it, is for what is uploaded", hint="Add --push")


def publish_repository(
    repo: str,
    write: Callable[[Path], Told],
    *,
    kind: Kind,
    marker: str,
    out: Path | None,
    upload: bool,
    private: bool,
    force: bool,
    tag: str | None = None,
) -> Placed[Told]:
    """Makes a repository, as a folder, on the Hub, or both.

    Args:
        repo: Its id on the Hub, ``user/name``.
        write: Fills the folder.
        kind: The kind of repository.
        marker: What the marker of the folder names.
        out: The folder to write; None writes one named like the repository, or none at all where it is uploaded.
        upload: Whether to upload it.
        private: Whether only its owner sees it on the Hub.
        force: Replace a folder that viner published, and what a repository holds.
        tag: A tag for the uploaded state.

    Raises:
        VinerError: If the folder may not be replaced, or it cannot be uploaded. What was there before is there still.
    """
    if out is None and not upload:
        out = Path(repo.partition("/")[2])
    with tempfile.TemporaryDirectory(prefix="viner-publish-") as place:
        target = out or Path(place) / marker
        with new_folder(target, kind=marker, force=force) as folder:
            told = write(folder)
            files = file_sizes(folder)
        url = push(target, repo, kind=kind, private=private, force=force, tag=tag) if upload else None
    return Placed(out, url, files, told)
