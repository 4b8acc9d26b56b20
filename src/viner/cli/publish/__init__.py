"""``viner publish``."""

from __future__ import annotations

from importlib import import_module

import click

# In the order in which people need them. Each kind is the command of that name in the module of that name.
_KINDS: tuple[str, ...] = ("space", "hub", "docker", "static")


class _Kinds(click.Group):
    """Imports a kind's module when somebody asks for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_KINDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _KINDS:
            return None
        command: click.Command = getattr(import_module(f"viner.cli.publish.{cmd_name}"), cmd_name)
        return command


@click.group(cls=_Kinds, short_help="Make a model an app, a model page or a web page for others.")
def publish() -> None:
    """Make a model something that others use. A folder is written; what can be uploaded is, with --push.

    MODEL is a model folder, a project, which stands for its active model, or a Hub id.

    \b
    Example:
      viner publish space viner-demo/model --repo minh/notices
      viner publish hub viner-demo/model --repo minh/notices --push
    """
