from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from studios import FakeStudio

from conftest import visit
from viner.document import Document
from viner.server.login import own_path
from viner.server.sessions import Session, Sessions, cookie_name, session_key

SESSION = "/annotate/api/session"
ORIGIN = {"origin": "http://127.0.0.1:7860"}
PASSWORD = "correct horse"


@pytest.fixture
def team(studio: FakeStudio, monkeypatch: pytest.MonkeyPatch) -> FakeStudio:
    """A project of two people."""
    monkeypatch.setattr("viner.server.visitors._REMEMBER", 0.0)
    studio.store.accounts.add("an", PASSWORD)
    studio.store.accounts.add("Bình", PASSWORD)
    return studio


@pytest.fixture
def stranger(team: FakeStudio) -> Iterator[TestClient]:
    with visit(team) as client:
        yield client


def cookie_of(team: FakeStudio) -> str:
    """The name of the project's cookie."""
    return cookie_name(session_key(team.project.path))


def log_in(client: TestClient, name: str = "an", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/login", data={"name": name, "password": password, **more}, headers=ORIGIN)


@pytest.mark.parametrize("path", ["/", "/annotate/", "/annotate", "/api/docs", "/vi/", "/language/vi"])
def test_strangers_are_led_to_the_login_and_back(stranger: TestClient, path: str) -> None:
    response = stranger.get(f"{path}?a=b", headers={"accept": "text/html,*/*"})
    assert response.status_code == 303
    assert response.headers["location"] == f"/login?next={path}%3Fa%3Db"
    assert log_in(stranger, next=f"{path}?a=b").headers["location"] == f"{path}?a=b"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", SESSION),
        ("GET", "/annotate/api/document?id=a"),
        ("GET", "/annotate/api/nowhere"),
        ("POST", "/annotate/api/next"),
        ("POST", "/annotate/api/operations"),
        ("POST", "/api/v1/recognize"),
        ("GET", "/api/v1/model"),
        ("GET", "/api/v1/metrics"),
        ("GET", "/api/openapi.json"),
        ("GET", "/vi/config"),
        ("POST", "/vi/gradio_api/upload"),
        ("POST", "/en/gradio_api/queue/join"),
        ("GET", "/nowhere"),
    ],
)
def test_programs_and_scripts_without_a_session_get_401(stranger: TestClient, method: str, path: str) -> None:
    response = stranger.request(method, path, headers={"accept": "text/html"} if path.startswith("/annotate/api") else {})
    assert response.status_code == 401
    assert response.json()["error"]["code"] == "login_required"


def test_a_login_lets_in(stranger: TestClient) -> None:
    response = log_in(stranger)
    assert (response.status_code, response.headers["location"]) == (303, "/")
    answer = stranger.get(SESSION).json()
    assert (answer["who"], answer["local"]) == ("an", False)
    assert stranger.get("/login?next=/annotate/").headers["location"] == "/annotate/"


def test_a_name_may_be_typed_in_any_unicode_form(stranger: TestClient) -> None:
    log_in(stranger, " Bi\u0300nh ")
    assert stranger.get(SESSION).json()["who"] == "Bình"


