"""A real server in a thread, and clients that are as rude as the wire allows."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import FastAPI

from viner.server.connections import Server
from viner.server.runner import config_of, listen
from viner.server.settings import Settings


class Live:
    """A server that runs.

    Args:
        app: What it serves.
        settings: Limits.
    """

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        self._listener = listen("127.0.0.1", 0)
        self.port = self._listener.getsockname()[1]
        self.server = Server(config_of(app, settings), app.state.recognition)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def _run(self) -> None:
        factory = self.server.config.get_loop_factory()
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(self.server.serve(sockets=[self._listener]))
        self._listener.close()

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.settimeout(60)
        return connection

    def stop(self) -> None:
        """What SIGTERM does."""
        self.server.should_exit = True


@contextmanager
def serving(app: FastAPI, settings: Settings) -> Iterator[Live]:
    live = Live(app, settings)
    try:
        yield live
    finally:
        live.stop()
        live.thread.join(timeout=60)
        assert not live.thread.is_alive()


def request_of(texts: list[str], **headers: str) -> bytes:
    return packed(json.dumps({"texts": texts}).encode(), {"content-type": "application/json", **headers})


def packed(body: bytes, headers: dict[str, str], path: str = "/api/v1/recognize") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of an answer that tells its length; of what follows nothing is read."""
    file = connection.makefile("rb", buffering=0)
    status = int(file.readline().split()[1])
    length = 0
    while (line := file.readline().strip().lower()) != b"":
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    body = b""
    while len(body) < length and (piece := file.read(length - len(body))):
        body += piece
    return status, body


def read_to_end(connection: socket.socket) -> bytes:
    """Everything until the server closes the connection."""
    data = b""
    try:
        while chunk := connection.recv(65536):
            data += chunk
    except ConnectionError:
        pass
    return data


def error_in(body: bytes) -> dict[str, Any]:
    told = json.loads(body)
    assert set(told) == {"error"}
    assert set(told["error"]) == {"code", "message", "where", "hint"}
    return told["error"]
