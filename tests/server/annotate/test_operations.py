from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from studios import FakeStudio

from conftest import visit
from viner.document import Document
from viner.store import StoreFullError, StoreLockedError

URL = "/annotate/api/operations"
HANOI = {"id": "e1", "start": 15, "end": 21, "surface": "Hà Nội", "label": "LOCATION", "state": "accepted"}
LAN = {"id": "e2", "start": 28, "end": 31, "surface": "Lan", "label": "PERSON", "state": "accepted"}


def step(operation: str = "o1", version: int = 1, document: str = "d0", **changes: Any) -> dict[str, Any]:
    return {"operation": operation, "document": document, "version": version, "schema": 1, **changes}


def document(client: TestClient, name: str = "d0") -> dict[str, Any]:
    return client.get("/annotate/api/document", params={"id": name}).json()


def test_a_step_is_saved_and_acknowledged(client: TestClient) -> None:
    response = client.post(URL, json=step(put=[HANOI]))
    assert response.status_code == 200
    assert response.json() == {"version": 2, "schema": 1, "replayed": False, "status": "started"}
    stored = document(client)
    assert stored["text"][15:21] == "Hà Nội"
    assert stored["entities"] == [{key: value for key, value in HANOI.items() if key != "surface"}]
    assert stored["annotator"] == "local"


def test_a_step_that_is_sent_again_is_done_once(client: TestClient, filled: FakeStudio) -> None:
    done = step(put=[HANOI], status="done")
    first, again = client.post(URL, json=done), client.post(URL, json=done)
    assert first.status_code == again.status_code == 200
    assert again.json() == {**first.json(), "replayed": True}
    assert document(client)["version"] == 2
    assert filled.done == 1


def test_only_newly_done_documents_count_towards_the_next_training(client: TestClient, filled: FakeStudio) -> None:
    client.post(URL, json=step(put=[HANOI]))
    assert filled.done == 0
    client.post(URL, json=step("o2", 2, status="done"))
    assert filled.done == 1


def test_a_stale_step_changes_nothing_and_brings_the_current_document(client: TestClient) -> None:
    client.post(URL, json=step(put=[HANOI]))
    response = client.post(URL, json=step("o2", put=[LAN]))
    assert response.status_code == 409
    answer = response.json()
    assert answer["error"]["code"] == "stale_version"
    assert answer["document"] == document(client)
    assert answer["schema"]["version"] == 1
    assert all(item["color"] for item in answer["schema"]["layers"][0]["types"])
    assert client.post(URL, json=step("o3", answer["document"]["version"], put=[LAN])).status_code == 200
    assert [entity["id"] for entity in document(client)["entities"]] == ["e1", "e2"]


def test_a_step_under_an_old_schema_brings_the_current_one(client: TestClient) -> None:
    change = {"kind": "rename", "label": "LOCATION", "to": "PLACE"}
    changed = client.post("/annotate/api/schema/change", json={"operation": "s1", "version": 1, "change": change})
    assert changed.status_code == 200
    response = client.post(URL, json=step(put=[HANOI]))
    assert response.status_code == 409
    answer = response.json()
    assert answer["error"]["code"] == "stale_schema"
    assert [item["name"] for item in answer["schema"]["layers"][0]["types"]] == ["PERSON", "PLACE", "DATE"]
    assert answer["document"]["schema"] == answer["schema"]["version"] == 2
    assert answer["renamed"] == {"PERSON": "PERSON", "LOCATION": "PLACE", "DATE": "DATE"}
    assert client.get("/annotate/api/schema?since=1").json()["renamed"] == answer["renamed"]


def test_history_speaks_of_labels_as_they_are_called_today(client: TestClient) -> None:
    assert client.post(URL, json=step("o1", put=[HANOI])).status_code == 200
    change = {"kind": "rename", "label": HANOI["label"], "to": "PLACE"}
    changed = client.post("/annotate/api/schema/change", json={"operation": "s1", "version": 1, "change": change})
    assert changed.status_code == 200
    events = client.get("/annotate/api/history", params={"id": document(client)["id"]}).json()["events"]
    made = next(event for event in events if event["operation"] == "o1")
    assert made["after"]["entities"]["e1"]["label"] == "PLACE"


def test_the_history_of_what_no_document_can_be_called(client: TestClient) -> None:
    response = client.get("/annotate/api/history", params={"id": "a\0"})
    assert (response.status_code, response.json()["error"]["where"]) == (422, "id")


