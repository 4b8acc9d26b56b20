from __future__ import annotations

import pytest
from studios import FakeStudio

from conftest import visit
from viner.errors import UsageError
from viner.server import Settings
from viner.server.studio_app import create_studio_app
from viner.server.visitors import is_loopback

SESSION = "/annotate/api/session"


def test_without_accounts_this_machine_works_as_local(local) -> None:
    answer = local.get(SESSION).json()
    assert (answer["who"], answer["local"]) == ("local", True)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "localhost", "[::1]:7860", "127.0.0.2"])
def test_every_name_of_this_machine_will_do(local, host: str) -> None:
    assert local.get(SESSION, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"x-real-ip": "127.0.0.1"}, {"forwarded": 'for="[::1]:4711";host=localhost:7860'}, {"forwarded": "for=127.0.0.1:80"}],
)
def test_a_proxy_on_this_machine_for_this_machine_will_do(local, headers: dict[str, str]) -> None:
    assert local.get(SESSION, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example:7860"},
        {"host": "localhost.evil.example"},
        {"host": "192.168.0.7:7860"},
        {"host": ""},
        {"host": "[::1"},
        {"host": "user@evil.example"},
        {"host": "127.0.0.1@evil.example"},
        {"x-forwarded-host": "viner.example"},
        {"x-forwarded-for": "203.0.113.9"},
        {"x-forwarded-for": "127.0.0.1, 203.0.113.9"},
        {"x-real-ip": "203.0.113.9"},
        {"forwarded": "for=203.0.113.9"},
        {"forwarded": 'for=127.0.0.1, For="[2001:db8::1]:4711";proto=https'},
        {"forwarded": "for=_hidden"},
        {"forwarded": "proto=https;host=viner.example"},
    ],
)
@pytest.mark.parametrize("path", ["/", SESSION, "/annotate/", "/api/v1/health", "/login", "/annotate/static/page.js"])
def test_names_that_lead_here_from_elsewhere_are_refused(local, headers: dict[str, str], path: str) -> None:
    response = local.get(path, headers=headers)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "foreign_host"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "viner.example", ""])
def test_others_may_not_reach_a_project_without_accounts(studio: FakeStudio, host: str) -> None:
    with pytest.raises(UsageError, match=r"no accounts.*viner accounts add NAME --project"):
        create_studio_app(studio, Settings(host=host), console=False)


def test_with_an_account_others_may_reach_it(studio: FakeStudio) -> None:
    studio.store.accounts.add("an", "correct horse")
    with visit(studio, host="0.0.0.0", base_url="http://viner.example") as client:
        assert client.get("/login").status_code == 200


def test_an_account_that_is_made_later_asks_for_a_login_on_this_machine_too(studio: FakeStudio, monkeypatch) -> None:
    monkeypatch.setattr("viner.server.visitors._REMEMBER", 0.0)
    with visit(studio) as client:
        assert client.get(SESSION).status_code == 200
        studio.store.accounts.add("an", "correct horse")
        assert client.get(SESSION).status_code == 401


@pytest.mark.parametrize(("host", "loopback"), [("localhost", True), ("127.8.8.8", True), ("[::1]", True), ("0.0.0.0", False)])
def test_loopback_means_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