def test_the_cookie_keeps_itself_to_itself(team: FakeStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    with visit(team) as client:
        cookie = log_in(client).headers["set-cookie"]
        assert cookie.startswith(f"{cookie_of(team)}=")
        assert cookie.split("; ")[1:] == ["Path=/", "Max-Age=1209600", "HttpOnly", "SameSite=Strict"]
    with visit(team, base_url="https://viner.example") as client:
        response = client.post("/login", data={"name": "an", "password": PASSWORD}, headers={"origin": "https://viner.example"})
        assert response.headers["set-cookie"].endswith("HttpOnly; Secure; SameSite=Strict")
    monkeypatch.setattr("viner.server.studio_app.STORAGE", team.project.path.parent)
    with visit(team, space=True) as client:
        assert log_in(client).headers["set-cookie"].endswith("HttpOnly; Secure; SameSite=None; Partitioned")


@pytest.mark.parametrize(
    ("name", "password"),
    [("an", "wrong horse"), ("nobody", PASSWORD), ("", PASSWORD), ("an", ""), ("a\0n", PASSWORD), ("x" * 300, PASSWORD)],
)
def test_a_wrong_login_lets_nobody_in(stranger: TestClient, name: str, password: str) -> None:
    response = log_in(stranger, name, password)
    assert response.status_code == 401
    assert "set-cookie" not in response.headers
    assert 'role="alert"' in response.text
    assert stranger.get(SESSION).status_code == 401


def test_the_form_never_shows_a_password_and_escapes_the_name(stranger: TestClient) -> None:
    page = log_in(stranger, '"><script>alert(1)</script>', "s3cret-password", next='/"><b>').text
    assert "<script" not in page
    assert "<b>" not in page
    assert "s3cret" not in page


def test_guessing_is_slowed_down_and_says_how_long(stranger: TestClient) -> None:
    answers = [log_in(stranger, "an", f"guess {number}") for number in range(9)]
    assert [answer.status_code for answer in answers] == [401] * 8 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 6
    assert log_in(stranger, " an", "guess").status_code == 429
    assert log_in(stranger, "Bình").status_code == 303


def test_who_logged_in_from_here_is_not_locked_out_by_strangers(team: FakeStudio) -> None:
    with visit(team) as client:
        log_in(client)
        client.cookies.clear()
        app = client.app
        elsewhere = TestClient(app, base_url="http://127.0.0.1:7860", client=("203.0.113.9", 1), follow_redirects=False)
        for number in range(9):
            last = log_in(elsewhere, "an", f"guess {number}")
        assert last.status_code == 429
        assert log_in(client).status_code == 303


def test_a_changed_password_ends_sessions_everywhere(team: FakeStudio, stranger: TestClient) -> None:
    log_in(stranger)
    team.store.accounts.set_password("an", "another horse")
    assert stranger.get(SESSION).status_code == 401


def test_a_removed_account_ends_its_sessions_even_if_it_comes_back(team: FakeStudio, stranger: TestClient) -> None:
    log_in(stranger)
    team.store.accounts.remove("an")
    assert stranger.get(SESSION).status_code == 401
    team.store.accounts.add("an", PASSWORD)
    assert stranger.get(SESSION).status_code == 401


def test_a_restart_keeps_sessions(team: FakeStudio) -> None:
    with visit(team) as before:
        cookie = log_in(before).cookies[cookie_of(team)]
    with visit(team) as after:
        after.cookies.set(cookie_of(team), cookie)
        assert after.get(SESSION).json()["who"] == "an"


def test_forged_and_old_cookies_are_nobodys(team: FakeStudio, stranger: TestClient) -> None:
    account = team.store.accounts.get("an")
    good, name = Sessions(session_key(team.project.path)), cookie_of(team)
    for cookie in (
        "an",
        Sessions(b"guess" * 10).sign(Session("an", account.epoch)),
        good.sign(Session("an", account.epoch - 1)),
        good.sign(Session("nobody", account.epoch)),
        good.sign(Session("local", account.epoch)),
    ):
        assert stranger.get(SESSION, headers={"cookie": f"{name}={cookie}"}).status_code == 401
    right = good.sign(Session("an", account.epoch))
    assert stranger.get(SESSION, headers={"cookie": f"a=b; viner_session=x; {name}={right}"}).status_code == 200


def test_projects_on_one_host_keep_their_cookies_apart(team: FakeStudio, tmp_path: Path) -> None:
    other = FakeStudio(tmp_path / "other")
    other.store.accounts.add("an", PASSWORD)
    with visit(team) as here, visit(other) as there:
        cookies = dict(log_in(here).cookies) | dict(log_in(there).cookies)
        assert len(cookies) == 2
        header = {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        for client in (here, there):
            client.cookies.clear()
            assert client.get(SESSION, headers=header).json()["who"] == "an"
    other.store.close()


def test_a_request_for_somebody_else_than_who_is_logged_in_is_refused(stranger: TestClient, team: FakeStudio) -> None:
    team.store.add([Document("Lan", id="d")], who="import")
    log_in(stranger, "Bình")
    step = {"operation": "o", "document": "d", "version": 1, "schema": 1, "flagged": True}
    answer = stranger.post("/annotate/api/operations", json=step, headers={**ORIGIN, "Viner-Who": "an"})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["who"]) == (409, "other_person", "Bình")
    assert not team.store.get("d").flagged
    answer = stranger.post("/annotate/api/operations", json=step, headers={**ORIGIN, "Viner-Who": quote("Bình")})
    assert answer.status_code == 200
    assert team.store.history("d", who="Bình")[0].operation == "o"
    stranger.cookies.clear()
    assert stranger.get(SESSION, headers={"Viner-Who": "an"}).status_code == 401


def test_one_person_can_log_in_while_another_one_is(stranger: TestClient) -> None:
    log_in(stranger, "Bình")
    assert stranger.get("/login", params={"name": "Bình"}).status_code == 303
    form = stranger.get("/login", params={"name": 'an"><b>', "next": "/annotate/"})
    assert form.status_code == 200
    assert 'value="an&quot;&gt;&lt;b&gt;"' in form.text
    log_in(stranger, "an")
    assert stranger.get(SESSION).json()["who"] == "an"


def test_logging_out_ends_the_sessions_everywhere_and_copies_of_the_cookie(team: FakeStudio, stranger: TestClient) -> None:
    copy = log_in(stranger).cookies[cookie_of(team)]
    binh = log_in(stranger, "Bình").cookies[cookie_of(team)]
    stranger.cookies.clear()

    def status(cookie: str) -> int:
        return stranger.get(SESSION, headers={"cookie": f"{cookie_of(team)}={cookie}"}).status_code

    assert (status(copy), status(binh)) == (200, 200)
    stranger.post("/logout", headers={**ORIGIN, "cookie": f"{cookie_of(team)}={copy}"})
    assert (status(copy), status(binh)) == (401, 200)


def test_logging_out_takes_the_cookie_away(stranger: TestClient) -> None:
    log_in(stranger)
    response = stranger.post("/logout", headers=ORIGIN)
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    assert "Max-Age=0" in response.headers["set-cookie"]
    assert stranger.get(SESSION).status_code == 401


def test_other_sites_can_neither_log_in_nor_out(stranger: TestClient) -> None:
    evil = {"origin": "https://evil.example"}
    assert stranger.post("/login", data={"name": "an", "password": PASSWORD}, headers=evil).status_code == 403
    log_in(stranger)
    assert stranger.post("/logout", headers=evil).status_code == 403
    assert stranger.post("/logout").status_code == 403
    assert stranger.post("/annotate/api/operations", json={}).status_code == 403
    assert stranger.get("/logout").status_code == 405


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/annotate/?document=a", "/annotate/?document=a"),
        ("/vi/", "/vi/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\..\\b", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
        ("annotate", "/"),
        ("/login", "/"),
        ("/login?next=/", "/"),
        ("/logout", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_the_login_leads_to_own_paths_only(wanted: str, path: str) -> None:
    assert own_path(wanted) == path


def test_a_login_that_is_no_form_is_refused(stranger: TestClient) -> None:
    assert stranger.post("/login", json={"name": "an"}).status_code == 415
    assert stranger.post("/login", content=b"a=b&" * 9000, headers=FORM).status_code == 413
    assert stranger.post("/login", content=b"name=%ff", headers=FORM).status_code == 400
    assert stranger.post("/login", content=b"&".join([b"a=b"] * 50), headers=FORM).status_code == 400


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(("header", "language", "word"), [("vi", "vi", "Mật khẩu"), ("en", "en", "Password")])
def test_the_form_speaks_the_visitors_language_and_needs_no_script(
    stranger: TestClient, header: str, language: str, word: str
) -> None:
    response = stranger.get("/login?next=/annotate/", headers={"accept-language": header})
    assert f'<html lang="{language}">' in response.text
    assert word in response.text
    assert "<script" not in response.text
    assert "style=" not in response.text
    assert 'value="/annotate/"' in response.text
    assert set(re.findall(r'<label for="(\w+)"', response.text)) <= set(re.findall(r'id="(\w+)"', response.text))
    assert "unsafe" not in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"


def test_health_and_readiness_are_open_to_probes_and_nothing_else_is(stranger: TestClient) -> None:
    assert stranger.get("/api/v1/health").status_code == 200
    assert set(stranger.get("/api/v1/ready").json()) == {"ready", "model", "console"}
    for path in ("model", "metrics", "recognize"):
        assert stranger.get(f"/api/v1/{path}").status_code == 401
