"""``viner publish docker``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Literal

import click

from viner.cli.options import FILE, json_option, rules_option
from viner.cli.publish.ruling import chosen_rules, refuse_rules_of_workbench
from viner.cli.publish.telling import in_json, in_words
from viner.cli.terminal import echo_json
from viner.errors import UsageError


@click.command(short_help="Make a folder that a container image is built from.")
@click.argument("model")
@click.option("--out", "-o", type=FILE, metavar="DIR", help="Folder to write; NAME-docker or NAME-workbench if not given.")
@rules_option
@click.option("--workbench", is_flag=True, help="For a team: the workbench of the project MODEL, with PostgreSQL.")
@click.option("--training", is_flag=True, help="With --workbench: an image that can train, about 1.5 GB larger.")
@click.option("--force", is_flag=True, help="Replace what viner published there before; your .env stays.")
@json_option
def docker(
    model: str,
    out: Path | None,
    rules: Path | Literal[False] | None,
    workbench: bool,
    training: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Make a folder with Dockerfile and compose.yaml, in which `docker compose up --build` starts MODEL.

    The image recognizes: page and REST API, without torch, as a user without rights, on a read-only file system, with a health
    check. It needs no network. Rules come along with all their terms: those of --rules, or where MODEL is a project its own.

    With --workbench, MODEL is a project, and what starts is its workbench for a team, beside a PostgreSQL that keeps texts and
    annotations. Settings, guideline and active model go into the image; texts and accounts do not. It cannot train, unless
    --training is given. README.md in the folder has the commands for accounts, backup and upgrade.

    \b
    Example:
      viner publish docker models/003
      viner publish docker covid --out covid-ner
      viner publish docker covid --workbench
    """
    if training and not workbench:
        raise UsageError("--training goes with --workbench", hint="An image of a model only recognizes")
    from viner.publishing.docker import publish_recognizer, publish_workbench

    own_rules = None
    if workbench:
        refuse_rules_of_workbench(rules)
        done = publish_workbench(model, out=out, training=training, force=force)
    else:
        own_rules = chosen_rules(model, rules)
        done = publish_recognizer(model, rules=own_rules, out=out, force=force)
    if as_json:
        echo_json({"name": done.name, "rules": len(own_rules or ()), **in_json(done.folder, done.files)})
        return
    click.echo(f"Folder: {done.folder} ({in_words(done.files)})")
    if workbench:
        click.echo(f"Set the database's password, make accounts, start: {done.folder / 'README.md'} has the four commands")
    else:
        click.echo(f"Start it: cd {shlex.quote(str(done.folder))} && docker compose up --build --detach")
