import contextlib
import multiprocessing
import random
import threading
import uuid
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from support.models import WordModel
from support.stores import SCHEMA
from viner.annotation import leases
from viner.annotation import queue as queue_module
from viner.annotation.leases import LeasedError
from viner.annotation.queue import Queue
from viner.annotation.suggest.refresh import AT_ONCE, rank
from viner.annotation.suggest.suggester import Suggester
from viner.document import Document
from viner.errors import BundleError
from viner.project import AnnotationSettings
from viner.store import Operation, Store, UnknownDocumentError, tables
from viner.store.errors import StoreDeadlockError


def fill(store, count, split="train", prefix="d"):
    store.add((Document(f"Lan {prefix} {n}", id=f"{prefix}{n}") for n in range(count)), who="import", split=split)


def queue(store, suggester=None, *, seed=1, **settings):
    return Queue(store, AnnotationSettings(**settings), suggester, chance=random.Random(seed))


def ranked(store, **unsure):
    suggester = Suggester(SCHEMA, WordModel({"Lan": "PERSON"}, unsure=unsure), model="003")
    rank(store, suggester)
    return suggester


def set_status(store, document, status):
    operation = Operation(uuid.uuid4().hex, document, store.get(document).version, 1, status=status)
    store.save(operation, who="lan")


def expire(store):
    with store.transaction() as transaction:
        transaction.connection.execute(update(tables.leases).values(until=0.0))


def rows(store):
    with store.reading() as connection:
        return {row.document: row for row in connection.execute(select(tables.leases))}


def served(queue, count, who="lan", **options):
    found = []
    for _ in range(count):
        document = queue.next(who, "tab", **options)
        found.append(document and document.id)
    return found


def test_in_the_order_given(store):
    fill(store, 3)
    assert served(queue(store, order="given"), 4) == ["d0", "d1", "d2", None]
    assert store.get("d1").sampled.by == "given"


def test_what_the_model_is_least_sure_of_comes_first_and_what_it_has_not_seen_last(store):
    fill(store, 3)
    suggester = ranked(store, d0=0.2, d1=0.9, d2=0.4)
    fill(store, 1, prefix="new")
    assert served(queue(store, suggester, order="uncertain"), 4) == ["d1", "d2", "d0", "new0"]
    sampled = store.get("d1").sampled
    assert (sampled.by, sampled.model, sampled.score) == ("uncertain", "model 003", 0.9)
    assert (store.get("new0").sampled.by, store.get("new0").sampled.score) == ("random", None)


def test_a_mix_draws_some_at_random(store):
    fill(store, 200)
    suggester = ranked(store, **{f"d{n}": n / 200 for n in range(200)})
    some = queue(store, suggester, order="mix", random_share=0.2)
    orders = Counter(store.get(document).sampled.by for document in served(some, 100))
    assert 8 <= orders["random"] <= 35
    assert orders["random"] + orders["uncertain"] == 100


@pytest.mark.parametrize("order", ["given", "uncertain", "mix"])
@pytest.mark.parametrize("split", ["dev", "test"])
def test_dev_and_test_are_always_drawn_at_random(store, order, split):
    fill(store, 12, split=split)
    ranked(store)
    ids = served(queue(store, order=order), 12)
    assert sorted(ids) == sorted(f"d{n}" for n in range(12))
    with store.reading() as connection:
        by_key = select(tables.documents.c.id).order_by(tables.documents.c.random_key)
        assert ids == list(connection.execute(by_key).scalars())
    assert {store.get(document).sampled.by for document in ids} == {"random"}


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 12, 28), (1.0, 40, 40)])
def test_dev_and_test_are_served_with_their_share_while_both_wait(store, share, least, most):
    fill(store, 60)
    fill(store, 30, split="dev", prefix="dev")
    fill(store, 30, split="test", prefix="test")
    ids = served(queue(store, order="given", evaluation_share=share), 40)
    assert least <= sum(document.startswith(("dev", "test")) for document in ids) <= most


def test_either_kind_is_served_alone_when_the_other_is_finished(store):
    fill(store, 1, split="dev", prefix="dev")
    assert served(queue(store, evaluation_share=0.0), 2) == ["dev0", None]
    fill(store, 1)
    assert served(queue(store, evaluation_share=1.0), 2) == ["d0", None]


def test_only_the_splits_asked_for(store):
    fill(store, 2)
    fill(store, 1, split="test", prefix="test")
    assert served(queue(store, order="given"), 2, splits=["test"]) == ["test0", None]
    assert served(queue(store, order="given"), 1, splits=["train", "dev"]) == ["d0"]


