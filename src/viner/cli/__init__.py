"""The command line: ``viner VERB``. Verbs only; each is a few lines over the Python API."""

from viner.cli.main import main

__all__ = ["main"]
