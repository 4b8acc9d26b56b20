"""The files that a run reads: named, below folders, by patterns, or standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from viner.bulk.leftovers import PART, is_working
from viner.errors import InputError, UsageError
from viner.formats import distinct_stems, reads_name, stem_of
from viner.formats.descriptors import FileId
from viner.formats.files import STDIN, is_special, real_path, written_straight


@dataclass(frozen=True, slots=True)
class Input:
    """One file of a run.

    Args:
        path: The file; ``-`` is standard input.
        stem: What ids of its documents begin with; no other file of the run has the same.
    """

    path: str
    stem: str

    @property
    def comes_once(self) -> bool:
        """Whether it cannot be read a second time: standard input, or a pipe."""
        return self.path == STDIN or is_special(self.path)

    def status(self) -> dict[str, Any]:
        """What tells whether the file is the one that it was: its name, and unless it is a stream, size and time of change."""
        path = Path(self.path)
        if self.path == STDIN or not path.is_file():
            return {"path": self.path}
        status = path.stat()
        return {"path": self.path, "size": status.st_size, "changed": status.st_mtime_ns}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of a run in order.

    Args:
        files: What is read.
        passed_over: What is in folders and not read: files whose names say so, links to folders, and what is no file.
        repeated: Files that are named, or lie in a folder or match a pattern, more than once. They are read once.
    """

    files: tuple[Input, ...]
    passed_over: tuple[str, ...] = field(default=())
    repeated: tuple[str, ...] = field(default=())


def find_inputs(paths: Iterable[str | os.PathLike[str]], *, outputs: Collection[str | os.PathLike[str]] = ()) -> Inputs:
    """The files that some paths stand for.

    A file stands for itself, a folder for all files below it that viner reads, in order of their names, and a name that is no
    file may be a pattern (``notes/*.txt.gz``, ``**/*.csv``). A file that several of them stand for is read once. Hidden files
    and folders, and what a run itself leaves in a folder, are not looked at. Links to folders are not followed.

    Args:
        paths: Files, folders, patterns; ``-`` is standard input.
        outputs: Files that the run writes, and streams such as ``-``, which may be sent to a file; they are no input.

    Raises:
        InputError: If nothing is there, or a folder cannot be looked into.
        UsageError: If an input is named that the run would write, or standard input is named twice.
    """
    finder = _Finder(outputs)
    for path in paths:
        finder.take(os.fspath(path))
    if [file.path for file in finder.files].count(STDIN) > 1:
        raise UsageError("standard input can be read only once", where=STDIN)
    places: dict[str, Input] = {}
    repeated: dict[str, None] = {}
    for file in finder.files:
        place = file.path if file.path == STDIN else os.path.abspath(file.path)  # noqa: PTH100  (a link is a file of its own)
        if place in places:
            repeated[places[place].path] = None
        places.setdefault(place, file)
    found = list(places.values())
    stems = distinct_stems([file.path for file in found], [file.stem for file in found])
    files = (replace(file, stem=stem) for file, stem in zip(found, stems, strict=True))
    return Inputs(tuple(files), tuple(finder.passed_over), tuple(repeated))


class _Finder:
    def __init__(self, outputs: Collection[str | os.PathLike[str]]) -> None:
        self.files: list[Input] = []
        self.passed_over: list[str] = []
        self._written = {real_path(output) for output in outputs if os.fspath(output) != STDIN}
        self._straight = {file for output in outputs if (file := written_straight(output)) is not None}

    def _is_written(self, path: Path) -> bool:
        return real_path(path) in self._written or (bool(self._straight) and FileId.of(path) in self._straight)

    def _refuse_written(self, name: str) -> None:
        raise UsageError("the run reads this file and would write it", where=name, hint="Name another output")

    def take(self, name: str) -> None:
        path = Path(name)
        if name == STDIN:
            if self._straight and FileId.of(0) in self._straight:
                self._refuse_written(name)
            self.files.append(Input(name, "stdin"))
        elif os.path.isdir(name):  # noqa: PTH112  (pathlib raises where a folder above it may not be entered)
            self._take_folder(path)
        elif os.path.exists(name):  # noqa: PTH110
            if self._is_written(path):
                self._refuse_written(name)
            self.files.append(Input(str(path), stem_of(Path(path.name))))
        else:
            self._take_pattern(name)

    def _take_folder(self, folder: Path) -> None:
        before = len(self.files)
        for name in _names_below(folder):
            path = folder / name
            if self._is_written(path):
                continue
            if os.path.isfile(path) and reads_name(name):  # noqa: PTH113  (a pipe could be waited for without end; no error)
                self.files.append(Input(str(path), stem_of(name)))
            else:
                self.passed_over.append(str(path))
        if len(self.files) == before:
            raise InputError(
                "this folder holds no file that viner reads",
                where=folder,
                hint="They are told by their endings, such as .txt, .jsonl or .parquet; a file that is named is read anyway",
            )

    def _take_pattern(self, pattern: str) -> None:
        magic = glob.has_magic(pattern)
        found = sorted(glob.glob(pattern, recursive=True)) if magic else []  # noqa: PTH207  (a pattern may begin anywhere)
        paths = [Path(name) for name in found if os.path.isfile(name)]  # noqa: PTH113
        files = [path for path in paths if not self._is_written(path) and not _is_aside(path, pattern)]
        if not files:
            raise InputError(
                "no file matches this pattern" if magic else "there is no such file or folder",
                where=pattern,
                hint=f"The current folder is {Path.cwd()}",
            )
        self.files += [Input(str(path), stem_of(Path(path.name))) for path in files]


def _names_below(folder: Path) -> Iterator[Path]:
    """Names of the files below a folder, and of links to folders, relative to it, sorted folder by folder.

    Raises:
        InputError: If a folder cannot be looked into.
    """

    def fail(error: OSError) -> None:
        raise InputError(
            f"this folder cannot be read ({error.strerror})",
            where=error.filename,
            hint="Change its permissions, or name the files that are to be read",
        ) from error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not is_working(Path(place, name)))
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted([*names, *links]):
            if not name.startswith("."):
                yield Path(place, name).relative_to(folder)


def _is_aside(path: Path, pattern: str) -> bool:
    """Whether a match lies where nobody would look for one.

    That is the working folder of a run that the pattern does not name, or behind a link to a folder that ``**`` has followed.
    """
    named = Path(pattern).parts
    working = [folder.name for folder in path.parents if is_working(folder)]
    if any(not any(part.endswith(PART) and fnmatch(name, part) for part in named) for name in working):
        return True
    above = path.parents[: -len(Path(path.anchor).parts) or None]
    return "**" in named and any(folder.name not in named and folder.is_symlink() for folder in above)
