"""A run: documents of many files through a recognizer into one file."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from viner.bulk.inputs import Input, Inputs, find_inputs
from viner.bulk.leftovers import PART
from viner.bulk.progress import Block, Meter, Progress
from viner.bulk.reader import ChangedInputError, Reader
from viner.bulk.steps import RecognizerLike, Step
from viner.bulk.workplace import Journal, Workplace
from viner.bundle.place import flush
from viner.document import Document
from viner.errors import FormatError, InputError, UsageError, VinerError
from viner.formats import WriteReport, format_of_output, read, speakable, write
from viner.formats.files import STDIN, is_stream, permissions, real_path, replacing
from viner.formats.packing import packed, packing
from viner.rules import everything
from viner.version import __version__

SMALLEST_BLOCK = 1 << 16
LARGEST_BLOCK = 1 << 20
"""Code points in a block of documents. The first is the smallest, each one twice the one before: what a killed run loses is a
block, so at most about half of what it did, and half a minute on two cores."""

_UNTOLD = "the line cannot be read; why is not told here, since that could quote it"

_log = logging.getLogger("viner")


@dataclass(slots=True)
class Report:
    """What a run did.

    Args:
        out: The output; ``-`` is standard output.
        written: Counts of documents and entities, and what the output's format could not say.
        files: How many inputs were read.
        skipped: Lines that were of no use, told in the errors file.
        resumed: Documents that an earlier run had done.
        passed_over: What is in folders and was not read (:class:`~viner.bulk.inputs.Inputs`).
        repeated: Files that were named more than once, and read once.
    """

    out: str
    written: WriteReport
    files: int
    skipped: int = 0
    resumed: int = 0
    passed_over: tuple[str, ...] = field(default=())
    repeated: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "out": self.out,
            **self.written.to_dict(),
            "files": self.files,
            "skipped": self.skipped,
            "resumed": self.resumed,
            "passed_over": list(self.passed_over),
            "repeated": list(self.repeated),
        }


class Job:
    """Recognizes the documents of files and writes them to one file.

    The output appears when it is complete. Until then, ``OUT.part/`` beside it keeps what is done: a run that was killed, or
    stopped by an error, is taken up by the next one with the same inputs, model and options, and its output is the same to the
    byte. Standard output and pipes get documents while the run goes on, some thousand at a time, and cannot be taken up.

    Args:
        recognizer: What recognizes: that of :func:`viner.load`, or another with ``schema``, ``info`` and ``stream``.
        inputs: Files, folders, patterns; ``-`` is standard input (:func:`find_inputs`).
        out: The output; ``-`` is standard output.
        to: Format of the output; None takes it from the name, or is "jsonl" for standard output.
        errors: A file that gets a line of JSON for each line of the inputs that is of no use, while the run goes on, packed if
            its name ends in ``.gz`` or ``.zst``; None makes such a line end the run.
        format: Format of the inputs; None finds it out for each.
        options: Options of that format, such as ``text_column``.
        whole: Take each text file as one document, not each of its lines.
        step: What is done with each document after it was recognized, such as :class:`Redactor`. For one that hides what texts
            say, a recognizer of which no ``least_score`` was asked for gives all that it finds.
        restart: Start anew, even if an earlier run can be taken up.
        block: Code points in a block, for recognizers that take long to get going; None lets blocks grow from
            :data:`SMALLEST_BLOCK` to :data:`LARGEST_BLOCK`.
        tell: Called with sentences for people: that an earlier run is taken up, or why not, or that a text is read as marked
            text. None writes to the log.
        progress: Called after each document.

    Raises:
        UsageError: If the output cannot be written so, or is one of the inputs.
        InputError: If an input is not there.
        MissingExtraError: If the output, or the file of errors, needs a package that is not installed.
    """

    def __init__(
        self,
        recognizer: RecognizerLike,
        inputs: Iterable[str | os.PathLike[str]],
        out: str | os.PathLike[str],
        *,
        to: str | None = None,
        errors: str | os.PathLike[str] | None = None,
        format: str | None = None,
        options: Mapping[str, Any] | None = None,
        whole: bool = False,
        step: Step | None = None,
        restart: bool = False,
        block: int | None = None,
        tell: Callable[[str], None] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.out = os.fspath(out)
        self.errors = None if errors is None else os.fspath(errors)
        self._streams = self.out == STDIN or is_stream(self.out)
        self._format = format_of_output(self.out, to or ("jsonl" if self.out == STDIN else None))
        self._check_outputs()
        outputs = [name for name in (self.out, self.errors) if name is not None]
        self.inputs: Inputs = find_inputs(inputs, outputs=outputs)
        # What a model is unsure of is not left standing.
        self._recognizer: RecognizerLike = everything(recognizer) if getattr(step, "hides", False) else recognizer
        self._reading = (format, dict(options or {}), whole)
        self._step = step
        self._restart = restart
        self._block = block
        self._tell = tell or _log.warning
        self._progress = progress
        self._check_packages()

    def run(self) -> Report:
        """Does it.

        Raises:
            InputError: If an input cannot be read, or all lines were of no use; ``where`` is ``file:line``.
            OutputBusyError: If another process writes the same output.
            VinerError: If something cannot be written, such as for want of space.
        """
        return self._run_through() if self._streams else self._run_in_place()

    def _check_outputs(self) -> None:
        if self.errors == STDIN:
            raise UsageError("errors cannot go to standard output", where=STDIN, hint="Name a file, or /dev/stderr")
        if not self._streams and Path(self.out).is_dir():
            raise InputError("this is a folder, not a file", where=self.out)
        if self.errors is None or (is_stream(self.errors) and not Path(self.errors).is_dir()):
            return
        path = real_path(self.errors)
        target = real_path(self.out)
        if path == target:
            raise UsageError("output and errors are the same file", where=self.out)
        if not self._streams and path == target.with_name(target.name + PART):
            raise UsageError("the run keeps there what is done", where=self.errors, hint="Give the errors another name")
        if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise InputError(
                "this is a folder, not a file" if path.is_dir() else "the errors cannot be written there",
                where=self.errors,
                hint="Name a file in a folder that is there and can be written to",
            )

    def _check_packages(self) -> None:
        """Finds out before the run what its outputs need: by writing no documents, and no errors."""
        with packed(io.BytesIO(), packing(self.out)):
            self._format.write(iter(()), lambda _: None, WriteReport(), **self._options_of_output())
        if self.errors is not None and not is_stream(self.errors):
            with packed(io.BytesIO(), packing(self.errors)):
                pass

    def _error_line(self, error: FormatError, file: Input) -> str:
        return error_line(error, file, quoting=self._step is None or not getattr(self._step, "hides", True))

    def _options_of_output(self) -> dict[str, Any]:
        return {"schema": self._recognizer.schema} if self._format.name == "html" else {}

    # Straight through: nothing is kept

    def _run_through(self) -> Report:
        skipped = 0
        with ExitStack() as stack:
            sink = stack.enter_context(replacing(self.errors)) if self.errors is not None else None

            def refused(error: FormatError, file: Input) -> None:
                nonlocal skipped
                skipped += 1
                assert sink is not None
                sink(self._error_line(error, file) + "\n")

            reader = Reader(self.inputs.files, *self._reading, refused=refused if sink else None, tell=self._tell)
            meter = Meter(reader, self._progress)
            answers = stack.enter_context(_closed(self._recognizer.stream(meter.read(reader.read()))))
            written = write(
                map(meter.done, map(self._step, answers) if self._step else answers),
                self.out,
                self._format.name,
                **self._options_of_output(),
            )
        _refuse_nothing(written.documents, skipped, self.errors)
        return self._report(written, skipped)

    def _report(self, written: WriteReport, skipped: int, resumed: int = 0) -> Report:
        inputs = self.inputs
        return Report(self.out, written, len(inputs.files), skipped, resumed, inputs.passed_over, inputs.repeated)

    # By blocks: what is done is kept

    def _run_in_place(self) -> Report:
        target = real_path(self.out)  # a link stays a link
        with _writing(self.out), Workplace(target) as place:
            resumed = self._take_up(place)
            try:
                try:
                    self._recognize(place)
                except ChangedInputError as error:
                    if any(file.comes_once for file in self.inputs.files):
                        raise InputError(
                            "this is not what the run that is to go on was reading",
                            where=error.where,
                            hint="Give the same input again, or start anew with --restart (in Python: restart=True)",
                        ) from None
                    self._tell(f"Starting anew: {error.where} {error.message}")
                    resumed = 0
                    self._begin(place)
                    self._recognize(place)
                self._write_errors(place)
                _refuse_nothing(place.journal.documents, place.journal.errors, self.errors)
                written = self._write_documents(place, target)
            except BaseException:
                self._keep(place)
                raise
            report = self._report(written, place.journal.errors, resumed)
            place.remove()
        return report

    def _settings(self) -> dict[str, Any]:
        """What the answers depend on, by the name that people know it under."""
        recognizer = self._recognizer
        model = recognizer.info.to_dict()
        bare = getattr(recognizer, "recognizer", recognizer)  # without its rules
        rules = getattr(recognizer, "rules", None)
        return {
            "viner": __version__,
            "the model": [_digest(model), getattr(bare, "engine", model.get("engine"))],
            "the provider": getattr(bare, "provider", None),
            "the least score": getattr(bare, "least_score", None),
            "the rules": None if rules is None else _digest(rules.to_dict()),
            "the inputs": [file.status() for file in self.inputs.files],
            "the options of reading": _plain(self._reading),
            "the options": _plain({"step": self._step.settings if self._step else None, "block": self._block}),
        }

    def _take_up(self, place: Workplace) -> int:
        """Opens the working folder, and returns how many documents are done already."""
        earlier = place.earlier()
        if earlier is None or not (earlier[1].documents or earlier[1].complete):
            self._begin(place)
            return 0
        run, journal = earlier
        reason = "as told" if self._restart else self._difference(run, journal)
        if reason is not None:
            self._tell(f"Starting anew, {journal.documents:,} documents of an earlier run are done again: {reason}")
            self._begin(place)
            return 0
        place.open(journal)
        if self._step is not None:
            self._step.restore(journal.step)
        self._tell(f"Going on with an earlier run: {journal.documents:,} documents are done")
        return journal.documents

    def _difference(self, run: Mapping[str, Any], journal: Journal) -> str | None:
        """Why an earlier run cannot be taken up."""
        if journal.errors and self.errors is None:
            return "it skipped lines, and --errors is not given"
        settings = self._settings()
        for name, value in settings.items():
            if run.get(name) == value:
                continue
            if name != "the inputs":
                return f"{name} changed"
            before = {json.dumps(item, sort_keys=True) for item in run.get(name) or ()}
            new = next((item["path"] for item in value if json.dumps(item, sort_keys=True) not in before), None)
            return f"{new} changed" if new else "there are other inputs"
        return None

    def _begin(self, place: Workplace) -> None:
        place.begin(self._settings())
        if self._step is not None:
            self._step.restore({})

    def _recognize(self, place: Workplace) -> None:
        journal = place.journal
        if journal.complete:
            return

        def refused(error: FormatError, file: Input) -> None:
            place.add_error(self._error_line(error, file))

        told = refused if self.errors is not None else None
        reader = Reader(self.inputs.files, *self._reading, refused=told, tell=self._tell)
        meter = Meter(reader, self._progress, journal)
        with closing(reader.read(journal.position)) as documents:
            while not journal.complete:
                block = Block(documents, self._block or min(SMALLEST_BLOCK << min(journal.blocks, 16), LARGEST_BLOCK))
                with _closed(self._recognizer.stream(meter.read(block))) as answers:
                    for document in map(meter.done, answers):
                        answer = self._step(document) if self._step else document
                        place.add_document(answer.to_json())
                        journal.entities += len(answer.entities or ())
                journal.position = reader.position
                journal.blocks += 1
                journal.documents, journal.characters = meter.documents, meter.characters
                journal.step = self._step.state() if self._step else {}
                journal.complete = block.last
                place.mark()

    def _write_errors(self, place: Workplace) -> None:
        if self.errors is None:
            return
        if is_stream(self.errors):
            _copy(place.errors, self.errors)
            return
        # A copy, so that what the journal knows stays until all is done.
        target = real_path(self.errors)
        ending = packing(target.name)
        draft = place.draft(ending or "")
        with place.errors.open("rb") as content, draft.open("wb") as file, packed(file, ending) as sink:
            shutil.copyfileobj(content, sink)
        _settle(draft, target)

    def _write_documents(self, place: Workplace, target: Path) -> WriteReport:
        """Makes the output of what the working folder holds."""
        if self._format.name == "jsonl" and packing(target.name) is None:
            written = WriteReport(place.journal.documents, place.journal.entities)
            _settle(place.documents, target)
        else:
            draft = place.draft(packing(target.name) or "")
            written = write(read(place.documents), draft, self._format.name, **self._options_of_output())
            _settle(draft, target)
        return written

    def _keep(self, place: Workplace) -> None:
        """Ends a run that did not finish: what is done stays, if there is anything."""
        done = place.earlier()
        if done is None or not done[1].documents:
            place.remove()
            return
        self._tell(f"{done[1].documents:,} documents are done and kept in {place.folder}: the same command goes on with them")


def _settle(draft: Path, target: Path) -> None:
    """Puts a finished file in its place, on the disk and with the usual permissions."""
    draft.chmod(permissions(target))
    flush(draft)
    try:
        draft.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(draft, target)  # onto another disk
    flush(target.parent)


def _copy(file: Path, target: str | Path) -> None:
    with replacing(target, pack=False) as sink, file.open("rb") as content:
        while part := content.read(1 << 20):
            sink(part)


def error_line(error: FormatError, file: Input, *, quoting: bool = True) -> str:
    """An error as a line of the errors file: ``{"file", "line", "code", "message", "hint"}``.

    Args:
        error: The error.
        file: Where it is.
        quoting: Whether the message may be told, which can quote what stands in the file.
    """
    _, _, line = (error.where or "").rpartition(":")
    data = {
        "file": speakable(file.path),
        "line": int(line) if line.isdecimal() else None,
        "code": error.code,
        "message": error.message if quoting else _UNTOLD,
        "hint": error.hint if quoting else "viner lint tells what is wrong with a line",
    }
    return json.dumps(data, ensure_ascii=False)


def _refuse_nothing(documents: int, skipped: int, errors: str | None) -> None:
    """Where every line is wrong, it is the call that is wrong, not the lines."""
    if skipped and not documents:
        raise InputError(
            f"not one line could be used, {skipped:,} were refused",
            where=errors,
            hint="See whether --format and the options of the format are right; the errors file tells of each line",
        )


@contextmanager
def _closed(answers: Iterator[Document]) -> Iterator[Iterator[Document]]:
    """Ends a stream with the block, if it can be ended."""
    try:
        yield answers
    finally:
        close = getattr(answers, "close", None)
        if close is not None:
            close()


@contextmanager
def _writing(out: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise VinerError(
            f"cannot be written: {error.strerror or error}",
            where=out,
            hint="Check the folder and the space left; what was there before is unchanged",
        ) from error


def _plain(value: Any) -> Any:
    """A value as it comes back from JSON."""
    return json.loads(json.dumps(value))


def _digest(value: Any) -> str:
    return hashlib.blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=16).hexdigest()
