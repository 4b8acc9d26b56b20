"""The nginx example and the systemd unit of docs/publishing/docker.md, taken from the page and tried."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from support.commands import ROOT, blocks
from support.notices import TOML
from viner import Document
from viner.project import Project
from viner.store import Store

pytestmark = pytest.mark.xdist_group("docker page")  # one process makes what the tests share

PAGE = ROOT / "docs" / "publishing" / "docker.md"
HOST = "ner.example.org"
PASSWORD = "a password for tests"


def example(language: str) -> str:
    """The first block of a language on the page."""
    return next(block.content for block in blocks(PAGE) if block.language == language)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, "it ended"
        assert time.monotonic() < deadline, "nothing listens after 60 s"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)


@pytest.fixture(scope="module")
def viner(tmp_path_factory) -> Iterator[int]:
    """The port of a workbench with an account and a document."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "viner.toml").write_text(TOML, encoding="utf-8")
    with Store.of_project(Project(folder)) as store:
        store.add([Document("Lan ở Hà Nội.", id="d")], who="import", split="train")
        store.accounts.add("lan", PASSWORD)
    port = free_port()
    command = [sys.executable, "-m", "viner", "serve", "--project", folder, "--port", str(port), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        wait_for(port, process)
        yield port
        process.terminate()


@pytest.fixture(scope="module")
def nginx(viner, tmp_path_factory) -> Iterator[tuple[int, int]]:
    """The ports, plain and TLS, of an nginx with the page's example."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    openssl = shutil.which("openssl")
    if program is None or openssl is None:
        pytest.skip("no nginx, or no openssl: apt-get install nginx-light openssl")
    place = tmp_path_factory.mktemp("nginx")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={HOST}",
         "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", place / "privkey.pem", "-out", place / "fullchain.pem"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    plain, tls = free_port(), free_port()
    text = example("nginx").replace(f"/etc/letsencrypt/live/{HOST}", str(place)).replace("127.0.0.1:7860", f"127.0.0.1:{viner}")
    text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace("listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl;")
    version = subprocess.run([program, "-v"], capture_output=True, text=True, timeout=30, check=True).stderr
    if tuple(map(int, re.findall(r"\d+", version)[:3])) < (1, 25, 1):
        text = re.sub(r" ssl;(.*?)http2 on;", r" ssl http2;\1", text, flags=re.DOTALL)
    folders = "".join(f"{name}_temp_path {place}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (place / "nginx.conf").write_text(
        f"daemon off; pid {place}/pid; error_log stderr; events {{}} http {{ access_log off; {folders}\n{text}\n}}",
        encoding="utf-8",
    )
    command = [program, "-p", place, "-c", place / "nginx.conf", "-e", "stderr"]
    if os.geteuid() == 0:
        command += ["-g", "user root;"]  # its workers would be somebody else, who may not write into the folder
    with subprocess.Popen(command) as process:
        wait_for(tls, process)
        yield plain, tls
        process.terminate()


@dataclass(frozen=True)
class Answer:
    """Status, headers and body of an answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Browser:
    """Requests over TLS, as a browser at the public host sends them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._context = ssl._create_unverified_context()
        self._cookie = ""

    @contextmanager
    def streaming(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Iterator[http.client.HTTPResponse]:
        """An answer that is read as it comes."""
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=self._context, timeout=20)
        headers = {"Host": HOST, **({"Cookie": self._cookie} if self._cookie else {}), **headers}
        try:
            connection.request(method, path, body, headers)
            with connection.getresponse() as answer:
                yield answer
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        with self.streaming("GET", path, **headers) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    def post(self, path: str, body: bytes, **headers: str) -> Answer:
        """From a page of the public host, unless ``Origin`` says otherwise."""
        with self.streaming("POST", path, body, **{"Origin": f"https://{HOST}", **headers}) as answer:
            return Answer(answer.status, answer.headers, answer.read())

    def log_in(self, **headers: str) -> Answer:
        form = urlencode({"name": "lan", "password": PASSWORD}).encode()
        answer = self.post("/login", form, **{"Content-Type": "application/x-www-form-urlencoded", **headers})
        self._cookie = (answer.headers["set-cookie"] or "").partition(";")[0]
        return answer


@pytest.fixture
def browser(nginx) -> Browser:
    return Browser(nginx[1])


def test_plain_http_leads_to_tls(nginx):
    connection = http.client.HTTPConnection("127.0.0.1", nginx[0], timeout=20)
    connection.request("GET", "/annotate/?id=d", headers={"Host": HOST})
    with connection.getresponse() as answer:
        assert (answer.status, answer.headers["location"]) == (301, f"https://{HOST}/annotate/?id=d")
    connection.close()


def test_a_login_gives_a_secure_cookie_and_leads_on(browser):
    strangers = browser.get("/annotate/", Accept="text/html")
    assert (strangers.status, strangers.headers["location"]) == (303, "/login?next=/annotate/")
    answer = browser.log_in()
    assert answer.status == 303
    assert "Secure" in answer.headers["set-cookie"]
    assert browser.get("/annotate/").status == 200
    assert browser.get("/en/").status == 200


def test_what_a_visitor_claims_about_itself_is_not_passed_on(browser):
    claims = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    assert browser.log_in(Origin="https://evil.example", **claims).status == 403
    assert "Secure" in browser.log_in(**claims).headers["set-cookie"]


def test_requests_of_this_host_work_and_of_others_do_not(browser):
    browser.log_in()
    kind = {"Content-Type": "application/json"}
    ours = browser.post("/annotate/api/next", b'{"tab": "t"}', **kind)
    assert (ours.status, ours.json["document"]["id"]) == (200, "d")
    assert browser.post("/annotate/api/next", b'{"tab": "t"}', Origin="https://evil.example", **kind).status == 403


def test_viner_itself_says_what_is_too_large(browser):
    browser.log_in()
    answer = browser.post("/api/v1/recognize", b" " * (10 * 2**20 + 1))
    assert (answer.status, answer.json["error"]["code"]) == (413, "payload_too_large")
    assert browser.post("/api/v1/recognize", b" " * (9 * 2**20)).status == 415  # it got through


def test_streams_of_events_come_as_they_are_sent(browser):
    browser.log_in()
    deadline = time.monotonic() + 60
    while browser.get("/api/v1/ready").status != 200:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    with browser.streaming("GET", "/en/gradio_api/heartbeat/a-tab") as stream:  # it has no end
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.read1(100)


def test_the_unit_is_one(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    program = Path(sys.executable).with_name("viner")
    unit = tmp_path / "viner.service"
    unit.write_text(example("ini").replace("/opt/viner/bin/viner", str(program)), encoding="utf-8")
    checked = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_the_page_shows_the_services_as_they_are():
    """Names of services and volumes in the page's commands are those of the compose files."""
    folder = ROOT / "src" / "viner" / "publishing" / "container"
    known = "".join((folder / name).read_text(encoding="utf-8") for name in ("recognizer.yaml", "workbench.yaml"))
    used = set()
    for text in (PAGE.read_text(encoding="utf-8"), *(path.read_text(encoding="utf-8") for path in folder.glob("*.md"))):
        used |= set(re.findall(r"docker compose (?:exec|run|restart)(?: --?[\w-]+(?: [A-Z]+=\S+)?)* (\w+)", text))
    assert used == {"recognizer", "workbench"}
    assert all(f"\n  {name}:\n" in known for name in used)
