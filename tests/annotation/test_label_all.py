import unicodedata
import uuid
from dataclasses import replace

import pytest

from support.stores import operation
from viner.annotation import label_all
from viner.annotation.changes import Rename
from viner.annotation.changes import apply as change_schema
from viner.annotation.label_all import LabelAll, apply, preview
from viner.annotation.suggest.refresh import refresh
from viner.annotation.suggest.suggester import Suggester
from viner.document import Document, Entity
from viner.project import Dictionary
from viner.rules import Rules
from viner.store import ConflictError, Operation, RefusedError, StoredEntity
from viner.store.values import LABEL_LIMIT


def fill(store, *texts, split="train", prefix="d"):
    documents = [Document(text, id=f"{prefix}{index}") for index, text in enumerate(texts)]
    store.add(documents, who="import", split=split)


def stands(store, document="d0"):
    text = store.get(document).text
    return [(text[e.start : e.end], e.label, e.state) for e in store.get(document).entities]


def put(store, document, state, start, end, label, **fields):
    current = store.get(document)
    entity = StoredEntity(uuid.uuid4().hex, start, end, label, state, **fields)
    store.save(operation(document, current.version, entity, text=current.text), who="lan")
    return entity


def set_status(store, document, status):
    store.save(Operation(uuid.uuid4().hex, document, store.get(document).version, 1, status=status), who="lan")


HUE = LabelAll("Huế", "LOCATION")


def test_every_whole_word_is_accepted_in_one_event_that_can_be_taken_back(store):
    fill(store, "Huế và Huế", "Lan ở Huế2, Huếx", "Huế")
    shown = preview(store, HUE)
    assert (shown.documents, shown.matches, shown.already) == (2, 3, 0)
    done = apply(store, HUE, operation="op", who="lan")
    assert (done.documents, done.matches, done.replayed) == (2, 3, False)
    assert stands(store) == [("Huế", "LOCATION", "accepted")] * 2
    assert stands(store, "d1") == []
    assert (store.get("d0").status, store.get("d0").annotator, store.get("d1").status) == ("started", "lan", "todo")
    assert store.counts().labels["LOCATION"]["accepted"] == 3
    store.undo("op", new_id="back", who="lan")
    assert [stands(store, f"d{n}") for n in range(3)] == [[], [], []]
    assert store.get("d0").status == "todo"


def test_a_preview_shows_samples_in_their_surroundings_and_changes_nothing(store):
    fill(store, f"{'x ' * 50}Huế{' y' * 50}", "Huế")
    shown = preview(store, HUE)
    assert [sample.to_dict() for sample in shown.samples] == [
        {"id": "d0", "before": ("x " * 50)[-40:], "surface": "Huế", "after": (" y" * 50)[:40]},
        {"id": "d1", "before": "", "surface": "Huế", "after": ""},
    ]
    assert len(preview(store, HUE, samples=1).samples) == 1
    assert store.get("d0").version == 1


def test_sent_again_it_is_not_done_again(store):
    fill(store, "Huế")
    apply(store, HUE, operation="op", who="lan")
    again = apply(store, HUE, operation="op", who="lan")
    assert (again.documents, again.replayed) == (1, True)
    assert store.get("d0").version == 2
    with pytest.raises(RefusedError):
        apply(store, LabelAll("Lan", "PERSON"), operation="op", who="lan")
    change_schema(store, Rename(label="LOCATION", to="PLACE"), operation="rename", who="nam")
    assert apply(store, HUE, operation="op", who="lan").replayed
    with pytest.raises(RefusedError, match="no entity label 'LOCATION'"):
        apply(store, HUE, operation="op2", who="lan")


def test_what_lies_in_an_entity_of_the_label_was_rejected_or_has_another_label_is_left_alone(store):
    fill(store, "thành phố Huế, Huế, Huế, Huế")
    put(store, "d0", "accepted", 0, 13, "LOCATION")
    put(store, "d0", "rejected", 15, 18, "LOCATION")
    put(store, "d0", "accepted", 20, 23, "PERSON")
    shown = preview(store, HUE)
    assert (shown.matches, shown.already, shown.otherwise) == (1, 2, 1)
    assert (preview(store, replace(HUE, as_suggestions=True)).matches, shown.to_dict()["otherwise"]) == (1, 1)
    apply(store, HUE, operation="op", who="lan")
    found = [(e.start, e.label) for e in store.get("d0").entities if e.state == "accepted"]
    assert sorted(found) == [(0, "LOCATION"), (20, "PERSON"), (25, "LOCATION")]
    assert preview(store, HUE).matches == 0


