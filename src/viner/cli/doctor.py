"""``viner doctor``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from viner.cli.options import json_option
from viner.cli.projects import find_project, project_option
from viner.cli.terminal import echo_json

if TYPE_CHECKING:
    from viner.cli.checks import Check


@click.command(short_help="Say what this machine can do, what to install, and whether a project is sound.")
@project_option
@click.option("--model", metavar="MODEL", help="Look whether this machine has what a model needs, too.")
@click.option("--network", is_flag=True, help="Ask whether the Hub and the npm registry answer; else nothing is sent.")
@json_option
def doctor(project: Path | None, model: str | None, network: bool, as_json: bool) -> int:
    """Say what is installed, what this machine can do, and what to install for the rest; check a project.

    What publishing needs is looked at, too: the Hub's login (whether there is a token, not which), a container engine, disk
    space. Segmenters for models of Vietnamese segments are loaded. What is missing comes with the command that brings it.

    A project given with --project, or the one in the current folder, is checked: settings, store, disk space, models, what an
    interrupted run left. Exit status 1 when something is wrong with it, or with --model.

    \b
    Example:
      viner doctor
      viner doctor --network
      viner doctor --model models/003
      viner doctor --project covid --json
    """
    from viner.cli.machine import describe
    from viner.cli.needs import check_model, check_segmenters
    from viner.cli.outfit import check_outfit
    from viner.project import Project

    facts = describe()
    outfit = check_outfit(network=network)
    facts["publishing"] = [item.to_dict() for item in outfit]
    known = check_segmenters()
    facts["segmenters"] = [item.to_dict() for item in known]
    needs: list[Check] = []
    if model is not None:
        needs = check_model(model)
        facts["model"] = [item.to_dict() for item in needs]
    checks: list[Check] = []
    if project is not None or Project.is_project(Path()):
        from viner.cli.checkup import check_project

        checks = check_project(find_project(project))
        facts["project"] = [item.to_dict() for item in checks]
    if as_json:
        echo_json(facts)
    else:
        _print(facts)
        click.echo("\nsegmenters")
        _print_checks(known, "no")
        click.echo("\npublishing")
        _print_checks(outfit, "no")
        if needs:
            click.echo("\nmodel")
            _print_checks(needs, "WRONG")
        if checks:
            click.echo("\nproject")
            _print_checks(checks, "WRONG")
    return 0 if all(item.good for item in (*checks, *needs)) else 1


def _print(facts: dict[str, Any]) -> None:
    for name in ("viner", "python", "platform", "processor", "cores", "memory_gib", "gpu"):
        click.echo(f"{name.replace('_gib', ' (GiB)'):<14}{'none' if facts[name] is None else facts[name]}")
    if facts["gpu_unused"]:
        click.echo(f"{'':<14}{click.style('NOT USED:', fg='yellow')} {facts['gpu_unused']}")
    for feature, there in facts["features"].items():
        click.echo(f"{feature:<14}{'yes' if there else 'no'}")
    for extra, packages in facts["packages"].items():
        missing = [package for package, version in packages.items() if version is None]
        state = "ready" if not missing else f"missing {', '.join(missing)}; pip install 'viner[{extra}]'"
        click.echo(f"\n{extra}: {state}")
        for package, version in packages.items():
            if version is not None:
                click.echo(f"  {package:<18}{version}")


def _print_checks(checks: Iterable[Check], bad: str) -> None:
    """A line for each thing that was looked at, and below it what mends it."""
    for item in checks:
        click.echo(f"{item.name:<14}{item.said}" if item.good else f"{item.name:<14}{bad}: {item.said}")
        if item.mend:
            click.echo(f"{'':<14}-> {item.mend}")
