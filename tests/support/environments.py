"""Virtual environments that hold what was asked for, and nothing of the one that the tests run in.

uv puts them together in a tenth of pip's processor time. Where it is not installed pip does, and always for torch, of which pip
may be told to take a smaller build than the one on PyPI.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


class Environment:
    """A new virtual environment, without pip.

    Args:
        folder: Where it goes.
        compiled: Whether all modules are compiled when they are installed, as pip does; tests do not wait for that.
    """

    def __init__(self, folder: Path, *, compiled: bool = False) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
        self.scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.scripts / "python"
        self._compiled = compiled

    def install(self, *arguments: str | Path, folder: Path | None = None) -> None:
        """Installs packages.

        Args:
            arguments: As for ``pip install``.
            folder: Where the command runs.
        """
        names = [str(argument) for argument in arguments]
        uv = find_spec("uv") is not None and "torch" not in names
        if uv:
            command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(self.python)]
            command += ["--compile-bytecode"] if self._compiled else []
        else:
            command = [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet"]
            command += ["--disable-pip-version-check", *([] if self._compiled else ["--no-compile"])]
        done = subprocess.run([*command, *names], cwd=folder, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, f"{' '.join([*command, *names])}\n{done.stdout}\n{done.stderr}"
