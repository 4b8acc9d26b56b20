"""``viner publish static``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from viner.cli.options import FILE, json_option
from viner.cli.publish.ruling import no_rules_option, tell_rules_left
from viner.cli.publish.telling import in_json
from viner.cli.terminal import echo_json

if TYPE_CHECKING:
    from viner.publishing.npm import Package

_INSTEAD = "viner publish space and viner publish docker take rules along: a page in the browser runs the model and no more"


@click.command(short_help="Make a web page that recognizes in the browser, without any server.")
@click.argument("model")
@click.option("--out", "-o", type=FILE, metavar="DIR", help="Folder to write; NAME-static if not given.")
@click.option("--title", metavar="TEXT", help="Title of the page; that of the model if not given.")
@click.option("--examples", type=FILE, metavar="FILE", help="Texts to try on the page, such as one a line.")
@click.option(
    "--engine",
    type=click.Choice(["int8", "fp32"]),
    help="Graph of the page; the one that the model chose, and the server runs, if not given (of a cascade: fp32).",
)
@click.option("--runtime", type=FILE, metavar="FILE", help="onnxruntime-web as npm packs it, where npm cannot be reached.")
@click.option("--force", is_flag=True, help="Replace what viner published there before.")
@no_rules_option("a page without a server", _INSTEAD)
@json_option
def static(
    model: str,
    out: Path | None,
    title: str | None,
    examples: Path | None,
    engine: str | None,
    runtime: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Make of MODEL a folder that any host of files can serve: a page with the model, which works in the browser that opens it.

    Texts never leave the browser, and entities are those of the server. GitHub Pages, a static Space or nginx will do;
    README.md in the folder says how. The first time, ONNX Runtime for browsers is fetched from the npm registry (33 MB).

    \b
    Example:
      viner publish static models/003
      viner publish static covid --out docs --title "Case reports"
      python -m http.server --directory docs
    """
    from viner.publishing.static import GITHUB_LIMIT, publish_page

    tell_rules_left(model, _INSTEAD)
    done = publish_page(
        model, out=out, force=force, name=title, examples=examples, runtime=runtime, engine=engine, fetching=_announce
    )
    if done.engine == "fp32" and not done.halved:
        click.echo("The download would be half as large with onnx installed: pip install 'viner[train]'", err=True)
    if done.largest > GITHUB_LIMIT:
        click.echo(
            f"Its largest file has {done.largest / 1e6:,.0f} MB: GitHub Pages takes up to 100 MB, a static Space takes more.",
            err=True,
        )
    if as_json:
        own = {"download": done.download, "examples": done.examples, "engine": done.engine}
        echo_json({**in_json(done.folder, done.files), **own})
        return
    click.echo(
        f"Folder: {done.folder} ({len(done.files)} files; a first visit fetches {done.download / 1e6:,.1f} MB, {done.engine})"
    )
    click.echo(f"Look at it: python -m http.server --directory {shlex.quote(str(done.folder))}, then http://localhost:8000")


def _announce(package: Package) -> None:
    click.echo(f"Fetching {package} ({package.size / 1e6:.0f} MB), once", err=True)
