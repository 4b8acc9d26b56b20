"""The annotation page and its files.

The files are read once, when the server starts, and served under a path that names their content. So a browser keeps them for
good, and a page that was opened before an upgrade never mixes modules of two versions: those of another version are not there.
"""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from viner.server.entrance import language_of
from viner.server.errors import RequestError

PLAIN = "/annotate/static"
_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Assets:
    """The files of the page.

    Args:
        version: Names their content.
        files: Content of each by its name, with slashes.
    """

    version: str
    files: Mapping[str, bytes]

    @classmethod
    def read(cls, folder: Path) -> Assets:
        """Reads a folder with everything below it; only these files can ever be asked for."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        }
        digest = hashlib.sha256()
        for name, content in files.items():
            digest.update(f"{name}\0{len(content)}\0".encode())
            digest.update(content)
        return cls(digest.hexdigest()[:16], files)


def page_router(assets: Assets, render: Mapping[str, str], languages: tuple[str, ...]) -> APIRouter:
    """The routes ``/annotate/`` and ``/annotate/static/…``.

    Args:
        assets: The files of the page.
        render: The page in each interface language; it names its files as ``static/…``.
        languages: Codes of the interface languages, the default one first.
    """
    router = APIRouter(include_in_schema=False)
    # As deep as the plain path, so that what is relative to a file stays what it is.
    lasting = f"{PLAIN}-{assets.version}"
    pages = {language: html.replace('"static/', f'"static-{assets.version}/') for language, html in render.items()}

    @router.get("/annotate")
    async def bare(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}/annotate/{query}", 307)

    @router.get("/annotate/")
    async def page(request: Request) -> Response:
        html = pages[language_of(request, languages)]
        return HTMLResponse(html, headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"})

    @router.get(f"{lasting}/{{name:path}}")
    async def versioned(name: str) -> Response:
        return _file(assets, name, _FOREVER)

    @router.get(f"{PLAIN}/{{name:path}}")
    async def plain(request: Request, name: str) -> Response:
        etag = f'"{assets.version}"'
        if name in assets.files and etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": etag, "Cache-Control": "no-cache"})
        answer = _file(assets, name, "no-cache")
        answer.headers["ETag"] = etag
        return answer

    return router


def _file(assets: Assets, name: str, cache: str) -> Response:
    content = assets.files.get(name)
    if content is None:
        raise RequestError(404, "not_found", "the page has no such file", hint="Load the page again: it may have been upgraded")
    suffix = Path(name).suffix
    kind = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return Response(content, headers={"Cache-Control": cache, "Content-Type": kind})
