"""Where viner keeps what it can make again: unpacked encoders and rebuilt graphs."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """The folder for what viner keeps between runs: ``VINER_HOME``, else ``~/.cache/viner``."""
    return Path(os.environ.get("VINER_HOME") or Path.home() / ".cache" / "viner")
