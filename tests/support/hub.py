"""A Hugging Face Hub on this machine: a real server for huggingface_hub's real client, with repositories in memory.

::

    with LocalHub() as hub:
        connect(hub, monkeypatch, tmp_path)          # in this process and its children
        hub.fail("POST", "/commit/", status=503)     # the next such request is answered so
        ...
        hub.repository("minh/notices").files         # what the repository shows, name to bytes
        hub.sent                                     # every request, in order

It knows the calls that creating, uploading, tagging and downloading make, by plain LFS and by xet, and checks what they send:
an upload has the size and hash that were announced, a commit names only content that is there and builds on the state that its
author saw, a card has front matter that the Hub would accept.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import json
import re
import socket
import struct
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.front_matter import NO_FRONT_MATTER, front_matter_problems
from support.xet import Xet

LARGE = 10_000_000
LFS = ("*.onnx", "*.onnx.*", "*.safetensors", "*.bin", "*.zip", "*.tgz")
"""What the .gitattributes of a new repository puts into large file storage, whatever its size."""


@dataclass
class Request:
    """A request and how it was answered.

    Args:
        method: Its method.
        path: Its path, unquoted, without the query.
        size: Bytes of its body that arrived.
        status: The status of the answer; None while there is none, or where the connection was dropped.
    """

    method: str
    path: str
    size: int = 0
    status: int | None = None


@dataclass
class Fault:
    """What goes wrong, and with which request.

    Args:
        method: The method that it meets.
        pattern: A regular expression for the path.
        times: How many requests it meets.
        status: The status to answer with; None lets the request through.
        said: What the answer says.
        headers: Headers of the answer.
        drop_after: Bytes of the body to read before the connection is cut; None does not cut it.
        lose_answer: Do what was asked, and then cut the connection.
        delay: Seconds to wait before anything.
        then: Called when the request comes, before anything.
    """

    method: str
    pattern: str
    times: int = 1
    status: int | None = None
    said: str = "no"
    headers: Mapping[str, str] = field(default_factory=dict)
    drop_after: int | None = None
    lose_answer: bool = False
    delay: float = 0
    then: Callable[[], None] | None = None


@dataclass(frozen=True)
class Blob:
    """The content of a file, and whether it is in large file storage."""

    content: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def pointer(self) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.content)}\n".encode()

    def described(self) -> dict[str, Any]:
        """As the Hub describes a file of a repository."""
        lfs = {"sha256": self.sha256, "size": len(self.content), "pointerSize": len(self.pointer)}
        return {"size": len(self.content), "blobId": self.oid, **({"lfs": lfs} if self.lfs else {})}

    @property
    def oid(self) -> str:
        content = self.pointer if self.lfs else self.content
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass
class Repository:
    """A repository: its commits by their id, what they hold, and the names that point to them."""

    kind: str
    id: str
    private: bool
    sdk: str | None = None
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    head: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, Blob]) -> str:
        names = "".join(f"{name}{blob.oid}" for name, blob in sorted(files.items()))
        self.head = hashlib.sha1(f"{self.kind}{self.id}{self.head}{names}".encode()).hexdigest()
        self.commits[self.head] = files
        return self.head

    def resolve(self, revision: str) -> str | None:
        revision = self.head if revision == "main" else self.tags.get(revision, revision)
        return revision if revision in self.commits else None

    @property
    def files(self) -> dict[str, bytes]:
        """What the repository shows, but for .gitattributes."""
        return {name: blob.content for name, blob in self.commits[self.head].items() if name != ".gitattributes"}


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, said: str, **headers: str) -> None:
        super().__init__(said)
        self.status, self.said = status, said
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class LocalHub:
    """The server. Used as a context manager, it runs in a thread of its own.

    Args:
        port: Where it listens; 0 takes a free port.

    Attributes:
        largest: Bytes of the largest file that plain LFS takes; None takes any.
    """

    token = "hf_minh_may_write"
    reader = "hf_minh_may_read"

    def __init__(self, port: int = 0) -> None:
        self.users: dict[str, dict[str, Any]] = {
            self.token: {"name": "minh", "role": "write", "writes": {"minh", "lab"}},
            self.reader: {"name": "minh", "role": "read", "writes": set()},
        }
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.storage: dict[str, bytes] = {}
        self.xet = Xet()
        self.largest: int | None = None
        self.sent: list[Request] = []
        self.faults: list[Fault] = []
        self.lock = threading.RLock()
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LocalHub:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fail(self, method: str, pattern: str, **how: Any) -> None:
        """Makes the next requests of that kind go wrong; see :class:`Fault`."""
        self.faults.append(Fault(method, pattern, **how))

    def repository(self, id: str, kind: str = "model") -> Repository:  # noqa: A002
        """A repository that is there."""
        return self.repositories[kind, id]

    def make(self, id: str, kind: str, private: bool, sdk: str | None = None) -> Repository:  # noqa: A002
        """A repository as the Hub makes it."""
        repository = self.repositories[kind, id] = Repository(kind, id, private, sdk)
        files = {".gitattributes": Blob(b"*.onnx filter=lfs\n", lfs=False)}
        if kind == "space":
            files["README.md"] = Blob(b"---\ntitle: New\nsdk: gradio\n---\n", lfs=False)
        repository.commit(files)
        return repository

    def add(self, id: str, files: Mapping[str, bytes], *, kind: str = "model", private: bool = True) -> Repository:  # noqa: A002
        """A repository that somebody else filled."""
        repository = self.make(id, kind, private)
        if files:
            repository.commit({name: Blob(content, _is_large(name, content, len(content))) for name, content in files.items()})
        return repository

    def uploads(self) -> list[Request]:
        """The requests that carried content of large files."""
        return [request for request in self.sent if request.path.startswith(("/storage/", "/cas/v1/xorbs/"))]

    def take_fault(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.method == method and re.search(fault.pattern, path):
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                    return fault
        return None


def connect(
    hub: LocalHub, patch: pytest.MonkeyPatch, home: Path, *, token: str | None = LocalHub.token, xet: bool = True
) -> None:
    """Makes huggingface_hub, in this process and in those that it starts, talk to a local Hub, and to nobody else.

    Args:
        hub: The Hub.
        patch: Takes it back at the end of the test.
        home: Where the client keeps its cache.
        token: The token to log in with; None is logged in nowhere.
        xet: Whether large files go by xet, as they do where hf_xet is installed, or by plain LFS.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    environment = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_XET_CACHE": str(home / "xet"),
        "HF_TOKEN": token,
        "HF_HUB_DISABLE_XET": None if xet else "1",
        "HF_XET_CLIENT_RETRY_MAX_ATTEMPTS": "2",
        "HF_XET_CLIENT_RETRY_BASE_DELAY": "50ms",
    }
    for name, value in environment.items():
        if value is None:
            patch.delenv(name, raising=False)
        else:
            patch.setenv(name, value)
    # The client reads its environment when it is imported, which may be long ago.
    for name, value in {
        "ENDPOINT": hub.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}",
        "HF_HOME": str(home),
        "HF_HUB_CACHE": str(home / "hub"),
        "HF_TOKEN_PATH": str(home / "token"),
        "HF_STORED_TOKENS_PATH": str(home / "stored_tokens"),
        "HF_HUB_DISABLE_XET": not xet,
        "HF_HUB_OFFLINE": False,
    }.items():
        patch.setattr(constants, name, value)
    # It waits up to 23 seconds before it gives up.
    patch.setattr(_http, "time", SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None}))
    _http.close_session()


