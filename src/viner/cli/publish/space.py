"""``viner publish space``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from viner.cli.options import FILE, json_option, rules_option
from viner.cli.publish.ruling import chosen_rules, refuse_rules_of_workbench
from viner.cli.publish.telling import in_json, in_words
from viner.cli.publish.uploading import push_options, uploading
from viner.cli.terminal import echo_json
from viner.errors import UsageError

if TYPE_CHECKING:
    from viner.publishing.space import PublishedSpace


@click.command(short_help="Make a Gradio Space: the page and the REST API of a model, online.")
@click.argument("model")
@click.option("--repo", required=True, metavar="USER/NAME", help="Id of the Space on the Hub.")
@click.option("--out", "-o", type=FILE, help="Folder to write; NAME if neither --out nor --push is given.")
@push_options
@click.option("--title", metavar="TEXT", help="Title of the Space; that of the model if not given.")
@click.option("--license", "license_", metavar="ID", help="License, such as apache-2.0; that of the model if not given.")
@click.option(
    "--model-repo",
    metavar="USER/NAME[@REVISION]",
    help="Fetch the model from the Hub, where it lies already, instead of putting it into the Space.",
)
@click.option("--examples", type=FILE, metavar="FILE", help="Texts to try on the page, such as one a line.")
@click.option("--feedback", is_flag=True, help="Let visitors flag wrong answers; needs persistent storage.")
@rules_option
@click.option("--workbench", is_flag=True, help="MODEL is a project: let a team annotate it there; needs PostgreSQL.")
@json_option
def space(
    model: str,
    repo: str,
    out: Path | None,
    push: bool,
    public: bool,
    force: bool,
    title: str | None,
    license_: str | None,
    model_repo: str | None,
    examples: Path | None,
    feedback: bool,
    rules: Path | Literal[False] | None,
    workbench: bool,
    as_json: bool,
) -> None:
    """Make of MODEL a complete Space: app, pinned requirements, viner's own wheel, model, examples, and a README.

    A folder is written, in which `python app.py` runs the app; or with --push the Space is uploaded with the Hub's own login
    (`hf auth login`, or HF_TOKEN). It is private unless --public is given, and one that holds something is never overwritten
    without --force.

    Rules come along with all their terms, as `rules.toml`: those of --rules, or where MODEL is a project its own.

    \b
    Example:
      viner publish space viner-demo/model --repo minh/notices
      viner publish space covid --repo minh/notices --push
      viner publish space models/003 --repo minh/notices --rules rules.toml
      viner publish space covid --repo minh/annotate --workbench --push
    """
    from viner.publishing.space import SpaceChoices, publish_space, publish_workbench

    choices = SpaceChoices(repo, title, license_, model_repo, examples, feedback)
    own_rules = None
    if workbench:
        refuse_rules_of_workbench(rules)
        if choices != SpaceChoices(repo, title, license_):
            hint = "--model-repo, --examples and --feedback are for the page of a model"
            raise UsageError("a workbench has its own model, and no visitors", where="--workbench", hint=hint)
        from viner.cli.projects import find_project, require_app

        require_app("a workbench")
        project = find_project(Path(model))
        with uploading(push):
            done = publish_workbench(project, choices, out=out, upload=push, private=not public, force=force)
    else:
        own_rules = chosen_rules(model, rules)
        with uploading(push):
            done = publish_space(model, choices, rules=own_rules, out=out, upload=push, private=not public, force=force)
    for line in _needs(done, feedback=feedback, workbench=workbench):
        click.echo(line, err=True)
    if as_json:
        own = {"url": done.url, "app": done.app, "model": done.model, "examples": done.examples, "rules": len(own_rules or ())}
        echo_json({**in_json(done.folder, done.files), **own})
        return
    if done.folder is not None:
        click.echo(f"Space: {done.folder} ({in_words(done.files)})")
        click.echo(f"Try it here: python {shlex.quote(str(done.folder / 'app.py'))}")
    if done.url is None:
        click.echo(f"Put it online, at {done.app}: the same command with --push")
    else:
        click.echo(f"On the Hub: {done.url} ({'public' if public else 'private'})")
        click.echo(f"The app will be at {done.app} as soon as it is built there, in a few minutes.")


def _needs(done: PublishedSpace, *, feedback: bool, workbench: bool) -> list[str]:
    """What the Space asks of its owner, a sentence each."""
    from viner.publishing.space import FEEDBACK

    lines = []
    if feedback:
        lines.append(f"Flagged answers go to {FEEDBACK}: the Space starts only with persistent storage (Settings, Storage).")
    if workbench:
        lines.append(
            "The disk of a Space is not kept: the app starts only with a secret VINER_DATABASE_URL (PostgreSQL), and an account"
            " in that database. README.md of the Space says how."
        )
    if done.model is not None:
        lines.append(f"The model is fetched from {done.model}; if that is private, give the Space a secret HF_TOKEN.")
    if done.examples == 0 and not workbench:
        lines.append("The model finds nothing in the bundled examples, so the page has none; --examples FILE adds some.")
    return lines
