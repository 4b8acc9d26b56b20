"""Runs the server in the foreground until Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import gc
import socket
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from viner.console.recognizer import RecognizerLike
from viner.errors import UsageError, VinerError
from viner.feedback import FeedbackBox
from viner.samples.examples import NOTICES, read_examples
from viner.server.app import create_app
from viner.server.connections import Connection, Server
from viner.server.keys import ApiKeys
from viner.server.logs import end_log, write_log
from viner.server.settings import Settings

if TYPE_CHECKING:
    from viner.studio import Studio

_GOODBYE_SECONDS = 2
_BACKLOG = 512
_GIVE_BACK_EVERY = 60
"""Seconds."""


class ServerError(VinerError):
    """The server cannot listen where it should."""

    code = "server_failed"


def serve(
    recognizer: RecognizerLike,
    host: str | None = None,
    port: int | None = None,
    open_browser: bool | None = None,
    *,
    feedback: str | Path | None = None,
    examples: str | Path | None = None,
    api_keys: str | Path | None = None,
    log: str | None = None,
    page: bool | None = None,
) -> None:
    """Serves a recognizer: page and REST API. Returns on SIGTERM's way out only; Ctrl-C raises ``KeyboardInterrupt``.

    Args:
        recognizer: What answers.
        host: Address to listen on; None takes ``VINER_HOST``, else 127.0.0.1, and 0.0.0.0 as a Space.
        port: Port to listen on, 0 for any free one; None takes ``VINER_PORT``, else 7860.
        open_browser: Open the page once it is there; None does so unless ``VINER_NO_BROWSER`` is set or it is a Space.
        feedback: Folder for answers that visitors flag as wrong; None takes ``VINER_FEEDBACK``, and without it collects none.
        examples: JSON file of the texts to try on the page (:func:`viner.samples.examples.read_examples`); None takes the
            bundled notices.
        api_keys: File of the keys that programs need; None takes ``VINER_API_KEYS``, and without it nobody needs one.
        log: "json" or "text" for a line on stderr about each request; None takes ``VINER_LOG``.
        page: Serve the page beside the REST API; None does so unless ``VINER_NO_PAGE`` is set.

    Raises:
        ServerError: If the address cannot be listened on, such as a port in use.
        UsageError: If host, port or another setting makes no sense, or the keys cannot be read.
        VinerError: If flagged answers cannot be kept in the folder.
    """
    settings = Settings.resolve(host, port, open_browser, feedback=feedback, api_keys=api_keys, log=log, page=page)
    texts = NOTICES if examples is None else read_examples(examples)
    _serve(lambda: create_app(recognizer, settings, examples=texts), settings)


def serve_studio(
    studio: Studio,
    host: str | None = None,
    port: int | None = None,
    open_browser: bool | None = None,
    *,
    api_keys: str | Path | None = None,
    log: str | None = None,
) -> None:
    """Serves a project: console, annotation page and REST API. Ends as :func:`serve` does; the caller closes the studio.

    Args:
        studio: The project at work.
        host: As in :func:`serve`. Beyond this machine, the project needs an account.
        port: As in :func:`serve`.
        open_browser: As in :func:`serve`.
        api_keys: As in :func:`serve`; in a project, a key is a way in for programs beside the accounts of people.
        log: As in :func:`serve`.

    Raises:
        ServerError: If the address cannot be listened on, such as a port in use.
        UsageError: If host or port make no sense, or others could reach a project without accounts.
    """
    from viner.server.studio_app import create_studio_app

    # Who works on a project corrects its answers on the spot.
    settings = replace(Settings.resolve(host, port, open_browser, api_keys=api_keys, log=log), feedback=None)
    _serve(lambda: create_studio_app(studio, settings), settings)


def _serve(make: Callable[[], FastAPI], settings: Settings) -> None:
    listener = listen(settings.host, settings.port)
    handler = None
    try:
        address = address_of(settings.host, listener.getsockname()[1])
        app = make()
        handler = write_log(settings.log)
        config = config_of(app, settings)
        server = Server(config, app.state.recognition)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_run(server, app, listener, address, settings))
    finally:
        end_log(handler)
        listener.close()


def config_of(app: FastAPI, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves an app."""
    return uvicorn.Config(
        app,
        http=Connection,
        # Whatever fails in a request is logged by the app, without its text; what is left are streams cut off at the end.
        log_level="critical",
        access_log=False,
        server_header=False,
        ws="none",
        # A Space is reached through its proxy alone, which says for whom and how it was asked.
        forwarded_allow_ips="*" if settings.space else None,
        # The page keeps a stream open for each visitor: without a limit it would keep the server alive after Ctrl-C.
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )


async def _run(server: uvicorn.Server, app: FastAPI, listener: socket.socket, address: str, settings: Settings) -> None:
    beside = [asyncio.create_task(task) for task in (_announce(app, address, settings), _settle(app), _keep_small())]
    try:
        await server.serve(sockets=[listener])
    finally:
        for task in beside:
            task.cancel()
        gc.unfreeze()


async def _settle(app: FastAPI) -> None:
    """Hides all that is there once the page is built from the garbage collector, and gives back memory that was for building.

    That is a quarter of a million objects, which stay; to look through them once more stops all requests for 150 ms.
    """
    if app.state.console is not None:
        await app.state.console.wait()
    gc.collect()
    gc.freeze()
    give_back_memory()


async def _keep_small() -> None:
    """Gives memory back now and then: engines make sessions, and take batches of another size, long after the start."""
    while True:
        await asyncio.sleep(_GIVE_BACK_EVERY)
        await asyncio.to_thread(give_back_memory)


def give_back_memory() -> None:
    """Gives the system back what was freed, which the C library keeps for later: tens of megabytes, in a few milliseconds.

    Only glibc has a call for it; elsewhere nothing happens.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


async def _announce(app: FastAPI, address: str, settings: Settings) -> None:
    print(f"viner is at {address}  (REST API: {address}api/docs · stop with Ctrl-C)", flush=True)
    if settings.feedback is not None:
        print(f"Answers that visitors flag as wrong are kept in {settings.feedback}", flush=True)
    page = app.state.console
    if page is None:
        print(f"There is no page{', since the API asks for keys' if settings.api_keys else ''}", flush=True)
    elif settings.open_browser and await page.wait() == "ready":
        await asyncio.to_thread(webbrowser.open, address)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        ServerError: If the port is taken or may not be used.
        UsageError: If the host is no address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (socket.gaierror, UnicodeError) as error:
        hint = "Use 127.0.0.1 or 0.0.0.0"
        raise UsageError(f"{host!r} is no address of this machine: {error}", where="host", hint=hint) from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        where = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            hint = "Stop the other program, or choose another port with --port or VINER_PORT"
            raise ServerError(f"port {port} is in use", where=where, hint=hint) from None
        raise ServerError(f"cannot listen: {error.strerror}", where=where, hint="Choose another host or port") from None
    return listener


def check_address(host: str | None = None, port: int | None = None) -> None:
    """Finds out whether :func:`serve` could listen, before a model is loaded or trained for it.

    Args:
        host: As in :func:`serve`.
        port: As in :func:`serve`.

    Raises:
        ServerError: If the address cannot be listened on, such as a port in use.
        UsageError: If host, port or another setting of the server makes no sense.
    """
    settings = Settings.resolve(host, port)
    listen(settings.host, settings.port).close()


def check_feedback(folder: str | Path | None = None) -> None:
    """Finds out whether :func:`serve` could keep flagged answers where it is told to, and makes the folder.

    Args:
        folder: As in :func:`serve`.

    Raises:
        VinerError: If they cannot be kept there.
    """
    settings = Settings.resolve(feedback=folder)
    if settings.feedback is not None:
        FeedbackBox.open(settings.feedback, quota=settings.feedback_quota)


def check_keys(api_keys: str | Path | None = None) -> None:
    """Finds out whether :func:`serve` could read the API keys.

    Args:
        api_keys: As in :func:`serve`.

    Raises:
        UsageError: If they cannot be read, or there are none in the file.
        InputError: If the file holds something else.
    """
    settings = Settings.resolve(api_keys=api_keys)
    if settings.api_keys:
        ApiKeys(settings.api_keys)


def address_of(host: str, port: int) -> str:
    """The address to open in a browser, with a final slash; an address of all interfaces becomes the local one."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"
