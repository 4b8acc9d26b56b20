"""Rules of what is published: where they come along, that is said before anything leaves; elsewhere, why they do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from viner.cli.options import FILE
from viner.errors import UsageError, VinerError

if TYPE_CHECKING:
    from viner.rules import RecognitionRules

F = TypeVar("F", bound=Callable[..., Any])


def chosen_rules(model: str, rules: Path | Literal[False] | None) -> RecognitionRules | None:
    """The rules that come along with a model, after saying so: those of a file, or where MODEL is a project its own.

    Raises:
        InputError: If they cannot be used.
    """
    from viner.rules import rules_beside

    found = rules_beside(model, rules)
    if found is not None:
        out = " (--no-rules leaves them out)" if rules is None else ""
        click.echo(f"{found.count} of {found.file}, terms included, recognize beside the model{out}.", err=True)
    return found


def refuse_rules_of_workbench(rules: Path | Literal[False] | None) -> None:
    """A workbench takes the whole ``viner.toml`` of its project.

    Raises:
        UsageError: If there is a word about rules.
    """
    if rules is not None:
        raise UsageError(
            f"{'--rules' if rules else '--no-rules'} and --workbench exclude each other",
            hint="A workbench has the rules of its viner.toml, and follows it; there, recognize says what each does",
        )


def no_rules_option(kind: str, instead: str) -> Callable[[F], F]:
    """``--rules``, not shown, where rules cannot come along: it says so, and what to do.

    Args:
        kind: What has no rules, as a sentence begins.
        instead: What to do.
    """

    def refuse(context: click.Context, parameter: click.Parameter, given: Path | None) -> None:
        if given is not None:
            raise UsageError(f"{kind} has no rules", where="--rules", hint=instead)

    return click.option(
        "--rules", type=FILE, metavar="FILE", hidden=True, expose_value=False, callback=refuse, help="Refused, with a reason."
    )


def tell_rules_left(model: str, instead: str) -> None:
    """Says of a project whose rules recognize that they stay at home."""
    from viner.rules import rules_beside

    try:
        found = rules_beside(model)
    except VinerError:
        return  # they recognize nowhere, so nobody misses them
    if found is not None:
        click.echo(f"{found.count} of {found.file} stay at home: the model alone is published. {instead}.", err=True)
