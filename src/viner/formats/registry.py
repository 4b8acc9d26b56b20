"""The formats that viner knows, and reading and writing by name, ending or content."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from viner.document import Document
from viner.errors import InputError, UsageError
from viner.formats import conll, csv, html, inline, jsonl, parquet, text
from viner.formats.files import STDIN, Source, replacing
from viner.formats.format import Format
from viner.formats.packing import unpacked_name
from viner.formats.report import WriteReport

GROUP = "viner.formats"
"""Entry point group of third-party formats; each entry names a :class:`Format`."""

# In the order in which their content is looked at: the pickiest first, text takes anything; those behind it go by their ending.
_BUILT_IN = {
    item.name: item
    for item in (jsonl.FORMAT, conll.FORMAT, inline.FORMAT, text.FORMAT, csv.FORMAT, parquet.FORMAT, html.FORMAT)
}


# Whose lines are no texts, so that to take them for text would be a mistake in silence.
_NO_TEXT = frozenset({".json", ".xml", ".xls", ".xlsx"})


@cache
def _plugins() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def formats() -> tuple[str, ...]:
    """Names of all formats: the built-in ones, then those of other packages."""
    return (*_BUILT_IN, *sorted(set(_plugins()) - set(_BUILT_IN)))


def get_format(name: str) -> Format:
    """The format of that name.

    Raises:
        UsageError: If there is none, or the package that brings it fails to load.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if name not in _plugins():
        raise UsageError(f"unknown format {name!r}", hint=f"Formats: {', '.join(formats())}")
    entry = _plugins()[name]
    try:
        loaded = entry.load()
    except Exception as error:
        raise UsageError(f"format {name!r} fails to load from {entry.value}: {error}") from error
    if not isinstance(loaded, Format):
        raise UsageError(f"format {name!r} from {entry.value} is no viner.formats.Format but a {type(loaded).__name__}")
    return loaded


def detect(path: str | os.PathLike[str]) -> str:
    """Name of the format of an existing file, by its ending, then by its content; ``-`` looks at standard input.

    A ``.txt`` or ``.json`` file is always looked into, since CoNLL files often are called so.

    Raises:
        InputError: If there is no such file, or it is a table or markup that no format reads.
    """
    return detect_source(Source(path))


def detect_source(source: Source) -> str:
    """As :func:`detect`, of a source that somebody opened."""
    by_ending = format_of_ending(source.suffix)
    if by_ending is not None and by_ending != text.FORMAT.name:
        return by_ending
    head = source.head()
    name = next((name for name, item in _BUILT_IN.items() if item.matches(head)), text.FORMAT.name)
    if name == text.FORMAT.name and source.suffix in _NO_TEXT:
        raise InputError(
            f"viner does not read {source.suffix} files of this kind",
            where=source.name,
            hint="Take the texts out into a .txt file, one a line, or write annotated documents as JSONL (docs/formats.md); "
            "--format text takes each line as it stands",
        )
    return name


def format_of_ending(suffix: str) -> str | None:
    """Name of the format whose files end so, such as "conll" for ``.bio``; None if there is none."""
    if not suffix:
        return None
    for name in formats():
        # A third party's format that fails to load is an error for who asks for it, not for everybody's files.
        with suppress(UsageError):
            if suffix in get_format(name).extensions:
                return name
    return None


def reads_name(path: Path) -> bool:
    """Whether a file is called as files of a format that can be read are."""
    suffix = Path(unpacked_name(path.name)).suffix.lower()
    return any(suffix in item.extensions for item in map(get_format, formats()) if item.readable)


def read(path: str | os.PathLike[str], format: str | None = None, **options: Any) -> Iterator[Document]:
    """Reads the documents of a file one by one, in constant memory.

    Args:
        path: A file, plain, ``.gz`` or ``.zst``; ``-`` is standard input.
        format: Name of the format; None finds it out (:func:`detect`).
        **options: The format's own, such as ``tag_column`` for "conll".

    Raises:
        UsageError: If the format or an option is unknown.
        InputError: If there is no such file.
        FormatError: While reading, where the file breaks its format; ``where`` is ``file:line``.
    """
    return read_source(Source(path), format, **options)


def read_source(source: Source, format: str | None = None, **options: Any) -> Iterator[Document]:
    """As :func:`read`, of a source that somebody opened, who may keep errors of its lines and see how far it was read."""
    chosen = get_format(format or detect_source(source))
    _check_options(chosen.read, options, f"reading {chosen.name}")
    return chosen.read(source, **options)


def write(
    documents: Iterable[Document], path: str | os.PathLike[str], format: str | None = None, **options: Any
) -> WriteReport:
    """Writes documents to a file, all or nothing: it appears, or is replaced, only when the last one is written.

    Args:
        documents: Consumed one by one.
        path: The file, packed if it ends in ``.gz`` or ``.zst``; ``-`` is standard output.
        format: Name of the format; None takes it from the file's ending.
        **options: The format's own.

    Returns:
        How much was written, and what the format could not say.

    Raises:
        UsageError: If the format or an option is unknown.
        VinerError: If the file cannot be written.
    """
    target = os.fspath(path)
    chosen = format_of_output(target, format)
    _check_options(chosen.write, options, f"writing {chosen.name}")
    report = WriteReport()
    if Path(target).is_dir():
        raise InputError("this is a folder, not a file", where=target)
    with replacing(target) as sink:
        chosen.write(documents, sink, report, **options)
    return report


def format_of_output(path: str | os.PathLike[str], format: str | None = None) -> Format:
    """The format that a file is written in: the one that is named, or that of the file's ending.

    Raises:
        UsageError: If the ending names none, or there is none of that name.
    """
    target = os.fspath(path)
    name = format or (None if target == STDIN else format_of_ending(Path(unpacked_name(target)).suffix.lower()))
    if name is None:
        raise UsageError(
            f"the ending of {target!r} names no format", hint=f"Give --to (in Python: format=), one of: {', '.join(formats())}"
        )
    return get_format(name)


def options_of_reading(name: str) -> frozenset[str]:
    """Names of the options that reading a format takes; none where another package's fails to load."""
    with suppress(UsageError):
        return frozenset(_options(get_format(name).read))
    return frozenset()


def _options(function: Callable[..., Any]) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is inspect.Parameter.KEYWORD_ONLY]


def _check_options(function: Callable[..., Any], options: dict[str, Any], task: str) -> None:
    known = _options(function)
    for name in options:
        if name not in known:
            others = [item.name for item in _BUILT_IN.values() if item.readable and name in _options(item.read)]
            elsewhere = f"; a file in {' or '.join(others)} has it: --format {others[0]}" if others else ""
            raise UsageError(f"{task} knows no option {name!r}", hint=f"Options: {', '.join(known) or 'none'}{elsewhere}")
    for name, value in options.items():
        if isinstance(inspect.signature(function).parameters[name].default, bool) and not isinstance(value, bool):
            raise UsageError(
                f"{name} is either true or false, not {value!r}",
                hint=f"Give {name}=true or {name}=false (in Python: True or False)",
            )
