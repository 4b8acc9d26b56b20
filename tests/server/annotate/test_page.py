from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from studios import FakeStudio

from viner.server.annotate.page import Assets


@pytest.fixture
def page(local: TestClient) -> str:
    return local.get("/annotate/").text


def files(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(static[^"]+)"', page)


def test_everything_the_page_names_is_there_and_kept_for_good(local: TestClient, page: str) -> None:
    assert len(files(page)) > 3
    for name in files(page):
        response = local.get(f"/annotate/{name}")
        assert response.status_code == 200
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["content-type"].startswith(("text/javascript", "text/css"))
        assert response.headers["x-content-type-options"] == "nosniff"


def test_the_page_itself_is_asked_for_each_time(local: TestClient) -> None:
    assert local.get("/annotate/").headers["cache-control"] == "no-cache"
    assert local.get("/annotate?document=a").headers["location"] == "/annotate/?document=a"


def test_files_of_another_version_are_not_there(local: TestClient, page: str) -> None:
    current = files(page)[0]
    assert local.get(re.sub(r"static-\w+", "/annotate/static-0123456789abcdef", current)).status_code == 404


def test_plain_names_are_checked_each_time(local: TestClient, page: str) -> None:
    plain = "/annotate/static/" + files(page)[0].split("/", 1)[1]
    first = local.get(plain)
    assert first.headers["cache-control"] == "no-cache"
    assert local.get(plain, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert local.get(plain, headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "../page.py",
        "..%2fpage.py",
        "%2e%2e/page.py",
        "....//page.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "..\\page.py",
        "",
        "a\0",
    ],
)
def test_no_path_leads_out_of_the_folder(local: TestClient, page: str, path: str) -> None:
    folder = files(page)[0].split("/", 1)[0]
    for start in ("static", folder):
        response = local.get(f"/annotate/{start}/{path}") if "\0" not in path else local.get(f"/annotate/{start}/a%00")
        assert response.status_code == 404


def test_the_version_follows_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text("1")
    first = Assets.read(tmp_path)
    assert Assets.read(tmp_path) == first
    (tmp_path / ".hidden").write_text("x")
    assert Assets.read(tmp_path) == first
    (tmp_path / "a.js").write_text("2")
    assert Assets.read(tmp_path).version != first.version
    (tmp_path / "a.js").rename(tmp_path / "b.js")
    assert len({first.version, Assets.read(tmp_path).version}) == 2


def test_the_page_runs_nothing_but_its_own_files(local: TestClient, page: str) -> None:
    policy = local.get("/annotate/").headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "style=" not in page
    assert local.get("/annotate/api/session").headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(("header", "language"), [("vi", "vi"), ("en", "en"), ("fr", "en")])
def test_the_page_speaks_the_visitors_language(local: TestClient, header: str, language: str) -> None:
    assert f'<html lang="{language}">' in local.get("/annotate/", headers={"accept-language": header}).text
    local.cookies.set("viner_language", "vi")
    assert '<html lang="vi">' in local.get("/annotate/", headers={"accept-language": header}).text


def test_without_a_model_recognition_says_so(local: TestClient, studio: FakeStudio) -> None:
    response = local.post("/api/v1/recognize", json={"texts": ["Lan"]})
    assert (response.status_code, response.json()["error"]["code"]) == (409, "no_model")
    assert local.get("/api/v1/model").status_code == 409
    assert local.get("/api/v1/ready").json() == {"ready": True, "model": "none", "console": "off"}
    assert local.get("/", headers={"accept-language": "vi"}).headers["location"] == "/vi/"
