"""The description of the REST API: OpenAPI as JSON, and as a page that loads nothing from elsewhere.

FastAPI's own pages fetch Swagger UI from a content delivery network, which this server never does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

_SPAN = {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "integer"}], "minItems": 2, "maxItems": 2}
_SCHEMAS = {
    "Document": {
        "type": "object",
        "required": ["text"],
        "properties": {
            "id": {"type": "string"},
            "text": {"type": "string", "description": "The raw text, unchanged"},
            "words": {"type": "array", "items": _SPAN, "description": "Spans [start, end) of the words"},
            "entities": {"type": "array", "items": {"$ref": "#/components/schemas/Entity"}},
        },
    },
    "Entity": {
        "type": "object",
        "required": ["start", "end", "label", "text"],
        "properties": {
            "start": {"type": "integer"},
            "end": {"type": "integer", "description": "One past the last character"},
            "label": {"type": "string"},
            "text": {"type": "string", "description": "The surface: text[start:end]"},
            "score": {"type": "number", "minimum": 0, "maximum": 1},
            "source": {"type": "string"},
        },
    },
}
_STYLE = """
:root { --line: color-mix(in srgb, currentColor 18%, transparent); }
:root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; }
body { max-width: 52rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2.5rem 0 .25rem; } p { margin: .35rem 0; }
code, pre { font: .875rem/1.5 ui-monospace, monospace; }
pre { padding: .9rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
.method { font-size: .75rem; font-weight: 700; padding: .2rem .5rem; border-radius: 5px; background: #0f766e; color: #fff; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; } th { text-align: left; }
td, th { padding: .3rem .8rem .3rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
"""


def install(app: FastAPI, schemas: Mapping[str, Any] | None = None) -> None:
    """Serves the description at ``/api/openapi.json`` and ``/api/docs``.

    Args:
        app: The app, whose routes are all there.
        schemas: Shapes that its routes refer to, beside those of recognition.
    """

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            app.openapi_schema.setdefault("components", {}).setdefault("schemas", {}).update({**_SCHEMAS, **(schemas or {})})
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]

    @app.get("/api/openapi.json", include_in_schema=False)
    async def openapi_json() -> JSONResponse:
        return JSONResponse(describe())

    @app.get("/api/docs", include_in_schema=False)
    async def openapi_page(request: Request) -> HTMLResponse:
        return HTMLResponse(reference_page(describe(), str(request.base_url).rstrip("/")))


def reference_page(description: dict[str, Any], address: str) -> str:
    """An OpenAPI description as one static HTML page.

    Args:
        description: The OpenAPI document.
        address: Where the server was reached, for the examples.
    """
    operations = "".join(
        _operation(method, path, operation, address)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    )
    schemas = escape(json.dumps(description["components"]["schemas"], indent=2, ensure_ascii=False))
    info = description["info"]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1><p>{escape(info['description'])}</p>"
        '<p>For programs: <a href="openapi.json">openapi.json</a>. For people: <a href="../">the page</a>.</p>'
        f"{operations}<h2>Shapes</h2><pre>{schemas}</pre></body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any], address: str) -> str:
    rows = "".join(
        f"<tr><td><code>?{escape(parameter['name'])}</code></td><td>{escape(parameter.get('description', ''))}</td></tr>"
        for parameter in operation.get("parameters", ())
    )
    rows += "".join(
        f"<tr><td>{escape(status)}</td><td>{escape(response['description'])}</td></tr>"
        for status, response in operation["responses"].items()
    )
    command = f"curl {'-X DELETE ' if method == 'delete' else ''}{address}{path}"
    if "requestBody" in operation:
        example = json.dumps(operation["requestBody"]["content"]["application/json"]["example"], ensure_ascii=False)
        command += f" -H 'Content-Type: application/json' -d '{example}'"
    return (
        f'<h2><span class="method">{method.upper()}</span> <code>{escape(path)}</code></h2>'
        f"<p>{escape(operation['summary'])}. {escape(operation.get('description', ''))}</p>"
        f"<pre>{escape(command)}</pre><table>{rows}</table>"
    )
