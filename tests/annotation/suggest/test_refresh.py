import uuid
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from support.models import WordModel
from support.stores import SCHEMA, operation
from viner.annotation.suggest import refresh as module
from viner.annotation.suggest.refresh import rank, refresh
from viner.annotation.suggest.suggester import Suggester
from viner.document import Document, Entity
from viner.project import Dictionary
from viner.rules import Rules
from viner.schema import Schema
from viner.store import Comment, Operation, StoredEntity, tables

TEXT = "Lan ở Huế, Nam ở Huế"


def suggester(labels=None, *, model="003", rules=None, **options):
    return Suggester(SCHEMA, WordModel(labels or {"Lan": "PERSON", "Huế": "LOCATION"}, **options), rules, model=model)


def fill(store, *texts, split="train", **options):
    documents = [Document(text, id=f"d{index}") for index, text in enumerate(texts)]
    store.add(documents, who="import", split=split, **options)


def stands(store, document="d0"):
    return [(e.start, e.label, e.state, e.source) for e in store.get(document).entities]


def uncertainties(store):
    with store.reading() as connection:
        return {row.id: row.uncertainty for row in connection.execute(select(tables.documents))}


def decide(store, document, state, entity):
    current = store.get(document)
    store.save(operation(document, current.version, replace(entity, state=state), text=current.text), who="lan")


def test_an_untouched_document_gets_suggestions_and_its_uncertainty(store):
    fill(store, TEXT)
    assert refresh(store, 1, suggester(unsure={"d0": 0.3}))
    assert stands(store) == [
        (0, "PERSON", "suggested", "model 003"),
        (6, "LOCATION", "suggested", "model 003"),
        (17, "LOCATION", "suggested", "model 003"),
    ]
    assert store.get("d0").status == "todo"
    assert uncertainties(store) == {"d0": 0.3}


def test_suggestions_that_are_current_are_not_made_again(store):
    fill(store, TEXT)
    same = suggester()
    assert refresh(store, 1, same)
    version = store.get("d0").version
    assert refresh(store, 1, same)
    assert same.recognizer.asked == ["d0"]
    assert store.get("d0").version == version


def test_another_model_replaces_them(store):
    fill(store, TEXT)
    refresh(store, 1, suggester())
    assert refresh(store, 1, suggester({"Nam": "PERSON"}, model="004"))
    assert stands(store) == [(11, "PERSON", "suggested", "model 004")]


def test_what_another_model_suggests_again_keeps_its_id_and_the_remark_about_it(store):
    fill(store, TEXT)
    refresh(store, 1, suggester())
    before = {entity.start: entity.id for entity in store.get("d0").entities}
    remark = Comment("c1", "which one?", before[6])
    store.save(Operation(uuid.uuid4().hex, "d0", store.get("d0").version, 1, comments_put=(remark,)), who="lan")
    assert store.get("d0").status == "todo"
    assert refresh(store, 1, suggester({"Lan": "LOCATION", "Huế": "LOCATION"}, model="004"))
    after = {entity.start: entity.id for entity in store.get("d0").entities}
    assert (after[6], after[17]) == (before[6], before[17])
    assert after[0] not in before.values()
    assert [comment.entity for comment in store.get("d0").comments] == [after[6]]


def test_another_model_that_says_the_same_changes_nothing_but_the_mark(store):
    fill(store, "không có gì")
    refresh(store, 1, suggester())
    version = store.get("d0").version
    new = suggester(model="004")
    assert refresh(store, 1, new)
    assert (store.get("d0").version, store.get("d0").suggested_by) == (version, new.mark)


def test_what_a_person_decided_on_stays_and_a_rejected_suggestion_never_comes_back(store):
    fill(store, TEXT)
    refresh(store, 1, suggester())
    lan, hue, _ = store.get("d0").entities
    decide(store, "d0", "rejected", lan)
    decide(store, "d0", "accepted", hue)
    assert not refresh(store, 1, suggester(model="004"))  # it is begun: the page shows what it shows
    current = store.get("d0")
    store.save(Operation(uuid.uuid4().hex, "d0", current.version, 1, status="todo"), who="lan")
    assert refresh(store, 1, suggester(model="004"))
    assert stands(store) == [
        (0, "PERSON", "rejected", "model 003"),
        (6, "LOCATION", "accepted", "model 003"),
        (17, "LOCATION", "suggested", "model 004"),
    ]


