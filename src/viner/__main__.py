"""``python -m viner`` is the same as ``viner``."""

from __future__ import annotations

import sys

from viner.cli import main

if __name__ == "__main__":
    sys.exit(main())
