"""``viner keys``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from viner.cli.options import FILE, json_option
from viner.cli.projects import require_app
from viner.cli.terminal import echo_json

F = TypeVar("F", bound=Callable[..., Any])


def file_option(function: F) -> F:
    """``--file``: the file of keys."""
    return click.option(
        "--file", type=FILE, required=True, envvar="VINER_API_KEYS", metavar="FILE", help="File of keys.  [env: VINER_API_KEYS]"
    )(function)


@click.group(short_help="Keys for programs that use a server's REST API.")
def keys() -> None:
    """Keys for programs that use a server's REST API. A server asks for them once it is given the file.

    The file holds what proves a key, not the key. A server sees within a second that it has changed.

    \b
    Example:
      viner keys add crawler --file keys.txt
      viner serve models/003 --api-keys keys.txt
      curl -H 'Authorization: Bearer viner_…' http://127.0.0.1:7860/api/v1/model
    """


@keys.command()
@click.argument("name")
@file_option
@json_option
def add(name: str, file: Path, as_json: bool) -> None:
    """Make a key and print it, this one time. NAME says whose it is.

    \b
    Example:
      viner keys add crawler --file keys.txt
    """
    require_app("API keys")
    from viner.server.keys import add_key, hash_key

    key = add_key(file, name)
    if as_json:
        echo_json({"name": name, "key": key, "hash": hash_key(key)})
        return
    click.echo(key)
    click.echo(f"Keep it: {file} holds only its hash.", err=True)


@keys.command()
@click.argument("name")
@file_option
@json_option
def remove(name: str, file: Path, as_json: bool) -> None:
    """Remove the key NAME; from then on it is worth nothing.

    \b
    Example:
      viner keys remove crawler --file keys.txt
    """
    require_app("API keys")
    from viner.server.keys import remove_key

    remove_key(file, name)
    if as_json:
        echo_json({"removed": name})
    else:
        click.echo(f"Key removed: {name}")


@keys.command("list")
@file_option
@json_option
def list_keys(file: Path, as_json: bool) -> None:
    """List the names of the keys in a file.

    \b
    Example:
      viner keys list --file keys.txt
    """
    require_app("API keys")
    from viner.server.keys import read_keys

    names = list(read_keys(file))
    if as_json:
        echo_json({"keys": names})
    elif names:
        click.echo("\n".join(names))
    else:
        click.echo("No keys.", err=True)
