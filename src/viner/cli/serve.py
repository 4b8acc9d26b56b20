"""``viner serve``."""

from __future__ import annotations

import click

from viner.cli.options import address_options


@click.command(short_help="Open the page and the REST API of a model.")
@click.argument("model")
@address_options
def serve(model: str, host: str | None, port: int | None, no_browser: bool) -> None:
    """Open the page and the REST API of MODEL. Nothing is sent anywhere.

    \b
    Example:
      viner serve models/003
      viner serve models/003 --port 8000 --no-browser
    """
    import viner
    from viner.server import check_address
    from viner.server import serve as run_server

    check_address(host, port)
    run_server(viner.load(model), host=host, port=port, open_browser=False if no_browser else None)
