"""A stream of documents: line by line in, line by line out."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from fakes import FakeRecognizer
from fastapi.testclient import TestClient
from live import serving

from viner.document import Document
from viner.server import Settings, create_app, recognition
from viner.server import lines as reading
from viner.server.lines import _LineReader

URL = "/api/v1/recognize"
KIND = {"content-type": "application/x-ndjson"}


def ask(client: TestClient, body: bytes, url: str = URL) -> list[dict[str, Any]]:
    response = client.post(url, content=body, headers=KIND)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.content.splitlines()]


def lines_of(*items: Any) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def test_every_line_is_answered_in_order_with_its_id_and_what_belongs_to_it(client: TestClient) -> None:
    answers = ask(
        client,
        lines_of({"id": "a", "text": "BN12 ở Hà Nội", "meta": {"page": 3}}, {"text": "nothing"}, {"id": 7, "text": "Kenya"}),
    )
    assert [answer.get("id") for answer in answers] == ["a", None, "7"]
    assert answers[0]["meta"] == {"page": 3}
    assert [[entity["text"] for entity in answer["entities"]] for answer in answers] == [["12", "Hà Nội"], [], ["Kenya"]]


def test_answers_are_those_of_a_plain_request(client: TestClient) -> None:
    texts = [f"BN{number} ở Hà Nội, {'x' * number} 😷 Kenya" for number in range(200)]
    plain = [
        document
        for start in range(0, 200, 50)
        for document in client.post(URL, json={"texts": texts[start : start + 50]}).json()["documents"]
    ]
    assert ask(client, lines_of(*({"text": text} for text in texts))) == plain


def test_a_wrong_line_gets_an_error_in_its_place(client: TestClient) -> None:
    body = b'{"text": "Kenya", "id": "a"}\n{"text": 3, "id": "b"}\nno json\n["x"]\n{"text": "x", "lang": "vi"}\n{"id": "c"}\n'
    body += b'{"text": "bad \\ud83d end"}\n{"text": "ab", "words": [[0, 5]]}\n{"text": "Cork"}'
    answers = ask(client, body)
    assert [answer["text"] for answer in (answers[0], answers[-1])] == ["Kenya", "Cork"]
    errors = [(answer["error"]["code"], answer["error"]["where"]) for answer in answers[1:-1]]
    assert errors == [
        ("invalid_input", "line 2, text"),
        ("invalid_json", "line 3, column 1"),
        ("invalid_input", "line 4"),
        ("invalid_input", "line 5"),
        ("invalid_input", "line 6, text"),
        ("invalid_input", "line 7, text"),
        ("invalid_input", "line 8, words[0]"),
    ]
    assert answers[1]["id"] == "b"
    assert all(set(answer["error"]) == {"code", "message", "where", "hint"} for answer in answers[1:-1])


def test_a_number_that_would_become_infinite_is_refused_with_its_place(client: TestClient) -> None:
    body = b'{"text": "a", "meta": {"x": 1e308}}\n'
    body += b'{"text": "a", "meta": {"at": [0, {"x": 1e400}], "id": 12345678901234567890}}\n'
    body += b'{"text": "a", "meta": {"x": 1e400, "x": 1}}'
    fine, *others = ask(client, body)
    assert fine["meta"] == {"x": 1e308}
    assert [answer["error"]["where"] for answer in others] == ["line 2, meta.at[1].x", "line 3"]
    assert all(answer["error"]["code"] == "invalid_json" for answer in others)
    assert "1e400" in others[0]["error"]["message"]
    assert "1.8e308" in others[0]["error"]["hint"]


def test_annotations_that_a_line_brings_are_not_looked_at(client: TestClient) -> None:
    (answer,) = ask(client, lines_of({"text": "Kenya", "entities": [{"start": 90, "end": 99, "label": "X"}], "relations": 7}))
    assert [entity["text"] for entity in answer["entities"]] == ["Kenya"]


def test_an_error_names_line_id_and_word(client: TestClient) -> None:
    lines = lines_of({"id": 7, "text": "ab", "words": [[0, 1], [1, 9]]}, {"id": "b", "text": "😷b", "words": [[0, 2], [1, 3]]})
    for unit in ("codepoint", "utf16"):
        found = ask(client, lines, f"{URL}?offsets={unit}")
        told = [(line["id"], line["error"]["where"]) for line in found]
        assert told == [(7, "line 1, words[1]"), ("b", "line 2, words[1]")], unit


def test_a_line_of_many_words_is_read_beside_the_loop_that_answers_others(client: TestClient, monkeypatch) -> None:
    seen = []
    read = reading._read_document
    monkeypatch.setattr(reading, "_read_document", lambda *given: seen.append(threading.get_ident()) or read(*given))
    text = "ab " * 9_000
    words = [[start, start + 2] for start in range(0, len(text), 3)]
    answers = ask(client, lines_of({"text": "ab"}, {"text": text, "words": words}, {"text": "Kenya"}))
    assert [answer["text"] for answer in answers] == ["ab", text, "Kenya"]
    loop, beside, again = seen
    assert loop == again != beside


def test_offsets_of_given_words_count_what_the_answer_counts() -> None:
    class Words(FakeRecognizer):
        def __call__(self, text: str | Document) -> Document:
            document = text if isinstance(text, Document) else Document(text)
            return document.with_(entities=[])

    with TestClient(create_app(Words(), Settings(), console=False)) as client:
        line = lines_of({"text": "😷 ab", "words": [[3, 5]]})
        assert ask(client, line, f"{URL}?offsets=utf16")[0]["words"] == [[3, 5]]
        assert ask(client, lines_of({"text": "😷 ab", "words": [[2, 4]]}))[0]["words"] == [[2, 4]]
        assert (
            ask(client, lines_of({"text": "😷 ab", "words": [[1, 5]]}), f"{URL}?offsets=utf16")[0]["error"]["code"]
            == "invalid_input"
        )


def test_empty_lines_are_passed_over_and_counted(client: TestClient) -> None:
    answers = ask(client, b'\n\r\n{"text": "Kenya"}\r\n  \nx\n\n')
    assert answers[0]["text"] == "Kenya"
    assert [answer["error"]["where"] for answer in answers[1:]] == ["line 5, column 1"]
    assert ask(client, b"") == []


def test_a_mark_before_the_first_line_is_no_part_of_it(client: TestClient) -> None:
    mark = b"\xef\xbb\xbf"
    for before in (mark, mark + b"\n"):
        assert [answer["text"] for answer in ask(client, before + lines_of({"text": "Kenya"}))] == ["Kenya"]


def test_what_to_send_for_a_text_is_the_shape_of_a_line(client: TestClient) -> None:
    assert '{"text": "…"}' in ask(client, lines_of({"text": 17}))[0]["error"]["hint"]


def test_no_answer_holds_a_character_at_which_readers_break_lines(client: TestClient) -> None:
    text = "a\u2028b\u2029c\x85d"
    response = client.post(URL, content=lines_of({"text": text}), headers=KIND)
    assert len(response.text.splitlines()) == 1
    assert response.json()["text"] == text


def test_what_json_can_hold_comes_back_as_it_was(client: TestClient) -> None:
    meta = {"long": 12345678901234567890123, "half": "\ud83d", "deep": [[[[{"x": None}]]]]}
    assert ask(client, lines_of({"text": "Kenya", "meta": meta}))[0]["meta"] == meta
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    assert ask(client, lines_of({"text": "Kenya", "meta": {"x": deep}}))[0]["error"]["where"] == "line 1, meta"


def test_lines_texts_and_the_whole_have_limits() -> None:
    settings = Settings(max_line=1000, max_text=100, max_stream=5000)
    with TestClient(create_app(FakeRecognizer(), settings, console=False)) as client:
        answers = ask(client, lines_of({"text": "x" * 101}, {"text": "y" * 2000}, {"text": "Kenya"}))
        assert [answer.get("error", {}).get("code") for answer in answers] == ["text_too_long", "line_too_long", None]
        (last,) = ask(client, lines_of(*({"text": "x" * 90} for _ in range(100))))[-1:]
    assert (last["error"]["code"], last["error"]["where"]) == ("payload_too_large", None)


def test_a_failing_recognizer_fails_its_lines_without_a_word_of_the_text(caplog: pytest.LogCaptureFixture) -> None:
    class Picky(FakeRecognizer):
        def __call__(self, text: str | Document) -> Document:
            if "Kín" in (text if isinstance(text, str) else text.text):
                raise RuntimeError(f"cannot handle {text}")
            return super().__call__(text)

    with TestClient(create_app(Picky(), Settings(), console=False)) as client:
        response = client.post(
            URL, content=lines_of({"text": "Kenya"}, {"text": "Kín", "id": "b"}), headers={**KIND, "x-request-id": "r7"}
        )
    good, bad = (json.loads(line) for line in response.text.splitlines())
    assert good["text"] == "Kenya"
    assert (bad["id"], bad["error"]["code"], bad["error"]["where"]) == ("b", "internal_error", "line 2")
    assert "r7" in bad["error"]["hint"]
    assert "r7" in caplog.text
    assert "Kín" not in caplog.text + response.text


def test_a_project_without_a_model_says_so_before_anything_is_read(local: TestClient) -> None:
    response = local.post(URL, content=lines_of({"text": "x"}), headers=KIND)
    assert (response.status_code, response.json()["error"]["code"]) == (409, "no_model")


class Stream:
    """A client of the app that sees what is read and what is sent, message by message."""

    def __init__(self, settings: Settings, recognizer: FakeRecognizer) -> None:
        self.app = create_app(recognizer, settings, console=False)
        self.status = 0
        self.body = b""
        self.read = 0

    async def run(self, chunks: AsyncIterator[dict[str, Any]], sent: Callable[[], Any] = lambda: None) -> None:
        async def receive() -> dict[str, Any]:
            message = await anext(chunks)
            self.read += len(message.get("body", b""))
            return message

        async def send(message: dict[str, Any]) -> None:
            self.status = message.get("status", self.status)
            self.body += message.get("body", b"")
            result = sent()
            if result is not None:
                await result

        scope = {
            "type": "http", "method": "POST", "path": URL, "raw_path": URL.encode(), "query_string": b"", "http_version": "1.1",
            "headers": [(b"content-type", b"application/x-ndjson")], "scheme": "http", "server": ("testserver", 80),
            "root_path": "", "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await asyncio.wait_for(self.app(scope, receive, send), 120)

    @property
    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.body.splitlines()]


def in_thread(work: Callable[[], Any]) -> None:
    failures: list[BaseException] = []

    def target() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def part(body: bytes, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_no_more_is_read_than_is_answered_whatever_the_length() -> None:
    stream = Stream(Settings(), FakeRecognizer(blind=True))
    line = lines_of({"text": "x" * 500})
    chunk, count = line * 40, 300
    answered = 0
    most = 0

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        for number in range(count):
            yield part(chunk, number < count - 1)

    def look() -> None:
        nonlocal answered, most
        answered += stream.body.count(b"\n")
        stream.body = b""
        most = max(most, stream.read - answered * len(line))

    in_thread(lambda: stream.run(chunks(), look))
    assert answered == 40 * count
    assert most < 64_000 + 2 * len(chunk)


def test_a_client_that_hangs_up_ends_the_work() -> None:
    recognizer = FakeRecognizer(seconds=0.01)
    stream = Stream(Settings(), recognizer)

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        yield part(lines_of({"text": "x"}) * 2000)
        await asyncio.to_thread(recognizer.busy.wait, 60)
        yield {"type": "http.disconnect"}

    in_thread(lambda: stream.run(chunks()))
    assert recognizer.calls < 1000


def test_a_stopping_server_answers_what_it_has_and_says_where_to_go_on() -> None:
    stream = Stream(Settings(), FakeRecognizer())

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        yield part(lines_of({"text": "Kenya"}))
        while not stream.body:
            await asyncio.sleep(0.01)
        asyncio.create_task(stream.app.state.recognition.drain(60))  # noqa: RUF006
        await asyncio.sleep(3600)
        yield part(b"", False)

    in_thread(lambda: stream.run(chunks()))
    assert stream.answers[0]["text"] == "Kenya"
    assert stream.answers[1]["error"]["code"] == "shutting_down"


def test_lines_that_a_stopping_server_does_not_answer_are_to_be_sent_again() -> None:
    recognizer = FakeRecognizer()
    stream = Stream(Settings(), recognizer)
    many = [{"text": "Kenya " * 400} for _ in range(40)]

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        yield part(lines_of(*many))
        asyncio.create_task(stream.app.state.recognition.drain(60))  # noqa: RUF006
        await asyncio.sleep(3600)
        yield part(b"", False)

    in_thread(lambda: stream.run(chunks()))
    *answered, last = stream.answers
    assert len(answered) < len(many)
    assert all("entities" in answer for answer in answered)
    assert (last["error"]["code"], last["error"]["hint"]) == ("shutting_down", "Send the lines without an answer again")


def test_a_client_that_sends_nothing_more_is_told_so() -> None:
    stream = Stream(Settings(timeout=1), FakeRecognizer())

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        yield part(lines_of({"text": "Kenya"}))
        await asyncio.sleep(3600)
        yield part(b"", False)

    in_thread(lambda: stream.run(chunks()))
    assert [answer.get("error", {}).get("code") for answer in stream.answers] == [None, "request_timeout"]


def test_a_stream_that_never_begins_is_ended_and_leaves_its_place() -> None:
    stream = Stream(Settings(timeout=1), FakeRecognizer())

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        await asyncio.sleep(3600)
        yield part(b"", False)

    in_thread(lambda: stream.run(chunks()))
    assert (stream.status, stream.answers[0]["error"]["code"]) == (408, "request_timeout")
    assert not stream.app.state.recognition._streams


@pytest.fixture
def two_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "_MOST_STREAMS", 2)
    monkeypatch.setattr(recognition, "_IDLE", 0.3)


async def one_line(text: str = "Kenya") -> AsyncIterator[dict[str, Any]]:
    yield part(lines_of({"text": text}), False)


@pytest.mark.usefixtures("two_places")
@pytest.mark.parametrize("begun", [True, False], ids=["begun", "not begun"])
def test_a_stream_that_trickles_gives_its_place_to_one_that_needs_it(begun: bool) -> None:
    settings, recognizer = Settings(), FakeRecognizer()
    trickling, busy, late = (Stream(settings, recognizer) for _ in range(3))
    busy.app = late.app = trickling.app
    ended = asyncio.Event()

    async def trickle() -> AsyncIterator[dict[str, Any]]:
        if not begun:
            await asyncio.sleep(3600)
        yield part(lines_of({"text": "Cork"}))
        while True:  # bytes that make no line
            await asyncio.sleep(0.05)
            yield part(b"{")

    async def works() -> AsyncIterator[dict[str, Any]]:
        while not ended.is_set():
            yield part(lines_of({"text": "Kenya"}))
            await asyncio.sleep(0.02)
        yield part(b"", False)

    async def all_three() -> None:
        others = [asyncio.create_task(stream.run(chunks)) for stream, chunks in ((trickling, trickle()), (busy, works()))]
        await asyncio.sleep(1)
        await late.run(one_line())
        ended.set()
        await asyncio.gather(*others)

    in_thread(all_three)
    assert [answer["text"] for answer in late.answers] == ["Kenya"]
    assert {answer["text"] for answer in busy.answers} == {"Kenya"}
    told = trickling.answers[-1]["error"]
    assert (told["code"], told["hint"]) == ("queue_full", "Send the rest in another stream")
    assert "another stream needed the place" in told["message"]
    assert (trickling.status, len(trickling.answers)) == ((200, 2) if begun else (429, 1))
    assert not late.app.state.recognition._streams


@pytest.mark.usefixtures("two_places")
def test_streams_that_were_at_work_a_moment_ago_keep_their_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "_IDLE", 60.0)
    settings, recognizer = Settings(), FakeRecognizer()
    first, second, late = (Stream(settings, recognizer) for _ in range(3))
    second.app = late.app = first.app

    async def works() -> AsyncIterator[dict[str, Any]]:
        while not late.body:
            yield part(lines_of({"text": "Kenya"}))
            await asyncio.sleep(0.02)
        yield part(b"", False)

    async def all_three() -> None:
        others = [asyncio.create_task(stream.run(works())) for stream in (first, second)]
        await asyncio.sleep(1)
        await late.run(one_line())
        await asyncio.gather(*others)

    in_thread(all_three)
    assert (late.status, late.answers[0]["error"]["code"]) == (429, "queue_full")
    assert all("error" not in answer for stream in (first, second) for answer in stream.answers)


def test_a_stopping_server_does_not_wait_for_a_stream_that_never_begins() -> None:
    stream = Stream(Settings(), FakeRecognizer())

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(stream.app.state.recognition.drain(60)))
        await asyncio.sleep(3600)
        yield part(b"", False)

    in_thread(lambda: stream.run(chunks()))
    assert (stream.status, stream.answers[0]["error"]["code"]) == (503, "shutting_down")


def test_a_fault_in_reading_ends_the_stream_instead_of_leaving_it_open() -> None:
    stream = Stream(Settings(), FakeRecognizer())

    async def chunks() -> AsyncIterator[dict[str, Any]]:
        yield part(lines_of({"text": "Kenya"}))
        raise ZeroDivisionError
        yield part(b"", False)

    in_thread(lambda: stream.run(chunks()))
    assert stream.status == 200


def test_answers_come_while_the_request_is_still_being_sent() -> None:
    settings = Settings()
    with serving(create_app(FakeRecognizer(), settings, console=False), settings) as live, live.connect() as connection:
        head = f"POST {URL} HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\ntransfer-encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        for text in ("Kenya", "Cork"):
            line = lines_of({"text": text})
            connection.sendall(b"%x\r\n%b\r\n" % (len(line), line))
            received = b""
            while text.encode() not in received:
                chunk = connection.recv(65536)
                assert chunk
                received += chunk
        connection.sendall(b"0\r\n\r\n")
        ended = b""
        while not ended.endswith(b"0\r\n\r\n"):
            ended += connection.recv(65536)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines_are_the_same_however_they_are_cut_into_chunks(size: int) -> None:
    data = b"a\n\nbb\r\n" + b"x" * 30 + b"\n" + b"y" * 9 + b"\nend"
    reader = _LineReader(10)
    lines = [line for start in range(0, len(data), size) for line in reader.feed(data[start : start + size])]
    assert [*lines, *reader.finish()] == [(1, b"a"), (3, b"bb\r"), (4, None), (5, b"y" * 9), (6, b"end")]