def test_a_suggestion_of_the_same_span_and_label_is_accepted(store):
    suggested = [Entity(0, 3, "LOCATION", id="s", score=0.4, source="model 003"), Entity(0, 3, "PERSON", id="p")]
    store.add([Document("Huế", id="d0", suggestions=suggested)], who="import", split="train")
    apply(store, HUE, operation="op", who="lan")
    entities = {entity.id: entity for entity in store.get("d0").entities}
    assert (entities["s"].state, entities["s"].source, entities["p"].state) == ("accepted", "import: model 003", "suggested")
    store.undo("op", new_id="back", who="lan")
    assert {entity.state for entity in store.get("d0").entities} == {"suggested"}


def test_done_skipped_and_test_documents_are_touched_only_when_asked_for(store):
    fill(store, "Huế 0", "Huế 1", "Huế 2")
    fill(store, "Huế trong test", split="test", prefix="test")
    fill(store, "Huế trong dev", split="dev", prefix="dev")
    set_status(store, "d1", "done")
    set_status(store, "d2", "skipped")
    assert [sample.id for sample in preview(store, HUE).samples] == ["d0", "dev0"]
    asked = LabelAll("Huế", "LOCATION", statuses=("todo", "done"), splits=("train", "test"))
    assert apply(store, asked, operation="op", who="lan").documents == 3
    assert (store.get("d1").status, stands(store, "d1")) == ("done", [("Huế", "LOCATION", "accepted")])
    assert stands(store, "test0") == [("Huế", "LOCATION", "accepted")]
    assert stands(store, "d2") == stands(store, "dev0") == []


SUGGEST = LabelAll("Huế", "LOCATION", as_suggestions=True)


def test_suggestions_name_what_was_looked_for_and_begin_no_document(store):
    fill(store, "Huế và Huế", "Lan ở Huế", "Lan")
    set_status(store, "d1", "started")
    assert preview(store, SUGGEST).to_dict()["matches"] == 3
    done = apply(store, SUGGEST, operation="op", who="nam")
    assert (done.documents, done.matches) == (2, 3)
    assert stands(store) == [("Huế", "LOCATION", "suggested")] * 2
    assert {entity.source for entity in store.get("d0").entities} == {"everywhere: Huế"}
    assert [store.get(f"d{n}").status for n in range(3)] == ["todo", "started", "todo"]
    assert (store.get("d0").annotator, store.get("d1").annotator) == (None, "lan")
    assert store.counts().labels["LOCATION"] == {"accepted": 0, "suggested": 3, "rejected": 0}
    assert all(not document.entities for document in store.export())
    store.undo("op", new_id="back", who="nam")
    assert stands(store) == stands(store, "d1") == []
    store.undo("back", new_id="again", who="nam")
    assert stands(store) == [("Huế", "LOCATION", "suggested")] * 2


def test_taking_suggestions_back_leaves_what_a_person_decided_and_minds_no_score(store):
    fill(store, "Huế và Huế, Huế", "Lan ở Huế")
    apply(store, SUGGEST, operation="op", who="nam")
    accepted, rejected, scored = store.get("d0").entities
    for entity, changes in ((accepted, {"state": "accepted"}), (rejected, {"state": "rejected"}), (scored, {"score": 0.5})):
        current = store.get("d0")
        store.save(operation("d0", current.version, replace(entity, **changes), text=current.text), who="lan")
    store.undo("op", new_id="back", who="nam")
    assert stands(store) == [("Huế", "LOCATION", "accepted"), ("Huế", "LOCATION", "rejected")]
    assert (stands(store, "d1"), store.get("d0").status) == ([], "started")
    store.undo("back", new_id="again", who="nam")
    assert [state for _, _, state in stands(store)] == ["accepted", "rejected", "suggested"]
    assert stands(store, "d1") == [("Huế", "LOCATION", "suggested")]


def test_a_done_document_gets_suggestions_only_when_asked_for_and_stays_done(store):
    fill(store, "Huế", "Huế 1")
    set_status(store, "d0", "done")
    assert apply(store, SUGGEST, operation="op", who="lan").documents == 1
    assert stands(store) == []
    asked = LabelAll("Huế", "LOCATION", statuses=("done",), as_suggestions=True)
    apply(store, asked, operation="asked", who="lan")
    assert (stands(store), store.get("d0").status) == ([("Huế", "LOCATION", "suggested")], "done")


