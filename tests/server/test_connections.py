"""Clients that are slow, broken or hostile, and a server that is told to stop: over real sockets."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress

import pytest
from fakes import FakeRecognizer
from live import error_in, packed, read_answer, read_to_end, request_of, serving

from viner.document import Document
from viner.server import Settings, create_app
from viner.server.connections import LARGEST_HEAD


def app_of(settings: Settings, recognizer: FakeRecognizer | None = None):
    return create_app(recognizer or FakeRecognizer(), settings, console=False)


class Held(FakeRecognizer):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def __call__(self, text: str | Document) -> Document:
        self.busy.set()
        assert self.go.wait(60)
        return super().__call__(text)


@pytest.mark.parametrize(
    "sent", [b"\x00\x01\x02\xff" * 50, b"GET\r\n\r\n", b"hello\r\n\r\n", b"GET http://[::1 HTTP/1.1\r\n\r\n"]
)
def test_what_is_no_http_gets_an_error_in_the_form_of_all(sent: bytes) -> None:
    settings = Settings()
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(sent)
        status, body = read_answer(connection)
        assert (status, error_in(body)["code"]) == (400, "invalid_request")
        assert read_to_end(connection) == b""
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(sent)
        assert b"x-request-id: " in read_to_end(connection)


UPGRADE = {
    "connection": "Upgrade, HTTP2-Settings",
    "upgrade": "h2c",
    "http2-settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
}


@pytest.mark.parametrize("size", [None, 1, 7, 64])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_behind_the_wish_for_another_protocol_is_read_and_taken_for_no_request(size: int | None, chunked: bool) -> None:
    """As Java's client and ``curl --http2`` send it; a body that looks like a request must stay one."""
    hidden = b"GET /api/v1/model HTTP/1.1\r\nhost: x\r\n\r\n".decode()
    body = json.dumps({"texts": [f"Lan {hidden}"]}).encode()
    if chunked:
        lines = [*(f"{name}: {value}" for name, value in UPGRADE.items()), "transfer-encoding: chunked"]
        head = "\r\n".join(["POST /api/v1/recognize HTTP/1.1", "host: x", "content-type: application/json", *lines, "", ""])
        asked = head.encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    else:
        asked = packed(body, {"content-type": "application/json", **UPGRADE})
    settings = Settings()
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        for sent in (asked, asked, asked + request_of(["Huế"])):
            for at in range(0, len(sent), size or len(sent)):
                connection.sendall(sent[at : at + (size or len(sent))])
        for text in (f"Lan {hidden}",) * 3 + ("Huế",):
            status, answer = read_answer(connection)
            assert (status, json.loads(answer)["documents"][0]["text"]) == (200, text)


@pytest.mark.parametrize("method", ["GET", "CONNECT"])
def test_a_wish_for_another_protocol_without_a_body_is_answered_in_this_one(method: str) -> None:
    path = "/api/v1/health" if method == "GET" else "127.0.0.1:1"
    asked = f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n".encode()
    settings = Settings()
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(asked)
        if method == "GET":
            connection.sendall(asked + asked + request_of(["Huế"]))
            assert [read_answer(connection)[0] for _ in range(4)] == [200] * 4
        else:
            assert read_answer(connection)[0] in (400, 404)


def test_a_head_without_end_is_cut_off() -> None:
    settings = Settings()
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n")
        connection.sendall(b"x-filler: " + b"y" * LARGEST_HEAD + b"\r\n")
        status, body = read_answer(connection)
        assert (status, error_in(body)["code"]) == (431, "head_too_large")


