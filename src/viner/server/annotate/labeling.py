"""The same label wherever a text stands: ``/annotate/api/label-all``."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from viner.annotation.label_all import LabelAll
from viner.annotation.label_all import apply as label_everywhere
from viner.annotation.label_all import preview as preview_all
from viner.server.annotate.describe import body, problems, shape
from viner.server.annotate.desk import PREFIX, Desk, annotator_of, body_of, parsed
from viner.server.bodies import Fields, write_json
from viner.server.errors import RequestError
from viner.store import SPLITS, STATUSES
from viner.store.values import LONGEST_ID

_FIELDS = ("surface", "label", "match_case", "statuses", "splits", "as_suggestions")
_SEARCH = {
    "surface": "BV Bạch Mai",
    "label": "ORGANIZATION",
    "match_case": True,
    "statuses": ["todo", "started"],
    "splits": ["train"],
    "as_suggestions": True,
}


def labeling_router(desk: Desk) -> APIRouter:
    """The routes that label every occurrence of a text.

    Args:
        desk: The studio and its threads.
    """
    router = APIRouter(prefix=f"{PREFIX}/label-all", tags=["annotation"])
    store = desk.studio.store

    @router.post(
        "/preview",
        summary="What labeling every occurrence would do",
        openapi_extra=body("LabelAll", _SEARCH),
        responses={200: shape("Matches", "How many, and some of them in context"), **problems(400, 401, 403, 422, 503)},
    )
    async def preview(request: Request) -> Response:
        """Whole words only.

        Spans that have the label already, or where it was rejected, are counted in `already`; with `as_suggestions` those where
        it is suggested, too. Spans that are an entity of another label are left alone, and counted in `otherwise`.
        """
        raw = await body_of(request)

        def work() -> Response:
            wanted = _wanted(Fields(parsed(raw), *_FIELDS))
            return write_json(preview_all(store, wanted).to_dict())

        return await desk.look(work)

    @router.post(
        "",
        summary="Label every occurrence",
        openapi_extra=body("LabelAll", {"operation": "7d0c…", **_SEARCH}),
        responses={200: shape("Matches", "How many it were"), **problems(400, 401, 403, 422, 503)},
    )
    async def apply(request: Request) -> Response:
        """One operation, however many documents; `/undo` takes it back.

        With `as_suggestions` occurrences are only suggested, by a `source` that names the text. Statuses stay: no document is
        started, and no done one is opened again.
        """
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            fields = Fields(parsed(raw), "operation", *_FIELDS)
            operation = fields.text("operation", most=LONGEST_ID)
            return write_json(label_everywhere(store, _wanted(fields), operation=operation, who=who).to_dict())

        return await desk.look(work)

    return router


def _wanted(fields: Fields) -> LabelAll:
    return LabelAll(
        surface=fields.text("surface", most=1_000),
        label=fields.text("label"),
        match_case=fields.truth("match_case", True),
        statuses=_chosen(fields, "statuses", STATUSES, LabelAll("", "").statuses),
        splits=_chosen(fields, "splits", SPLITS, LabelAll("", "").splits),
        as_suggestions=fields.truth("as_suggestions", False),
    )


def _chosen(fields: Fields, key: str, known: tuple[str, ...], default: tuple[str, ...]) -> tuple[str, ...]:
    values = fields.texts(key)
    for value in values:
        if value not in known:
            hint = f"Use {', '.join(known)}"
            raise RequestError(422, "invalid_input", f"unknown value {value[:40]!r}", where=key, hint=hint)
    return values or default