def test_imported_suggestions_stay_and_keep_their_ids(store):
    store.add(
        [Document(TEXT, id="d0", suggestions=[Entity(0, 3, "PERSON", id="x", source="llm")])], who="import", split="train"
    )
    refresh(store, 1, suggester())
    refresh(store, 1, suggester({"Nam": "PERSON"}, model="004"))
    assert stands(store) == [(0, "PERSON", "suggested", "llm"), (11, "PERSON", "suggested", "model 004")]
    assert store.get("d0").entities[0].id == "x"


@pytest.mark.parametrize("source", [None, "dictionary", "pattern", "model 001"])
def test_imported_suggestions_stay_whoever_made_them_elsewhere(store, source):
    given = [Entity(0, 3, "PERSON", id="x", source=source), Entity(11, 14, "LOCATION", id="y", source=source)]
    store.add([Document(TEXT, id="d0", suggestions=given)], who="import", split="train")
    for model in ("003", "004", "005"):
        assert refresh(store, 1, suggester({"no": "PERSON"}, model=model))
    kept = source and f"import: {source}"
    assert stands(store) == [(0, "PERSON", "suggested", kept), (11, "LOCATION", "suggested", kept)]
    (exported,) = store.export()
    assert list(exported.suggestions) == given
    store.add([exported], who="import", on_duplicate="update")
    assert stands(store) == [(0, "PERSON", "suggested", kept), (11, "LOCATION", "suggested", kept)]


def test_imported_suggestions_that_cross_or_share_a_span_all_stay_and_the_model_gives_way(store):
    given = [
        Entity(0, 5, "PERSON", id="x", source="llm"),
        Entity(4, 9, "LOCATION", id="y", source="llm"),
        Entity(0, 5, "LOCATION", id="z", source="everywhere: Lan ở"),
    ]
    store.add([Document(TEXT, id="d0", suggestions=given)], who="import", split="train")
    refresh(store, 1, suggester({"Nam": "PERSON", "n ở H": "PERSON"}))
    assert {(e.id, e.start, e.label) for e in store.get("d0").entities if e.source != "model 003"} == {
        ("x", 0, "PERSON"),
        ("y", 4, "LOCATION"),
        ("z", 0, "LOCATION"),
    }
    assert [e.start for e in store.get("d0").entities if e.source == "model 003"] == [11]


def test_an_update_with_what_was_exported_leaves_the_models_suggestions_to_the_model(store):
    fill(store, TEXT)
    refresh(store, 1, suggester())
    before = stands(store)
    store.add(list(store.export()), who="import", on_duplicate="update")
    assert stands(store) == before
    refresh(store, 1, suggester({"Nam": "PERSON"}, model="004"))
    assert stands(store) == [(11, "PERSON", "suggested", "model 004")]


def test_counts_stay_true(store):
    fill(store, TEXT, TEXT)
    rank(store, suggester())
    rank(store, suggester({"Nam": "PERSON"}, model="004"))
    labels = store.counts().labels
    assert labels["PERSON"]["suggested"] == 2
    assert labels.get("LOCATION", {"suggested": 0})["suggested"] == 0


def test_a_long_document_waits_for_the_background_pass(store):
    fill(store, "Lan " * 3000)
    assert not refresh(store, 1, suggester())
    assert stands(store) == []
    rank(store, suggester())
    assert len(stands(store)) == 3000


def test_a_document_that_was_changed_in_the_meantime_is_left_alone(store):
    fill(store, TEXT)

    class Slow(WordModel):
        def judged(self, items):
            for answer in super().judged(items):
                decide(store, "d0", "accepted", StoredEntity("mine", 0, 3, "PERSON"))
                yield answer

    refresh(store, 1, Suggester(SCHEMA, Slow({"Huế": "LOCATION"}), model="003"))
    assert stands(store) == [(0, "PERSON", "accepted", None)]


def test_a_suggester_of_another_schema_writes_nothing(store):
    fill(store, TEXT)
    old = Suggester(Schema.of_entities(["PERSON", "GONE"]), WordModel({"Lan": "GONE"}), model="003")
    assert not refresh(store, 1, old)
    assert not rank(store, old).complete
    assert stands(store) == []


