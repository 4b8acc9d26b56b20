"""Whom a request comes from, and the gate that lets nobody else in."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from viner.server.errors import RequestError, error_response
from viner.server.sessions import SESSION_COOKIE, Session, Sessions, session_key
from viner.store.accounts import Account, Accounts

LOCAL = "local"
"""Who works where there are no accounts."""
_REMEMBER = 1.0  # seconds for which an account's epoch is believed: what a page loads at once asks the database once
_MOST_REMEMBERED = 1_000
_OPEN = {"/login", "/logout", "/login.css", "/favicon.ico", "/manifest.json", "/api/v1/health"}
_OPEN_BELOW = ("/annotate/static/", "/annotate/static-")
_DATA = ("/annotate/api/", "/api/v1/")


class Visitors:
    """Knows people by their cookies, and lets the only person of this machine in without one where there are no accounts.

    Args:
        accounts: The accounts of the project.
        folder: The project folder, which keeps the key of the cookies.
        loopback: Whether only programs on this machine can reach the server.
        clock: Seconds from anywhere.
    """

    def __init__(
        self, accounts: Accounts, folder: Path, *, loopback: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.accounts = accounts
        self._folder = folder
        self._loopback = loopback
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: Sessions | None = None
        self._known: dict[str | None, tuple[float, int | None]] = {}

    def local(self) -> bool:
        """Whether the server works without accounts, for whoever sits at this machine."""
        return self._loopback and not self._epoch(None)

    def sign(self, account: Account) -> str:
        """A fresh cookie for somebody who has proved to own an account."""
        with self._lock:
            self._known.clear()
        return self._signer().sign(Session(account.name, account.epoch))

    def who(self, cookie: str | None) -> str | None:
        """Whose cookie it is; None when it is nobody's, or no longer good."""
        session = None if not cookie else self._signer().read(cookie)
        return session.name if session is not None and self._epoch(session.name) == session.epoch else None

    def _epoch(self, name: str | None) -> int | None:
        # For None: whether there are accounts at all, as 1 or 0.
        now = self._clock()
        with self._lock:
            at, epoch = self._known.get(name, (now - _REMEMBER, None))
        if now - at < _REMEMBER:
            return epoch
        if name is None:
            epoch = int(bool(self.accounts))
        else:
            account = self.accounts.get(name)
            epoch = None if account is None else account.epoch
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[name] = now, epoch
        return epoch

    def _signer(self) -> Sessions:
        with self._lock:
            if self._sessions is None:
                self._sessions = Sessions(session_key(self._folder))
            return self._sessions


class Gate:
    """Lets in who is known, and tells everything behind it who that is (:func:`who_of`).

    Pages send strangers to the login page, everything else answers 401. Without accounts, the request must name this machine as
    its host: a site that points its own name at 127.0.0.1 (DNS rebinding), and a proxy, get 403.

    Args:
        app: The app behind it.
        visitors: Who is known.
    """

    def __init__(self, app: ASGIApp, *, visitors: Visitors) -> None:
        self._app = app
        self._visitors = visitors
        self._limiter: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._limiter is None:  # belongs to the event loop that runs by now
            self._limiter = CapacityLimiter(8)
        local, who = await to_thread.run_sync(self._identify, headers, limiter=self._limiter)
        if local and not names_this_machine(headers):
            refusal = RequestError(
                403,
                "foreign_host",
                "without accounts the server answers only to the names of this machine",
                where="Host",
                hint="Open http://127.0.0.1 or http://localhost with the port; others need accounts (viner accounts add)",
            )
            await error_response(refusal)(scope, receive, send)
            return
        scope["viner.who"] = who
        scope["viner.local"] = local
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        if who is not None or path in _OPEN or path.startswith(_OPEN_BELOW):
            await self._app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and "text/html" in headers.get("accept", "") and not path.startswith(_DATA):
            query = scope["query_string"].decode("latin-1")
            wanted = quote(f"{path}?{query}" if query else path, safe="/")
            answer = RedirectResponse(f"{scope.get('root_path', '').rstrip('/')}/login?next={wanted}", 303)
            answer.headers["Cache-Control"] = "no-store"
            await answer(scope, receive, send)
        else:
            await error_response(RequestError(401, "login_required", "nobody is logged in", hint="Log in at /login"))(
                scope, receive, send
            )

    def _identify(self, headers: Headers) -> tuple[bool, str | None]:
        if self._visitors.local():
            return True, LOCAL
        return False, self._visitors.who(cookie_of(headers))


def who_of(request: HTTPConnection) -> str | None:
    """Who sent a request; None for a stranger. Gradio calls it for each of its own routes."""
    who = request.scope.get("viner.who")
    return who if isinstance(who, str) else None


def is_local(request: HTTPConnection) -> bool:
    """Whether the server works without accounts."""
    return bool(request.scope.get("viner.local"))


def cookie_of(headers: Headers) -> str | None:
    """The session cookie of a request."""
    for line in headers.getlist("cookie"):
        for part in line.split(";"):
            name, _, value = part.strip().partition("=")
            if name == SESSION_COOKIE:
                return value.strip('"')
    return None


def names_this_machine(headers: Headers) -> bool:
    """Whether a request names this machine as its host, and came through no proxy from elsewhere."""
    hosts = [headers.get("host", ""), *(item for item in headers.get("x-forwarded-host", "").split(",") if item.strip())]
    senders = [item for item in headers.get("x-forwarded-for", "").split(",") if item.strip()]
    return all(is_loopback(_host_name(host)) for host in hosts) and all(is_loopback(item.strip()) for item in senders)


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host.strip()}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine alone: ``localhost``, ``127.…``, ``::1``."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
