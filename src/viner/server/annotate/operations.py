"""Saving and undoing: ``/annotate/api/operations``, ``/undo``, ``/history``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Query, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from viner.annotation.label_map import follow, followers_since, mappings_since, schema_history
from viner.schema import ENTITIES
from viner.server.annotate.describe import body, problems, shape
from viner.server.annotate.desk import PREFIX, Desk, annotator_of, body_of, follow_schema, parsed, schema_dict
from viner.server.bodies import Fields, proper, write_json
from viner.server.errors import error_response
from viner.store import ConflictError, Operation, StaleSchemaError, StaleVersionError, Store
from viner.store.following import Follower
from viner.store.records import Event
from viner.store.values import LONGEST_ID

_EVENTS_AT_ONCE = 100


def operations_router(desk: Desk) -> APIRouter:
    """The routes that change documents, and what tells how they changed.

    Args:
        desk: The studio and its threads.
    """
    router = APIRouter(prefix=PREFIX, tags=["annotation"])
    store = desk.studio.store

    @router.post(
        "/operations",
        summary="Save one step of an annotator on one document",
        openapi_extra=body("Operation", _EXAMPLE),
        responses={200: shape("Saved", "Saved: it is on disk"), **problems(400, 401, 403, 404, 409, 413, 415, 422, 503)},
    )
    async def save(request: Request) -> Response:
        """Whole or not at all.

        The same operation id again gives the first answer again, `replayed` true. 409 carries the
        current `document` and `schema`: put the step on top of them and send it as a new operation. `stale_schema` also says in
        `renamed` where each label of the operation's schema is today, null where no single label follows it, and in
        `renamed_classes`, by layer, where each class is. 503 with `Retry-After`: the database is locked or full, nothing was
        changed, send it again.
        """
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            operation = Operation.from_dict(parsed(raw))
            try:
                saved = store.save(operation, who=who)
            except (StaleVersionError, StaleSchemaError) as error:
                told = {"document": error.current.to_dict(), "schema": schema_dict(*store.schema())}
                if isinstance(error, StaleSchemaError):
                    told["renamed"], told["renamed_classes"] = mappings_since(store, operation.schema)
                return error_response(error, **told)
            answer = write_json(saved.to_dict())
            if operation.status == "done" and not saved.replayed:
                answer.background = BackgroundTask(desk.studio.note_done)
            return answer

        return await desk.save(work)

    @router.post(
        "/undo",
        summary="Take an operation back",
        openapi_extra=body("Undo", {"operation": "0f1e…", "undoes": "9c8b…"}),
        responses={
            200: shape("Saved", "Taken back, as an operation of its own"),
            **problems(400, 401, 403, 404, 409, 422, 503),
        },
    )
    async def undo(request: Request) -> Response:
        """Of one document or of many (label-all, changes of the schema).

        What comes back has its labels of today: renames and merges since are followed. 409 `conflict` when a later change
        stands in the way; `conflicts` names each with its author. 422 `refused` when nothing follows a label, which was deleted
        or split.
        """
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            fields = Fields(parsed(raw), "operation", "undoes")
            new, old = fields.text("operation", most=LONGEST_ID), fields.text("undoes", most=LONGEST_ID)
            _, before = store.schema()
            try:
                saved = store.undo(old, new_id=new, who=who, labels_since=followers_since)
            except ConflictError as error:
                return error_response(error, conflicts=error.conflicts)
            told = follow_schema(desk.studio) if saved.schema != before else {}
            return write_json({**saved.to_dict(), **told})

        return await desk.save(work)

    @router.get(
        "/history",
        summary="What happened to a document, newest first",
        responses={200: shape("History", "At most 100 events"), **problems(401, 404, 503)},
    )
    async def history(
        request: Request,
        id: str = Query(description="Id of the document"),  # noqa: A002  (the field's word)
        mine: bool = Query(False, description="Only what the visitor did"),
        before: int | None = Query(None, description="Only events with smaller numbers, for the following page"),
        schema: int | None = Query(None, description="Version of the schema that the page has; the newest if not given"),
    ) -> Response:
        """Each event holds what changed, before and after, under the labels of that schema where one follows the old one."""
        who = annotator_of(request) if mine else None

        def work() -> Response:
            events = store.history(proper(id, "id"), who=who, limit=_EVENTS_AT_ONCE, before=before)
            return write_json({"events": _as_of(store, events, schema)})

        return await desk.serve(work)

    return router


def _as_of(store: Store, events: Sequence[Event], schema: int | None) -> list[dict[str, Any]]:
    """The events under the labels and classes of a schema, so that steps from before it can be taken back."""
    now = store.schema()[1] if schema is None else schema
    steps = schema_history(store) if any(event.schema_before != now for event in events) else ()
    steps = tuple(step for step in steps if step.version <= now)
    known: dict[tuple[int, str], dict[str, Follower]] = {}

    def today(name: str, version: int | None, layer: str = ENTITIES) -> str:
        if version is None or version >= now:
            return name
        if (version, layer) not in known:
            known[version, layer] = follow(steps, version, layer)
        found = known[version, layer].get(name)
        return name if found is None or found.label is None else found.label

    found = []
    for event in events:
        told = event.to_dict()
        for side, version in ((told["before"], event.schema_before), (told["after"], event.schema)):
            for entity in (side.get("entities") or {}).values():
                if entity is not None:
                    entity["label"] = today(entity["label"], version)
            classes = side.get("labels") or {}
            for layer, names in classes.items():
                classes[layer] = names and list(dict.fromkeys(today(name, version, layer) for name in names))
        found.append(told)
    return found


_EXAMPLE = {
    "operation": "5b0c7c1e-3a1f-4a44-9d0e-0d7f5c2b9a10",
    "document": "notices-000001",
    "version": 7,
    "schema": 1,
    "put": [{"id": "e1", "start": 10, "end": 12, "surface": "91", "label": "PATIENT_ID", "state": "accepted"}],
    "delete": [],
}
