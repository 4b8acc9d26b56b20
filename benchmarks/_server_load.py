"""Clients of a server, in a process of their own: as many as asked for, each with one connection and one request at a time.

Reads a JSON object from stdin: ``port``, ``clients``, ``requests``, ``seconds`` (no request begins later), and ``bodies``, the
requests' texts in turn. Writes ``{"answered", "errors", "seconds", "ms": [...]}`` to stdout. It takes a tenth of a
millisecond a request, so that it does not eat what it measures: sockets of asyncio, and no HTTP library.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import count


class Client:
    """One connection that stays open.

    Args:
        port: Where the server listens, on this machine.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().index(b"content-length: ") + 16
        body = await self._reader.readexactly(int(head[length : head.index(b"\r", length)]))
        return int(head[9:12]), body

    def close(self) -> None:
        self._writer.close()


def request_of(text: str) -> bytes:
    """A request to recognize one text."""
    body = json.dumps({"texts": [text]}, ensure_ascii=False).encode("utf-8")
    head = "POST /api/v1/recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode("ascii") + body


async def run(port: int, clients: int, requests: int, seconds: float, texts: list[str]) -> dict[str, object]:
    prepared = [(request_of(text), json.dumps({"text": text}, ensure_ascii=False)[1:-1].encode("utf-8")) for text in texts]
    numbers = count()
    times: list[float] = []
    errors = 0
    began = time.perf_counter()

    async def work() -> None:
        nonlocal errors
        client = Client(port)
        await client.open()
        while (number := next(numbers)) < requests and time.perf_counter() - began < seconds:
            request, echo = prepared[number % len(prepared)]
            sent = time.perf_counter()
            try:
                status, body = await client.ask(request)
            except (OSError, asyncio.IncompleteReadError):
                errors += 1
                await client.open()
                continue
            times.append(time.perf_counter() - sent)
            # An answer to another request would not have this text in it; spaces after colons are the writer's taste.
            if status != 200 or echo[8:] not in body:
                errors += 1
        client.close()

    await asyncio.gather(*(work() for _ in range(clients)))
    took = time.perf_counter() - began
    return {"answered": len(times), "errors": errors, "seconds": took, "ms": [round(1000 * value, 2) for value in times]}


def main() -> None:
    order = json.load(sys.stdin)
    answer = asyncio.run(run(order["port"], order["clients"], order["requests"], order["seconds"], order["texts"]))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
