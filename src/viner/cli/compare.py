"""``viner compare``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from viner.cli.options import FILE, format_option, json_option, least_score_option, provider_option, rules_option
from viner.cli.streams import STANDARD, comes_once
from viner.cli.terminal import echo_json, progress, tell
from viner.errors import UsageError
from viner.paths import expanded

if TYPE_CHECKING:
    from viner.document import Document
    from viner.evaluation.answers import Answers
    from viner.rules import RuledRecognizer
    from viner.runtime import Recognizer


@click.command(short_help="Compare models on an annotated file.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.argument("file", type=FILE)
@rules_option
@provider_option
@least_score_option("what each model was trained to leave out")
@format_option
@json_option
def compare(
    models: tuple[str, ...],
    file: Path,
    rules: Path | Literal[False] | None,
    provider: str | None,
    least_score: float | None,
    format: str | None,
    read_options: dict[str, Any],
    as_json: bool,
) -> None:
    """Compare two or more MODELs on the annotated FILE: is one better, or was it luck?

    Each is compared with the first one: difference in strict micro F1, its 95 % interval, p of a paired test, and the types
    where they differ most. A folder of models is one recipe trained with several seeds: what is shown is mean ± deviation. A
    file in the place of a model holds answers: for each document of FILE one of the same text with its entities.

    \b
    Example:
      viner compare models/001 models/002 test.conll
      viner compare plain hardened test.conll    plain/1, plain/2, … are models with different seeds
      viner compare plain test.conll
      viner compare models/001 other-tool.jsonl test.conll
    """
    from viner.cli.systems import (
        Watch,
        load_system,
        refuse_least_score,
        refuse_rules,
        rules_of,
        scored_from,
        tell_unasked,
        told_of_rules,
    )
    from viner.evaluation.systems import (
        compare_systems,
        comparison_markdown,
        score_system,
        systems_markdown,
        unknown_markdown,
    )
    from viner.formats import read

    places = [_seeds(model) for model in models]
    if len(places) == 1 and len(places[0]) == 1:
        raise UsageError(
            "one model cannot be compared",
            hint="Name two, such as: viner compare models/001 models/002 test.conll, or a folder of models",
        )

    if [*models, str(file)].count(str(STANDARD)) > 1:
        raise UsageError("stdin can be read once, and is named more often", hint="Give the others as files")
    refuse_rules(rules, *models)
    refuse_least_score(least_score, *models)
    piped = list(read(file, format, **read_options)) if comes_once(file) else None

    with_rules: dict[str, str] = {}
    watch = Watch()

    def loaded(names: list[str]) -> Iterator[tuple[str, Recognizer | RuledRecognizer[Recognizer] | Answers]]:
        for name in names:
            tell(f"Scoring {name}")
            system = load_system(
                name, provider=provider, rules=rules, least_score=least_score, format=format, read_options=read_options
            )
            if (file_of_rules := rules_of(system)) is not None:
                with_rules[name] = file_of_rules
            yield name, system
            tell_unasked(file, system)
            watch.tell(file, name, system)

    def gold() -> Iterator[Document]:
        return watch.over(progress(read(file, format, **read_options) if piped is None else piped))

    systems = [score_system(model, loaded(names), gold, where=file) for model, names in zip(models, places, strict=True)]
    comparisons = [compare_systems(systems[0], system) for system in systems[1:]]
    if as_json:
        echo_json(
            {
                "documents": len(systems[0].tallies[0]),
                "systems": [system.to_dict() for system in systems],
                "comparisons": [comparison.to_dict() for comparison in comparisons],
                "least_score": least_score,
                "rules": with_rules,
            }
        )
        return
    click.echo(systems_markdown(systems) + unknown_markdown(systems), nl=False)
    for comparison in comparisons:
        click.echo(f"\n{comparison_markdown(comparison)}", nl=False)
    for name, file_of_rules in with_rules.items():
        click.echo(f"\n{told_of_rules(name, file_of_rules)}")
    if least_score is not None:
        click.echo(f"\n{scored_from(least_score)}")


def _seeds(place: str) -> list[str]:
    """The models that a place stands for: those of a folder of models, else itself, which may be a project or on the Hub."""
    folder = expanded(place)
    if not folder.is_dir() or any((folder / name).is_file() for name in ("viner.json", "viner.toml")):
        return [place]
    return [str(path) for path in sorted(folder.iterdir()) if (path / "viner.json").is_file()] or [place]
