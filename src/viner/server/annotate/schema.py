"""The schema and how it changes: ``/annotate/api/schema``."""

from __future__ import annotations

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from viner.annotation import changes
from viner.annotation.label_map import mappings_since
from viner.server.annotate.describe import body, problems, shape
from viner.server.annotate.desk import PREFIX, Desk, annotator_of, body_of, follow_schema, parsed, schema_dict
from viner.server.bodies import Fields, write_json
from viner.server.errors import error_response
from viner.store.values import LONGEST_ID

_RENAME = {"kind": "rename", "label": "LOC", "to": "LOCATION"}


def schema_router(desk: Desk) -> APIRouter:
    """The routes that show and change the schema.

    Args:
        desk: The studio and its threads.
    """
    router = APIRouter(prefix=f"{PREFIX}/schema", tags=["schema"])
    studio = desk.studio
    store = studio.store

    @router.get(
        "", summary="The schema", responses={200: shape("Schema", "With its version and all colors"), **problems(401, 503)}
    )
    async def schema(since: int | None = Query(None, description="An earlier version", ge=0, le=2**31)) -> Response:
        """Layers, types, descriptions, keys and colors.

        With `since`, `renamed` says where each label of that version is today, null where no single label follows it, and
        `renamed_classes`, by layer, where each class is.
        """

        def work() -> Response:
            names = (
                {} if since is None else dict(zip(("renamed", "renamed_classes"), mappings_since(store, since), strict=True))
            )
            return write_json({**schema_dict(*store.schema()), **names})

        return await desk.serve(work)

    @router.post(
        "/preview",
        summary="What a change of the schema would do",
        openapi_extra=body("SchemaPreview", {"change": _RENAME}),
        responses={200: shape("Object", "How many documents and entities change"), **problems(400, 401, 403, 422, 503)},
    )
    async def preview(request: Request) -> Response:
        """Nothing is changed."""
        raw = await body_of(request)

        def work() -> Response:
            change = changes.change_from_dict(Fields(parsed(raw), "change").mapping("change"))
            return write_json(changes.preview(store, change).to_dict())

        return await desk.look(work)

    @router.post(
        "/change",
        summary="Change the schema",
        openapi_extra=body("SchemaChange", {"operation": "1b2c…", "version": 3, "change": _RENAME}),
        responses={200: shape("Object", "Changed: the new schema and version"), **problems(400, 401, 403, 409, 422, 503)},
    )
    async def change(request: Request) -> Response:
        """One operation; `/undo` takes it back. `version` is that of the schema it was decided on.

        Rules in `viner.toml` follow a label that is renamed or merged; `rules` says how many did. Where the file could not be
        rewritten, the change stands all the same, and `unwritten` says why.
        """
        raw, who = await body_of(request), annotator_of(request)

        def work() -> Response:
            fields = Fields(parsed(raw), "operation", "version", "change")
            wanted = changes.change_from_dict(fields.mapping("change"))
            operation, version = fields.text("operation", most=LONGEST_ID), fields.integer("version")
            try:
                saved = changes.apply(store, wanted, operation=operation, who=who, version=version)
            except changes.StaleChangeError as error:
                return error_response(error, schema=schema_dict(*store.schema()))
            told = follow_schema(studio)
            return write_json({**saved.to_dict(), "schema": schema_dict(*store.schema()), **told})

        return await desk.look(work)

    return router
