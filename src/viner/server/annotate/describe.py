"""Shapes of the annotate API in OpenAPI."""

from __future__ import annotations

from typing import Any

from viner.server.errors import ERROR_SCHEMA
from viner.store import SPLITS, STATES, STATUSES

_PROBLEMS = {
    400: "The body is not JSON",
    401: "`login_required`: nobody is logged in, or not any more",
    403: "`foreign_origin` or `foreign_host`: the request comes from another site",
    404: "There is no such document, operation, run or version",
    409: "It does not fit what is there now; the answer carries the current state beside `error`. `other_person`: the header "
    "`Viner-Who` (percent-encoded) names somebody else than the one who is logged in",
    413: "The body is larger than `VINER_MAX_BODY`",
    415: "The content type is not `application/json`",
    422: "Refused; `where` names the field, such as `put[0].end`",
    503: "The database is locked, full or out of reach; nothing was changed, and `Retry-After` says when to try again",
}
_TEXT = {"type": "string"}
_PERHAPS_TEXT = {"type": ["string", "null"]}
_NUMBER = {"type": "integer"}
_TRUTH = {"type": "boolean"}
_OBJECT = {"type": "object"}
_TEXTS = {"type": "array", "items": _TEXT}
_STATUS = {"type": "string", "enum": list(STATUSES)}
_STATE = {"type": "string", "enum": list(STATES)}
_SPLIT = {"type": "string", "enum": list(SPLITS)}


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required.split(), "properties": properties}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


_ENTITY = {
    "id": _TEXT,
    "start": _NUMBER,
    "end": {"type": "integer", "description": "One past the last character"},
    "label": _TEXT,
    "state": _STATE,
    "score": {"type": "number", "minimum": 0, "maximum": 1},
    "source": _TEXT,
}

