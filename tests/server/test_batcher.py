"""Requests share batches and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any

import pytest
from fakes import FakeRecognizer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viner.document import Document
from viner.errors import BundleError
from viner.runtime import Recognizer
from viner.server.batcher import BATCH_CHARACTERS, BATCH_TEXTS, HEAVY, Batcher
from viner.server.counters import Counters
from viner.server.errors import RequestError

FOREVER = 3600.0


class Gated(FakeRecognizer):
    """Remembers its batches. Each waits at a gate; texts that begin with "bad" fail the batch that they are in."""

    def __init__(self, *, open_gate: bool = False) -> None:
        super().__init__(blind=True)
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.begun = threading.Semaphore(0)
        if open_gate:
            self.gate.set()

    def stream(self, texts: Iterable[str | Document]) -> Iterator[Document]:
        batch: list[str] = []
        self.batches.append(batch)
        self.begun.release()
        assert self.gate.wait(60)
        documents = []
        for text in texts:
            batch.append(str(text))
            if str(text).startswith("bad"):
                raise BundleError(f"cannot do {text}")
            documents.append(Document(str(text)))
        yield from documents


def text_of(document: Document) -> str:
    return document.text


def run(work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Runs a coroutine in a thread of its own: a browser test before this one may have left its event loop in this one."""
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(asyncio.run(asyncio.wait_for(work(), 60))))
    thread.start()
    thread.join()
    assert result, "the coroutine failed; its traceback is above"
    return result[0]


async def begun(recognizer: Gated) -> None:
    """Waits until one batch more is at the gate."""
    assert await asyncio.to_thread(recognizer.begun.acquire, timeout=60)


@pytest.fixture
def make_batcher() -> Iterator[Callable[..., Batcher]]:
    made: list[Batcher] = []

    def make(**options: Any) -> Batcher:
        options = {"most_texts": 1000, "threads": 2, "wait": FOREVER, **options}
        made.append(Batcher(options.pop("counters", Counters()), **options))
        return made[-1]

    yield make
    for batcher in made:
        batcher.close()