def _is_large(name: str, sample: bytes, size: int) -> bool:
    return size >= LARGE or b"\0" in sample[:512] or any(fnmatch.fnmatch(name, pattern) for pattern in LFS)


class _Handler(BaseHTTPRequestHandler):
    """Reads one request, meets its fault, and answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer, which goes out in two parts, waits 40 ms
    hub: LocalHub

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def _handle(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        path = urllib.parse.unquote(url.path)
        request = Request(self.command, path)
        with self.hub.lock:
            self.hub.sent.append(request)
        fault = self.hub.take_fault(self.command, path)
        if fault is not None:
            if fault.then is not None:
                fault.then()
            time.sleep(fault.delay)
            if fault.drop_after is not None:
                request.size = len(self.rfile.read(fault.drop_after))
                self._cut()
                return
        body = self._body()
        request.size = len(body)
        try:
            if fault is not None and fault.status is not None:
                raise RefusalError(fault.status, fault.said, **dict(fault.headers))
            with self.hub.lock:
                status, headers, answer = self._answer(path, body)
        except RefusalError as refusal:
            status, answer = refusal.status, json.dumps({"error": refusal.said}).encode()
            headers = {"Content-Type": "application/json", "X-Error-Message": refusal.said, **refusal.headers}
        if fault is not None and fault.lose_answer:
            self._cut()
            return
        request.status = status
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _cut(self) -> None:
        """Ends the connection so that the other side notices at once."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.rfile.close()

    def _answer(self, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        for method, pattern, answer in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method:
                result = answer(self, *match.groups(), body)
                if isinstance(result, tuple):
                    return result
                return 200, {"Content-Type": "application/json"}, json.dumps(result).encode()
        raise RefusalError(404, f"no such call: {self.command} {path}")

    # Who asks, and for what

    def _user(self) -> dict[str, Any] | None:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return self.hub.users.get(token) if scheme == "Bearer" else None

    def _known(self) -> dict[str, Any]:
        user = self._user()
        if user is None:
            raise RefusalError(401, "Invalid credentials in Authorization header")
        return user

    def _seen(self, kind: str, id: str) -> Repository:  # noqa: A002
        repository, user = self.hub.repositories.get((kind, id)), self._user()
        if repository is None or (repository.private and id.split("/")[0] not in (_namespaces(user))):
            raise RefusalError(401 if user is None else 404, "Repository not found", X_Error_Code="RepoNotFound")
        return repository

    def _written(self, kind: str, id: str) -> Repository:  # noqa: A002
        repository = self._seen(kind, id)
        if id.split("/")[0] not in self._known()["writes"]:
            raise RefusalError(403, "You don't have write access to this repo")
        return repository

    def _revision(self, repository: Repository, revision: str) -> str:
        oid = repository.resolve(revision)
        if oid is None:
            raise RefusalError(404, f"Invalid rev id: {revision}", X_Error_Code="RevisionNotFound")
        return oid

    # Accounts and repositories

    def whoami(self, body: bytes) -> Any:
        user = self._known()
        orgs = [{"name": name} for name in sorted(user["writes"] - {user["name"]})]
        return {"type": "user", "name": user["name"], "orgs": orgs, "auth": {"accessToken": {"role": user["role"]}}}

    def create(self, body: bytes) -> Any:
        user, asked = self._known(), json.loads(body)
        id = f"{asked['organization'] or user['name']}/{asked['name']}"  # noqa: A001
        kind = asked.get("type") or "model"
        if id.split("/")[0] not in user["writes"]:
            raise RefusalError(403, f"You don't have the rights to create a {kind} under the namespace {id.split('/')[0]!r}")
        if (kind, id) in self.hub.repositories:
            raise RefusalError(409, f"You already created this {kind} repo")
        private = asked.get("visibility") == "private" or asked.get("private") is True
        self.hub.make(id, kind, private, asked.get("sdk"))
        return {"url": f"{self.hub.url}/{'spaces/' if kind == 'space' else ''}{id}"}

    def info(self, kind: str, id: str, revision: str | None, body: bytes) -> Any:  # noqa: A002
        repository = self._seen(kind, id)
        oid = self._revision(repository, revision or "main")
        siblings = [{"rfilename": name, **blob.described()} for name, blob in self._at(repository, oid)]
        return {"id": id, "sha": oid, "private": repository.private, "siblings": siblings, "tags": []}

    def refs(self, kind: str, id: str, body: bytes) -> Any:  # noqa: A002
        repository = self._seen(kind, id)
        tags = [_ref("tags", name, oid) for name, oid in repository.tags.items()]
        return {"branches": [_ref("heads", "main", repository.head)], "converts": [], "tags": tags}

    def history(self, kind: str, id: str, revision: str, body: bytes) -> Any:  # noqa: A002
        repository = self._seen(kind, id)
        self._revision(repository, revision)
        commits = [
            {"id": oid, "authors": [], "date": "2026-01-01T00:00:00.000Z", "title": "a commit", "message": ""}
            for oid in repository.commits
        ]
        return commits[::-1]

    def tree(self, kind: str, id: str, revision: str, folder: str | None, body: bytes) -> Any:  # noqa: A002
        repository = self._seen(kind, id)
        files = []
        for name, blob in self._at(repository, self._revision(repository, revision)):
            if folder and not name.startswith(f"{folder}/"):
                continue
            files.append({"type": "file", "path": name, "size": len(blob.content), "oid": blob.oid})
            if blob.lfs:
                files[-1]["lfs"] = {**blob.described()["lfs"], "oid": blob.sha256}
        if folder and not files:
            raise RefusalError(404, "no such folder", X_Error_Code="EntryNotFound")
        return files

    def _at(self, repository: Repository, oid: str) -> Iterator[tuple[str, Blob]]:
        yield from sorted(repository.commits[oid].items())

    def tag(self, kind: str, id: str, revision: str, body: bytes) -> Any:  # noqa: A002
        repository, name = self._written(kind, id), json.loads(body)["tag"]
        if name in repository.tags:
            raise RefusalError(409, "Tag reference exists already")
        repository.tags[name] = self._revision(repository, revision)
        return {}

    # Uploading

    def validate(self, body: bytes) -> Any:
        asked = json.loads(body)
        problems = front_matter_problems(asked["content"], asked["repoType"])
        if problems == [NO_FRONT_MATTER]:
            return {"errors": [], "warnings": [{"message": "empty or missing yaml metadata in repo card"}]}
        if problems:
            answer = {"errors": [{"message": problem} for problem in problems], "warnings": []}
            return 400, {"Content-Type": "application/json"}, json.dumps(answer).encode()
        return {"errors": [], "warnings": []}

    def preupload(self, kind: str, id: str, revision: str, body: bytes) -> Any:  # noqa: A002
        repository = self._written(kind, id)
        held = repository.commits[self._revision(repository, revision)]
        answers = []
        for file in json.loads(body)["files"]:
            name, sample = file["path"], base64.b64decode(file["sample"])
            large = _is_large(name, sample, file["size"])
            answers.append({"path": name, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False})
            if name in held:
                answers[-1]["oid"] = held[name].sha256 if held[name].lfs else held[name].oid
        return {"files": answers}

    def batch(self, prefix: str | None, id: str, body: bytes) -> Any:  # noqa: A002
        self._written("space" if prefix else "model", id)
        asked = json.loads(body)
        if asked["operation"] != "upload" or asked["hash_algo"] != "sha256":
            raise RefusalError(422, "only uploads by SHA-256")
        objects = []
        for item in asked["objects"]:
            objects.append(dict(item))
            if self.hub.largest is not None and item["size"] > self.hub.largest:
                objects[-1]["error"] = {"code": 413, "message": "this object is too large"}
            elif item["oid"] not in self.hub.storage:
                url = f"{self.hub.url}/storage/{item['oid']}"
                objects[-1]["actions"] = {"upload": {"href": url}, "verify": {"href": f"{self.hub.url}/verify"}}
        return {"transfer": "basic", "objects": objects}

    def store(self, oid: str, body: bytes) -> Any:
        if hashlib.sha256(body).hexdigest() != oid:
            raise RefusalError(400, "the content does not match its hash")
        self.hub.storage[oid] = body
        return {}

    def verify(self, body: bytes) -> Any:
        asked = json.loads(body)
        if len(self.hub.storage.get(asked["oid"], b"")) != asked["size"]:
            raise RefusalError(404, "there is no such object")
        return {}

    def xet_token(self, kind: str, id: str, revision: str, body: bytes) -> Any:  # noqa: A002
        self._written(kind, id)
        url, until = f"{self.hub.url}/cas", int(time.time()) + 3600
        headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": "xet", "X-Xet-Token-Expiration": str(until)}
        answer = {"casUrl": url, "accessToken": "xet", "exp": until}
        return 200, {"Content-Type": "application/json", **headers}, json.dumps(answer).encode()

    def xorb(self, name: str, body: bytes) -> Any:
        if self.headers.get("Authorization") != "Bearer xet":
            raise RefusalError(401, "no token for the storage")
        return {"was_inserted": self.hub.xet.add_xorb(name, body)}

    def shard(self, body: bytes) -> Any:
        for sha256 in self.hub.xet.add_shard(body):
            self.hub.storage[sha256] = self.hub.xet.files[sha256]
        return {"result": 1}

    def commit(self, kind: str, id: str, revision: str, body: bytes) -> Any:  # noqa: A002
        repository = self._written(kind, id)
        header, *operations = (json.loads(line) for line in body.splitlines())
        if header["key"] != "header" or not header["value"]["summary"]:
            raise RefusalError(400, "a commit begins with its header")
        if revision != "main" or header["value"].get("parentCommit", repository.head) != repository.head:
            raise RefusalError(412, "A commit has happened since. Please refresh and try again.")
        files = dict(repository.commits[repository.head])
        for operation in operations:
            value = operation["value"]
            name = value["path"]
            if operation["key"] == "file":
                content = base64.b64decode(value["content"])
                if _is_large(name, content, len(content)):
                    raise RefusalError(400, f"{name} belongs into large file storage")
                files[name] = Blob(content, lfs=False)
            elif operation["key"] == "lfsFile":
                content = self.hub.storage.get(value["oid"], b"")
                if len(content) != value["size"] or not content:
                    raise RefusalError(400, f"the content of {name} was never uploaded")
                files[name] = Blob(content, lfs=True)
            elif operation["key"] == "deletedFile":
                if files.pop(name, None) is None:
                    raise RefusalError(404, "A file with this name doesn't exist", X_Error_Code="EntryNotFound")
            else:
                raise RefusalError(400, f"unknown operation {operation['key']}")
        oid = repository.commit(files)
        return {"success": True, "commitOid": oid, "commitUrl": f"{self.hub.url}/{id}/commit/{oid}", "pullRequestUrl": None}

    # Downloading

    def resolve(self, prefix: str | None, id: str, revision: str, name: str, body: bytes) -> Any:  # noqa: A002
        repository = self._seen("space" if prefix else "model", id)
        oid = self._revision(repository, revision)
        blob = repository.commits[oid].get(name)
        if blob is None:
            raise RefusalError(404, "Entry not found", X_Error_Code="EntryNotFound", X_Repo_Commit=oid)
        etag = blob.sha256 if blob.lfs else blob.oid
        headers = {
            "X-Repo-Commit": oid,
            "ETag": f'"{etag}"',
            "X-Linked-Etag": f'"{etag}"',
            "X-Linked-Size": str(len(blob.content)),
        }
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        content = blob.content[int(start[1]) :] if start else blob.content
        return 206 if start else 200, headers, content


def _namespaces(user: dict[str, Any] | None) -> set[str]:
    return {user["name"], *user["writes"]} if user else set()


def _ref(kind: str, name: str, oid: str) -> dict[str, str]:
    return {"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid}


_ID = r"([\w.-]+/[\w.-]+)"
_API = rf"/api/(model|space)s/{_ID}"
_ROUTES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("GET", r"/api/whoami-v2", _Handler.whoami),
    ("POST", r"/api/repos/create", _Handler.create),
    ("POST", r"/api/validate-yaml", _Handler.validate),
    ("GET", rf"{_API}/refs", _Handler.refs),
    ("GET", rf"{_API}/commits/([\w./-]+)", _Handler.history),
    ("GET", rf"{_API}/tree/([\w.-]+)(?:/([\w./-]+))?", _Handler.tree),
    ("GET", rf"{_API}/xet-write-token/([\w./-]+)", _Handler.xet_token),
    ("GET", rf"{_API}(?:/revision/([\w./-]+))?", _Handler.info),
    ("POST", rf"{_API}/preupload/([\w./-]+)", _Handler.preupload),
    ("POST", rf"{_API}/commit/([\w./-]+)", _Handler.commit),
    ("POST", rf"{_API}/tag/([\w./-]+)", _Handler.tag),
    ("POST", rf"/(spaces/)?{_ID}\.git/info/lfs/objects/batch", _Handler.batch),
    ("PUT", r"/storage/([0-9a-f]{64})", _Handler.store),
    ("POST", r"/verify", _Handler.verify),
    ("POST", r"/cas/v1/xorbs/default/([0-9a-f]{64})", _Handler.xorb),
    ("POST", r"/cas/v1/shards", _Handler.shard),
    ("GET HEAD", rf"/(spaces/)?{_ID}/resolve/([\w.-]+)/(.+)", _Handler.resolve),
)
