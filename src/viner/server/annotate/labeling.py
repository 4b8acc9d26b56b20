"""The same label wherever a text stands: ``/annotate/api/label-all``."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from viner.annotation import label_all
from viner.server.annotate.describe import body, problems, shape
from viner.server.annotate.desk import Desk, annotator_of, body_of, parsed
from viner.server.bodies import Fields, write_json
from viner.server.errors import RequestError
from viner.store import STATUSES
from viner.store.records import LONGEST_ID

_SEARCH = {"surface": "BV Bạch Mai", "label": "ORGANIZATION", "match_case": True, "statuses": ["todo", "started"]}


def labeling_router(desk: Desk) -> APIRouter:
    """The routes that label every occurrence of a text.

    Args:
        desk: The studio and its threads.
    """
    router = APIRouter(prefix="/label-all", tags=["annotation"])
    store = desk.studio.store

    @router.post(
        "/preview",
        summary="What labeling every occurrence would do",
        openapi_extra=body("LabelAll", _SEARCH),
        responses={200: shape("Matches", "How many, and some of them in context"), **problems(400, 401, 403, 422, 503)},
    )
    async def preview(request: Request) -> Response:
        """Whole words only; spans that have the label already are counted in `already`."""
        raw = await body_of(request)

        def work() -> Response:
            wanted = _search(Fields(parsed(raw), "surface", "label", "match_case", "statuses"))
            return write_json(label_all.preview(store, wanted).to_dict())

        return await desk.look(work)

    @router.post(
        "",
        summary="Label every occurrence",
        openapi_extra=body("LabelAll", {"operation": "7d0c…", **_SEARCH}),
        responses={200: shape("Matches", "How many it were"), **problems(400, 401, 403, 422, 503)},
    )
    async def apply(request: Request) -> Response:
        """One operation, however many documents; `/undo` takes it back."""
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            fields = Fields(parsed(raw), "operation", "surface", "label", "match_case", "statuses")
            operation = fields.text("operation", most=LONGEST_ID)
            return write_json(label_all.apply(store, _search(fields), operation=operation, who=who).to_dict())

        return await desk.look(work)

    return router


def _search(fields: Fields) -> label_all.Search:
    statuses = fields.texts("statuses") or ("todo", "started")
    for status in statuses:
        if status not in STATUSES:
            hint = f"Use {', '.join(STATUSES)}"
            raise RequestError(422, "invalid_input", f"unknown status {status[:40]!r}", where="statuses", hint=hint)
    return label_all.Search(
        surface=fields.text("surface", most=1_000),
        label=fields.text("label"),
        match_case=fields.truth("match_case", True),
        statuses=statuses,
    )