def test_a_lone_request_is_not_kept_waiting_for_company(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(wait=FOREVER), Gated(open_gate=True)

    async def work() -> list[str]:
        return [await batcher.submit(recognizer, [text], text_of) for text in ("a", "b", "c")]

    assert run(work) == [["a"], ["b"], ["c"]]


def test_requests_that_come_while_another_is_recognized_share_a_batch(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(), Gated()

    async def work() -> list[list[str]]:
        first = batcher.submit(recognizer, ["first"], text_of)
        await begun(recognizer)
        others = [batcher.submit(recognizer, [f"{number}", f"{number}{number}"], text_of) for number in range(5)]
        recognizer.gate.set()
        return [await first, *[await other for other in others]]

    assert run(work) == [["first"], *[[f"{number}", f"{number}{number}"] for number in range(5)]]
    assert [len(batch) for batch in recognizer.batches] == [1, 10]


def test_a_full_batch_waits_for_nothing(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(wait=FOREVER), Gated()

    async def work() -> None:
        futures = [batcher.submit(recognizer, ["first"], text_of)]
        await begun(recognizer)
        futures += [batcher.submit(recognizer, ["x" * (BATCH_CHARACTERS // 4)], text_of) for _ in range(4)]
        await begun(recognizer)  # at the gate beside the first, which is still there
        recognizer.gate.set()
        await asyncio.gather(*futures)

    run(work)
    assert [len(batch) for batch in recognizer.batches] == [1, 4]


def test_company_is_waited_for_no_longer_than_told(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(wait=0.01), Gated()

    async def work() -> None:
        first = batcher.submit(recognizer, ["first"], text_of)
        await begun(recognizer)
        second = batcher.submit(recognizer, ["second"], text_of)
        await begun(recognizer)
        recognizer.gate.set()
        await asyncio.gather(first, second)

    run(work)


def test_no_batch_is_larger_than_a_batch(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(), Gated(open_gate=True)
    texts = ["x" * (number % 300) for number in range(700)]

    async def work() -> list[str]:
        return await batcher.submit(recognizer, texts, text_of)

    assert run(work) == texts
    assert max(len(batch) for batch in recognizer.batches) <= BATCH_TEXTS
    assert max(sum(map(len, batch)) for batch in recognizer.batches) <= BATCH_CHARACTERS


def test_a_failing_text_fails_alone(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(), Gated()

    async def work() -> list[Any]:
        first = batcher.submit(recognizer, ["first"], text_of)
        await begun(recognizer)
        futures = [batcher.submit(recognizer, texts, text_of) for texts in (["a"], ["b", "bad", "c"], ["d"])]
        recognizer.gate.set()
        await first
        return [await future for future in futures]

    good, mixed, last = run(work)
    assert (good, last) == (["a"], ["d"])
    assert (mixed[0], mixed[2]) == ("b", "c")
    assert isinstance(mixed[1], BundleError)


def test_a_digest_that_fails_fails_for_its_own_request_alone(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(), Gated()

    def broken(document: Document) -> str:
        raise ZeroDivisionError

    async def work() -> list[Any]:
        first = batcher.submit(recognizer, ["first"], text_of)
        await begun(recognizer)
        futures = [batcher.submit(recognizer, ["a"], broken), batcher.submit(recognizer, ["b"], text_of)]
        recognizer.gate.set()
        return [await first, *[await future for future in futures]]

    first, failed, good = run(work)
    assert (first, good) == (["first"], ["b"])
    assert isinstance(failed[0], ZeroDivisionError)


def test_a_request_of_many_texts_delays_a_small_one_by_no_more_than_a_batch(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(threads=2), Gated()
    many = [f"{number:04}" * 25 for number in range(400)]

    async def work() -> None:
        large = batcher.submit(recognizer, many, text_of)
        await begun(recognizer)
        await begun(recognizer)
        small = batcher.submit(recognizer, ["small"], text_of)
        recognizer.gate.set()
        assert await small == ["small"]
        assert await large == many

    run(work)
    assert any("small" in batch for batch in recognizer.batches[2:4])


def test_long_texts_leave_a_thread_to_the_others(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(threads=2), Gated()
    long = "x" * (HEAVY + 1)

    async def work() -> None:
        heavy = [batcher.submit(recognizer, [long], text_of) for _ in range(2)]
        await begun(recognizer)
        small = batcher.submit(recognizer, ["small", "y" * BATCH_CHARACTERS], text_of)
        await begun(recognizer)
        recognizer.gate.set()
        await asyncio.gather(small, *heavy)

    run(work)
    assert [len(batch) for batch in recognizer.batches] == [1, 1, 1, 1]
    assert sum(map(len, recognizer.batches[0])) == HEAVY + 1
    assert sum(map(len, recognizer.batches[1])) <= BATCH_CHARACTERS


def test_many_long_texts_do_not_hide_the_short_ones_behind_them(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(threads=2, most_texts=1000), Gated()
    long = "x" * (HEAVY + 1)

    async def work() -> None:
        heavy = [batcher.submit(recognizer, [long], text_of, patient=True) for _ in range(60)]
        await begun(recognizer)
        small = batcher.submit(recognizer, ["small"], text_of)
        await begun(recognizer)  # beside the first long text
        recognizer.gate.set()
        await asyncio.gather(small, *heavy)

    run(work)
    assert recognizer.batches[1] == ["small"]


def test_the_batches_of_one_request_are_recognized_side_by_side(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(threads=4, wait=FOREVER), Gated()

    async def work() -> None:
        future = batcher.submit(recognizer, ["x" * BATCH_CHARACTERS] * 4, text_of)
        for _ in range(4):
            await begun(recognizer)  # all are at the gate
        recognizer.gate.set()
        await future

    run(work)
    assert [len(batch) for batch in recognizer.batches] == [1, 1, 1, 1]


def test_a_full_queue_turns_requests_away_and_says_when_to_come_again(make_batcher: Callable[..., Batcher]) -> None:
    counters = Counters()
    batcher, recognizer = make_batcher(counters=counters, most_texts=10), Gated()

    async def work() -> RequestError:
        futures = [batcher.submit(recognizer, ["first"], text_of)]
        await begun(recognizer)
        futures.append(batcher.submit(recognizer, ["x"] * 15, text_of))  # the queue was empty, so even this one is taken
        with pytest.raises(RequestError) as refused:
            batcher.submit(recognizer, ["y"], text_of)
        recognizer.gate.set()
        await asyncio.gather(*futures)
        assert await batcher.submit(recognizer, ["y"], text_of) == ["y"]
        return refused.value

    error = run(work)
    assert (error.status, error.code) == (429, "queue_full")
    assert 1 <= (error.wait or 0) <= 60
    assert 'viner_rejected_total{code="queue_full"} 1' in counters.render()


def test_what_nobody_waits_for_is_not_recognized(make_batcher: Callable[..., Batcher]) -> None:
    counters = Counters()
    batcher, recognizer = make_batcher(counters=counters), Gated()

    async def work() -> None:
        first = batcher.submit(recognizer, ["first"], text_of)
        await begun(recognizer)
        gone = batcher.submit(recognizer, ["gone"] * 3, text_of)
        there = batcher.submit(recognizer, ["there"], text_of)
        gone.cancel()
        await asyncio.sleep(0)
        recognizer.gate.set()
        await asyncio.gather(first, there)

    run(work)
    assert recognizer.batches == [["first"], ["there"]]
    state = batcher.state()
    assert (state["queue_texts"], state["queue_characters"], state["recognitions_in_flight"]) == (0, 0, 0)


def test_a_request_keeps_the_recognizer_that_it_began_with(make_batcher: Callable[..., Batcher]) -> None:
    batcher, old, new = make_batcher(), Gated(), Gated(open_gate=True)

    async def work() -> None:
        first = batcher.submit(old, ["first"], text_of)
        await begun(old)
        futures = [batcher.submit(model, [text], text_of) for model, text in ((old, "a"), (new, "b"), (old, "c"), (new, "d"))]
        old.gate.set()
        await asyncio.gather(first, *futures)

    run(work)
    assert sorted(text for batch in old.batches for text in batch) == ["a", "c", "first"]
    assert sorted(text for batch in new.batches for text in batch) == ["b", "d"]


def test_draining_answers_what_was_taken_and_takes_nothing_more(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(), Gated()

    async def work() -> RequestError:
        futures = [batcher.submit(recognizer, ["first"], text_of)]
        await begun(recognizer)
        futures.append(batcher.submit(recognizer, ["second"], text_of))
        draining = asyncio.create_task(batcher.drain(FOREVER))
        await asyncio.sleep(0)
        with pytest.raises(RequestError) as refused:
            batcher.submit(recognizer, ["late"], text_of)
        recognizer.gate.set()
        assert await draining
        assert [await future for future in futures] == [["first"], ["second"]]
        return refused.value

    error = run(work)
    assert (error.status, error.code) == (503, "shutting_down")


def test_draining_ends_in_time_and_drops_what_still_waits(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(), Gated()

    async def work() -> None:
        first = batcher.submit(recognizer, ["first"], text_of)
        await begun(recognizer)
        second = batcher.submit(recognizer, ["second"], text_of)
        assert not await batcher.drain(0.0)
        with pytest.raises(asyncio.CancelledError):
            await second
        recognizer.gate.set()
        await first

    run(work)
    assert recognizer.batches == [["first"]]


def test_a_closed_batcher_begins_again_with_the_next_request(make_batcher: Callable[..., Batcher]) -> None:
    batcher, recognizer = make_batcher(), Gated(open_gate=True)

    async def work() -> list[str]:
        return await batcher.submit(recognizer, ["a"], text_of)

    assert run(work) == ["a"]
    batcher.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("viner-batch")]
    assert run(work) == ["a"]


def test_batches_and_waiting_are_counted(make_batcher: Callable[..., Batcher]) -> None:
    counters = Counters()
    batcher, recognizer = make_batcher(counters=counters), Gated(open_gate=True)

    async def work() -> None:
        await batcher.submit(recognizer, ["a", "bb", "ccc"], text_of)

    run(work)
    text = counters.render()
    assert "viner_documents_total 3" in text
    assert "viner_characters_total 6" in text
    assert 'viner_batch_texts_bucket{le="2"} 0' in text
    assert 'viner_batch_texts_bucket{le="4"} 1' in text
    assert "viner_queue_seconds_count 1" in text
    assert "viner_queue_texts 0" in text


WORDS = ("Lan", "Hà Nội", "Nguyễn Văn A", "không có gì", "Paris", "đến", "Huế.", "Minh,", "x" * 200, "")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    requests=st.lists(st.lists(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), min_size=1, max_size=6), min_size=1)
)
def test_each_request_gets_what_the_recognizer_answers_alone(
    make_batcher: Callable[..., Batcher], tiny_recognizer: Recognizer, requests: list[list[str]]
) -> None:
    batcher = make_batcher(wait=0.001)

    async def work() -> list[list[Document]]:
        return list(
            await asyncio.gather(*(batcher.submit(tiny_recognizer, texts, lambda document: document) for texts in requests))
        )

    assert run(work) == [[tiny_recognizer(text) for text in texts] for texts in requests]
    batcher.close()


@pytest.fixture(scope="module")
def tiny_recognizer(tiny_model: Any) -> Recognizer:
    return Recognizer.load(tiny_model)
