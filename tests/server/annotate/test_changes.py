from __future__ import annotations

import re

from fastapi.testclient import TestClient
from studios import FakeStudio

from viner.annotation.sync import write_back

API = "/annotate/api"
SEARCH = {"surface": "Hà Nội", "label": "LOCATION"}
RENAME = {"kind": "rename", "label": "LOCATION", "to": "PLACE"}


def test_labeling_everywhere_is_looked_at_done_and_taken_back(client: TestClient) -> None:
    preview = client.post(f"{API}/label-all/preview", json=SEARCH).json()
    assert (preview["documents"], preview["matches"], preview["already"]) == (5, 5, 0)
    assert set(preview["samples"][0]) == {"id", "before", "surface", "after"}
    done = client.post(f"{API}/label-all", json={"operation": "all", **SEARCH}).json()
    assert (done["documents"], done["matches"]) == (5, 5)
    assert client.post(f"{API}/label-all/preview", json=SEARCH).json()["matches"] == 0
    undone = client.post(f"{API}/undo", json={"operation": "u", "undoes": "all"})
    assert (undone.status_code, undone.json()["documents"]) == (200, 5)
    assert client.post(f"{API}/label-all/preview", json=SEARCH).json()["matches"] == 5


def test_as_suggestions_nothing_is_accepted_and_no_document_is_begun(client: TestClient, filled: FakeStudio) -> None:
    wanted = {**SEARCH, "as_suggestions": True}
    assert client.post(f"{API}/label-all/preview", json=wanted).json()["matches"] == 5
    done = client.post(f"{API}/label-all", json={"operation": "all", **wanted}).json()
    assert (done["documents"], done["matches"]) == (5, 5)
    assert filled.store.counts().labels["LOCATION"] == {"accepted": 0, "suggested": 5, "rejected": 0}
    assert filled.store.counts().status("started") == 0
    assert client.post(f"{API}/label-all/preview", json=wanted).json()["already"] == 5
    again = client.post(f"{API}/label-all", json={"operation": "all", **wanted}).json()
    assert again["replayed"]
    other = client.post(f"{API}/label-all", json={"operation": "all", **SEARCH})
    assert (other.status_code, other.json()["error"]["where"]) == (422, "operation")
    refused = client.post(f"{API}/label-all/preview", json={**SEARCH, "as_suggestions": "yes"})
    assert (refused.status_code, refused.json()["error"]["where"]) == (422, "as_suggestions")
    assert client.post(f"{API}/undo", json={"operation": "u", "undoes": "all"}).json()["documents"] == 5
    assert "LOCATION" not in filled.store.counts().labels


