"""``viner publish hub``."""

from __future__ import annotations

from pathlib import Path

import click

from viner.cli.options import FILE, json_option
from viner.cli.publish.ruling import no_rules_option, tell_rules_left
from viner.cli.publish.telling import in_json, in_words
from viner.cli.publish.uploading import push_options, uploading
from viner.cli.terminal import echo_json

_INSTEAD = (
    'Whoever wants them adds a file: viner.load("USER/NAME", rules="rules.toml");'
    " viner publish space and viner publish docker take rules along"
)


@click.command(short_help="Make a model repository for the Hugging Face Hub.")
@click.argument("model")
@click.option("--repo", required=True, metavar="USER/NAME", help="Id of the repository on the Hub.")
@click.option("--out", "-o", type=FILE, help="Folder to write; NAME if neither --out nor --push is given.")
@push_options
@click.option("--tag", metavar="NAME", help="With --push: a tag for what is uploaded, such as v1.")
@click.option("--title", metavar="TEXT", help="Title of the card; the name of the data if not given.")
@click.option("--license", "license_", metavar="ID", help="License of the model, such as apache-2.0.")
@click.option("--language", "languages", metavar="CODE", multiple=True, help="Language, such as vi; may be repeated.")
@click.option("--dataset", "datasets", metavar="ID", multiple=True, help="Training data on the Hub; may be repeated.")
@click.option("--data-license", metavar="ID", help="License of the training data.")
@no_rules_option("a model on the Hub", _INSTEAD)
@json_option
def hub(
    model: str,
    repo: str,
    out: Path | None,
    push: bool,
    public: bool,
    force: bool,
    tag: str | None,
    title: str | None,
    license_: str | None,
    languages: tuple[str, ...],
    datasets: tuple[str, ...],
    data_license: str | None,
    as_json: bool,
) -> None:
    """Make of MODEL a stock model repository: card, weights, ONNX graph. A folder is written, or with --push uploaded.

    `viner.load("USER/NAME")` reads it back, `--tag v1` as "USER/NAME@v1", and plain Transformers load it, too. A repository
    is private unless --public is given, and one that holds something is never overwritten without --force. The Hub's
    own login is used: `hf auth login`, or HF_TOKEN. The log of the training stays at home.

    \b
    Example:
      viner publish hub models/003 --repo minh/notices
      viner publish hub covid --repo minh/notices --license apache-2.0 --push --tag v1
    """
    from viner.publishing.hub import publish_model
    from viner.workflow.front_matter import CardChoices

    tell_rules_left(model, _INSTEAD)
    choices = CardChoices(repo, title, license_, languages, datasets, data_license)
    with uploading(push):
        done = publish_model(model, choices, out=out, upload=push, private=not public, force=force, tag=tag)
    if done.license is None and not done.kept_card:
        click.echo("No license: name one with --license, since without one others may not use the model.", err=True)
    if as_json:
        own = {"url": done.url, "kept_card": done.kept_card, "license": done.license}
        echo_json({**in_json(done.folder, done.files), **own})
        return
    if done.kept_card:
        click.echo("The card was edited, so it is kept as it is.")
    if done.folder is not None:
        click.echo(f"Folder: {done.folder} ({in_words(done.files)})")
    if done.url is None:
        click.echo("Upload it: the same command with --push")
    else:
        name = repo if tag is None else f"{repo}@{tag}"
        click.echo(f'On the Hub: {done.url} ({"public" if public else "private"})\nUse it: viner.load("{name}")')
