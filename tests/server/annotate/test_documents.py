from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from annotate_fakes import SlowSuggester
from fastapi.testclient import TestClient
from studios import FakeStudio

from conftest import visit
from viner.document import Document
from viner.store import Store

API = "/annotate/api"


def following(client: TestClient, tab: str = "t1", **more: Any) -> Any:
    return client.post(f"{API}/next", json={"tab": tab, **more}).json()


def test_the_session_says_who_works_on_what(client: TestClient) -> None:
    answer = client.get(f"{API}/session").json()
    assert set(answer) == {
        "who", "local", "project", "project_id", "language", "schema", "guideline", "progress", "settings", "training",
    }  # fmt: skip
    assert (answer["project"], answer["language"], answer["schema"]["version"]) == ("Notices", "vi", 1)
    assert [item["name"] for item in answer["schema"]["layers"][0]["types"]] == ["PERSON", "LOCATION", "DATE"]
    assert all(item["color"].startswith("#") for layer in answer["schema"]["layers"] for item in layer["types"])
    assert (answer["progress"]["documents"], answer["progress"]["todo"]) == (5, 5)
    assert answer["settings"]["order"] == "given"


def test_the_next_document_is_leased(client: TestClient) -> None:
    answer = following(client)
    assert answer["document"]["id"] == "d0"
    assert answer["document"]["words"][:4] == [0, 4, 5, 9]
    assert answer["until"] > time.time() + 60
    assert answer["progress"]["todo"] == 5
    assert following(client, "t2")["document"]["id"] == "d1"
    assert following(client, "t1", resume=True)["document"]["id"] == "d0"


def test_a_finished_document_makes_place_for_the_next(client: TestClient) -> None:
    following(client)
    done = {"operation": "o1", "document": "d0", "version": 1, "schema": 1, "status": "done"}
    assert client.post(f"{API}/operations", json=done).status_code == 200
    answer = following(client, finished="d0")
    assert (answer["document"]["id"], answer["progress"]["done"]) == ("d1", 1)


def test_when_nothing_waits_there_is_no_document(client: TestClient) -> None:
    everything = [f"d{number}" for number in range(5)]
    answer = following(client, exclude=everything)
    assert (answer["document"], answer["until"]) == (None, None)


def test_no_two_people_get_the_same_document(client: TestClient) -> None:
    start = threading.Barrier(5)

    def ask(number: int) -> str:
        start.wait()
        return following(client, f"t{number}")["document"]["id"]

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(ask, range(5))) == [f"d{number}" for number in range(5)]


def test_a_lease_is_renewed_and_released(client: TestClient, filled: FakeStudio) -> None:
    assert client.post(f"{API}/lease", json={"id": "d0", "tab": "t1"}).json()["until"] > time.time()
    filled.queue.lease("d1", "somebody", "t9")
    response = client.post(f"{API}/lease", json={"id": "d1", "tab": "t1"})
    assert (response.status_code, response.json()["error"]["code"], response.json()["held_by"]) == (409, "leased", "somebody")
    assert client.post(f"{API}/release", json={"id": "d1", "tab": "t1"}).status_code == 200
    assert client.post(f"{API}/lease", json={"id": "d1", "tab": "t1"}).status_code == 409
    assert client.post(f"{API}/release", json={"id": "d0", "tab": "t1"}).json() == {"released": True}
    filled.queue.lease("d0", "somebody", "t9")
    assert client.post(f"{API}/lease", json={"id": "nowhere", "tab": "t1"}).status_code == 404


def test_a_document_that_is_opened_from_a_list_comes_with_its_lease(client: TestClient) -> None:
    answer = client.post(f"{API}/lease", json={"id": "d3", "tab": "t1", "open": True}).json()
    assert answer["document"]["id"] == "d3"
    assert answer["document"]["sampled"]["by"] == "chosen"
    assert answer["until"] > time.time()


def test_a_document_of_five_megabytes_on_one_line_is_served(make_studio: Callable[..., FakeStudio], store: Store) -> None:
    text = "a" * 2_500_000 + "<script>alert(1)</script>\u2028" + "ồ" * 1_200_000
    store.add([Document(text, id="big")], who="import")
    with visit(make_studio(store)) as client:
        assert following(client)["document"]["text"] == text
        response = client.get(f"{API}/document", params={"id": "big"})
        assert response.json()["text"] == text
        assert response.headers["content-type"] == "application/json"
        assert response.headers["cache-control"] == "no-store"


def test_metadata_of_any_size_of_numbers_is_served(make_studio: Callable[..., FakeStudio], store: Store) -> None:
    store.add([Document("a", id="d", meta={"case": 10**30})], who="import")
    with visit(make_studio(store)) as client:
        assert client.get(f"{API}/document", params={"id": "d"}).json()["meta"] == {"case": 10**30}


@pytest.mark.parametrize(
    ("name", "status"), [("nowhere", 404), ("../../etc/passwd", 404), ("d0' OR 1=1 --", 404), ("a\0", 422)]
)
def test_ids_are_nothing_but_ids(client: TestClient, name: str, status: int) -> None:
    assert client.get(f"{API}/document", params={"id": name}).status_code == status


