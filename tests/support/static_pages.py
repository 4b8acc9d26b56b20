"""Published static pages, served as any host of files would, and looked at with nothing else in reach."""

from __future__ import annotations

import functools
import http.server
import io
import os
import tarfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha512
from pathlib import Path

import pytest

from viner.publishing.folder import PublishError
from viner.publishing.npm import Package, read_package
from viner.publishing.static import RUNTIME


def runtime_archive() -> Path:
    """The archive of ONNX Runtime for browsers, fetched into viner's cache. Where it cannot be, the test is skipped, or fails
    where VINER_REQUIRE_NETWORK=1.
    """
    from viner.bundle import home

    try:
        read_package(RUNTIME, {})
    except PublishError as error:
        if os.environ.get("VINER_REQUIRE_NETWORK") == "1":
            pytest.fail(str(error))
        pytest.skip(f"no npm registry here: {error.message}")
    return home() / "npm" / RUNTIME.archive


def pretend_archive(folder: Path, contents: dict[str, bytes]) -> tuple[Package, Path]:
    """A small archive in the form of the registry's, and its description."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    path = folder / "onnxruntime-web-0.0.1.tgz"
    path.write_bytes(buffer.getvalue())
    return Package(
        "onnxruntime-web", "0.0.1", len(buffer.getvalue()), b64encode(sha512(buffer.getvalue()).digest()).decode()
    ), path


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Serves a folder as `python -m http.server` does; gives the address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
