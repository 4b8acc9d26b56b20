"""API keys: who presents one of them may use the REST API.

A key is 256 random bits, so its plain SHA-256 is all that a server needs to keep, and nobody can find the key from it. A file
of keys has a line for each: its name, and ``sha256:`` with the hash. Whoever reads the file can use none of them.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from viner.errors import InputError, UsageError
from viner.paths import expanded
from viner.server.errors import RequestError, error_response

API = "/api/v1/"
OPEN = {f"{API}health", f"{API}ready"}
"""Routes of the API that need no key: who starts and watches servers asks them."""
_PREFIX = "viner_"
_NAME = re.compile(r"[\w.@-]{1,64}")
_HASH = re.compile(r"sha256:([0-9a-f]{64})")
_LOOK_EVERY = 1.0  # seconds between looks whether the file has changed

_log = logging.getLogger("viner.server")


def new_key() -> str:
    """A fresh key."""
    return _PREFIX + secrets.token_urlsafe(32)


def hash_key(key: str) -> str:
    """What is kept of a key: ``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}"


def check_name(name: str) -> str:
    """The name of a key, if it can be one.

    Raises:
        UsageError: If it cannot.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a key", where="name", hint="Use up to 64 letters, digits, '.', '-', '_' or '@'")
    return name


def read_keys(path: Path) -> dict[str, str]:
    """The hashes in a file of keys by name, in its order.

    Raises:
        InputError: If a line is none of a file of keys; ``where`` is the file and the line.
        OSError: If the file cannot be read.
    """
    keys: dict[str, str] = {}
    for number, line in enumerate(_text_of(path).splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or not _NAME.fullmatch(words[0]) or not _HASH.fullmatch(words[1]) or words[0] in keys:
            problem = "the name occurs twice" if words[0] in keys else "this is no key"
            hint = "A line is NAME sha256:HASH; 'viner keys add' writes them"
            raise InputError(problem, where=f"{path}:{number}", hint=hint)
        keys[words[0]] = words[1]
    return keys


def add_key(path: Path, name: str) -> str:
    """Makes a key and puts its hash into a file of keys, which is made if there is none, for its owner's eyes alone.

    Returns:
        The key. Nothing keeps it.

    Raises:
        UsageError: If the name cannot be one, or is taken.
        InputError: If the file is none of keys.
        OSError: If it can be neither read nor written.
    """
    check_name(name)
    lines = _text_of(path) if path.exists() else ""
    if name in (read_keys(path) if lines else {}):
        raise UsageError(
            f"there is a key {name!r}", where=path, hint=f"Remove it first: viner keys remove {name} --file {path}"
        )
    key = new_key()
    gap = "" if not lines or lines.endswith("\n") else "\n"
    _write(path, f"{lines}{gap}{name} {hash_key(key)}\n")
    return key


def remove_key(path: Path, name: str) -> None:
    """Takes a key out of a file of keys. A server that uses the file knows within a second.

    Raises:
        UsageError: If it holds no such key.
        InputError: If the file is none of keys.
        OSError: If it can be neither read nor written.
    """
    names = read_keys(path)
    if name not in names:
        raise UsageError(f"there is no key {name!r}", where=path, hint=f"Keys: {', '.join(names) or 'none'}")
    lines = _text_of(path).splitlines(keepends=True)
    _write(path, "".join(line for line in lines if line.split("#")[0].split()[:1] != [name]))


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors put a mark before the first name
    except UnicodeDecodeError:
        raise InputError("this is no file of API keys", where=path, hint="'viner keys add' makes one") from None


def _write(path: Path, text: str) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    with NamedTemporaryFile("w", dir=path.resolve().parent, prefix=f".{path.name}.", encoding="utf-8", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(mode)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    temporary.replace(path.resolve())


class ApiKeys:
    """The keys that a server accepts. Safe to use from several threads.

    Args:
        source: A file of keys, which is read again when it has changed; or hashes, separated by commas or spaces.
        clock: Seconds from anywhere.

    Raises:
        UsageError: If there are no keys, or the file cannot be read.
        InputError: If the file holds something else.
    """

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._stamp: tuple[int, int] | None = None
        hashes = re.split(r"[\s,]+", source.strip())
        if all(_HASH.fullmatch(item) for item in hashes):
            self._keys: Mapping[str, str] = {f"key{number}": item for number, item in enumerate(hashes, 1)}
            return
        if any(item.startswith("sha256:") for item in hashes):
            hint = "A hash is sha256: and 64 hexadecimal digits; 'viner keys add' makes them"
            raise UsageError("there is something else among the hashes of keys", where="VINER_API_KEYS", hint=hint)
        self._path = expanded(source)
        self._looked = clock()
        try:
            self._keys = self._read(self._path)
        except OSError as error:
            hint = f"Make one with: viner keys add NAME --file {source}"
            raise UsageError(f"the file of API keys cannot be read ({error.strerror})", where=self._path, hint=hint) from None
        if not self._keys:
            hint = f"Make one with: viner keys add NAME --file {source}"
            raise UsageError("the file of API keys is empty, so nobody could use the server", where=self._path, hint=hint)

    def who(self, key: str) -> str | None:
        """The name of a key; None if it is none of them. Takes the same time whichever it is."""
        self._look()
        presented = hash_key(key).encode("ascii")
        found = None
        for name, known in self._keys.items():
            if hmac.compare_digest(presented, known.encode("ascii")):
                found = name
        return found

    def _look(self) -> None:
        """Reads the file again if it has changed. Where it cannot be read any more, nobody is let in."""
        if self._path is None:
            return
        with self._lock:
            now = self._clock()
            if now - self._looked < _LOOK_EVERY:
                return
            self._looked = now
            try:
                status = self._path.stat()
                if (status.st_mtime_ns, status.st_size) != self._stamp:
                    self._keys = self._read(self._path)
            except (OSError, InputError) as error:
                if self._keys:
                    _log.error("the file of API keys cannot be used any more: nobody is let in (%s)", error)
                self._keys, self._stamp = {}, None

    def _read(self, path: Path) -> dict[str, str]:
        status = path.stat()
        self._stamp = status.st_mtime_ns, status.st_size
        return read_keys(path)


class KeyGate:
    """Lets nobody use the REST API without a key, except for :data:`OPEN`.

    Args:
        app: The app behind it.
        keys: The keys.
    """

    def __init__(self, app: ASGIApp, *, keys: ApiKeys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request (ASGI)."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", "").rstrip("/"))
        if scope["type"] != "http" or not path.startswith(API) or path in OPEN:
            await self._app(scope, receive, send)
            return
        name = key_of(scope, self._keys)
        if name is None:
            await refuse_key(scope, receive, send)
            return
        await self._app(scope, receive, send)


def key_of(scope: Scope, keys: ApiKeys) -> str | None:
    """The name of the key that a request presents, which the log then has, too; None if it presents none that is known."""
    scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
    name = keys.who(key.strip()) if scheme.lower() == "bearer" else None
    if name is not None:
        scope["viner.key"] = name
    return name


async def refuse_key(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a request without a key that is known."""
    refusal = RequestError(
        401,
        "key_required",
        "the request has no API key that is known here",
        where="Authorization",
        hint="Send 'Authorization: Bearer KEY'; who runs the server makes keys with: viner keys add NAME --file FILE",
    )
    answer = error_response(refusal)
    answer.headers["WWW-Authenticate"] = "Bearer"
    await answer(scope, receive, send)