def test_history_knows_what_became_of_labels_that_swapped_their_names(client: TestClient) -> None:
    assert client.post(URL, json=step("o1", put=[LAN, HANOI])).status_code == 200
    swap = [("PERSON", "TMP"), ("LOCATION", "PERSON"), ("TMP", "LOCATION")]
    for version, (label, to) in enumerate(swap, 1):
        change = {"kind": "rename", "label": label, "to": to}
        sent = client.post(
            "/annotate/api/schema/change", json={"operation": f"s{version}", "version": version, "change": change}
        )
        assert sent.status_code == 200
    events = client.get("/annotate/api/history", params={"id": document(client)["id"]}).json()["events"]
    made = next(event for event in events if event["operation"] == "o1")
    now = {entity["id"]: entity["label"] for entity in document(client)["entities"]}
    assert {key: entity["label"] for key, entity in made["after"]["entities"].items()} == now
    assert now == {"e1": "PERSON", "e2": "LOCATION"}
    for schema, labels in ((1, {"e1": "LOCATION", "e2": "PERSON"}), (2, {"e1": "LOCATION", "e2": "TMP"}), (4, now)):
        params = {"id": document(client)["id"], "schema": schema}
        made = client.get("/annotate/api/history", params=params).json()["events"][-1]  # a page may have an older schema
        assert {key: entity["label"] for key, entity in made["after"]["entities"].items()} == labels


def test_classes_of_documents_follow_the_schema_in_conflicts_and_history(client: TestClient, filled: FakeStudio) -> None:
    name = document(client)["id"]
    schema, version = filled.store.schema()
    same = {layer.name: {label: label for label in layer.names} for layer in schema if layer.kind == "labels"}
    labels = {"labels": {"mood": ["calm"]}}
    assert client.post(URL, json={**step("o1"), **labels, "schema": version}).status_code == 200
    change = {"kind": "rename", "layer": "mood", "label": "calm", "to": "quiet"}
    sent = client.post("/annotate/api/schema/change", json={"operation": "s", "version": version, "change": change})
    assert sent.status_code == 200
    answer = client.post(URL, json={**step("o2", 2), **labels, "schema": version}).json()
    assert (answer["error"]["code"], answer["renamed_classes"]) == (
        "stale_schema",
        {**same, "mood": {"calm": "quiet", "urgent": "urgent", "sad": "sad"}},
    )
    told = client.get(f"/annotate/api/schema?since={version}").json()
    assert told["renamed_classes"] == answer["renamed_classes"]
    events = client.get("/annotate/api/history", params={"id": name}).json()["events"]
    assert [event["after"]["labels"]["mood"] for event in events] == [["quiet"], ["quiet"]]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"put": [{**HANOI, "end": 22}]}, "put[0]"),
        ({"put": [{**HANOI, "start": 14, "surface": " Hà Nội"}]}, "put[0]"),
        ({"put": [HANOI, {**LAN, "end": 99}]}, "put[1]"),
        ({"put": [{**LAN, "start": 2**70}]}, "put[0]"),
        ({"put": [{**LAN, "start": 28.0}]}, "put[0].start"),
        ({"put": [{**LAN, "start": True}]}, "put[0].start"),
        ({"put": [{**LAN, "label": "NOBODY"}]}, "put[0].label"),
        ({"put": [{**LAN, "state": "gold"}]}, "put[0].state"),
        ({"put": [{**LAN, "surface": "lan"}]}, "put[0]"),
        ({"put": [{**LAN, "onclick": "x"}]}, "put[0].onclick"),
        ({"put": {"0": LAN}}, "put"),
        ({"status": "finished"}, "status"),
        ({"flagged": "yes"}, "flagged"),
        ({"operation": "x" * 65}, "operation"),
        ({"operation": ""}, "operation"),
        ({"operation": "a\ud800"}, "operation"),
        ({"document": "d\u0000"}, "document"),
        ({"version": "1"}, "version"),
        ({"version": 2**80}, None),
        ({"who": "somebody else"}, "who"),
        ({"comments": {"put": [{"id": "c", "text": "x" * 10_001}]}}, "comments.put[0].text"),
    ],
)
def test_a_step_that_is_not_true_of_the_document_is_refused_with_the_place(
    client: TestClient, change: dict[str, Any], where: str | None
) -> None:
    body = json.dumps({**step(put=[]), **change}).encode("utf-8", "surrogatepass")
    response = client.post(URL, content=body, headers={"content-type": "application/json"})
    assert response.status_code in ((422,) if where else (409, 422))
    assert where is None or response.json()["error"]["where"].startswith(where)
    assert document(client)["version"] == 1
    assert document(client)["entities"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b"\xff\xfe", 400, "invalid_json"),
        (b"[" * 200_000, 400, "invalid_json"),
        (b'{"version": NaN}', 400, "invalid_json"),
        (b'{"version": ' + b"9" * 5_000 + b"}", 400, "invalid_json"),
        (b"[]", 422, "refused"),
        (b"null", 422, "refused"),
        (b'"text"', 422, "refused"),
    ],
)
@pytest.mark.parametrize("path", ["operations", "undo", "next", "lease", "label-all", "schema/change", "training"])
def test_hostile_bodies_are_refused(client: TestClient, path: str, body: bytes, status: int, code: str) -> None:
    response = client.post(f"/annotate/api/{path}", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert response.json()["error"]["code"] in (code, "invalid_input")


def test_a_body_must_say_that_it_is_json(client: TestClient) -> None:
    response = client.post(URL, content=b"{}", headers={"content-type": "text/plain"})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")


def test_a_body_over_the_limit_is_refused(filled: FakeStudio) -> None:
    with visit(filled, max_body=5_000) as client:
        response = client.post(URL, json=step(put=[{**HANOI, "surface": "x" * 6_000}]))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")


def test_a_document_that_is_not_there(client: TestClient) -> None:
    response = client.post(URL, json=step(document="nowhere"))
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_document")


@pytest.mark.parametrize("error", [StoreLockedError("locked", hint="wait"), StoreFullError("full", hint="make space")])
def test_a_locked_or_full_database_says_when_to_try_again(
    client: TestClient, filled: FakeStudio, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(filled.store, "save", fail)
        response = client.post(URL, json=step(put=[HANOI]))
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["error"]["hint"]
    assert client.post(URL, json=step(put=[HANOI])).json()["replayed"] is False


def test_of_two_people_at_once_one_is_told(client: TestClient) -> None:
    start = threading.Barrier(2)

    def save(number: int) -> int:
        start.wait()
        put = {**(HANOI, LAN)[number]}
        return client.post(URL, json=step(f"o{number}", put=[put])).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(save, range(2))) == [200, 409]
    assert len(document(client)["entities"]) == 1


def test_an_operation_is_taken_back(client: TestClient) -> None:
    client.post(URL, json=step(put=[HANOI]))
    answer = client.post("/annotate/api/undo", json={"operation": "u1", "undoes": "o1"})
    assert (answer.status_code, answer.json()["version"]) == (200, 3)
    assert document(client)["entities"] == []
    again = client.post("/annotate/api/undo", json={"operation": "u1", "undoes": "o1"})
    assert again.json()["replayed"] is True


def test_an_undo_that_would_overwrite_a_later_change_says_whose(client: TestClient) -> None:
    client.post(URL, json=step(put=[HANOI]))
    client.post(URL, json=step("o2", 2, put=[{**HANOI, "label": "PERSON"}]))
    response = client.post("/annotate/api/undo", json={"operation": "u1", "undoes": "o1"})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "conflict")
    conflict = response.json()["conflicts"][0]
    assert (conflict["id"], conflict["operation"], conflict["who"]) == ("e1", "o2", "local")


