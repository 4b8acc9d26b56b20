from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from viner.server.entrance import LANGUAGE_COOKIE, best_language, entrance_router

LANGUAGES = ("en", "vi")


def visitor(*, space: bool = False) -> TestClient:
    app = FastAPI()
    app.include_router(entrance_router(LANGUAGES, space=space))
    return TestClient(app, follow_redirects=False)


@pytest.fixture
def client() -> Iterator[TestClient]:
    with visitor() as client:
        yield client


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en;q=0.3, vi;q=0.4", "vi"),
        ("fr,de;q=0.9", "en"),
        ("fr,vi;q=0.1", "vi"),
        ("VI", "vi"),
        ("vi;q=x,en", "en"),
        ("vi;q=0", "en"),
        ("*", "en"),
    ],
)
def test_the_best_language_is_taken(header: str, language: str) -> None:
    assert best_language(header, LANGUAGES) == language


def test_the_root_leads_to_the_page_in_the_visitors_language(client: TestClient) -> None:
    response = client.get("/", headers={"accept-language": "vi"})
    assert (response.status_code, response.headers["location"]) == (302, "/vi/")
    assert "Accept-Language" in response.headers["vary"]


def test_a_query_survives_the_way(client: TestClient) -> None:
    assert client.get("/?__theme=dark").headers["location"] == "/en/?__theme=dark"


def test_a_chosen_language_is_remembered(client: TestClient) -> None:
    response = client.get("/language/vi")
    assert response.headers["location"] == "/vi/"
    assert response.headers["set-cookie"].endswith("HttpOnly; SameSite=Strict")
    assert client.get("/", headers={"accept-language": "en"}).headers["location"] == "/vi/"


def test_a_language_can_be_chosen_on_any_page_and_leads_back_to_it_only(client: TestClient) -> None:
    response = client.get("/language/vi?next=/annotate/")
    assert response.headers["location"] == "/annotate/"
    assert response.headers["set-cookie"].startswith(f"{LANGUAGE_COOKIE}=vi;")
    for evil in ("//evil.example", "https://evil.example", "/%5Cevil.example", ""):
        assert client.get(f"/language/vi?next={evil}").headers["location"] == "/"


def test_in_a_space_the_cookie_works_within_a_frame() -> None:
    cookie = visitor(space=True).get("/language/en").headers["set-cookie"]
    assert cookie.endswith("HttpOnly; Secure; SameSite=None; Partitioned")


@pytest.mark.parametrize("language", ["fr", "%0d%0aX-Evil:1", "en%22"])
def test_other_languages_set_nothing(client: TestClient, language: str) -> None:
    response = client.get(f"/language/{language}")
    assert response.headers["location"] == "/"
    assert "set-cookie" not in response.headers


def test_a_forged_cookie_is_ignored(client: TestClient) -> None:
    client.cookies.set(LANGUAGE_COOKIE, "//evil.example")
    assert client.get("/").headers["location"] == "/en/"