def test_ranking_reaches_every_unfinished_document_once_and_tells_its_progress(store, monkeypatch):
    monkeypatch.setattr(module, "_DOCUMENTS", 3)
    fill(store, *[f"Lan {n}" for n in range(8)])
    decide(store, "d1", "accepted", StoredEntity("a", 0, 3, "PERSON"))
    store.save(Operation(uuid.uuid4().hex, "d2", 1, 1, status="done"), who="lan")
    told = []
    new = suggester(unsure={f"d{n}": n / 10 for n in range(8)})
    done = rank(store, new, progress=told.append)
    assert (done.documents, done.suggested, done.complete) == (7, 6, True)
    assert sum(told) == 7
    assert sorted(new.recognizer.asked) == ["d0", "d1", "d3", "d4", "d5", "d6", "d7"]
    assert uncertainties(store) == {f"d{n}": None if n == 2 else n / 10 for n in range(8)}
    assert stands(store, "d1") == [(0, "PERSON", "accepted", None)]
    assert stands(store, "d2") == []


def test_dev_and_test_are_not_ranked(store):
    fill(store, "Lan", split="test")
    rank(store, suggester())
    assert uncertainties(store) == {"d0": None}


def test_an_interrupted_ranking_goes_on_where_it_was(store, monkeypatch):
    monkeypatch.setattr(module, "_DOCUMENTS", 2)
    fill(store, *[f"Lan {n}" for n in range(6)])
    new = suggester()
    answers = iter([False, False, True])
    assert not rank(store, new, stop=lambda: next(answers)).complete
    assert new.recognizer.asked == ["d0", "d1", "d2", "d3"]
    assert rank(store, new).complete
    assert new.recognizer.asked == ["d0", "d1", "d2", "d3", "d4", "d5"]


def test_ranking_passes_over_what_is_on_somebodys_page(store):
    fill(store, "Lan 0", "Lan 1")
    with store.transaction() as transaction:
        transaction.connection.execute(tables.leases.insert().values(document=1, who="lan", tab="t", until=4e9))
    rank(store, suggester())
    assert (stands(store, "d0"), len(stands(store, "d1"))) == ([], 1)
    with store.transaction() as transaction:
        transaction.connection.execute(update(tables.leases).values(until=0.0))
    rank(store, suggester())
    assert len(stands(store, "d0")) == 1


def test_batches_end_where_texts_are_long(store, monkeypatch):
    monkeypatch.setattr(module, "_CHARACTERS", 10)
    fill(store, *["Lan ở Huế"] * 1, "Lan " * 10, "Huế", "Lan")
    assert rank(store, suggester()).documents == 4


@pytest.mark.parametrize("rules", [Rules([Dictionary("DATE", ("mai",))])])
def test_rules_alone_suggest_and_rank_nothing(store, rules):
    fill(store, "mai Lan về")
    rank(store, Suggester(SCHEMA, rules=rules))
    assert stands(store) == [(0, "DATE", "suggested", "dictionary")]
    assert uncertainties(store) == {"d0": None}


@pytest.mark.parametrize("split", ["dev", "test"])
def test_the_model_does_not_suggest_what_it_will_be_measured_on(store, split):
    fill(store, TEXT, TEXT, split=split)
    rules = Rules([Dictionary("LOCATION", ("Huế",))])
    careful = Suggester(SCHEMA, WordModel({"Lan": "PERSON"}), rules, model="003", evaluation=False)
    assert refresh(store, 1, careful)
    assert rank(store, careful).documents == 1
    for document in ("d0", "d1"):
        assert stands(store, document) == [
            (6, "LOCATION", "suggested", "dictionary"),
            (17, "LOCATION", "suggested", "dictionary"),
        ]
    assert refresh(store, 1, Suggester(SCHEMA, WordModel({"Lan": "PERSON"}), rules, model="003"))
    assert stands(store)[0] == (0, "PERSON", "suggested", "model 003")


def test_in_train_the_model_suggests_in_any_case(store):
    fill(store, TEXT)
    assert refresh(store, 1, Suggester(SCHEMA, WordModel({"Lan": "PERSON"}), model="003", evaluation=False))
    assert stands(store) == [(0, "PERSON", "suggested", "model 003")]