SCHEMAS: dict[str, Any] = {
    "StoredEntity": _object("id start end label state", **_ENTITY),
    "Put": _object("id start end surface label", **_ENTITY, surface={"type": "string", "description": "text[start:end]"}),
    "StoredDocument": _object(
        "id number text words version schema status flagged split meta entities labels comments annotator sampled",
        id=_TEXT,
        number=_NUMBER,
        text={"type": "string", "description": "The raw text; offsets count its code points"},
        words={"type": "array", "items": _NUMBER, "description": "Start and end of each word in turn"},
        version={"type": "integer", "description": "Counts the changes of the document"},
        schema={"type": "integer", "description": "Version of the current schema"},
        status=_STATUS,
        flagged=_TRUTH,
        split=_SPLIT,
        meta=_OBJECT,
        entities=_list("StoredEntity"),
        labels={"type": "object", "additionalProperties": _TEXTS},
        comments={"type": "array", "items": _object("id text", id=_TEXT, entity=_TEXT, who=_TEXT, at=_TEXT, text=_TEXT)},
        annotator={"type": ["string", "null"]},
        sampled={
            "type": ["object", "null"],
            "properties": {"by": _TEXT, "model": _PERHAPS_TEXT, "score": {"type": ["number", "null"]}},
        },
    ),
    "Operation": _object(
        "operation document version schema",
        operation={"type": "string", "maxLength": 64, "description": "A new id, such as a UUID"},
        document=_TEXT,
        version=_NUMBER,
        schema=_NUMBER,
        put=_list("Put"),
        delete=_TEXTS,
        labels={"type": "object", "additionalProperties": _TEXTS},
        status=_STATUS,
        flagged=_TRUTH,
        comments=_object(
            "", put={"type": "array", "items": _object("id text", id=_TEXT, text=_TEXT, entity=_TEXT)}, delete=_TEXTS
        ),
        undoes=_TEXT,
    ),
    "Saved": _object(
        "version schema replayed status", version=_NUMBER, schema=_NUMBER, replayed=_TRUTH, status=_STATUS, documents=_NUMBER
    ),
    "Undo": _object("operation undoes", operation=_TEXT, undoes=_TEXT),
    "History": _object(
        "events",
        events={
            "type": "array",
            "items": _object(
                "number operation who at kind before after undone",
                number=_NUMBER,
                operation=_TEXT,
                document=_TEXT,
                who=_TEXT,
                at=_TEXT,
                kind=_TEXT,
                version=_NUMBER,
                before=_OBJECT,
                after=_OBJECT,
                undoes=_TEXT,
                undone=_TRUTH,
            ),
        },
    ),
    "Session": _object(
        "who local project project_id language schema guideline progress settings training",
        who=_TEXT,
        local=_TRUTH,
        project=_TEXT,
        project_id={"type": "string", "description": "Tells the project from all others, whatever it is called"},
        language=_TEXT,
        schema=_OBJECT,
        guideline={"type": ["string", "null"]},
        progress=_OBJECT,
        settings=_OBJECT,
        training=_OBJECT,
    ),
    "Next": _object("tab", tab=_TEXT, resume=_TRUTH, exclude=_TEXTS, finished={"type": ["string", "null"]}),
    "Served": _object(
        "document until lease_seconds progress",
        document={"oneOf": [_ref("StoredDocument"), {"type": "null"}]},
        until={"type": ["number", "null"], "description": "End of the lease, in seconds since 1970"},
        lease_seconds={"type": ["number", "null"], "description": "How long it lasts from now on"},
        progress=_OBJECT,
    ),
    "Lease": _object("id tab", id=_TEXT, tab=_TEXT),
    "Open": _object("id tab", id=_TEXT, tab=_TEXT, open=_TRUTH),
    "Leased": _object(
        "until lease_seconds", until={"type": "number"}, lease_seconds={"type": "number"}, document=_ref("StoredDocument")
    ),
    "Released": _object("released", released=_TRUTH),
    "Documents": _object(
        "documents next",
        documents={
            "type": "array",
            "items": _object(
                "id number status split flagged comments accepted suggested excerpt",
                id=_TEXT,
                number=_NUMBER,
                status=_STATUS,
                split=_SPLIT,
                flagged=_TRUTH,
                comments=_NUMBER,
                accepted=_NUMBER,
                suggested=_NUMBER,
                excerpt=_TEXT,
            ),
        },
        next={"type": ["integer", "null"]},
    ),
    "LabelAll": _object(
        "surface label",
        operation=_TEXT,
        surface=_TEXT,
        label=_TEXT,
        match_case=_TRUTH,
        statuses={"type": "array", "items": _STATUS},
        splits={"type": "array", "items": _SPLIT},
        as_suggestions=_TRUTH,
    ),
    "Matches": _object(
        "documents matches",
        documents=_NUMBER,
        matches=_NUMBER,
        already=_NUMBER,
        otherwise=_NUMBER,
        samples={
            "type": "array",
            "items": _object("id before surface after", id=_TEXT, before=_TEXT, surface=_TEXT, after=_TEXT),
        },
    ),
    "Schema": _object("layers version", layers={"type": "array", "items": _OBJECT}, version=_NUMBER),
    "SchemaPreview": _object("change", change=_OBJECT),
    "SchemaChange": _object("operation version change", operation=_TEXT, version=_NUMBER, change=_OBJECT),
    "Training": _object(
        "run active done_since retrain_after",
        run={"type": ["object", "null"]},
        active={"type": ["string", "null"]},
        done_since=_NUMBER,
        retrain_after=_NUMBER,
    ),
    "TrainingAction": _object("action", action={"type": "string", "enum": ["start", "stop", "resume"]}),
    "Object": _OBJECT,
}


def body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    """The description of a request body: its shape and an example of it."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _ref(name), "example": example}}}}


def shape(name: str, description: str) -> dict[str, Any]:
    """The description of an answer."""
    return {"description": description, "content": {"application/json": {"schema": _ref(name)}}}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The descriptions of refusals."""
    content = {"application/json": {"schema": ERROR_SCHEMA}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}
