"""The version of viner, apart from the package's own file, so that any room can read it."""

__version__ = "0.1.0"