def test_every_document_is_as_likely_as_another_to_come_first(tmp_path):
    # The random numbers are drawn at import, so it takes many draws of them to see their distribution.
    with Store.open(tmp_path / "viner.db", schema=SCHEMA) as store:
        fill(store, 5)
        first = Counter()
        for _ in range(400):
            with store.transaction() as transaction:
                keys = [{"n": n, "k": random.getrandbits(31)} for n in range(1, 6)]
                for key in keys:
                    transaction.connection.execute(
                        update(tables.documents).where(tables.documents.c.number == key["n"]).values(random_key=key["k"])
                    )
                transaction.connection.execute(tables.leases.delete())
            first.update(served(queue(store, order="random"), 1))
    assert set(first) == {f"d{n}" for n in range(5)}
    assert all(45 <= times <= 120 for times in first.values())


def test_finished_documents_are_not_served_and_begun_ones_are(store):
    fill(store, 4)
    for document, status in (("d0", "done"), ("d1", "skipped"), ("d2", "started")):
        set_status(store, document, status)
    assert served(queue(store, order="given"), 3) == ["d2", "d3", None]


def test_nobody_gets_what_another_one_has(store):
    fill(store, 2)
    some = queue(store, order="given")
    assert served(some, 1, "lan") == ["d0"]
    assert served(some, 2, "nam") == ["d1", None]


def test_a_lease_that_has_expired_is_free_again(store):
    fill(store, 1)
    some = queue(store, order="given")
    served(some, 1, "lan")
    assert served(some, 1, "nam") == [None]
    expire(store)
    assert served(some, 1, "nam") == ["d0"]
    assert rows(store)[1].who == "nam"


def test_what_is_excluded_is_not_served(store):
    fill(store, 3)
    assert served(queue(store, order="given"), 1, exclude=["d0", "d1", "unknown"]) == ["d2"]


def test_resuming_gives_back_the_unfinished_document_of_this_tab_then_of_others(store):
    fill(store, 4)
    some = queue(store, order="given")
    assert [some.next("lan", tab).id for tab in ("a", "b")] == ["d0", "d1"]
    assert some.next("lan", "a", resume=True).id == "d0"
    assert some.next("lan", "b", resume=True).id == "d1"
    assert some.next("lan", "a", resume=True, exclude=["d0"]).id == "d1"
    assert some.next("nam", "a", resume=True).id == "d2"


def test_resuming_after_the_lease_expired_gives_it_back_unless_another_one_has_it(store):
    fill(store, 2)
    some = queue(store, order="given")
    served(some, 1, "lan")
    expire(store)
    assert served(some, 1, "lan", resume=True) == ["d0"]
    expire(store)
    assert served(some, 1, "nam") == ["d0"]
    assert served(some, 1, "lan", resume=True) == ["d1"]


def test_what_is_finished_is_not_resumed_and_its_lease_ends(store):
    fill(store, 2)
    some = queue(store, order="given")
    served(some, 1)
    set_status(store, "d0", "skipped")
    assert served(some, 1, resume=True) == ["d1"]
    assert set(rows(store)) == {2}


def test_how_a_document_was_sampled_stays_once_somebody_has_begun_it(store):
    fill(store, 1)
    served(queue(store, order="given"), 1)
    set_status(store, "d0", "started")
    expire(store)
    assert served(queue(store, order="random"), 1) == ["d0"]
    assert store.get("d0").sampled.by == "given"


def test_leasing_renewing_and_releasing(store):
    fill(store, 1)
    some = queue(store, lease_minutes=10)
    until = some.lease("d0", "lan", "a")
    assert store.get("d0").sampled.by == "chosen"
    assert some.renew("d0", "lan", "b") >= until
    for take in (some.lease, some.renew):
        with pytest.raises(LeasedError) as caught:
            take("d0", "nam", "a")
        assert (caught.value.held_by, caught.value.code) == ("lan", "leased")
    some.release("d0", "nam")
    some.release("d0", "lan", "a")  # which tab b has taken over
    assert served(some, 1, "nam") == [None]
    some.release("d0", "lan")
    assert some.renew("d0", "nam", "a") >= until
    some.release("unknown", "lan")
    with pytest.raises(UnknownDocumentError):
        some.lease("unknown", "lan", "a")


def test_documents_come_with_suggestions_of_the_current_model(store):
    fill(store, 2)
    some = queue(store, ranked(store), order="given")
    assert [e.source for e in some.next("lan", "a").entities] == ["model 003"]
    some.suggester = Suggester(SCHEMA, WordModel({"Lan": "PERSON"}), model="004")
    assert [e.source for e in some.next("lan", "a").entities] == ["model 004"]
    some.release("d0", "lan")
    some.lease("d0", "lan", "a")
    assert [e.source for e in store.get("d0").entities] == ["model 004"]


