"""Whom a request comes from, and the gate that lets nobody else in."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from viner.server.errors import RequestError, error_response
from viner.server.keys import API, ApiKeys, key_of, refuse_key
from viner.server.sessions import SESSION_COOKIE, Session, Sessions, cookie_name, session_key
from viner.store.accounts import Account, Accounts

LOCAL = "local"
"""Who works where there are no accounts."""
FOR = "Viner-Who"
"""A request with this header is for that person only; the name is percent-encoded."""
_REMEMBER = 1.0  # seconds for which an account's epoch is believed: what a page loads at once asks the database once
_MOST_REMEMBERED = 1_000
_OPEN = {"/login", "/logout", "/login.css", "/favicon.ico", "/manifest.json", "/api/v1/health", "/api/v1/ready"}
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
        self._cookie = ""
        self._known: dict[str | None, tuple[float, int | None]] = {}

    def local(self) -> bool:
        """Whether the server works without accounts, for whoever sits at this machine."""
        return self._loopback and not self._epoch(None)

    def sign(self, account: Account) -> str:
        """A fresh cookie for somebody who has proved to own an account."""
        with self._lock:
            self._known.clear()
        return self._signer().sign(Session(account.name, account.epoch))

    def sign_out(self, name: str) -> None:
        """Ends all sessions of somebody."""
        self.accounts.end_sessions(name)
        with self._lock:
            self._known.clear()

    def cookie(self) -> str:
        """The name of this project's cookie."""
        self._signer()
        return self._cookie

    def who(self, cookies: Mapping[str, str]) -> str | None:
        """Whose cookies they are; None when they are nobody's, or no longer good."""
        if not cookies:
            return None
        session = self._signer().read(cookies.get(self.cookie(), ""))
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
                key = session_key(self._folder)
                self._sessions, self._cookie = Sessions(key), cookie_name(key)
            return self._sessions


class Gate:
    """Lets in who is known, and tells everything behind it who that is (:func:`who_of`).

    Pages send strangers to the login page, everything else answers 401. A page that is still open after another person has
    logged in says for whom its requests are, and gets 409 instead of saving in the wrong name. Without accounts, the request
    must name this machine as its host: a site that points its own name at 127.0.0.1 (DNS rebinding), and a proxy, get 403.
    Who presents an API key uses the REST API, and that alone, without being a person.

    Args:
        app: The app behind it.
        visitors: Who is known.
        keys: Keys for programs, if there are any.
    """

    def __init__(self, app: ASGIApp, *, visitors: Visitors, keys: ApiKeys | None = None) -> None:
        self._app = app
        self._visitors = visitors
        self._keys = keys
        self._limiter: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        if self._keys is not None and path.startswith(API) and "authorization" in headers:
            if key_of(scope, self._keys) is None:
                await refuse_key(scope, receive, send)
            else:
                await self._app(scope, receive, send)
            return
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
        meant = headers.get(FOR)
        if who is not None and meant is not None and unquote(meant) != who:
            refusal = RequestError(
                409,
                "other_person",
                f"{who} is logged in now, and this is the work of {unquote(meant)[:100]}",
                where=FOR,
                hint="Log in as the one whose work it is, or load the page again",
            )
            await error_response(refusal, who=who)(scope, receive, send)
            return
        scope["viner.who"] = who
        scope["viner.local"] = local
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
        return False, self._visitors.who(cookies_of(headers))


def who_of(request: HTTPConnection) -> str | None:
    """Who sent a request; None for a stranger. Gradio calls it for each of its own routes."""
    who = request.scope.get("viner.who")
    return who if isinstance(who, str) else None


def is_local(request: HTTPConnection) -> bool:
    """Whether the server works without accounts."""
    return bool(request.scope.get("viner.local"))


def cookies_of(headers: Headers) -> dict[str, str]:
    """The session cookies of a request by name; other projects on the same host have theirs."""
    cookies: dict[str, str] = {}
    for line in headers.getlist("cookie"):
        for part in line.split(";"):
            name, _, value = part.strip().partition("=")
            if name.startswith(SESSION_COOKIE):
                cookies.setdefault(name, value.strip('"'))
    return cookies


def names_this_machine(headers: Headers) -> bool:
    """Whether a request names this machine as its host, and came through no proxy from elsewhere."""
    hosts = [headers.get("host", ""), *_listed(headers, "x-forwarded-host"), *_forwarded(headers, "host")]
    senders = [*_listed(headers, "x-forwarded-for"), *_listed(headers, "x-real-ip")]
    # In "Forwarded", an address may have a port.
    hosts += _forwarded(headers, "for")
    return all(is_loopback(_host_name(host)) for host in hosts) and all(is_loopback(item) for item in senders)


def _listed(headers: Headers, name: str) -> list[str]:
    return [item.strip() for line in headers.getlist(name) for item in line.split(",") if item.strip()]


def _forwarded(headers: Headers, field: str) -> list[str]:
    """Values of a field in all "Forwarded" headers (RFC 7239)."""
    pairs = [pair.partition("=") for item in _listed(headers, "forwarded") for pair in item.split(";")]
    return [value.strip().strip('"') for name, _, value in pairs if name.strip().lower() == field]


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
