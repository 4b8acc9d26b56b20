"""Documents to work on: ``/annotate/api/session``, ``/next``, ``/document``, ``/lease``, ``/release``, ``/documents``."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from viner.annotation.leases import LeasedError
from viner.server.annotate.describe import body, problems, shape
from viner.server.annotate.desk import PREFIX, Desk, annotator_of, body_of, parsed, progress_dict, project_id, schema_dict
from viner.server.bodies import Fields, proper, write_json
from viner.server.errors import RequestError, error_response
from viner.server.visitors import is_local
from viner.store import SPLITS, STATUSES, Filter

_Several = Annotated[tuple[str, ...], Query(description="Only these; may be repeated, or separated by commas")]
_MOST_ROWS = 200
_TAB = 64  # characters in the name of a tab
_MOST_EXCLUDED = 500
_ID = 1_000  # characters in the id of a document


def documents_router(desk: Desk) -> APIRouter:
    """The routes that give out documents.

    Args:
        desk: The studio and its threads.
    """
    router = APIRouter(prefix=PREFIX, tags=["annotation"])
    studio = desk.studio
    store = studio.store

    @router.get(
        "/session",
        summary="Who works, and on what",
        responses={200: shape("Session", "What a page needs to begin"), **problems(401, 503)},
    )
    async def session(request: Request) -> Response:
        """The schema comes with the color of every type filled in; `guideline` is Markdown."""
        who, local = annotator_of(request), is_local(request)

        def work() -> Response:
            settings = studio.settings
            return write_json(
                {
                    "who": who,
                    "local": local,
                    "project": settings.name,
                    "project_id": project_id(store),
                    "language": settings.language,
                    "schema": schema_dict(*store.schema()),
                    "guideline": settings.guideline,
                    "progress": progress_dict(store.counts()),
                    "settings": {
                        "order": settings.annotation.order,
                        "lease_minutes": settings.annotation.lease_minutes,
                        "retrain_after": settings.annotation.retrain_after,
                    },
                    "training": studio.training(),
                }
            )

        return await desk.serve(work)

    @router.post(
        "/next",
        summary="The next document to work on",
        openapi_extra=body("Next", {"tab": "t1", "resume": False, "exclude": [], "finished": None}),
        responses={200: shape("Served", "A document that is leased to this tab, or null"), **problems(400, 401, 403, 422, 503)},
    )
    async def following(request: Request) -> Response:
        """`resume` gives back what this person still holds.

        `finished` names a document whose lease ends with this; `exclude` names documents not to serve. Suggestions are brought
        up to date first where the text is short enough for nobody to wait.
        """
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            fields = Fields(parsed(raw), "tab", "resume", "exclude", "finished")
            tab, resume = fields.text("tab", most=_TAB), fields.truth("resume")
            exclude, finished = fields.texts("exclude", most=_MOST_EXCLUDED), fields.optional_text("finished", most=_ID)
            queue = studio.queue  # another one after a change of the settings
            if finished is not None:
                queue.release(finished, who)
            document = queue.next(who, tab, resume=resume, exclude=exclude)
            return write_json(
                {
                    "document": None if document is None else document.to_dict(),
                    **_lease(None if document is None else time.time() + queue.lease_seconds),
                    "progress": progress_dict(store.counts()),
                }
            )

        return await desk.draw(work)

    @router.get(
        "/document", summary="One document", responses={200: shape("StoredDocument", "As it is now"), **problems(401, 404, 503)}
    )
    async def document(id: str = Query(description="Id of the document")) -> Response:  # noqa: A002  (the field's word)
        """Offsets count code points of the raw text."""
        return await desk.serve(lambda: write_json(store.get(proper(id, "id")).to_dict()))

    @router.post(
        "/lease",
        summary="Keep a document for this tab",
        openapi_extra=body("Open", {"id": "notices-000001", "tab": "t1"}),
        responses={200: shape("Leased", "The document is yours until then"), **problems(400, 401, 403, 404, 409, 422, 503)},
    )
    async def lease(request: Request) -> Response:
        """Renews a lease, also one that has expired while nobody else took the document.

        With `open`, the visitor has chosen the document from a list: suggestions are brought up to date, and the answer holds
        the `document` as it is then. 409 `leased` names who works on it in `held_by`.
        """
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            fields = Fields(parsed(raw), "id", "tab", "open")
            name, tab, opened = fields.text("id", most=_ID), fields.text("tab", most=_TAB), fields.truth("open")
            queue = studio.queue
            try:
                if opened:
                    return write_json({**_lease(queue.lease(name, who, tab)), "document": store.get(name).to_dict()})
                return write_json(_lease(queue.renew(name, who, tab)))
            except LeasedError as error:
                return error_response(error, held_by=error.held_by)

        return await desk.draw(work)

    @router.post(
        "/release",
        summary="Let others have a document",
        openapi_extra=body("Lease", {"id": "notices-000001", "tab": "t1"}),
        responses={
            200: shape("Released", "The visitor's lease, if there was one, has ended"),
            **problems(400, 401, 403, 422, 503),
        },
    )
    async def release(request: Request) -> Response:
        """Leases of others are not touched, nor one that another tab of the same person has taken over."""
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            fields = Fields(parsed(raw), "id", "tab")
            tab = fields.text("tab", most=_TAB)
            studio.queue.release(fields.text("id", most=_ID), who, tab)
            return write_json({"released": True})

        return await desk.serve(work)

    @router.get(
        "/documents",
        summary="A list of documents",
        responses={200: shape("Documents", "In the order of import; `next` goes into `after`"), **problems(401, 422, 503)},
    )
    async def documents(
        status: _Several = (),
        split: _Several = (),
        label: str | None = Query(None, description="Only with an entity of this label"),
        flagged: bool | None = Query(None, description="Only flagged ones, or only others"),
        commented: bool | None = Query(None, description="Only with comments, or only without"),
        q: str | None = Query(
            None, max_length=500, description="Only where the text or the id contains this, whatever the case"
        ),
        after: int | None = Query(None, description="`next` of the page before"),
        limit: int = Query(50, ge=1, le=_MOST_ROWS),
    ) -> Response:
        """Excerpts only; the text of one comes from `/document`."""
        chosen = Filter(
            statuses=_words(status, STATUSES, "status"),
            splits=_words(split, SPLITS, "split"),
            label=proper(label, "label") if label else None,
            flagged=flagged,
            commented=commented,
            text=proper(q, "q") if q else None,
        )
        return await desk.look(lambda: write_json(store.find(chosen, after=after, limit=limit).to_dict()))

    return router


def _lease(until: float | None) -> dict[str, float | None]:
    # The seconds are for a page whose clock differs from the server's.
    return {"until": until, "lease_seconds": None if until is None else max(0.0, until - time.time())}


def _words(values: tuple[str, ...], known: tuple[Any, ...], where: str) -> tuple[Any, ...] | None:
    chosen = [word for value in values for word in value.split(",") if word]
    for word in chosen:
        if word not in known:
            raise RequestError(
                422, "invalid_input", f"unknown value {word[:40]!r}", where=where, hint=f"Use {', '.join(known)}"
            )
    return tuple(chosen) or None
