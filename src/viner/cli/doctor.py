"""``viner doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from viner.cli.options import json_option
from viner.cli.projects import find_project, project_option
from viner.cli.terminal import echo_json


@click.command(short_help="Say what this machine can do, and whether a project is sound.")
@project_option
@json_option
def doctor(project: Path | None, as_json: bool) -> int:
    """Say what is installed and what this machine can do, for bug reports and for choosing an engine; check a project.

    A project given with --project, or the one in the current folder, is checked: settings, store, disk space, models, what an
    interrupted run left. Exit status 1 when something is wrong with it.

    \b
    Example:
      viner doctor
      viner doctor --project covid --json
    """
    from viner.cli.machine import describe
    from viner.project import Project

    facts = describe()
    checks = None
    if project is not None or Project.is_project(Path()):
        from viner.cli.checkup import check_project

        checks = check_project(find_project(project))
        facts["project"] = [{"name": check.name, "good": check.good, "said": check.said} for check in checks]
    if as_json:
        echo_json(facts)
    else:
        _print(facts)
        for check in checks or ():
            click.echo(f"{check.name:<14}{check.said}" if check.good else f"{check.name:<14}WRONG: {check.said}")
    return 0 if all(check.good for check in checks or ()) else 1


def _print(facts: dict[str, Any]) -> None:
    for name in ("viner", "python", "platform", "processor", "cores", "memory_gib", "gpu"):
        click.echo(f"{name.replace('_gib', ' (GiB)'):<14}{'none' if facts[name] is None else facts[name]}")
    for feature, there in facts["features"].items():
        click.echo(f"{feature:<14}{'yes' if there else 'no'}")
    for extra, packages in facts["packages"].items():
        missing = [package for package, version in packages.items() if version is None]
        state = "ready" if not missing else f"missing {', '.join(missing)}; pip install 'viner[{extra}]'"
        click.echo(f"\n{extra}: {state}")
        for package, version in packages.items():
            if version is not None:
                click.echo(f"  {package:<18}{version}")
    if "project" in facts:
        click.echo("\nproject")