def test_what_is_older_than_a_change_of_the_schema_is_taken_back_under_the_labels_of_today(
    client: TestClient, filled: FakeStudio
) -> None:
    client.post(f"{API}/label-all", json={"operation": "all", **SEARCH})
    client.post(f"{API}/schema/change", json={"operation": "s", "version": 1, "change": RENAME})
    assert client.post(f"{API}/undo", json={"operation": "u", "undoes": "all"}).json()["documents"] == 5
    assert "PLACE" not in filled.store.counts().labels
    to_town = {"kind": "rename", "label": "PLACE", "to": "TOWN"}
    client.post(f"{API}/schema/change", json={"operation": "s2", "version": 2, "change": to_town})
    assert client.post(f"{API}/undo", json={"operation": "u2", "undoes": "u"}).json()["documents"] == 5
    assert filled.store.counts().labels["TOWN"]["accepted"] == 5
    client.post(f"{API}/undo", json={"operation": "u3", "undoes": "u2"})
    gone = {"kind": "delete", "label": "TOWN"}
    client.post(f"{API}/schema/change", json={"operation": "s3", "version": 3, "change": gone})
    refused = client.post(f"{API}/undo", json={"operation": "u4", "undoes": "u3"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "refused")
    assert refused.json()["error"]["message"] == "no label follows 'TOWN': it was deleted"


def test_an_unknown_label_is_labeled_nowhere(client: TestClient) -> None:
    response = client.post(f"{API}/label-all", json={"operation": "all", "surface": "Lan", "label": "NOBODY"})
    assert (response.status_code, response.json()["error"]["code"]) == (422, "refused")


def test_the_schema_changes_and_changes_back(client: TestClient, filled: FakeStudio) -> None:
    assert client.get(f"{API}/schema").json()["version"] == 1
    preview = client.post(f"{API}/schema/preview", json={"change": RENAME})
    assert preview.status_code == 200
    assert client.get(f"{API}/schema").json()["version"] == 1
    changed = client.post(f"{API}/schema/change", json={"operation": "s", "version": 1, "change": RENAME}).json()
    assert changed["schema"]["version"] == 2
    assert [item["name"] for item in changed["schema"]["layers"][0]["types"]] == ["PERSON", "PLACE", "DATE"]
    assert filled.project.schema()["entities"].names == ("PERSON", "PLACE", "DATE")
    assert filled.schema_changes == 1
    stale = client.post(f"{API}/schema/change", json={"operation": "s2", "version": 1, "change": RENAME})
    assert (stale.status_code, stale.json()["schema"]["version"]) == (409, 2)
    assert client.post(f"{API}/undo", json={"operation": "u", "undoes": "s"}).status_code == 200
    assert [item["name"] for item in client.get(f"{API}/schema").json()["layers"][0]["types"]][1] == "LOCATION"
    assert filled.schema_changes == 2


def test_rules_follow_a_renamed_label_and_are_counted(client: TestClient, filled: FakeStudio) -> None:
    file = filled.project.path / "viner.toml"
    rule = '\n[[rules.patterns]]\nlabel = "LOCATION"\npattern = "Ward"\n'
    file.write_text(file.read_text(encoding="utf-8") + rule, encoding="utf-8")
    write_back(filled.store, filled.project)
    changed = client.post(f"{API}/schema/change", json={"operation": "s", "version": 1, "change": RENAME}).json()
    assert changed["rules"] == 1
    assert filled.project.settings().patterns[0].label == "PLACE"
    undone = client.post(f"{API}/undo", json={"operation": "u", "undoes": "s"}).json()
    assert undone["rules"] == 1
    assert filled.project.settings().patterns[0].label == "LOCATION"
    described = {"kind": "describe", "label": "LOCATION", "description": "Where"}
    other = client.post(f"{API}/schema/change", json={"operation": "d", "version": 3, "change": described}).json()
    assert "rules" not in other


def test_a_change_stands_although_viner_toml_cannot_be_rewritten(client: TestClient, filled: FakeStudio) -> None:
    file = filled.project.path / "viner.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[annotation\n", encoding="utf-8")
    changed = client.post(f"{API}/schema/change", json={"operation": "s", "version": 1, "change": RENAME})
    assert changed.status_code == 200
    assert "viner.toml" in changed.json()["unwritten"]
    undone = client.post(f"{API}/undo", json={"operation": "u", "undoes": "s"})
    assert (undone.status_code, "viner.toml" in undone.json()["unwritten"]) == (200, True)
    assert client.get(f"{API}/schema").json()["version"] == 3


def test_a_change_that_does_not_fit_is_refused(client: TestClient) -> None:
    for change in ({"kind": "rename", "label": "NOBODY", "to": "X"}, {"kind": "explode"}, {}, {"kind": "rename"}):
        body = {"operation": "s", "version": 1, "change": change}
        assert client.post(f"{API}/schema/change", json=body).status_code == 422


def test_a_training_is_started_stopped_and_resumed(client: TestClient, filled: FakeStudio) -> None:
    assert client.get(f"{API}/training").json() == {"run": None, "active": None, "done_since": 0, "retrain_after": 0}
    assert client.post(f"{API}/training", json={"action": "stop"}).status_code == 409
    states = [client.post(f"{API}/training", json={"action": action}).json()["run"] for action in ("start", "stop", "resume")]
    assert [run["state"] for run in states] == ["running", "stopped", "running"]
    assert filled.runs.asked == [{"epochs": 3}], "the recipe of the model in service"


def test_every_route_is_described_with_an_example(client: TestClient) -> None:
    description = client.get("/api/openapi.json").json()
    paths = {path.removeprefix(f"{API}/"): methods for path, methods in description["paths"].items() if path.startswith(API)}
    assert set(paths) == {
        "session", "next", "document", "lease", "release", "operations", "history", "undo", "documents", "label-all/preview",
        "label-all", "schema", "schema/preview", "schema/change", "training",
    }  # fmt: skip
    text = client.get("/api/openapi.json").text
    for name in set(re.findall(r"#/components/schemas/(\w+)", text)):
        assert name in description["components"]["schemas"]
    for methods in paths.values():
        for method, operation in methods.items():
            assert {"200", "401"} <= set(operation["responses"])
            assert (method == "post") == ("requestBody" in operation)
    page = client.get("/api/docs").text
    assert f"{API}/operations" in page
    assert "<script" not in page