def test_a_large_head_that_comes_at_once_is_refused_and_what_follows_it_not_answered() -> None:
    settings = Settings(timeout=60)
    request = b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx-filler: " + b"y" * (LARGEST_HEAD + 1) + b"\r\n\r\n"
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(request + packed(b"{}", {}) + b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n")
        answers = read_to_end(connection)
        assert answers.startswith(b"HTTP/1.1 431 ")
        assert answers.count(b"HTTP/1.1 ") == 1
    small = b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n"
    for before in (1, 3):
        with serving(app_of(settings), settings) as live, live.connect() as connection:
            connection.sendall(small * before + request + small)
            answers = [answer[:3] for answer in read_to_end(connection).split(b"HTTP/1.1 ")[1:]]
            assert answers == [b"200"] * before + [b"431"]
    many = b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n" + b"a:\r\n" * (LARGEST_HEAD // 4) + b"\r\n"
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(many)
        assert read_answer(connection)[0] == 431
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert read_answer(connection)[0] == 200


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (b"\x00\x01\x02", b"400"),
        (b"GET /api/v1/health HTTP/1.1\r\nx-filler: " + b"y" * (LARGEST_HEAD + 1), b"431"),
        (b"POST /api/v1/recognize HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n", b"400"),
    ],
    ids=["no request", "a head without end", "a body that breaks off"],
)
@pytest.mark.parametrize("before", [0, 1, 3])
def test_a_refusal_comes_after_the_answers_before_it(broken: bytes, status: bytes, before: int) -> None:
    settings, recognizer = Settings(), Held()
    with serving(app_of(settings, recognizer), settings) as live, live.connect() as connection:
        connection.sendall(request_of(["Kenya"]) * before + broken)
        if before:
            assert recognizer.busy.wait(60)
        time.sleep(0.1)  # what is broken is read while an answer is due
        with suppress(ConnectionError):
            connection.sendall(request_of(["Peru"]))
        recognizer.go.set()
        answers = read_to_end(connection).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == [b"200"] * before + [status]
        assert all(b"Kenya" in answer for answer in answers[:before])
        assert live.connect().close() is None


def test_an_answer_that_has_begun_is_no_place_for_a_refusal() -> None:
    settings, recognizer = Settings(), Held()
    body = b'{"text": "Kenya"}\n'
    head = b"POST /api/v1/recognize HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    with serving(app_of(settings, recognizer), settings) as live, live.connect() as connection:
        recognizer.go.set()
        connection.sendall(head + b"transfer-encoding: chunked\r\n\r\n" + chunk)
        received = connection.recv(65536)
        assert received.startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"no number\r\n")
        received += read_to_end(connection)
        assert received.count(b"HTTP/1.1 ") == 1


def test_many_small_requests_at_once_are_no_large_head() -> None:
    settings = Settings()
    request = b"GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx-filler: " + b"y" * 1000 + b"\r\n\r\n"
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(request * 200)
        received = b""
        while received.count(b"HTTP/1.1 200 OK") < 200:
            chunk = connection.recv(65536)
            assert chunk
            received += chunk


@pytest.mark.parametrize("sent", [b"", b"POST /api/v1/recog", b"\r\n"])
def test_a_client_that_does_not_come_to_the_point_is_let_go(sent: bytes) -> None:
    settings = Settings(timeout=1)
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(sent)
        status, body = read_answer(connection)
        assert (status, error_in(body)["code"]) == (408, "request_timeout")
        assert read_to_end(connection) == b""


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    settings = Settings(timeout=1)
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        connection.sendall(request_of(["Kenya"])[:-3])
        status, body = read_answer(connection)
        assert (status, error_in(body)["code"]) == (408, "request_timeout")
        assert read_to_end(connection) == b""


@pytest.mark.parametrize("trickles", [False, True])
def test_what_came_fast_gives_no_leave_to_stall(trickles: bool) -> None:
    settings = Settings(timeout=1, max_body=1_000_000)
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        head = b"POST /api/v1/recognize HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500000\r\n\r\n"
        connection.sendall(head + b" " * 400_000)
        answered = threading.Event()

        def trickle() -> None:
            while not answered.wait(0.3):
                with suppress(OSError):
                    connection.sendall(b" ")

        if trickles:
            threading.Thread(target=trickle, daemon=True).start()
        connection.settimeout(30)
        status, body = read_answer(connection)
        answered.set()
        assert (status, error_in(body)["code"]) == (408, "request_timeout")


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off() -> None:
    settings = Settings(timeout=1)
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        line = json.dumps({"text": "Kenya " * 2000}).encode() + b"\n"
        head = b"POST /api/v1/recognize HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n"
        connection.sendall(head + b"content-length: 900000000\r\n\r\n")
        connection.setblocking(False)
        gone = False
        while not gone:  # the server stops reading, then it gives up: it never keeps what nobody takes
            try:
                connection.send(line)
            except BlockingIOError:
                time.sleep(0.05)
            except ConnectionError:
                gone = True


