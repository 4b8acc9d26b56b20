from __future__ import annotations

import re

from fastapi.testclient import TestClient

from viner.server.openapi import reference_page


def test_every_route_of_the_api_is_described(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert set(paths) == {f"/api/v1/{name}" for name in ("recognize", "health", "ready", "model", "metrics")}
    recognize = paths["/api/v1/recognize"]["post"]
    assert "application/json" in recognize["requestBody"]["content"]
    assert {"200", "400", "403", "413", "415", "422"} <= set(recognize["responses"])


def test_the_page_shows_every_route_and_loads_nothing(client: TestClient) -> None:
    page = client.get("/api/docs").text
    for name in ("recognize", "health", "ready", "model", "metrics"):
        assert f"/api/v1/{name}" in page
    assert "http://testserver/api/v1/recognize" in page
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_the_page_escapes_what_it_shows(client: TestClient) -> None:
    description = client.get("/api/openapi.json").json()
    description["info"]["title"] = "<b>x</b>"
    assert "<b>" not in reference_page(description, 'http://"><script>alert(1)</script>')
    assert "<script" not in reference_page(description, 'http://"><script>alert(1)</script>')
