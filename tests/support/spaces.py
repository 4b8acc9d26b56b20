"""A generated Space as the Hub builds and runs it: an environment from requirements.txt alone, then ``python app.py``.

python = build_environment(space, folder / "venv")
with running(space, python, text="Lan ở Hà Nội.") as app:
    app.url, app.seconds, app.process.pid
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.environments import Environment

PATIENCE = 120.0  # seconds until the first answer
SET_BY_THE_HUB = {
    "SYSTEM": "spaces",
    "SPACE_ID": "someone/notices",
    "PYTHONUNBUFFERED": "1",
    "GRADIO_ALLOW_FLAGGING": "never",
    "GRADIO_NUM_PORTS": "1",
    "GRADIO_SERVER_NAME": "0.0.0.0",
    "GRADIO_THEME": "huggingface",
}
_POLL = 0.02


def build_environment(space: Path, folder: Path, *, compiled: bool = False) -> Path:
    """Builds the virtual environment of a Space and returns its Python.

    As with the Hub's builder, requirements.txt and nothing else of the Space is seen, together with what the builder adds.

    Args:
        space: The folder of the Space.
        folder: Where the environment goes.
        compiled: Whether all modules are compiled, as they are on the Hub; tests do not wait for that.
    """
    (sdk,) = re.findall(r"^sdk_version: '?([0-9.]+)'?$", (space / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    environment = Environment(folder, compiled=compiled)
    with tempfile.TemporaryDirectory() as empty:
        shutil.copy(space / "requirements.txt", empty)
        added = [f"gradio[oauth,mcp]=={sdk}", "uvicorn>=0.14.0", "websockets>=10.4", "spaces"]
        environment.install("-r", "requirements.txt", *added, folder=Path(empty))
    return environment.python


@dataclass(frozen=True)
class RunningSpace:
    """An app that runs.

    Args:
        url: Its address.
        process: Its process.
        seconds: From the start of the process to its first answer.
        answer: That answer, a document or its health.
    """

    url: str
    process: subprocess.Popen[bytes]
    seconds: float
    answer: dict


@contextmanager
def running(space: Path, python: Path | str, text: str | None, **environment: str) -> Iterator[RunningSpace]:
    """Runs ``python app.py`` in the folder of a Space, with the environment of a Space and nothing of this one.

    Args:
        space: The folder.
        python: The Python of its environment.
        text: What it is asked first; None asks for its health.
        environment: More variables.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home, (Path(home) / "log").open("w+b") as log:
        variables = {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"}
        variables |= {**SET_BY_THE_HUB, "VINER_PORT": str(port), **environment}
        began = time.perf_counter()
        process = subprocess.Popen([str(python), "app.py"], cwd=space, env=variables, stdout=log, stderr=log)
        try:
            answer = None
            while answer is None:
                answer = _ask(url, text)
                seconds = time.perf_counter() - began
                if process.poll() is not None or seconds > PATIENCE:
                    log.seek(0)
                    raise AssertionError(f"app.py gave no answer in {seconds:.0f} s: {log.read().decode(errors='replace')}")
                time.sleep(_POLL)
            yield RunningSpace(url, process, seconds, answer)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _ask(url: str, text: str | None) -> dict | None:
    if text is None:
        request = urllib.request.Request(f"{url}/api/v1/health")
    else:
        body = json.dumps({"texts": [text]}).encode()
        request = urllib.request.Request(f"{url}/api/v1/recognize", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            answer = json.load(response)
            return answer if text is None else answer["documents"][0]
    except (urllib.error.URLError, ConnectionError):
        return None
