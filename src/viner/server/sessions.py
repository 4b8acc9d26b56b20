"""Who is signed in: one signed cookie, and the key that signs it.

A cookie names an account and the epoch of its password, so a server that restarts still knows it, and a changed password or a
removed account makes it worthless everywhere at once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from itsdangerous import BadSignature, URLSafeTimedSerializer

from viner.errors import VinerError

_log = logging.getLogger("viner.server")

SESSION_COOKIE = "viner_session"
"""What the name of every cookie begins with; :func:`cookie_name` is a project's own."""
LIFETIME = 14 * 24 * 3600
"""How long a cookie is good for, in seconds."""
KEY_FILE = ".session-key"
_KEY_BYTES = 32
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class SessionKeyError(VinerError):
    """The key that signs sessions can be neither read nor made."""

    code = "session_key"


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie says.

    Args:
        name: Name of the account.
        epoch: The epoch of its password at that time.
    """

    name: str
    epoch: int


class Sessions:
    """Signs and reads session cookies.

    Args:
        key: The secret; whoever knows it can sign in as anybody.
    """

    def __init__(self, key: bytes) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="viner.session", signer_kwargs={"digest_method": hashlib.sha256})

    def sign(self, session: Session) -> str:
        """The value of a cookie."""
        return str(self._signer.dumps([session.name, session.epoch]))

    def read(self, cookie: str) -> Session | None:
        """What a cookie says; None where it is forged, garbled or too old."""
        try:
            name, epoch = self._signer.loads(cookie, max_age=LIFETIME)
        except (BadSignature, ValueError, TypeError):
            return None
        return Session(name, epoch) if isinstance(name, str) and type(epoch) is int else None


def cookie_name(key: bytes) -> str:
    """The name of the cookie that a key signs.

    Browsers send cookies to all ports of a host, and there may be a project at each.

    Args:
        key: The key; nothing of it can be read from the name.
    """
    return f"{SESSION_COOKIE}_{hashlib.sha256(b'cookie name ' + key).hexdigest()[:10]}"


def session_key(folder: Path) -> bytes:
    """The key of a project, made at the first call and kept in a file that only its owner reads.

    A key that others could have read is replaced, which signs everybody out.

    Raises:
        SessionKeyError: If the file can be neither read nor made.
    """
    path = folder / KEY_FILE
    try:
        key = _read(path)
        if key is None:
            _make(path)
            key = _read(path)
    except OSError as error:
        raise SessionKeyError(
            f"the key that signs sessions is not available ({error.strerror})",
            where=path,
            hint="The server must be able to write into the project folder when accounts are used for the first time",
        ) from error
    if key is None:
        raise SessionKeyError("the key that signs sessions is damaged", where=path, hint="Delete the file; a new one is made")
    return key


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            exposed = os.fstat(file.fileno()).st_mode & _OTHERS if os.name == "posix" else 0
            key = file.read(4096).strip()
    except FileNotFoundError:
        return None
    if exposed:
        _log.warning("%s could be read by other users: a new one is made, and everybody has to log in again", path)
        path.unlink(missing_ok=True)
        return None
    return key if len(key) >= _KEY_BYTES else None


def _make(path: Path) -> None:
    # Complete before it has its name, and never over a key that another server has just made: link() refuses that.
    with NamedTemporaryFile(dir=path.parent, prefix=KEY_FILE, delete=False) as file:
        file.write(secrets.token_hex(_KEY_BYTES).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(file.name, path)
    except OSError:  # a file system without links
        Path(file.name).replace(path)
    finally:
        Path(file.name).unlink(missing_ok=True)