def test_what_is_labeled_suggested_or_rejected_is_not_suggested_again(store):
    fill(store, "Huế, Huế, Huế, Huế")
    for start, state in ((0, "accepted"), (5, "rejected"), (10, "suggested")):
        put(store, "d0", state, start, start + 3, "LOCATION", source=None if state == "accepted" else "model 003")
    shown = preview(store, SUGGEST)
    assert (shown.matches, shown.already) == (1, 3)
    apply(store, SUGGEST, operation="op", who="lan")
    assert [entity.source for entity in store.get("d0").entities if entity.state == "suggested"] == [
        "model 003",
        "everywhere: Huế",
    ]
    assert (preview(store, SUGGEST).matches, preview(store, HUE).matches) == (0, 2)


def test_a_source_fits_where_sources_go():
    assert LabelAll("Bạch\n Mai", "X").source == "everywhere: Bạch Mai"
    assert len(LabelAll("a" * 999, "X").source) == LABEL_LIMIT


def test_newer_suggestions_of_a_model_leave_these_alone(store):
    fill(store, "Huế và Lan")
    apply(store, SUGGEST, operation="op", who="lan")
    rules = Rules([Dictionary("PERSON", ("Huế", "Lan"))])
    assert refresh(store, 1, Suggester(store.schema()[0], None, rules))
    assert [(e.label, e.source) for e in store.get("d0").entities] == [
        ("LOCATION", "everywhere: Huế"),
        ("PERSON", "dictionary"),
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["Hòa Bình", "Hoà Bình"])
def test_other_spellings_of_the_same_word_are_found_and_keep_their_text(store, form, written):
    surface = unicodedata.normalize(form, written)
    fill(store, f"😷 ở {surface}.", f"ở {surface}g", f"ở {surface.upper()}")
    for searched in ("Hòa Bình", "Hoà Bình", unicodedata.normalize("NFD", "Hoà Bình")):
        shown = preview(store, LabelAll(searched, "LOCATION"))
        assert [sample.surface for sample in shown.samples] == [surface]
        shown = preview(store, LabelAll(searched.lower(), "LOCATION", match_case=False))
        assert [sample.surface for sample in shown.samples] == [surface, surface.upper()]


def test_the_words_of_a_document_are_not_cut(store):
    store.add([Document("Lan-Huế", id="d0", words=[(0, 7)])], who="import", split="train")
    assert preview(store, HUE).matches == 0


@pytest.mark.parametrize(
    ("request_", "where"),
    [(LabelAll("Huế", "GONE"), "label"), (LabelAll(" ", "LOCATION"), "surface"), (LabelAll("a " * 99, "LOCATION"), "surface")],
)
def test_what_cannot_be_done_is_refused(store, request_, where):
    fill(store, "Huế")
    for call in (lambda: preview(store, request_), lambda: apply(store, request_, operation="op", who="lan")):
        with pytest.raises(RefusedError) as caught:
            call()
        assert caught.value.where == where
    assert store.get("d0").version == 1


def test_what_happens_to_documents_between_the_search_and_the_change_counts(store, monkeypatch):
    fill(store, "Huế", "Lan ở Huế", "Nam ở Huế", "Huế")

    def after_the_search(**options):
        monkeypatch.undo()
        set_status(store, "d0", "done")
        put(store, "d1", "rejected", 6, 9, "LOCATION")
        store.erase(["d3"], who="lan")
        store.add([Document("Một hai ba", id="d3")], who="import", split="train")
        return store.transaction(**options)

    monkeypatch.setattr(store, "transaction", after_the_search)
    assert apply(store, HUE, operation="op", who="lan").documents == 1
    assert [stands(store, name) for name in ("d0", "d2", "d3")] == [[], [("Huế", "LOCATION", "accepted")], []]
    assert [entity.state for entity in store.get("d1").entities] == ["rejected"]


def test_pages_and_batches_miss_nothing(store, monkeypatch):
    monkeypatch.setattr(label_all, "_PAGE", 3)
    monkeypatch.setattr(label_all, "_BATCH", 2)
    monkeypatch.setattr(label_all, "_CHARACTERS", 40)
    fill(store, *[f"{n} Huế {'x ' * (n * 5 % 23)}" for n in range(13)])
    told = []
    assert preview(store, HUE).matches == 13
    assert apply(store, HUE, operation="op", who="lan", progress=told.append).documents == 13
    assert sum(told) == 13


def test_a_later_change_of_the_same_entity_keeps_it_from_being_taken_back(store):
    fill(store, "Huế")
    apply(store, HUE, operation="op", who="lan")
    current = store.get("d0")
    store.save(Operation("later", "d0", current.version, 1, delete=(current.entities[0].id,)), who="nam")
    with pytest.raises(ConflictError):
        store.undo("op", new_id="back", who="lan")
