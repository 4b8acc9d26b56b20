"""The folder beside the output in which an unfinished run keeps what is done, so that the next one goes on.

``OUT.part/`` holds

    lock              held by the process at work
    run.json          what the answers depend on: inputs, model, options
    journal.json      how far the run is; replaced as a whole
    draft             output or errors file that is being made
    documents.jsonl   the documents that are done
    errors.jsonl      the lines that were of no use

The journal is the truth. It is written when what it tells of is on the disk, and what the files hold beyond it is cut off.
It is moved on between blocks of documents only, so the next run sees the blocks that this one would have seen, and computes
the same batches, to the last bit.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from viner.bulk.leftovers import DOCUMENTS, DRAFT, ERRORS, JOURNAL, LOCK, NEW, OURS, PART, RUN, is_ours
from viner.bulk.lock import Lock
from viner.bulk.reader import Position
from viner.bundle.place import flush
from viner.errors import InputError, VinerError

_SPOOL_BUFFER = 1 << 20


class OutputBusyError(VinerError):
    """Another process writes the same output."""

    code = "output_busy"


@dataclass(slots=True)
class Journal:
    """How far a run is.

    Args:
        position: The place in the inputs behind the last document that is done.
        blocks: Blocks that are done.
        documents: Documents that are done.
        entities: Their entities.
        characters: Code points of their texts.
        errors: Lines that were of no use.
        document_bytes: Length of the file of documents.
        error_bytes: Length of the file of errors.
        step: What the run's step keeps (:meth:`viner.bulk.Step.state`).
        complete: All inputs are read; only the output is left to be made.
    """

    position: Position = field(default_factory=Position)
    blocks: int = 0
    documents: int = 0
    entities: int = 0
    characters: int = 0
    errors: int = 0
    document_bytes: int = 0
    error_bytes: int = 0
    step: dict[str, Any] = field(default_factory=dict)
    complete: bool = False


class Workplace:
    """The working folder of one output, held by one process at a time.

    Args:
        target: The output, with no link in its path.

    Raises:
        OutputBusyError: If another process works on the same output.
        InputError: If something else has the folder's name.
        OSError: If the folder cannot be made.
    """

    def __init__(self, target: Path) -> None:
        self.folder = target.with_name(target.name + PART)
        self.journal = Journal()
        self._documents: BinaryIO | None = None
        self._errors: BinaryIO | None = None
        if self.folder.exists() and not is_ours(self.folder):
            raise InputError(
                "something else stands where the run would keep what is done",
                where=self.folder,
                hint="Move it, or choose another output",
            )
        while True:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            try:
                self._lock = Lock(self.folder / LOCK)
            except BlockingIOError:
                raise OutputBusyError(
                    "another process is writing this output", where=target, hint="Wait for it, or choose another output"
                ) from None
            except FileNotFoundError:
                continue  # who held the folder has just removed it
            return

    def __enter__(self) -> Workplace:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the files and lets others have the folder."""
        self._close_files()
        self._lock.release()

    def _close_files(self) -> None:
        for file in (self._documents, self._errors):
            if file is not None:
                # What was not synced is not wanted: it would be cut off. A full disk must not hide what went wrong before.
                with suppress(OSError):
                    file.close()

    # An earlier run

    def earlier(self) -> tuple[Mapping[str, Any], Journal] | None:
        """What an earlier run's answers depend on, and how far it came; None if there was none, or nothing of use is left."""
        try:
            run = json.loads((self.folder / RUN).read_bytes())
            data = json.loads((self.folder / JOURNAL).read_bytes())
            journal = Journal(**{**data, "position": Position(**data["position"])})
            sizes = [(self.folder / name).stat().st_size for name in (DOCUMENTS, ERRORS)]
        except (OSError, ValueError, TypeError, LookupError):
            return None
        whole = isinstance(run, dict) and sizes[0] >= journal.document_bytes and sizes[1] >= journal.error_bytes
        return (run, journal) if whole else None

    def begin(self, run: Mapping[str, Any]) -> None:
        """Starts anew: whatever was done is removed."""
        for name in OURS - {LOCK}:
            (self.folder / name).unlink(missing_ok=True)
        self.journal = Journal()
        for name in (DOCUMENTS, ERRORS):
            (self.folder / name).touch(mode=0o600)
        self._replace(RUN, run)
        self.open(self.journal)
        self.mark()

    def open(self, journal: Journal) -> None:
        """Goes on from a journal: opens the files, cut to the lengths that it knows."""
        self.journal = journal
        self._close_files()
        self._documents = self._cut(DOCUMENTS, journal.document_bytes)
        self._errors = self._cut(ERRORS, journal.error_bytes)

    def _cut(self, name: str, length: int) -> BinaryIO:
        file = (self.folder / name).open("r+b", buffering=_SPOOL_BUFFER)
        file.truncate(length)
        file.seek(length)
        return file

    # Work

    def add_document(self, line: str) -> None:
        """Takes the JSON of a document that is done."""
        assert self._documents is not None
        data = line.encode() + b"\n"
        self._documents.write(data)
        self.journal.document_bytes += len(data)

    def add_error(self, line: str) -> None:
        """Takes the JSON of an error."""
        assert self._errors is not None
        data = line.encode() + b"\n"
        self._errors.write(data)
        self.journal.error_bytes += len(data)
        self.journal.errors += 1

    def mark(self) -> None:
        """Puts everything onto the disk, and then into the journal."""
        for file in (self._documents, self._errors):
            assert file is not None
            file.flush()
            os.fsync(file.fileno())
        self._replace(JOURNAL, asdict(self.journal))

    def _replace(self, name: str, data: Mapping[str, Any]) -> None:
        new = self.folder / NEW
        # A file's name that is not UTF-8 is a string that is not either, for which JSON has an escape.
        with new.open("w", encoding="utf-8", errors="backslashreplace") as file:
            json.dump(data, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.folder / name)
        flush(self.folder)

    # The end

    @property
    def documents(self) -> Path:
        """The file of documents."""
        return self.folder / DOCUMENTS

    @property
    def errors(self) -> Path:
        """The file of errors."""
        return self.folder / ERRORS

    def draft(self, packing: str) -> Path:
        """Where a file is made that will take its place as a whole, packed as an ending says."""
        return self.folder / f"{DRAFT}{packing}"

    def remove(self) -> None:
        """Removes the folder, the journal first, so that what is left of a removal is no run."""
        (self.folder / JOURNAL).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=os.name == "nt")  # Windows keeps the lock, which is open
