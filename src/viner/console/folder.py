"""The folder of uploads and downloads."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UploadFolder:
    """The folder of all consoles of this process, since Gradio knows one: its name stands in the environment.

    What lies there are people's texts: only this user can read it, and it is gone when the last console stops.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._users = 0

    def make(self) -> None:
        """Makes it for one more console if it is not there, and tells Gradio."""
        self._users += 1
        if self._path is None or not self._path.is_dir():
            self._path = Path(tempfile.mkdtemp(prefix="viner-console-"))
            atexit.register(shutil.rmtree, self._path, ignore_errors=True)
        os.environ["GRADIO_TEMP_DIR"] = os.fspath(self._path)

    @contextmanager
    def used(self) -> Iterator[None]:
        """While a console runs; then it needs the folder no more."""
        try:
            yield
        finally:
            self._users -= 1
            if self._users <= 0 and self._path is not None:
                shutil.rmtree(self._path, ignore_errors=True)


UPLOADS = UploadFolder()
