"""Texts of files and folders, as documents with ids that are theirs within a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from viner.cli.streams import STANDARD
from viner.document import Document
from viner.errors import FormatError, InputError

if TYPE_CHECKING:
    from viner.formats import Trail


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of documents.

    Args:
        path: The file; ``-`` is stdin.
        stem: What ids of its documents begin with.
        whole: Take it as one document, if it is plain text.
    """

    path: Path
    stem: str
    whole: bool


@dataclass(slots=True)
class Texts:
    """What lies under some paths.

    Args:
        files: The files that can be read, in order.
        skipped: Files of folders that cannot, with the reason.
    """

    files: list[TextFile] = field(default_factory=list)
    skipped: dict[Path, str] = field(default_factory=dict)


def find_texts(paths: Iterable[Path], *, whole: bool = False) -> Texts:
    """The files of some paths: files as they are, folders with everything in them that viner reads, in order of their names.

    In a folder, a text file is one document. What is named is taken or is an error; what a folder holds beside is skipped and
    listed. Hidden files and folders, and what a project itself keeps, are passed over.

    Raises:
        InputError: If a path is not there.
    """
    from viner.formats import distinct_stems, stem_of

    texts = Texts()
    for path in paths:
        if path == STANDARD:
            texts.files.append(TextFile(path, "stdin", whole))
        elif path.is_dir():
            for file in sorted(_files_below(path)):
                reason = _unreadable(file)
                if reason:
                    texts.skipped[file] = reason
                else:
                    texts.files.append(TextFile(file, stem_of(file.relative_to(path)), True))
        elif not path.exists():
            raise InputError("there is no such file or folder", where=path, hint=f"The current folder is {Path.cwd()}")
        else:
            texts.files.append(TextFile(path, stem_of(Path(path.name)), whole))
    stems = distinct_stems([file.path for file in texts.files], [file.stem for file in texts.files])
    texts.files = [replace(file, stem=stem) for file, stem in zip(texts.files, stems, strict=True)]
    return texts


def read_documents(
    texts: Texts, format: str | None = None, options: Mapping[str, Any] | None = None, trail: Trail | None = None
) -> Iterator[Document]:
    """The documents of the files in order, each with an id.

    Args:
        texts: The files.
        format: Name of their format; None finds it out for each file.
        options: Options of that format.
        trail: Told where each document stands.

    Raises:
        InputError: If a file cannot be read; ``where`` is ``file:line``.
        UsageError: If the format or an option is unknown.
    """
    from viner.feedback import collected_source
    from viner.formats import Source, detect_source, read_source

    for file in texts.files:
        collected = collected_source(file.path) if format is None else None
        source, name, given = collected or Source(file.path), format if collected is None else "jsonl", dict(options or {})
        if name is None and file.whole:
            name = "text" if source.is_stdin else detect_source(source)
        if name == "text" and file.whole:
            given["whole"] = True
        for number, document in enumerate(read_source(source, name, **given), 1):
            if document.id is None:
                document = document.with_(id=f"{file.stem}-{number:06d}")
            elif file.stem != source.stem and _is_made_up(document.id, source.stem):
                document = document.with_(id=file.stem + document.id[len(source.stem) :])
            if trail is not None:
                trail.leave(document.id or "", source, number)
            yield document


def _is_made_up(name: str, prefix: str) -> bool:
    """Whether the format made the id from the file's name."""
    return name == prefix or (name.startswith(prefix) and name[len(prefix) :].lstrip(":-#").isdecimal())


def _files_below(folder: Path) -> Iterator[Path]:
    own = (folder / "viner.toml").is_file()
    for path in folder.iterdir():
        if path.name.startswith(".") or (own and (path.name in _OWN or path.name.startswith("viner.db"))):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files_below(path)
        elif path.is_file():
            yield path


_OWN = {"viner.toml", "GUIDELINE.md", "models", "runs", "reports"}


def _unreadable(path: Path) -> str | None:
    """Why a file of a folder is no text for us; None if it is."""
    from viner.formats import Source, detect, get_format, reads_name

    if not reads_name(path):
        return f"viner does not read {path.suffix or 'such'} files"
    if get_format(detect(path)).binary:
        return None
    try:
        empty = True
        for _, line in Source(path).lines():
            empty = empty and not line.strip()
    except FormatError as error:
        return error.message
    except InputError as error:
        return error.message
    return "it is empty" if empty else None