def test_documents_are_listed_page_by_page_and_filtered(client: TestClient) -> None:
    client.post(f"{API}/operations", json={"operation": "o", "document": "d2", "version": 1, "schema": 1, "flagged": True})
    first = client.get(f"{API}/documents", params={"limit": 3}).json()
    assert [row["id"] for row in first["documents"]] == ["d0", "d1", "d2"]
    rest = client.get(f"{API}/documents", params={"limit": 3, "after": first["next"]}).json()
    assert ([row["id"] for row in rest["documents"]], rest["next"]) == (["d3", "d4"], None)
    assert [row["id"] for row in client.get(f"{API}/documents?flagged=1").json()["documents"]] == ["d2"]
    assert len(client.get(f"{API}/documents", params={"q": "hà nội"}).json()["documents"]) == 5
    assert client.get(f"{API}/documents?status=done&status=skipped").json()["documents"] == []
    assert len(client.get(f"{API}/documents?status=todo,started&split=train").json()["documents"]) == 5


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("status=finished", "status"),
        ("split=gold", "split"),
        ("limit=0", "query.limit"),
        ("after=x", "query.after"),
        ("q=%00", "q"),
    ],
)
def test_a_list_that_cannot_be_made_says_why(client: TestClient, query: str, where: str) -> None:
    response = client.get(f"{API}/documents?{query}")
    assert (response.status_code, response.json()["error"]["where"]) == (422, where)


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("next", {}, "tab"),
        ("next", {"tab": "x" * 65}, "tab"),
        ("next", {"tab": "t", "exclude": "d0"}, "exclude"),
        ("next", {"tab": "t", "exclude": ["d\ud800"]}, "exclude[0]"),
        ("next", {"tab": "t", "who": "an"}, "body"),
        ("lease", {"id": 3, "tab": "t"}, "id"),
        ("label-all/preview", {"surface": "Lan", "label": "PERSON", "statuses": ["all"]}, "statuses"),
        ("label-all", {"surface": "Lan", "label": "PERSON"}, "operation"),
        ("schema/preview", {"change": "rename"}, "change"),
        ("schema/change", {"operation": "s", "version": True, "change": {"kind": "rename"}}, None),
        ("training", {"action": "explode"}, "action"),
        ("undo", {"operation": "u"}, "undoes"),
    ],
)
def test_wrong_fields_are_named(client: TestClient, path: str, body: dict[str, Any], where: str | None) -> None:
    import json

    raw = json.dumps(body).encode()
    response = client.post(f"{API}/{path}", content=raw, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert where is None or response.json()["error"]["where"] == where


def test_a_project_keeps_an_id_of_its_own_whatever_it_is_called(
    client: TestClient, make_studio: Callable[..., FakeStudio], store: Store
) -> None:
    first = client.get(f"{API}/session").json()["project_id"]
    with visit(make_studio(store)) as again:
        assert again.get(f"{API}/session").json()["project_id"] == first
    assert len(first) == 32


def test_a_lease_says_how_long_it_lasts(client: TestClient) -> None:
    served = following(client)
    assert 1790 < served["lease_seconds"] <= 1800
    for more in ({}, {"open": True}):
        renewed = client.post(f"{API}/lease", json={"id": served["document"]["id"], "tab": "t1", **more}).json()
        assert 1790 < renewed["lease_seconds"] <= 1800


def test_models_that_hang_keep_nobody_from_a_document(
    make_studio: Callable[..., FakeStudio], store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("viner.annotation.queue._PATIENCE", 0.2)
    store.add([Document(f"Lan {number}", id=f"d{number}") for number in range(20)], who="import")
    suggester = SlowSuggester(store.schema()[0])
    with visit(make_studio(store, suggester=suggester)) as client, ThreadPoolExecutor(12) as pool:
        served = list(pool.map(lambda number: following(client, f"t{number}"), range(12)))
        assert len({answer["document"]["id"] for answer in served}) == 12
        assert not suggester.go.is_set()
        assert "served without them" in caplog.text
        assert "waiting for theirs already" in caplog.text
        suggester.go.set()
    for thread in threading.enumerate():
        if thread.name == "suggestions":
            thread.join(20)


def test_saving_does_not_wait_for_a_slow_recognizer(
    make_studio: Callable[..., FakeStudio], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viner.annotation.queue._PATIENCE", 60)
    store.add([Document(f"Lan {number}", id=f"d{number}") for number in range(20)], who="import")
    suggester = SlowSuggester(store.schema()[0])
    with visit(make_studio(store, suggester=suggester)) as client, ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(following, client, f"t{number}") for number in range(12)]
        assert suggester.asked.wait(20)
        step = {"operation": "o", "document": "d19", "version": 1, "schema": 1, "flagged": True}
        assert client.post(f"{API}/operations", json=step).status_code == 200
        assert client.get(f"{API}/document", params={"id": "d19"}).json()["flagged"]
        assert not any(future.done() for future in waiting)
        suggester.go.set()
        assert all(future.result()["document"] for future in waiting)
