"""The table of ``viner evaluate --stress``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.streams import comes_once
from viner.cli.terminal import echo_json, progress, tell
from viner.errors import UsageError

if TYPE_CHECKING:
    from viner.document import Document
    from viner.rules import RuledRecognizer
    from viner.runtime import Recognizer

ALL = "all"
"""Stands for all perturbations."""


class Perturbations(click.ParamType):
    """Names of perturbations between commas, or :data:`ALL`: what stands behind ``--stress`` may be the model."""

    name = "names"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> str:
        """The names as they were given."""
        from viner.corpus.perturb import perturbations

        try:
            perturbations(_names(value) if value != ALL else ())
        except UsageError as error:
            self.fail(f"{error.message}. {error.hint}. To try all of them, put --stress last", parameter, context)
        return str(value)


def _names(value: str) -> list[str]:
    return [name.strip() for name in value.split(",") if name.strip()]


def print_stress(
    recognizer: Recognizer | RuledRecognizer,
    file: Path,
    names: str,
    *,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
    model: str,
    page: Path | None,
    language: str,
) -> None:
    """Scores a recognizer on the perturbations of a file and prints the table, or JSON.

    Args:
        recognizer: What is evaluated.
        file: The annotated file; it is read several times.
        names: Perturbations between commas, or :data:`ALL`.
        format: Format of the file; None finds it out.
        read_options: Options of that format.
        as_json: Whether JSON is printed.
        model: What the recognizer is called on the page.
        page: Where the page of errors goes, which then has a section about the perturbations; None for none.
        language: Code of the page's language.

    Raises:
        UsageError: If there is no perturbation of a name, or the file is stdin.
    """
    from viner.cli.systems import Watch, rules_of, scored_from
    from viner.corpus.perturb import perturbations
    from viner.evaluation.analysis import ErrorAnalysis
    from viner.evaluation.page import error_report, write_report
    from viner.evaluation.stress import stress_model
    from viner.formats import read
    from viner.rules import RuledRecognizer

    if comes_once(file):
        raise UsageError(
            "--stress reads its file several times, and this can be read once",
            where=file,
            hint="Give a file that lies on a disk",
        )
    named = _names(names)
    if not named:
        raise UsageError("--stress names no perturbation", hint="Leave the names away to try all; --help lists them")
    chosen = None if names == ALL else perturbations(named)
    watch = Watch()

    def documents() -> Iterator[Document]:
        return watch.over(progress(read(file, format, **read_options)))

    analysis = ErrorAnalysis()
    observe = None if page is None else analysis.observe
    report = stress_model(recognizer, documents, chosen, where=file, tell=tell, observe=observe)
    watch.tell(file, model, recognizer)
    least_score: float | None = getattr(recognizer, "least_score", None)
    if page is not None:
        made = error_report(
            report.clean,
            analysis,
            model=model,
            file=file.name,
            stress=report,
            least_score=least_score,
            rules=rules_of(recognizer),
            language=language,
        )
        write_report(made, page)
    applied = recognizer.rules if isinstance(recognizer, RuledRecognizer) else None
    if as_json:
        errors = {} if page is None else {"report": str(page), "errors": analysis.to_dict()}
        with_what = {"rules": None if applied is None else applied.file, "least_score": least_score}
        echo_json({**report.to_dict(), **with_what, **errors})
        return
    click.echo(report.to_markdown(), nl=False)
    if applied is not None:
        click.echo(f"\nScored with the {applied.count} of {applied.file}.")
    if least_score is not None:
        click.echo(f"\n{scored_from(least_score)}")
    if page is not None:
        click.echo(f"\nErrors in context: {page}")
