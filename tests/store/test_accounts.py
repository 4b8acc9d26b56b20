"""Accounts: names and passwords."""

from __future__ import annotations

import unicodedata

import pytest
from sqlalchemy import select

from viner.errors import InputError
from viner.store import Store
from viner.store import accounts as module
from viner.store.tables import accounts


def test_the_right_password_and_no_other(store: Store) -> None:
    assert not store.accounts
    made = store.accounts.add("Mai", "một mật khẩu")
    assert store.accounts
    assert store.accounts.verify("Mai", "một mật khẩu") == made
    for name, password in (("Mai", "mot mat khau"), ("Mai", ""), ("mai", "một mật khẩu"), ("", ""), ("Mai", "x" * 10_000)):
        assert store.accounts.verify(name, password) is None


def test_how_a_keyboard_composes_makes_no_difference(store: Store) -> None:
    store.accounts.add("Hạnh", "một mật khẩu")
    typed = [unicodedata.normalize("NFD", value) for value in ("Hạnh ", "một mật khẩu")]
    assert store.accounts.verify(*typed) is not None


@pytest.mark.parametrize("name", ["local", "Import", "viner.toml", "model 003", " rules ", "RULES"])
def test_names_of_what_is_no_person_are_refused(store: Store, name: str) -> None:
    with pytest.raises(InputError, match="means a part of viner"):
        store.accounts.add(name, "một mật khẩu")


def test_sessions_can_be_ended_without_a_new_password(store: Store) -> None:
    before = store.accounts.add("Mai", "một mật khẩu")
    store.accounts.end_sessions("Mai")
    after = store.accounts.verify("Mai", "một mật khẩu")
    assert after is not None
    assert after.epoch != before.epoch
    store.accounts.end_sessions("nobody")


def test_a_new_password_ends_old_sessions(store: Store) -> None:
    before = store.accounts.add("Mai", "một mật khẩu")
    store.accounts.set_password("Mai", "hai mật khẩu")
    assert store.accounts.verify("Mai", "một mật khẩu") is None
    after = store.accounts.verify("Mai", "hai mật khẩu")
    assert after is not None
    assert after.epoch != before.epoch
    assert store.accounts.get("Mai") == after
    assert store.accounts.list() == [after]


def test_removed_accounts_are_gone(store: Store) -> None:
    store.accounts.add("Mai", "một mật khẩu")
    store.accounts.remove("Mai")
    assert store.accounts.verify("Mai", "một mật khẩu") is None
    for call in (lambda: store.accounts.remove("Mai"), lambda: store.accounts.set_password("Mai", "một mật khẩu")):
        with pytest.raises(InputError, match="no account"):
            call()


@pytest.mark.parametrize(
    ("name", "password", "match"),
    [
        ("", "một mật khẩu", "name"),
        ("x" * 65, "một mật khẩu", "name"),
        ("a\nb", "một mật khẩu", "name"),
        ("Mai", "ngắn", "password"),
    ],
)
def test_what_cannot_be_used(store: Store, name: str, password: str, match: str) -> None:
    with pytest.raises(InputError, match=match):
        store.accounts.add(name, password)


def test_a_name_is_used_once(store: Store) -> None:
    store.accounts.add("Mai", "một mật khẩu")
    with pytest.raises(InputError, match="already"):
        store.accounts.add(" Mai", "hai mật khẩu")


def test_passwords_are_kept_as_salted_scrypt(store: Store) -> None:
    for name in ("Mai", "Lan"):
        store.accounts.add(name, "một mật khẩu")
    with store.reading() as connection:
        kept = list(connection.execute(select(accounts.c.password)).scalars())
    assert kept[0] != kept[1]
    for value in kept:
        kind, n, *_ = value.split("$")
        assert (kind, int(n) >= 2**14) == ("scrypt", True)
        assert "một" not in value


def test_an_unknown_name_costs_a_hash_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    scrypt = module._scrypt
    monkeypatch.setattr(module, "_scrypt", lambda password, *rest: hashed.append(password) or scrypt(password, *rest))
    assert store.accounts.verify("nobody", "một mật khẩu") is None
    assert hashed == ["một mật khẩu"]


def test_a_name_that_nobody_has_costs_the_hash_of_a_password_and_opening_a_store_none(store_url, monkeypatch):
    computed = []
    scrypt = module.hashlib.scrypt
    monkeypatch.setattr(module.hashlib, "scrypt", lambda *args, **options: computed.append(args) or scrypt(*args, **options))
    with Store.open(store_url) as opened:
        assert not computed
        opened.accounts.add("lan", "a password")
        assert len(computed) == 1
        for name in ("nobody", "lan"):
            assert opened.accounts.verify(name, "another one") is None
        assert len(computed) == 3
