"""Files that somebody uploads, as documents of a project."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viner.document import Document
from viner.errors import VinerError
from viner.feedback import collected_source
from viner.formats import Source, Trail, detect_source, distinct_stems, read_source, stem_of
from viner.store import AddReport

_REPORT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Choices:
    """How uploaded files are to be understood.

    Args:
        whole: A text file is one document, not one a line.
        on_duplicate: "refuse", "skip" or "update".
        as_suggestions: Entities come in as suggestions to check, not as finished work.
        split: Where new documents go; None draws it.
        new_labels: "add" or "refuse" labels that the project does not have.
    """

    whole: bool = False
    on_duplicate: str = "refuse"
    as_suggestions: bool = False
    split: str | None = None
    new_labels: str = "refuse"


class UploadError(VinerError):
    """A file that could not be added.

    Args:
        error: What was wrong with it; its ``where`` names the file as its owner knows it.
        done: The files before it, which are in the project.
    """

    def __init__(self, error: VinerError, done: list[tuple[str, AddReport]]) -> None:
        super().__init__(error.message, where=error.where, hint=error.hint)
        self.error = error
        self.done = done


class ImportStoppedError(VinerError):
    """Somebody stopped the import; ``where`` is the file that was being read, of which nothing came in."""

    code = "import_stopped"


def add_files(
    store: Any,
    paths: Iterable[Path],
    choices: Choices,
    *,
    who: str,
    progress: Callable[[int], None] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> list[tuple[str, AddReport]]:
    """Adds files to a store one by one, each as a whole or not at all.

    Args:
        store: Takes the documents.
        paths: The files; a document without an id is named after its file, with its place in it.
        choices: How they are to be understood.
        who: Who adds them.
        progress: Called now and then with the number of documents read so far.
        stopped: Asked at each document whether to stop.

    Returns:
        For each file its name and what became of its documents.

    Raises:
        UploadError: At the first file that cannot be added; its ``error`` is an ImportStoppedError after a stop.
    """
    done: list[tuple[str, AddReport]] = []
    count = 0

    def counted(documents: Iterable[Document]) -> Iterator[Document]:
        nonlocal count
        for document in documents:
            if stopped():
                raise ImportStoppedError("the import was stopped", hint="Import the file again")
            count += 1
            if progress is not None and count % _REPORT_EVERY == 0:
                progress(count)
            yield document

    files = list(paths)
    stems = distinct_stems([path.name for path in files], [stem_of(Path(path.name)) for path in files])
    for path, stem in zip(files, stems, strict=True):
        trail = Trail()
        try:
            with trail.followed():
                report = store.add(
                    counted(read_upload(path, trail, whole=choices.whole, stem=stem)),
                    who=who,
                    split=choices.split,
                    as_suggestions=choices.as_suggestions,
                    on_duplicate=choices.on_duplicate,
                    new_labels=choices.new_labels,
                )
        except VinerError as error:
            # The person knows the file by its name, not by the folder that the upload went to.
            error.where = error.where.replace(str(path), path.name) if error.where else path.name
            raise UploadError(error, done) from error
        done.append((path.name, report))
    return done


def read_upload(path: Path, trail: Trail, *, whole: bool, stem: str | None = None) -> Iterator[Document]:
    """The documents of a file, each with an id.

    Args:
        path: The file.
        trail: Told where each document stands.
        whole: A text file is one document, not one a line.
        stem: What ids begin with that the file does not give; None takes the file's name without its ending.

    Raises:
        FormatError: While reading; ``where`` is ``file:line``.
    """
    stem = stem or stem_of(Path(path.name))
    collected = collected_source(path)
    source = collected or Source(path, stem=stem)
    kind = detect_source(source) if collected is None else "jsonl"
    named = kind != "text"
    documents = read_source(source, kind) if named else read_source(source, kind, whole=whole)
    for number, document in enumerate(documents, start=1):
        if not named or document.id is None:
            document = document.with_(id=stem if whole and not named else f"{stem}-{number:06d}")
        trail.leave(document.id or "", source, number)
        yield document
