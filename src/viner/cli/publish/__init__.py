"""``viner publish``."""

from __future__ import annotations

import click

from viner.cli.lazy import LazyGroup

# In the order in which people need them.
_KINDS = ("space", "hub", "docker", "static")


@click.group(
    cls=LazyGroup, package=__name__, names=_KINDS, short_help="Make a model an app, a model page or a web page for others."
)
def publish() -> None:
    """Make a model something that others use. A folder is written; what can be uploaded is, with --push.

    MODEL is a model folder, a project, which stands for its active model, or a Hub id.

    \b
    Example:
      viner publish space viner-demo/model --repo minh/notices
      viner publish hub viner-demo/model --repo minh/notices --push
    """
