"""``viner lint``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.options import FILE, format_option, json_option
from viner.cli.terminal import echo_json, progress
from viner.document import Document
from viner.errors import InputError, UsageError
from viner.paths import expanded
from viner.schema import Schema

if TYPE_CHECKING:
    from viner.corpus import Finding
    from viner.formats import Source
    from viner.text import Segmenter


@click.command(short_help="Find annotations that will not train or score well.")
@click.argument("files", type=FILE, nargs=-1, required=True)
@format_option
@click.option("--project", type=FILE, help="Project folder, whose viner.toml says which labels there are.")
@click.option("--model", help="Model that says which labels there are.")
@click.option("--labels", metavar="A,B,C", help="The labels that there are.")
@click.option("--segmenter", metavar="NAME", help="Report entities that cut its segments, too; that of --model if not given.")
@json_option
def lint(
    files: tuple[Path, ...],
    format: str | None,
    read_options: dict[str, Any],
    project: Path | None,
    model: str | None,
    labels: str | None,
    segmenter: str | None,
    as_json: bool,
) -> int:
    """Find annotations in FILES that will not train or score well.

    Entities that cut words (with --segmenter: segments), crossing and repeated ones, spaces at their edges, unknown labels,
    sentences that stand in two splits, documents annotated only in part where models are scored: in all files but the
    first. Which labels are known, --project, --model or --labels says; without them those of the first file are. Exit status
    1 when something was found.

    \b
    Example:
      viner lint train.conll dev.conll test.conll
      viner lint notes.jsonl --labels PERSON,PLACE
      viner lint train.conll --segmenter underthesea
    """
    from viner.corpus import is_partial
    from viner.corpus import lint as lint_documents
    from viner.formats import Source, detect_source, read_source
    from viner.formats.files import real_path

    partial = 0
    sources: dict[str, Source] = {}
    with_lines: set[str] = set()

    def counted(file: Path) -> Iterator[Document]:
        nonlocal partial
        source = sources[str(file)] = Source(file)
        name = format or detect_source(source)
        if name == "conll":
            with_lines.add(str(file))
        for document in progress(read_source(source, name, **read_options)):
            partial += is_partial(document)
            yield document

    def placed(finding: Finding) -> Finding:
        """With the line on which the document begins that was read last: what is found is told before the next one is read.

        What a document knows of its lines is about the CoNLL file that it came from, be it this one or not.
        """
        source = sources.get(finding.file or "")
        known = finding.line is not None and finding.file in with_lines
        return finding if known or source is None else replace(finding, line=source.line)

    schema = _schema(project, model, labels)
    seen: dict[Path, Path] = {}
    for file in files:
        same = seen.setdefault(real_path(expanded(file)), file)
        if same is not file:
            raise UsageError(f"this is {same} once more", where=file, hint="Name each file once: splits are compared")
    by_file = {str(file): counted(file) for file in files}
    findings = [placed(finding) for finding in lint_documents(by_file, schema, segmenter=_segmenter(model, segmenter))]
    if as_json:
        echo_json({"findings": [finding.to_dict() for finding in findings], "partial": partial})
    else:
        for finding in findings:
            click.echo(str(finding))
        click.echo(f"{len(findings):,} findings in {len(files)} file{'s' * (len(files) != 1)}", err=True)
        if partial:
            click.echo(f"{partial:,} documents are annotated only in part", err=True)
    return 1 if findings else 0


def _segmenter(model: str | None, name: str | None) -> Segmenter | None:
    if name is not None:
        from viner.text import find_segmenter

        return find_segmenter(name)
    if model is not None:
        from viner.bundle import find_bundle

        record = find_bundle(model, weights=False).info.segmenter
        return None if record is None else record.open()
    return None


def _schema(project: Path | None, model: str | None, labels: str | None) -> Schema | None:
    if sum(source is not None for source in (project, model, labels)) > 1:
        raise UsageError("--project, --model and --labels each say which labels there are", hint="Give one of them")
    if labels is not None:
        names = [name.strip() for name in labels.split(",") if name.strip()]
        if not names:
            raise UsageError("--labels names no label", hint="Write them with commas: --labels PERSON,PLACE")
        return Schema.of_entities(dict.fromkeys(names))
    if model is not None:
        from viner.bundle import find_bundle

        return find_bundle(model, weights=False).info.schema
    if project is not None:
        from viner.project import Project

        if not Project.is_project(project):
            raise InputError("no project: it has no viner.toml", where=project, hint="Give --labels A,B,C instead")
        schema = Project(project).schema()
        if schema is None:
            raise InputError("it has no schema", where=project / "viner.toml", hint="Give --labels A,B,C instead")
        return schema
    return None
