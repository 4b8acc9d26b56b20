"""Training from the page: ``/annotate/api/training``."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from viner.server.annotate.describe import body, problems, shape
from viner.server.annotate.desk import PREFIX, Desk, body_of, parsed
from viner.server.bodies import Fields, write_json
from viner.server.errors import RequestError


def training_router(desk: Desk) -> APIRouter:
    """The routes that show and steer the training.

    Args:
        desk: The studio and its threads.
    """
    router = APIRouter(prefix=PREFIX, tags=["training"])
    studio = desk.studio

    @router.get(
        "/training",
        summary="What the training does, and what is new since the last one",
        responses={200: shape("Training", "The current run or the last one, and the active version"), **problems(401, 503)},
    )
    async def training() -> Response:
        """`done_since` counts documents done since the last training; `retrain_after` 0 means that none starts by itself."""
        return await desk.look(lambda: write_json(studio.training()))

    @router.post(
        "/training",
        summary="Start, stop or resume a training",
        openapi_extra=body("TrainingAction", {"action": "start"}),
        responses={200: shape("Training", "As it is now"), **problems(400, 401, 403, 404, 409, 422, 503)},
    )
    async def steer(request: Request) -> Response:
        """One training at a time; it runs in a process of its own, at low priority."""
        raw = await body_of(request)

        def work() -> Response:
            action = Fields(parsed(raw), "action").choice("action", ("start", "stop", "resume"))
            if action == "start":
                studio.runs.start(**studio.runs.recipe())
            else:
                run = studio.runs.current()
                if run is None:
                    raise RequestError(409, "no_run", f"there is no training to {action}", hint="Start one")
                (studio.runs.stop if action == "stop" else studio.runs.resume)(run.name)
            return write_json(studio.training())

        return await desk.look(work)

    return router