def test_an_undo_of_nothing_is_not_found(client: TestClient) -> None:
    response = client.post("/annotate/api/undo", json={"operation": "u1", "undoes": "nothing"})
    assert (response.status_code, response.json()["error"]["code"]) == (404, "unknown_operation")


def test_history_is_newest_first_and_goes_back_page_by_page(client: TestClient) -> None:
    client.post(URL, json=step(put=[HANOI]))
    client.post(URL, json=step("o2", 2, put=[LAN]))
    events = client.get("/annotate/api/history", params={"id": "d0", "mine": "1"}).json()["events"]
    assert [event["operation"] for event in events] == ["o2", "o1"]
    older = client.get("/annotate/api/history", params={"id": "d0", "mine": "1", "before": events[0]["number"]}).json()
    assert [event["operation"] for event in older["events"]] == ["o1"]


def test_no_text_of_a_document_reaches_the_log(
    make_studio: Callable[..., FakeStudio], store: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "Nguyễn Văn Kín"
    store.add([Document(secret, id="d0")], who="import")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot save {secret}")

    with caplog.at_level(logging.DEBUG), visit(make_studio(store)) as client:
        put = {"id": "e", "start": 0, "end": 6, "surface": "Nguyễn", "label": "PERSON"}
        client.post(URL, json=step(put=[{**put, "surface": "Kín"}]))
        client.post(URL, json=step(put=[put]))
        client.post(URL, json=step("o2", put=[put]))
        client.get("/annotate/api/documents", params={"q": secret})
        monkeypatch.setattr(store, "save", fail)
        assert client.post(URL, json=step("o3", 2)).status_code == 500
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "RuntimeError" in ours
    assert "POST /annotate/api/operations 409" in ours
    assert "Nguy" not in ours
    assert "Kín" not in ours
