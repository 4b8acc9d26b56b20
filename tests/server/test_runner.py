from __future__ import annotations

import gc
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from viner.errors import UsageError
from viner.server.runner import ServerError, _settle, address_of, check_address, listen

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from fakes import FakeRecognizer
from viner.server import serve
serve(FakeRecognizer())
"""


def test_a_taken_port_is_a_clear_error() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(ServerError, match=r"port \d+ is in use.*--port"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_an_address_can_be_checked_before_there_is_anything_to_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match="in use"):
            check_address("127.0.0.1", port)
        monkeypatch.setenv("VINER_PORT", str(port))
        with pytest.raises(ServerError, match="in use"):
            check_address()
    check_address()  # and leaves the port free again
    listen("127.0.0.1", port).close()
    monkeypatch.setenv("VINER_PORT", "http")
    with pytest.raises(UsageError, match="VINER_PORT"):
        check_address()


@pytest.mark.parametrize("paged", [False, True])
def test_what_is_there_once_the_page_is_built_is_not_searched_for_garbage(paged: bool) -> None:
    before = []

    class Page:
        async def wait(self) -> str:
            before.append(gc.get_freeze_count())
            return "ready"

    app = SimpleNamespace(state=SimpleNamespace(console=Page() if paged else None))
    try:
        # Without a loop: tests of pages leave one running in this thread.
        with pytest.raises(StopIteration):
            _settle(app).send(None)  # type: ignore[arg-type]
        assert gc.get_freeze_count() > 10_000
        assert before == [0] * paged
    finally:
        gc.unfreeze()


FREED = """
import psutil
from viner.server.runner import give_back_memory
blocks = [bytes(2_000) for _ in range(50_000)]
kept = blocks[::50]  # here and there one that stays, as in a process that built a page
del blocks
before = psutil.Process().memory_info().rss
give_back_memory()
print(before - psutil.Process().memory_info().rss, kept[0] == bytes(2_000))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked for memory")
def test_freed_memory_is_given_back_though_some_between_it_stays() -> None:
    freed, kept = subprocess.check_output([sys.executable, "-c", FREED], text=True, timeout=120).split()
    assert int(freed) > 50_000_000
    assert kept == "True"


NOW_AND_THEN = """
import asyncio
from viner.server import runner
calls = []
runner._GIVE_BACK_EVERY = 0.01
runner.give_back_memory = lambda: calls.append(None)
async def main():
    task = asyncio.create_task(runner._keep_small())
    while len(calls) < 3:
        await asyncio.sleep(0.01)
    task.cancel()
asyncio.run(asyncio.wait_for(main(), 60))
"""


def test_memory_is_given_back_as_long_as_the_server_runs() -> None:
    # In a process of its own: tests of pages leave a loop running in this thread.
    subprocess.run([sys.executable, "-c", NOW_AND_THEN], check=True, timeout=120)


def test_a_host_that_is_not_here_is_a_clear_error() -> None:
    with pytest.raises(UsageError, match="no address of this machine"):
        listen("no-such-host.invalid", 0)
    with pytest.raises(ServerError, match="cannot listen"):
        listen("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80/"),
        ("0.0.0.0", "http://127.0.0.1:80/"),
        ("::", "http://[::1]:80/"),
        ("::1", "http://[::1]:80/"),
        ("viner.example", "http://viner.example:80/"),
    ],
)
def test_the_printed_address_can_be_opened(host: str, address: str) -> None:
    assert address_of(host, 80) == address


def test_serve_prints_its_address_answers_early_and_ends_cleanly_on_ctrl_c() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {**os.environ, "VINER_PORT": str(port), "VINER_NO_BROWSER": "1"}
    command = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/recognize",
            data=json.dumps({"texts": ["Kenya"]}).encode(),
            headers={"Content-Type": "application/json"},
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(request, timeout=10) as response:
                    assert json.load(response)["documents"][0]["entities"]
                break
            except urllib.error.URLError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "CancelledError: Task cancelled" not in errors
    assert errors.rstrip().endswith("KeyboardInterrupt")  # what the command line turns into exit status 130
