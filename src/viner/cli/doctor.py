"""``viner doctor``."""

from __future__ import annotations

import click

from viner.cli.options import json_option
from viner.cli.terminal import echo_json


@click.command(short_help="Say what is installed and what this machine can do.")
@json_option
def doctor(as_json: bool) -> None:
    """Say what is installed and what this machine can do, for bug reports and for choosing an engine.

    \b
    Example:
      viner doctor
      viner doctor --json
    """
    from viner.cli.machine import describe

    facts = describe()
    if as_json:
        echo_json(facts)
        return
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
