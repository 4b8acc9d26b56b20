"""``viner demo``."""

from __future__ import annotations

from pathlib import Path

import click

from viner.cli.options import FILE, address_options


@click.command(short_help="Train on the bundled corpus and open the page.")
@click.option("--out", "-o", type=FILE, default=Path("viner-demo"), show_default=True, help="Folder of the demo's model.")
@address_options
def demo(out: Path, host: str | None, port: int | None, no_browser: bool) -> None:
    """Train a recognizer on the bundled corpus of epidemic reports, show its test figures, and open the page.

    A second run opens the page at once.

    \b
    Example:
      viner demo
      viner demo --out /data/demo --port 8000
    """
    import viner
    from viner.server import check_address, check_feedback, serve
    from viner.workflow import run_demo

    check_address(host, port)
    check_feedback()
    serve(viner.load(run_demo(out)), host=host, port=port, open_browser=False if no_browser else None)
