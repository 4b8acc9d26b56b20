"""Where a text has left traces on the disk."""

from __future__ import annotations

import json
from pathlib import Path


def files_with(folder: Path, text: str) -> list[str]:
    """The files below a folder in which a text stands, as it is or escaped, sorted."""
    forms = (text.encode(), json.dumps(text)[1:-1].encode())
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in files if any(form in path.read_bytes() for form in forms))
