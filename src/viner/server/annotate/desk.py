"""What the routes of the annotate API share: the studio, threads for its work, and the shapes of answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from viner.annotation.sync import try_write_back
from viner.schema import Schema
from viner.server.bodies import check_json, read_json
from viner.server.visitors import LOCAL, who_of
from viner.store.preferences import read_setting, write_setting

if TYPE_CHECKING:
    from viner.store import Counts, Store
    from viner.studio import Studio

Answer = TypeVar("Answer")

PREFIX = "/annotate/api"
_PROJECT_ID = "project.id"
_HINT = "The API is described at /api/docs"


class Desk:
    """A studio with threads of its own for saving, for documents and leases, for suggestions, and for everything slower.

    So saves never wait for a search or for a recognizer, whatever else people do.

    Args:
        studio: The project at work.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self._saving = CapacityLimiter(16)
        self._serving = CapacityLimiter(8)
        self._looking = CapacityLimiter(4)
        self._drawing = CapacityLimiter(8)

    async def save(self, work: Callable[[], Answer]) -> Answer:
        """Does what saves annotations."""
        return await to_thread.run_sync(work, limiter=self._saving)

    async def serve(self, work: Callable[[], Answer]) -> Answer:
        """Does what an annotator waits for with empty hands: documents and leases."""
        return await to_thread.run_sync(work, limiter=self._serving)

    async def draw(self, work: Callable[[], Answer]) -> Answer:
        """Does what may ask the recognizer for the suggestions of a document that is about to be shown."""
        return await to_thread.run_sync(work, limiter=self._drawing)

    async def look(self, work: Callable[[], Answer]) -> Answer:
        """Does what may take a while: searches, previews, lists, changes of everything."""
        return await to_thread.run_sync(work, limiter=self._looking)


def annotator_of(request: Request) -> str:
    """Who sent a request that the gate has let in."""
    return who_of(request) or LOCAL


async def body_of(request: Request) -> bytes:
    """The body of a request that says it is JSON; :func:`parsed` reads it, in a thread."""
    check_json(request, "Send 'Content-Type: application/json'")
    return await request.body()


def parsed(body: bytes) -> Any:
    """The JSON value of a body."""
    return read_json(body, _HINT)


def project_id(store: Store) -> str:
    """What tells a project from all others, whatever it is called; made at the first call."""
    known = store.setting(_PROJECT_ID)
    if isinstance(known, str):
        return known
    with store.transaction(exclusive=True) as transaction:
        known = read_setting(transaction.connection, _PROJECT_ID)  # another server may have been faster
        if not isinstance(known, str):
            known = uuid.uuid4().hex
            write_setting(transaction.connection, _PROJECT_ID, known)
    return known


def schema_dict(schema: Schema, version: int) -> dict[str, Any]:
    """The schema as the page needs it: with its version, and with the color of every type filled in."""
    data = schema.to_dict()
    for layer, described in zip(schema, data["layers"], strict=True):
        for item in described["types"]:
            item["color"] = layer.color(item["name"])
    return {**data, "version": version}


def follow_schema(studio: Studio) -> dict[str, Any]:
    """Lets ``viner.toml`` and everything else follow the schema of the store, which has changed.

    Returns:
        What the answer tells about that: ``rules``, how many rules in the file have another label now, where some do; or
        ``unwritten``, why the file could not be written: the change stands, and the next start of the server writes it once the
        file is in order.
    """
    done = try_write_back(studio.store, studio.project)
    studio.schema_changed()
    if done.problem is not None:
        return {"unwritten": str(done.problem)}
    return {"rules": done.rules} if done.rules else {}


def progress_dict(counts: Counts) -> dict[str, Any]:
    """How far the project is: documents by status, in all and by split."""
    statuses: dict[str, int] = {}
    for split in counts.splits.values():
        for status, number in split.items():
            statuses[status] = statuses.get(status, 0) + number
    splits: Mapping[str, Mapping[str, int]] = {split: dict(numbers) for split, numbers in counts.splits.items()}
    return {"documents": counts.documents, **statuses, "splits": splits, "flagged": counts.flagged, "comments": counts.comments}
