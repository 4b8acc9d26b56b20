import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from viner.annotation.suggest.suggester import Suggester, merge
from viner.document import Document, Entity
from viner.project import Dictionary, Pattern
from viner.rules import Rules
from viner.schema import Schema

SCHEMA = Schema.of_entities(["PERSON", "LOCATION", "ORG"])


class Model:
    """A recognizer that answers what it is told, whatever the text."""

    labels = ("PERSON", "PLACE", "JOB")

    def __init__(self, *entities, uncertainty=0.25):
        self.entities = entities
        self.uncertainty = uncertainty

    def judged(self, items):
        for item in items:
            yield Document(item.text, entities=[e for e in self.entities if e.end <= len(item.text)]), self.uncertainty


def rows(entities):
    return [(e.text, e.label, e.source, e.score) for e in Document(TEXT, entities=entities).entities]


TEXT = "Lan học Đại học Hà Nội"
UNIVERSITY, CITY, LAN = (8, 22), (16, 22), (0, 3)


def test_sources_and_scores():
    rules = Rules([Dictionary("LOCATION", ("Hà Nội",))], [Pattern("ORG", "Đại học Hà Nội")])
    suggester = Suggester(SCHEMA, Model(Entity(*LAN, "PERSON", score=0.9)), rules, model="003")
    assert rows(suggester.suggest(Document(TEXT))) == [
        ("Lan", "PERSON", "model 003", 0.9),
        ("Đại học Hà Nội", "ORG", "pattern", None),
        ("Hà Nội", "LOCATION", "dictionary", None),
    ]


def test_labels_of_the_model_follow_the_schema_and_unknown_ones_are_left_out():
    model = Model(Entity(*CITY, "PLACE", score=0.8), Entity(*LAN, "JOB", score=0.7))
    renamed = Suggester(SCHEMA, model, model="003", labels={"PLACE": "LOCATION", "JOB": None})
    assert rows(renamed.suggest(Document(TEXT))) == [("Hà Nội", "LOCATION", "model 003", 0.8)]
    assert Suggester(SCHEMA, model, model="003").suggest(Document(TEXT)) == []


def test_the_same_suggestion_of_two_sources_is_one_with_the_best_score():
    rules = Rules([Dictionary("PERSON", ("Lan",))])
    suggester = Suggester(SCHEMA, Model(Entity(*LAN, "PERSON", score=0.4)), rules, model="003")
    assert rows(suggester.suggest(Document(TEXT))) == [("Lan", "PERSON", "model 003", 0.4)]
    imported = Document(TEXT, suggestions=[Entity(*LAN, "PERSON", id="x", source="llm")])
    assert rows(suggester.suggest(imported)) == [("Lan", "PERSON", "llm", 0.4)]


def test_the_model_goes_before_rules_where_they_cross_or_differ():
    rules = Rules([Dictionary("PERSON", ("Hà Nội",)), Dictionary("ORG", ("học Hà",))])
    model = Model(Entity(*CITY, "PLACE", score=0.4))
    suggester = Suggester(SCHEMA, model, rules, model="1", labels={"PLACE": "LOCATION"})
    assert rows(suggester.suggest(Document(TEXT))) == [("Hà Nội", "LOCATION", "model 1", 0.4)]


def test_nothing_is_suggested_that_nobody_could_accept():
    text = "a\u0301 Lan 👨\u200d👩"
    rules = Rules((), [Pattern("ORG", "^a"), Pattern("PERSON", "Lan "), Pattern("LOCATION", "👨"), Pattern("GONE", "Lan")])
    assert Suggester(SCHEMA, rules=rules).suggest(Document(text)) == []


def test_the_mark_changes_with_model_rules_and_labels_only():
    rules = Rules([Dictionary("PERSON", ("Lan",))])
    marks = [
        Suggester(SCHEMA).mark,
        Suggester(SCHEMA, rules=rules).mark,
        Suggester(SCHEMA, Model(), rules, model="003").mark,
        Suggester(SCHEMA, Model(), rules, model="004").mark,
        Suggester(SCHEMA, Model(), rules, model="004", labels={"PLACE": "LOCATION"}).mark,
        Suggester(Schema.of_entities(["PERSON"]), Model(), rules, model="004").mark,
        Suggester(SCHEMA, Model(), Rules([Dictionary("PERSON", ("Lan",), ignore_case=True)]), model="004").mark,
    ]
    assert len(set(marks)) == len(marks)
    assert Suggester(SCHEMA, Model(), Rules([Dictionary("PERSON", ("Lan",))]), model="004").mark == marks[3]
    assert marks[3].startswith("model 004 ")
    assert Suggester(SCHEMA).idle
    assert not Suggester(SCHEMA, rules=rules).idle


def test_a_stream_pairs_each_document_with_its_answer():
    documents = [Document("Lan " * n, suggestions=[]) for n in range(1, 5)]
    suggester = Suggester(SCHEMA, Model(Entity(8, 11, "PERSON", score=0.5)), model="1")
    assert [(len(found), uncertainty) for found, uncertainty in suggester.judged(documents)] == [
        (0, 0.25),
        (0, 0.25),
        (1, 0.25),
        (1, 0.25),
    ]


spans = st.tuples(st.integers(0, 12), st.integers(1, 6), st.sampled_from(SCHEMA["entities"].names)).map(
    lambda given: Entity(given[0], given[0] + given[1], given[2])
)


@settings(max_examples=300, deadline=None)
@given(st.lists(spans, max_size=8), st.lists(st.lists(spans, max_size=8), max_size=2), st.integers(0, 10))
def test_all_that_was_imported_stays_and_others_give_way_to_it(imported, sources, most):
    ranks = {name: rank for rank, name in enumerate(SCHEMA["entities"].names)}
    merged = merge(sources, ranks, imported=imported, most=most)
    told = {(e.start, e.end, e.label) for e in imported}
    others = [e for e in merged if (e.start, e.end, e.label) not in told]
    assert told <= {(e.start, e.end, e.label) for e in merged}
    assert len(merged) == len(told) + len(others)
    assert len(merged) <= max(most, len(told))
    for other in others:
        assert not any(
            (e.start, e.end) == (other.start, other.end)
            or e.start < other.start < e.end < other.end
            or other.start < e.start < other.end < e.end
            for e in merged
            if e is not other
        )


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(spans, max_size=8), max_size=3))
def test_merged_lists_never_cross_and_leave_out_only_what_must_give_way(sources):
    ranks = {name: rank for rank, name in enumerate(SCHEMA["entities"].names)}
    merged = merge(sources, ranks)

    def meet(one, other):
        return (one.start, one.end) == (other.start, other.end) or (
            one.start < other.start < one.end < other.end or other.start < one.start < other.end < one.end
        )

    assert not any(meet(one, other) for one, other in itertools.combinations(merged, 2))
    for entity in itertools.chain(*sources):
        assert entity in merged or any(meet(entity, other) for other in merged)
