from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from viner.server.sessions import KEY_FILE, LIFETIME, Session, SessionKeyError, Sessions, session_key

KEY = b"0" * 64


def test_what_was_signed_is_read() -> None:
    sessions = Sessions(KEY)
    assert sessions.read(sessions.sign(Session("Lan Anh", 7))) == Session("Lan Anh", 7)


def test_nothing_else_is_read() -> None:
    sessions = Sessions(KEY)
    cookie = sessions.sign(Session("an", 7))
    payload, rest = cookie.split(".", 1)
    other = sessions.sign(Session("root", 7)).split(".", 1)[0]
    for forged in ("", "x", cookie[:-1], cookie + "A", f"{other}.{rest}", f"{payload}.", "." * 3, "é" * 20, "a" * 10_000):
        assert sessions.read(forged) is None
    assert Sessions(b"1" * 64).read(cookie) is None


def test_a_cookie_ends_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(KEY)
    cookie = sessions.sign(Session("an", 7))
    import itsdangerous.timed as timed

    now = timed.time.time()
    monkeypatch.setattr(timed.time, "time", lambda: now + LIFETIME - 60)
    assert sessions.read(cookie) is not None
    monkeypatch.setattr(timed.time, "time", lambda: now + LIFETIME + 60)
    assert sessions.read(cookie) is None


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = session_key(tmp_path)
    assert len(key) >= 32
    assert session_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_servers_that_start_together_have_one_key(tmp_path: Path) -> None:
    keys: list[bytes] = []
    start = threading.Barrier(8)

    def begin() -> None:
        start.wait()
        keys.append(session_key(tmp_path))

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_a_key_that_others_could_read_is_replaced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = session_key(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o644)
    assert session_key(tmp_path) != key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert "log in again" in caplog.text


def test_a_damaged_key_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).touch(0o600)
    with pytest.raises(SessionKeyError, match=r"damaged.*Delete"):
        session_key(tmp_path)


def test_a_folder_that_is_gone_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SessionKeyError, match="not available"):
        session_key(tmp_path / "moved" / os.devnull.strip("/"))
