from __future__ import annotations

import pytest

from viner.errors import UsageError
from viner.server.settings import DEFAULT_MAX_BODY, DEFAULT_MAX_TEXTS, Settings


def test_defaults_stay_on_this_machine() -> None:
    assert Settings.resolve(environ={}) == Settings("127.0.0.1", 7860, True, DEFAULT_MAX_BODY, DEFAULT_MAX_TEXTS, False)


def test_the_environment_beats_defaults_and_arguments_beat_the_environment() -> None:
    environ = {
        "VINER_HOST": "0.0.0.0",
        "VINER_PORT": "9000",
        "VINER_NO_BROWSER": "1",
        "VINER_MAX_BODY": "5",
        "VINER_MAX_TEXTS": "6",
    }
    assert Settings.resolve(environ={**environ, "SPACE_ID": "a/b"}) == Settings("0.0.0.0", 9000, False, 5, 6, True)
    given = Settings.resolve("::1", 0, True, 7, 8, environ=environ)
    assert given == Settings("::1", 0, True, 7, 8, False)


@pytest.mark.parametrize(
    ("value", "opens"), [("1", False), ("true", False), ("yes", False), ("0", True), ("", True), ("false", True)]
)
def test_no_browser_and_no_page_are_a_yes_or_no(value: str, opens: bool) -> None:
    assert Settings.resolve(environ={"VINER_NO_BROWSER": value}).open_browser is opens
    assert Settings.resolve(environ={"VINER_NO_PAGE": value}).page is opens
    assert Settings.resolve(environ={"VINER_NO_PAGE": value}, page=False).page is False


@pytest.mark.parametrize("value", ["http", "-1", "65536", "80.5"])
def test_a_port_that_is_none_names_its_variable(value: str) -> None:
    with pytest.raises(UsageError, match=r"VINER_PORT: .* is not a number from 0 to 65535"):
        Settings.resolve(environ={"VINER_PORT": value})


def test_a_space_listens_to_its_proxy_and_opens_no_browser():
    space = {"SPACE_ID": "someone/notices"}
    settings = Settings.resolve(environ=space)
    assert (settings.space, settings.host, settings.port, settings.open_browser) == (True, "0.0.0.0", 7860, False)
    assert Settings.resolve(environ={**space, "VINER_HOST": "127.0.0.1"}).host == "127.0.0.1"
    assert Settings.resolve(environ={}).host == "127.0.0.1"
