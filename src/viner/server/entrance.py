"""The way in: ``/`` leads to the page in the visitor's language; the site's icon and manifest."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

LANGUAGE_COOKIE = "viner_language"
_YEAR = 365 * 24 * 3600
_ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f766e"/>'
    '<path d="M8 10l8 13 8-13" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round"/></svg>'
)


def entrance_router(languages: Sequence[str], *, space: bool) -> APIRouter:
    """The routes around the page.

    Args:
        languages: Codes of the interface languages, the default one first; the page in language ``xx`` is at ``/xx/``.
        space: Whether the page lives in a frame of another site, where only a partitioned cookie is kept.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def enter(request: Request) -> Response:
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        language = chosen if chosen in languages else best_language(request.headers.get("accept-language", ""), languages)
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{_root(request)}/{language}/{query}", 302, headers={"Vary": "Accept-Language, Cookie"})

    @router.get("/language/{language}")
    async def choose(request: Request, language: str) -> Response:
        """Remembers a language and goes to its page; ``?page=train`` to another page than the first, ``?next=`` to any path."""
        if language not in languages:
            return RedirectResponse(f"{_root(request)}/", 302)
        page, following = request.query_params.get("page", ""), request.query_params.get("next")
        path = f"/{language}/{page if page.isascii() and page.isalpha() else ''}" if following is None else own_path(following)
        response = RedirectResponse(f"{_root(request)}{path}", 302)
        # Written by hand: Python before 3.14 cannot say Partitioned.
        reach = "Secure; SameSite=None; Partitioned" if space else "SameSite=Strict"
        response.headers["Set-Cookie"] = f"{LANGUAGE_COOKIE}={language}; Path=/; Max-Age={_YEAR}; HttpOnly; {reach}"
        return response

    @router.get("/favicon.ico")
    async def icon() -> Response:
        return Response(_ICON, media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})

    @router.get("/manifest.json")
    async def manifest() -> Response:
        icons = [{"src": "favicon.ico", "type": "image/svg+xml", "sizes": "any"}]
        return JSONResponse({"name": "viner", "short_name": "viner", "start_url": "./", "display": "browser", "icons": icons})

    return router


def _root(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/")


def own_path(value: str) -> str:
    """A path to go on to if it is one of this server, else ``/``: never another site, never the login itself."""
    plain = value.isascii() and value.isprintable() and " " not in value and "\\" not in value
    if not plain or not value.startswith("/") or value.startswith("//") or len(value) > 2_000:
        return "/"
    return "/" if value.partition("?")[0].rstrip("/") in ("/login", "/logout") else value


def language_of(request: Request, offered: Sequence[str]) -> str:
    """The language of a page: the one that its address names, else the one chosen before, else the browser's."""
    for chosen in (request.query_params.get("language"), request.cookies.get(LANGUAGE_COOKIE)):
        if chosen is not None and chosen in offered:
            return chosen
    return best_language(request.headers.get("accept-language", ""), offered)


def best_language(accepted: str, offered: Sequence[str]) -> str:
    """The offered language that an ``Accept-Language`` header likes best; the first one offered where it says nothing."""
    best, best_weight = offered[0], 0.0
    for item in accepted.split(","):
        tag, _, parameters = item.partition(";")
        language = tag.strip().lower().split("-")[0]
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters.strip() else 1.0
        except ValueError:
            continue
        if language in offered and weight > best_weight:
            best, best_weight = language, weight
    return best
