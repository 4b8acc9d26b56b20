"""What `viner predict` and `viner redact` share: options, the recognizer, the bar and the report of a run over many files."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from viner.cli.options import FILE, format_option, json_option, provider_option, rules_option
from viner.cli.streams import STANDARD, check_output
from viner.cli.terminal import echo_json
from viner.errors import UsageError

if TYPE_CHECKING:
    from viner.bulk import Progress, Report, Step
    from viner.bulk.steps import RecognizerLike

F = TypeVar("F", bound=Callable[..., Any])


def bulk_options(function: F) -> F:
    """MODEL, INPUT and the options of a run, which the verb hands on to :func:`run_job`."""
    for option in reversed(
        (
            click.argument("model"),
            click.argument("inputs", type=FILE, nargs=-1, required=True, metavar="INPUT..."),
            click.option(
                "--out", "-o", type=FILE, default=STANDARD, help="Where the documents go; `-`, the default, is stdout."
            ),
            click.option(
                "--to", metavar="NAME", help="Format of the output; the extension of --out says so if not given, else jsonl."
            ),
            click.option(
                "--errors",
                type=FILE,
                metavar="FILE",
                help="Skip lines that are of no use, and write which and why to FILE, a JSON object each.",
            ),
            format_option,
            click.option("--text-column", metavar="NAME", help="Column of a table that holds the text, or its number from 1."),
            click.option("--id-column", metavar="NAME", help="Column of a table that holds the documents' ids."),
            click.option("--whole", is_flag=True, help="Take each text file as one document, not each of its lines."),
            click.option("--restart", is_flag=True, help="Start anew, instead of going on with a run that did not finish."),
            rules_option,
            provider_option,
            click.option(
                "--engine",
                type=click.Choice(["local", "ray"]),
                default="local",
                show_default=True,
                help="Recognize on this machine, or on a Ray cluster (docs/how-to/clusters.md).",
            ),
            click.option("--workers", type=click.IntRange(1), help="With ray: workers; as many as it has cores if not given."),
            click.option("--ray-address", metavar="HOST:PORT", help="With ray: the cluster; found or started if not given."),
            json_option,
        )
    ):
        function = option(function)
    return function


def run_job(
    options: Mapping[str, Any],
    step: Callable[[RecognizerLike], Step] | None = None,
    *,
    reads: Sequence[Path | None] = (),
) -> Report:
    """Runs a job and shows how far it is. Unless ``--json`` is given, it says on stderr what was done.

    Args:
        options: What :func:`bulk_options` gave the verb.
        step: Makes what is done with each document after the recognizer, given that.
        reads: Files that the verb reads beside the inputs.

    Raises:
        UsageError: If stdout is asked for twice, for the documents and for the report, options contradict each other, or an
            output would take the place of something that is read.
    """
    from viner.bulk import Job

    if options["as_json"] and options["out"] == STANDARD:
        raise UsageError("--json reports on stdout, where the documents go", hint="Write the documents to a file")
    for output in (options["out"], options["errors"]):
        check_output(output, options["model"], options["rules"], *reads)
    columns = {name: options[name] for name in ("text_column", "id_column") if options[name] is not None}
    recognizer = _recognizer(options)
    bar = _Bar()
    job = Job(
        recognizer,
        options["inputs"],
        options["out"],
        to=options["to"],
        errors=options["errors"],
        format=options["format"],
        options={**options["read_options"], **columns},
        whole=options["whole"],
        step=step(recognizer) if step is not None else None,
        restart=options["restart"],
        block=RAY_BLOCK if options["engine"] == "ray" else None,
        tell=bar.tell,
        progress=bar.show if sys.stderr.isatty() else None,
    )
    try:
        report = job.run()
    finally:
        bar.close()
    if not options["as_json"]:
        _say(report, job.errors)
    return report


RAY_BLOCK = 1 << 22
"""Code points that a cluster is given at once, and that a killed run may lose: enough for its workers to be busy together."""


def _recognizer(options: Mapping[str, Any]) -> RecognizerLike:
    workers, address = options["workers"], options["ray_address"]
    if options["engine"] == "local":
        import viner

        if workers is not None or address is not None:
            raise UsageError("--workers and --ray-address are for --engine ray")
        return viner.load(
            options["model"], provider=options["provider"], rules=options["rules"], least_score=options["least_score"]
        )
    if options["provider"] is not None:
        raise UsageError("--provider is for --engine local", hint="Set VINER_PROVIDER where the workers run")
    from viner.rules import with_rules
    from viner.scale import RayRecognizer

    ray: Any = RayRecognizer(options["model"], workers=workers, address=address, least_score=options["least_score"])
    recognizer: RecognizerLike = with_rules(ray, options["model"], options["rules"])
    return recognizer


def _say(report: Report, errors: str | None) -> None:
    if report.out != str(STANDARD) or report.written.lost:
        click.echo(str(report.written), err=True)
    if report.skipped:
        click.echo(f"  skipped {report.skipped:,} lines, of which {errors} tells", err=True)
    if report.repeated:
        click.echo(f"  read once, though named more often: {_some(report.repeated)}", err=True)
    if report.passed_over:
        count = len(report.passed_over)
        click.echo(f"  passed over {count:,} in folders that viner does not read: {_some(report.passed_over)}", err=True)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def echo_report(report: Report, more: dict[str, Any] | None = None) -> None:
    """The report as JSON on stdout."""
    echo_json({**report.to_dict(), **(more or {})})


class _Bar:
    """A bar on the terminal: what is done of the inputs' bytes, how fast, and the time left; without sizes, characters."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._began = 0.0
        self._before = 0

    def show(self, progress: Progress) -> None:
        sized = progress.bytes_total is not None
        done = progress.bytes_read if sized else progress.characters
        if self._bar is None:
            from tqdm import tqdm

            self._began, self._before = time.monotonic(), progress.documents - 1
            self._bar = tqdm(
                total=progress.bytes_total,
                initial=progress.earlier if sized else done,
                unit="B" if sized else " characters",
                unit_scale=True,
                dynamic_ncols=True,
            )
        rate = (progress.documents - self._before) / max(time.monotonic() - self._began, 1e-3)
        self._bar.set_postfix_str(f"{progress.documents:,} documents, {rate:,.0f}/s", refresh=False)
        self._bar.update(max(done - self._bar.n, 0))

    def tell(self, sentence: str) -> None:
        self.close()
        click.echo(sentence, err=True)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