def test_a_packed_body_is_refused(tmp_path) -> None:
    settings = Settings()
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        for kind in ("application/json", "application/x-ndjson"):
            connection.sendall(packed(b"\x1f\x8b" + b"x" * 100, {"content-type": kind, "content-encoding": "gzip"}))
            status, body = read_answer(connection)
            assert (status, error_in(body)["code"], error_in(body)["where"]) == (
                415,
                "unsupported_encoding",
                "Content-Encoding",
            )
        connection.sendall(request_of(["Kenya"], **{"content-encoding": "identity"}))
        assert read_answer(connection)[0] == 200


def test_a_connection_serves_many_requests_also_after_refusals() -> None:
    settings = Settings()
    with serving(app_of(settings), settings) as live, live.connect() as connection:
        for _ in range(3):
            connection.sendall(request_of(["Kenya"]))
            assert read_answer(connection)[0] == 200
            connection.sendall(packed(b"{", {"content-type": "application/json"}))
            assert read_answer(connection)[0] == 400


def test_a_client_that_hangs_up_leaves_nothing_in_the_queue() -> None:
    settings, recognizer = Settings(), Held()
    app = app_of(settings, recognizer)
    with serving(app, settings) as live:
        first = live.connect()
        first.sendall(request_of(["first"]))
        assert recognizer.busy.wait(60)
        second = live.connect()
        second.sendall(request_of(["second"] * 50))
        batcher = app.state.recognition.batcher
        while batcher.state()["recognitions_in_flight"] < 2:
            time.sleep(0.01)
        second.close()
        while batcher.state()["queue_texts"]:  # looked at after a moment
            time.sleep(0.01)
        recognizer.go.set()
        assert read_answer(first)[0] == 200
        first.close()


def test_a_server_that_is_told_to_stop_answers_what_it_took_and_takes_nothing_more() -> None:
    settings, recognizer = Settings(grace=60), Held()
    with serving(app_of(settings, recognizer), settings) as live:
        idle, busy = live.connect(), live.connect()
        idle.sendall(request_of([]))
        assert read_answer(idle)[0] == 200
        busy.sendall(request_of(["Kenya"] * 20))
        assert recognizer.busy.wait(60)
        live.stop()
        assert read_to_end(idle) == b""
        while True:  # until nobody listens any more
            try:
                live.connect().close()
            except OSError:
                break
        recognizer.go.set()
        status, body = read_answer(busy)
        assert status == 200
        assert len(json.loads(body)["documents"]) == 20
        assert read_to_end(busy) == b""
        live.thread.join(timeout=60)
        assert not live.thread.is_alive()
        idle.close()
        busy.close()


def test_who_waits_for_a_server_that_stops_is_told_to_come_again() -> None:
    settings, recognizer = Settings(grace=0), Held()
    with serving(app_of(settings, recognizer), settings) as live:
        connection = live.connect()
        connection.sendall(request_of(["Kenya " * 500] * 200))  # more than the threads take at once
        assert recognizer.busy.wait(60)
        live.stop()
        status, body = read_answer(connection)
        assert (status, error_in(body)["code"]) == (503, "shutting_down")
        recognizer.go.set()
        connection.close()


def test_a_server_waits_for_its_answers_no_longer_than_told() -> None:
    settings, recognizer = Settings(grace=0), Held()
    with serving(app_of(settings, recognizer), settings) as live:
        connection = live.connect()
        connection.sendall(request_of(["Kenya"]))
        assert recognizer.busy.wait(60)
        live.stop()
        live.thread.join(timeout=60)
        assert not live.thread.is_alive()
        recognizer.go.set()  # the thread that recognizes cannot be interrupted
        connection.close()