def test_a_long_document_is_served_at_once_without_them(store):
    store.add([Document("Lan" + " x" * AT_ONCE, id="d0")], who="import", split="train")
    model = WordModel({"Lan": "PERSON"})
    document = queue(store, Suggester(SCHEMA, model, model="003")).next("lan", "a")
    assert (document.entities, document.suggested_by, model.asked) == ((), None, [])


@pytest.mark.parametrize("error", [BundleError("broken"), RuntimeError("a secret text")])
def test_a_broken_model_keeps_nobody_from_working(store, error, caplog):
    class Broken(WordModel):
        def judged(self, items):
            raise error

    fill(store, 1)
    assert queue(store, Suggester(SCHEMA, Broken({"Lan": "PERSON"}), model="003")).next("lan", "a").id == "d0"
    assert "no suggestions" in caplog.text
    assert "secret" not in caplog.text


def test_an_empty_queue(store):
    assert served(queue(store), 1) == [None]
    assert served(queue(store), 1, resume=True) == [None]


@pytest.mark.parametrize("order", ["given", "mix"])
def test_many_threads_never_get_the_same_document(store, order):
    fill(store, 60)
    ranked(store)
    start = threading.Barrier(10)

    def work(who):
        some = Queue(store, AnnotationSettings(order=order))
        start.wait()
        return served(some, 6, f"person {who % 5}")  # two tabs each

    with ThreadPoolExecutor(10) as pool:
        found = [document for ids in pool.map(work, range(10)) for document in ids]
    assert sorted(found) == sorted(f"d{n}" for n in range(60))


def _work(url, who, count):
    with Store.open(url) as store:
        return served(Queue(store, AnnotationSettings(order="given")), count, who)


def test_many_processes_never_get_the_same_document(store_url):
    with Store.open(store_url, schema=SCHEMA) as store:
        fill(store, 40)
    with ProcessPoolExecutor(4, multiprocessing.get_context("spawn")) as pool:  # it fails, and does not wait, where one dies
        found = list(pool.map(_work, [store_url] * 4, [f"person {n}" for n in range(4)], [10] * 4))
    assert sorted(document for ids in found for document in ids) == sorted(f"d{n}" for n in range(40))


def test_documents_that_are_being_written_are_waited_for_rather_than_called_finished(store):
    fill(store, 1)
    some = queue(store, order="given")
    with ThreadPoolExecutor(1) as pool:
        with store.transaction() as transaction:
            transaction.connection.execute(update(tables.documents).values(uncertainty=0.5))
            waiting = pool.submit(some.next, "lan", "a")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
        assert waiting.result(timeout=20).id == "d0"


def test_an_expired_lease_is_taken_over_by_one_only(store):
    fill(store, 1)
    some = queue(store, order="given")
    for _ in range(5):
        expire(store)
        start = threading.Barrier(8)

        def work(who, start=start):
            start.wait()
            return some.next(f"person {who}", "a")

        with ThreadPoolExecutor(8) as pool:
            assert sum(document is not None for document in pool.map(work, range(8))) == 1


def test_opening_and_drawing_the_same_document_do_not_wait_for_each_other(store, monkeypatch):
    """Both lock the document before its lease. The other way round, PostgreSQL would end one of them."""
    fill(store, 1)
    opened, drawn = queue(store, order="given"), queue(store, order="given")
    both, take = threading.Barrier(2, timeout=1), leases.take

    def at_once(*args, **named):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait()
        return take(*args, **named)

    monkeypatch.setattr(leases, "take", at_once)
    monkeypatch.setattr(queue_module, "_again", lambda attempt: attempt())
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(opened.lease, "d0", "lan", "t1")
        second = pool.submit(drawn.next, "hoa", "t2")
        results = [first.exception(), second.exception()]
    assert results[1] is None
    assert results[0] is None or isinstance(results[0], LeasedError)
    assert len(rows(store)) == 1


def test_a_transaction_that_had_to_give_way_is_done_once_more(store, monkeypatch):
    fill(store, 1)
    take, failures = leases.take, [StoreDeadlockError("given way")]

    def first_time(*args, **named):
        if failures:
            raise failures.pop()
        return take(*args, **named)

    monkeypatch.setattr(leases, "take", first_time)
    assert queue(store).next("lan", "t").id == "d0"
    failures += [StoreDeadlockError("given way")]
    assert queue(store).lease("d0", "lan", "t2") > 0
    failures += [StoreDeadlockError("given way")] * 2
    with pytest.raises(StoreDeadlockError):
        queue(store).lease("d0", "lan", "t3")
