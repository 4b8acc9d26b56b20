"""``viner accounts``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from viner.cli.options import json_option
from viner.cli.projects import open_store, project_option
from viner.cli.terminal import echo_json
from viner.errors import UsageError

if TYPE_CHECKING:
    from viner.store import Store

F = TypeVar("F", bound=Callable[..., Any])


def password_option(function: F) -> F:
    """``--password-stdin``: the password comes as the first line of stdin."""
    return click.option("--password-stdin", is_flag=True, help="Read the password from stdin, for scripts.")(function)


@click.group(short_help="Who may annotate a project.")
def accounts() -> None:
    """Who may annotate a project. The first account switches the login on.

    \b
    Example:
      viner accounts add lan --project covid
      viner accounts list --project covid
      pass show covid/nam | viner accounts add nam --project covid --password-stdin
    """


@accounts.command()
@click.argument("name")
@project_option
@password_option
@json_option
def add(name: str, project: Path | None, password_stdin: bool, as_json: bool) -> None:
    """Add the account NAME; asks for its password.

    \b
    Example:
      viner accounts add lan --project covid
    """
    with open_store(project, create=True) as store:
        if name in _names(store):
            raise UsageError(f"there is an account {name!r}", hint=f"Change its password: viner accounts password {name}")
        store.accounts.add(name, _password(password_stdin))
    _done(as_json, {"added": name}, f"Account added: {name}")


@accounts.command()
@click.argument("name")
@project_option
@password_option
@json_option
def password(name: str, project: Path | None, password_stdin: bool, as_json: bool) -> None:
    """Change the password of NAME, and log it out everywhere.

    \b
    Example:
      viner accounts password lan --project covid
    """
    with open_store(project) as store:
        _check(store, name)
        store.accounts.set_password(name, _password(password_stdin))
    _done(as_json, {"changed": name}, f"Password changed: {name}")


@accounts.command()
@click.argument("name")
@project_option
@json_option
def remove(name: str, project: Path | None, as_json: bool) -> None:
    """Remove the account NAME. What it annotated stays, with its name.

    \b
    Example:
      viner accounts remove lan --project covid
    """
    with open_store(project) as store:
        _check(store, name)
        store.accounts.remove(name)
        last = not _names(store)
    _done(as_json, {"removed": name}, f"Account removed: {name}")
    if last:
        click.echo("No account is left: the server now listens on this machine only, without a login.", err=True)


@accounts.command("list")
@project_option
@json_option
def list_accounts(project: Path | None, as_json: bool) -> None:
    """List the accounts of a project.

    \b
    Example:
      viner accounts list --project covid
    """
    with open_store(project) as store:
        names = _names(store)
    if as_json:
        echo_json({"accounts": names})
    elif names:
        click.echo("\n".join(names))
    else:
        click.echo("No accounts: the server listens on this machine only, without a login.", err=True)


def _names(store: Store) -> list[str]:
    return sorted(account.name for account in store.accounts.list())


def _check(store: Store, name: str) -> None:
    names = _names(store)
    if name not in names:
        raise UsageError(f"there is no account {name!r}", hint=f"Accounts: {', '.join(names) or 'none'}")


def _password(from_stdin: bool) -> str:
    """The new password, from stdin or typed twice without an echo.

    Raises:
        UsageError: If there is neither.
    """
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for the password on", hint="Give it on stdin, with --password-stdin")
    value: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True, value_proc=_long_enough)
    return value


def _long_enough(password: str) -> str:
    """Refuses a password before it is asked for again to confirm it.

    Raises:
        click.UsageError: If it is too short; the prompt says so and asks anew.
    """
    from viner.store.accounts import SHORTEST_PASSWORD

    if len(password) < SHORTEST_PASSWORD:
        raise click.UsageError(f"a password has at least {SHORTEST_PASSWORD} characters")
    return password


def _done(as_json: bool, facts: dict[str, str], sentence: str) -> None:
    if as_json:
        echo_json(facts)
    else:
        click.echo(sentence)
