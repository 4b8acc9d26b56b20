"""The login page: a plain form that works without scripts, in both languages, and the way out."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from urllib.parse import parse_qs, quote

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from viner.server.entrance import language_of, own_path
from viner.server.errors import RequestError
from viner.server.sessions import LIFETIME
from viner.server.throttle import Throttle
from viner.server.visitors import Visitors, is_local, who_of

_LONGEST = 200  # characters in a name or password
_LONGEST_BODY = 20_000  # bytes
_CHECKS_AT_ONCE = 2  # scrypt takes memory and a processor on purpose: who logs in must not slow down who annotates
_CHECKS_WAITING = 20

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Log in to viner",
        "name": "Name",
        "password": "Password",
        "button": "Log in",
        "wrong": "Name or password is wrong.",
        "wait": "Too many tries. Try again in {seconds} s.",
        "other": "Tiếng Việt",
        "help": "Accounts are made with “viner accounts add NAME --project DIR”.",
    },
    "vi": {
        "title": "Đăng nhập viner",
        "name": "Tên",
        "password": "Mật khẩu",
        "button": "Đăng nhập",
        "wrong": "Tên hoặc mật khẩu không đúng.",
        "wait": "Thử quá nhiều lần. Hãy thử lại sau {seconds} giây.",
        "other": "English",
        "help": "Tài khoản được tạo bằng lệnh “viner accounts add TÊN --project THƯ_MỤC”.",
    },
}
_STYLE = """
:root { --line: color-mix(in srgb, currentColor 40%, transparent); }
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
main { width: min(22rem, 100vw - 3rem); padding: 1.5rem 0; }
h1 { font-size: 1.5rem; margin: 0 0 1.25rem; }
label { display: block; margin: 1rem 0 .25rem; }
input, button { font: inherit; box-sizing: border-box; width: 100%; min-height: 44px; }
input, button { padding: .5rem .75rem; border-radius: 8px; }
input { border: 1px solid var(--line); background: Canvas; color: CanvasText; }
button { margin-top: 1.5rem; border: 0; background: #0f766e; color: #fff; font-weight: 600; cursor: pointer; }
:focus-visible { outline: 3px solid #14b8a6; outline-offset: 2px; }
[role=alert] { margin: 0; padding: .6rem .75rem; border: 2px solid #dc2626; border-radius: 8px; }
footer { margin-top: 2rem; font-size: .875rem; } footer a { color: inherit; display: inline-block; padding: .8rem 0; }
"""


def login_router(visitors: Visitors, throttle: Throttle, languages: tuple[str, ...], *, space: bool) -> APIRouter:
    """The routes ``/login``, ``/logout`` and the page's style sheet.

    Args:
        visitors: Who has an account.
        throttle: How often somebody may try.
        languages: Codes of the interface languages, the default one first.
        space: Whether the page lives in a frame of another site, where only a partitioned cookie is kept.
    """
    router = APIRouter(include_in_schema=False)
    checks = CapacityLimiter(_CHECKS_AT_ONCE)

    @router.get("/login.css")
    async def style() -> Response:
        return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    @router.get("/login")
    async def form(request: Request) -> Response:
        """With ``?name=``, the form is there also while somebody else is logged in."""
        wanted, who = own_path(request.query_params.get("next", "/")), who_of(request)
        name = _plain_name(request.query_params.get("name", ""))[:_LONGEST]
        if who is not None and (is_local(request) or name in ("", who)):
            return RedirectResponse(_root(request) + wanted, 303, headers={"Cache-Control": "no-store"})
        return _page(_root(request), language_of(request, languages), wanted, name=name)

    @router.post("/login")
    async def enter(request: Request) -> Response:
        fields = await _fields(request)
        name = _plain_name(fields.get("name", ""))
        password, wanted = fields.get("password", ""), own_path(fields.get("next", "/"))
        root, language = _root(request), language_of(request, languages)
        address = request.client.host if request.client else ""
        if not password or len(password) > _LONGEST or not name.isprintable() or not 0 < len(name) <= _LONGEST:
            return _page(root, language, wanted, problem="wrong", status=401)
        wait = 1 if checks.statistics().tasks_waiting >= _CHECKS_WAITING else throttle.enter(name, address)
        if wait:
            return _page(root, language, wanted, problem="wait", name=name, status=429, seconds=wait)

        def check() -> str | None:
            account = visitors.accounts.verify(name, password)
            return None if account is None else visitors.sign(account)

        cookie = await to_thread.run_sync(check, limiter=checks)
        if cookie is None:
            return _page(root, language, wanted, problem="wrong", name=name, status=401)
        throttle.succeed(name, address)
        answer = RedirectResponse(root + wanted, 303, headers={"Cache-Control": "no-store"})
        answer.headers["Set-Cookie"] = _cookie(request, visitors.cookie(), cookie, LIFETIME, space=space)
        return answer

    @router.post("/logout")
    async def leave(request: Request) -> Response:
        """Ends the person's sessions, those of other devices too: a copy of a cookie is worth nothing afterwards."""
        if is_local(request):
            return RedirectResponse(f"{_root(request)}/", 303, headers={"Cache-Control": "no-store"})
        who = who_of(request)
        if who is not None:
            await to_thread.run_sync(visitors.sign_out, who)
        answer = RedirectResponse(f"{_root(request)}/login", 303)
        answer.headers["Set-Cookie"] = _cookie(request, await to_thread.run_sync(visitors.cookie), "", 0, space=space)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return router


def _plain_name(name: str) -> str:
    """One spelling for all that mean the same account, or each would have tries of its own."""
    return unicodedata.normalize("NFC", name).strip()


async def _fields(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        hint = "Send a form: name=…&password=…"
        raise RequestError(415, "unsupported_media_type", "the login needs a form", where="Content-Type", hint=hint)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise RequestError(413, "payload_too_large", "that is no login form")
    try:
        return {key: values[-1] for key, values in parse_qs(body.decode("utf-8"), max_num_fields=10, errors="strict").items()}
    except ValueError as error:
        raise RequestError(400, "invalid_form", "the form cannot be read") from error


def _cookie(request: Request, name: str, value: str, seconds: int, *, space: bool) -> str:
    # Written by hand: Python before 3.14 cannot say Partitioned. The scheme is that of the browser: uvicorn believes
    # X-Forwarded-Proto of proxies on this machine.
    if space:
        reach = "Secure; SameSite=None; Partitioned"
    else:
        reach = "Secure; SameSite=Strict" if request.url.scheme == "https" else "SameSite=Strict"
    return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; {reach}"


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def _page(
    root: str, language: str, wanted: str, *, problem: str | None = None, name: str = "", status: int = 200, seconds: int = 0
) -> Response:
    words = _WORDS[language]
    other = next(code for code in _WORDS if code != language)
    alert = f'<p role="alert" id="problem">{escape(words[problem].format(seconds=seconds))}</p>' if problem else ""
    described = ' aria-describedby="problem" aria-invalid="true"' if problem == "wrong" else ""
    focus = ("", " autofocus") if name else (" autofocus", "")
    here = quote(wanted, safe="/")
    html = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(words["title"])}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="{root}/favicon.ico"><link rel="stylesheet" href="{root}/login.css"></head><body><main>'
        f"<h1>{escape(words['title'])}</h1>{alert}"
        f'<form method="post" action="{root}/login?language={language}">'
        f'<input type="hidden" name="next" value="{escape(wanted)}">'
        f'<label for="name">{escape(words["name"])}</label><input id="name" name="name" value="{escape(name)}" required '
        f'autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="{_LONGEST}"{focus[0]}{described}>'
        f'<label for="password">{escape(words["password"])}</label><input id="password" name="password" type="password" '
        f'required autocomplete="current-password" maxlength="{_LONGEST}"{focus[1]}{described}>'
        f'<button type="submit">{escape(words["button"])}</button></form>'
        f'<footer><p>{escape(words["help"])}</p><a href="{root}/login?language={other}&amp;next={here}" lang="{other}" '
        f'hreflang="{other}">{escape(words["other"])}</a></footer></main></body></html>'
    )
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(seconds)
    return HTMLResponse(html, status, headers=headers)
