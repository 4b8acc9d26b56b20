"""``viner evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from viner.cli.options import (
    FILE,
    MODEL_DECIDES,
    format_option,
    json_option,
    language_option,
    least_score_option,
    page_language,
    provider_option,
    rules_option,
)
from viner.cli.streams import STANDARD, check_output
from viner.cli.stress import Perturbations, print_stress
from viner.cli.terminal import echo_json, progress
from viner.errors import InputError, UsageError
from viner.paths import expanded


@click.command(short_help="Score a model on an annotated file.")
@click.argument("model")
@click.argument("file", type=FILE)
@click.option("--train", type=FILE, metavar="FILE", help="What the model was trained on: scores of seen and unseen entities.")
@click.option(
    "--report", type=FILE, metavar="FILE.html", help="Write a page: errors by kind and in context, doubtful annotations."
)
@language_option
@click.option(
    "--against", metavar="MODEL2", help="Compare another model, or other answers: what it repairs and what it breaks."
)
@click.option("--curve", type=FILE, metavar="FILE.json", help="Show this learning curve of viner curve on the page as well.")
@click.option(
    "--stress",
    type=Perturbations(),
    metavar="[NAMES]",
    is_flag=False,
    flag_value="all",
    help="Score on perturbations of FILE as well: all that are listed above, or those named, between commas. Goes with"
    " --report, but not with --train, --against and --curve.",
)
@rules_option
@least_score_option(MODEL_DECIDES)
@provider_option
@format_option
@json_option
def evaluate(
    model: str,
    file: Path,
    train: Path | None,
    report: Path | None,
    language: str | None,
    against: str | None,
    curve: Path | None,
    stress: str | None,
    rules: Path | Literal[False] | None,
    least_score: float | None,
    provider: str | None,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
) -> None:
    """Score MODEL on the annotated FILE: strict precision, recall and F1, micro, macro and for each type.

    In the place of a model, a file of answers is scored: of another tool, a language model, an earlier run. For each document
    of FILE it holds one of the same text with its entities; --format and --option hold for both files.

    What is scored is what `viner predict` would answer, rules included; the report says so. Behind the table: how sure micro F1
    is, scores that forgive other borders or another type, scores by length, the documents with most errors, and how many
    entities are right from a score on.

    \b
    Example:
      viner evaluate models/003 test.conll
      viner evaluate models/003 test.jsonl --json
      viner evaluate models/003 test.conll --train train.conll
      viner evaluate models/003 test.conll --rules rules.toml
      viner evaluate covid test.conll --no-rules
      viner evaluate answers.jsonl test.conll
      viner evaluate models/003 test.conll --stress
      viner evaluate models/003 test.conll --stress no-diacritics,lower
      viner evaluate models/002 dev.conll --report errors.html --against models/003
      viner evaluate models/003 dev.conll --report errors.html --stress
      viner evaluate models/003 dev.conll --report loi.html --language vi

    \b
    What --stress can try:
      no-diacritics  Ha Noi for Hà Nội
      tone-style     hoà for hòa, hòa for hoà
      nfd            letters and marks apart (NFD)
      lower          all in lower case
      upper          ALL IN UPPER CASE
      typos          slips of the finger, 1 word in 10
      telex          nguwowif for người, 1 word in 10
      ocr            misread as by a scanner, 1 word in 10
      no-stop        no full stop at the end
      new-names      made-up people and places
      exchanged      entities exchanged within each label
      joined         20 neighbors as one document
    """
    import viner
    from viner.cli.systems import (
        Watch,
        is_answers,
        load_system,
        refuse_least_score,
        refuse_rules,
        rules_of,
        scored_from,
        tell_unasked,
        told_of_rules,
    )
    from viner.evaluation import details_markdown, evaluate_model, seen_surfaces
    from viner.evaluation.analysis import ErrorAnalysis
    from viner.evaluation.curve import read_curve
    from viner.evaluation.page import error_report, write_report
    from viner.evaluation.versus import compare_models
    from viner.formats import read
    from viner.rules import RuledRecognizer

    spoken = page_language(language, written=report is not None, example="--report errors.html")
    check_output(report, file, train, curve, rules, model, against)
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise UsageError("--report writes a page", where=report, hint="Name it so: --report errors.html")
    if report is not None and expanded(report).is_dir():
        raise InputError("this is a folder, not a file", where=report, hint="Name the page, such as: --report errors.html")
    once = [name for name in (model, against, file, train) if name is not None and str(name) == str(STANDARD)]
    if len(once) > 1:
        raise UsageError(f"stdin can be read once, and is named {len(once)} times", hint="Give the others as files")
    if report is not None and not expanded(report).parent.is_dir():
        raise InputError("there is no such folder", where=report.parent, hint="Make it first, or name another one")
    if stress is not None:
        if is_answers(model):
            raise UsageError(
                "--stress asks a model about changed texts, and these are answers to others", where=model, hint="Name a model"
            )
        if (train, against, curve) != (None, None, None):
            raise UsageError("--stress goes with none of --train, --against and --curve", hint="Run the command twice")
        ruled = viner.load(model, provider=provider, rules=rules, least_score=least_score)
        print_stress(
            ruled,
            file,
            stress,
            format=format,
            read_options=read_options,
            as_json=as_json,
            model=_shown(model),
            page=report,
            language=spoken,
        )
        return
    if curve is not None and report is None:
        raise UsageError("--curve goes with --report only", hint="Name the page, such as: --report errors.html")
    learning = None if curve is None else read_curve(curve)
    watch = Watch()
    documents = watch.over(progress(read(file, format, **read_options)))
    systems = [model, *([] if against is None else [against])]
    refuse_rules(rules, *systems)
    refuse_least_score(least_score, *systems)
    reading: dict[str, Any] = {
        "provider": provider,
        "rules": rules,
        "least_score": least_score,
        "format": format,
        "read_options": read_options,
    }
    recognizer = load_system(model, **reading)
    seen = None if train is None else seen_surfaces(read(train, format, **read_options), where=train)
    analysis, versus, other = ErrorAnalysis(), None, None
    observe = analysis.scores.add if report is None else analysis.observe
    if against is None:
        evaluation = evaluate_model(recognizer, documents, where=file, observe=observe, seen=seen)
        tell_unasked(file, recognizer)
        watch.tell(file, model, recognizer)
    else:
        other = load_system(against, **reading)
        evaluation, versus = compare_models(recognizer, other, documents, where=file, observe=observe, seen=seen)
        tell_unasked(file, recognizer, other)
        for name, system in ((model, recognizer), (against, other)):
            watch.tell(file, name, system)
    confidence = analysis.scores.confidence()
    if report is not None:
        first, second = _shown(model), _shown(against or "")
        page = error_report(
            evaluation,
            analysis,
            model=first,
            file=file.name,
            versus=versus,
            second=second,
            curve=learning,
            least_score=least_score,
            rules=rules_of(recognizer),
            language=spoken,
        )
        write_report(page, report)
    applied = recognizer.rules if isinstance(recognizer, RuledRecognizer) else None
    if as_json:
        echo_json(
            {
                **evaluation.to_dict(),
                "by_document": [document.to_dict() for document in evaluation.by_document or ()],
                "confidence": confidence.to_dict(),
                "rules": None if applied is None else applied.file,
                "least_score": least_score,
                **({} if report is None else {"report": str(report), "errors": analysis.to_dict()}),
                **({} if versus is None else {"against": {"model": against, "rules": rules_of(other), **versus.to_dict()}}),
            }
        )
        return
    click.echo("\n".join([evaluation.to_markdown(), details_markdown(evaluation), confidence.to_markdown()]), nl=False)
    if applied is not None:
        click.echo(f"\nScored with the {applied.count} of {applied.file}.")
    if least_score is not None:
        click.echo(f"\n{scored_from(least_score)}")
    if versus is not None:
        click.echo(f"\n{versus.summary(model, str(against))}")
        if (rules_of_other := rules_of(other)) is not None:
            click.echo(f"\n{told_of_rules(str(against), rules_of_other)}")
    if report is not None:
        click.echo(f"\nErrors in context: {report}")


def _shown(name: str) -> str:
    """What a model is called on a page, which is passed on: where this machine keeps its models is nobody's business."""
    return Path(name).name if Path(name).is_absolute() else name
