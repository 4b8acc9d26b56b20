"""Who may work on a project: names and passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, select, update

from viner.errors import InputError
from viner.store import clock
from viner.store.database import Database
from viner.store.tables import accounts

SHORTEST_PASSWORD = 8
"""Characters."""

_RESERVED = re.compile(r"local|import|rules|dictionary|pattern|viner|viner\.toml|model .*", re.IGNORECASE)
"""Names under which the history tells of machines, and of people without accounts."""

_N, _R, _P = 2**15, 8, 1  # 32 MiB and about a tenth of a second a try
_DIGEST = 32  # bytes
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in.

    Args:
        name: The name they log in with, and under which their work is kept.
        epoch: Changes with the password, and when the owner logs out, so that older sessions end.
        created: When the account was made.
    """

    name: str
    epoch: int
    created: str


class Accounts:
    """The accounts of a store. Passwords are kept as scrypt hashes, each with a salt of its own.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # What no password has, so that nothing need be computed for it: stores are opened more often than people log in.
        self._nobody = _written(secrets.token_bytes(16), secrets.token_bytes(_DIGEST))

    def add(self, name: str, password: str) -> Account:
        """Makes an account.

        Raises:
            InputError: If the name is taken or cannot be used, or the password is too short.
        """
        name = _checked_name(name)
        _check_password(password)
        account = Account(name, secrets.randbelow(2**30), clock.now())
        hashed = _hash(password)
        with self._database.writing() as connection:
            if connection.execute(select(accounts.c.name).where(accounts.c.name == name)).scalar() is not None:
                raise InputError(f"there is an account {name!r} already", hint="Choose another name, or set its password")
            connection.execute(
                insert(accounts).values(name=name, password=hashed, epoch=account.epoch, created=account.created)
            )
        return account

    def remove(self, name: str) -> None:
        """Removes an account; what its owner did stays.

        Raises:
            InputError: If there is none of that name.
        """
        with self._database.writing() as connection:
            removed = connection.execute(delete(accounts).where(accounts.c.name == _normal(name)))
            _check_there(removed.rowcount, name)

    def set_password(self, name: str, password: str) -> None:
        """Sets a new password and ends the sessions of the account.

        Raises:
            InputError: If there is none of that name, or the password is too short.
        """
        _check_password(password)
        hashed = _hash(password)
        with self._database.writing() as connection:
            changed = connection.execute(
                update(accounts).where(accounts.c.name == _normal(name)).values(password=hashed, epoch=accounts.c.epoch + 1)
            )
            _check_there(changed.rowcount, name)

    def end_sessions(self, name: str) -> None:
        """Ends the sessions of an account, where there is one of that name."""
        with self._database.writing() as connection:
            connection.execute(update(accounts).where(accounts.c.name == _normal(name)).values(epoch=accounts.c.epoch + 1))

    def verify(self, name: str, password: str) -> Account | None:
        """The account, when the password is right. A wrong name takes as long to refuse as a wrong password."""
        row = self._row(name)
        right = _matches(password, self._nobody if row is None else row.password)
        return _account(row) if right and row is not None else None

    def get(self, name: str) -> Account | None:
        """The account of a name; None where there is none."""
        row = self._row(name)
        return None if row is None else _account(row)

    def list(self) -> list[Account]:
        """All accounts by name."""
        with self._database.reading() as connection:
            return [_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.name))]

    def __bool__(self) -> bool:
        with self._database.reading() as connection:
            return connection.execute(select(accounts.c.name).limit(1)).scalar() is not None

    def _row(self, name: str) -> Any:
        with self._database.reading() as connection:
            return connection.execute(select(accounts).where(accounts.c.name == _normal(name))).one_or_none()


def _account(row: Any) -> Account:
    return Account(row.name, row.epoch, row.created)


def _normal(name: str) -> str:
    """One form of a name, however it was typed: NFC, no outer spaces."""
    return unicodedata.normalize("NFC", name).strip()


def _checked_name(name: str) -> str:
    name = _normal(name)
    if not name or len(name) > 64 or not name.isprintable():
        raise InputError("a name has 1 to 64 printable characters", where="name")
    if _RESERVED.fullmatch(name):
        raise InputError(f"{name!r} means a part of viner in the history", where="name", hint="Choose another name")
    return name


def _check_password(password: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= _LONGEST:
        raise InputError(f"a password has {SHORTEST_PASSWORD} to {_LONGEST} characters", where="password")


def _check_there(rows: int, name: str) -> None:
    if not rows:
        raise InputError(f"there is no account {name!r}", where="name")


def _hash(password: str) -> str:
    salt = secrets.token_bytes(16)
    return _written(salt, _scrypt(password, salt, _N, _R, _P))


def _written(salt: bytes, digest: bytes) -> str:
    return "$".join(["scrypt", str(_N), str(_R), str(_P), *(base64.b64encode(part).decode() for part in (salt, digest))])


def _matches(password: str, hashed: str) -> bool:
    _, n, r, p, salt, digest = hashed.split("$")
    tried = _scrypt(password[: _LONGEST + 1], base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(tried, base64.b64decode(digest))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    # NFC, since two keyboards write the same Vietnamese letter in two ways.
    text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=_DIGEST)
