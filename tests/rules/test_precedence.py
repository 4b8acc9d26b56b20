from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from viner.document import Entity
from viner.rules.precedence import settle

RANKS = {"A": 0, "B": 1}
LENGTH = 12


def spans(entities):
    return [(entity.start, entity.end, entity.label, entity.source) for entity in entities]


def of(start, end, label="A", source="dictionary"):
    return Entity(start, end, label, source=source)


def model(start, end, label="A"):
    return Entity(start, end, label, score=0.5, source="model")


def test_over_wins_against_every_entity_of_the_model_that_it_touches():
    found = settle(LENGTH, [model(0, 5), model(5, 6), model(6, 9)], [of(4, 7, "B")], [], RANKS)
    assert spans(found) == [(4, 7, "B", "dictionary")]
    found = settle(LENGTH, [model(0, 4), model(7, 9)], [of(4, 7, "B")], [], RANKS)
    assert spans(found) == [(0, 4, "A", "model"), (4, 7, "B", "dictionary"), (7, 9, "A", "model")]


def test_over_stands_in_the_place_of_the_same_entity_of_the_model():
    assert settle(LENGTH, [model(1, 3)], [of(1, 3)], [], RANKS) == [of(1, 3)]


def test_under_fills_in_only_where_nothing_stands():
    found = settle(LENGTH, [model(2, 4)], [of(8, 9)], [of(0, 3), of(4, 6), of(8, 10)], RANKS)
    assert spans(found) == [(2, 4, "A", "model"), (4, 6, "A", "dictionary"), (8, 9, "A", "dictionary")]


def test_under_fills_in_where_an_entity_of_the_model_gave_way():
    assert spans(settle(LENGTH, [model(0, 9)], [of(0, 2)], [of(5, 7, "B")], RANKS)) == [
        (0, 2, "A", "dictionary"),
        (5, 7, "B", "dictionary"),
    ]


def test_a_span_that_gives_way_keeps_no_other_away():
    # The longer term is what the model has something against; the shorter one inside of it is free.
    assert spans(settle(LENGTH, [model(0, 2)], [], [of(1, 6), of(3, 5)], RANKS)) == [
        (0, 2, "A", "model"),
        (3, 5, "A", "dictionary"),
    ]


def test_the_longest_then_the_first_then_dictionaries_then_the_order_of_the_schema():
    def winner(*candidates):
        (first,) = spans(settle(LENGTH, [], candidates, [], RANKS))
        (second,) = spans(settle(LENGTH, [], [], candidates, RANKS))
        assert first == second
        return first

    assert winner(of(0, 3), of(2, 6, "B", "pattern")) == (2, 6, "B", "pattern")
    assert winner(of(1, 4, "B"), of(0, 3, "A", "pattern")) == (0, 3, "A", "pattern")
    assert winner(of(0, 3, "A", "pattern"), of(0, 3, "B")) == (0, 3, "B", "dictionary")
    assert winner(of(0, 3, "B"), of(0, 3, "A")) == (0, 3, "A", "dictionary")


def test_nested_entities_of_the_model_stay_nested():
    assert spans(settle(LENGTH, [model(0, 6), model(0, 3)], [], [of(2, 4), of(8, 9)], RANKS)) == [
        (0, 6, "A", "model"),
        (0, 3, "A", "model"),
        (8, 9, "A", "dictionary"),
    ]


def entities(*sources, score):
    span = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, 6)).map(lambda s: (s[0], min(s[0] + s[1], LENGTH)))
    return st.lists(
        st.builds(
            lambda span, label, source: Entity(*span, label, source=source, score=score),
            span,
            st.sampled_from("AB"),
            st.sampled_from(sources),
        ),
        max_size=8,
    )


models = entities("model", score=0.5)
rules = entities("dictionary", "pattern", score=None)


def overlap(a, b):
    return a.start < b.end and b.start < a.end


def standing(candidates):
    """What stands of spans that may overlap, looked for by trying each in turn: the definition in the docs."""
    kept = []
    for one in sorted(candidates, key=lambda e: (-(e.end - e.start), e.start, e.source == "pattern", RANKS[e.label])):
        if not any(overlap(one, other) for other in kept):
            kept.append(one)
    return kept


@settings(max_examples=300, deadline=None)
@given(models, rules, rules)
def test_the_laws_of_precedence(answers, over, under):
    found = settle(LENGTH, answers, over, under, RANKS)
    first = standing(over)
    spared = [entity for entity in answers if not any(overlap(entity, rule) for rule in first)]
    filled = standing([rule for rule in under if not any(overlap(rule, other) for other in (*first, *spared))])
    assert sorted(map(repr, found)) == sorted(map(repr, (*first, *spared, *filled)))
    assert found == sorted(found, key=lambda entity: (entity.start, -entity.end))
    # What overlaps in the answer did so in the model's.
    for one, other in combinations(found, 2):
        if overlap(one, other):
            assert one.source == other.source == "model"


@settings(max_examples=200, deadline=None)
@given(models, rules, rules, st.randoms())
def test_the_order_in_which_spans_are_found_does_not_matter(answers, over, under, random):
    expected = settle(LENGTH, answers, over, under, RANKS)
    for found in (over, under):
        random.shuffle(found)
    assert settle(LENGTH, answers, over, under, RANKS) == expected


@settings(max_examples=200, deadline=None)
@given(models, rules, rules)
def test_applied_twice_nothing_changes(answers, over, under):
    once = settle(LENGTH, answers, over, under, RANKS)
    again = settle(LENGTH, [entity for entity in once if entity.source == "model"], over, under, RANKS)
    assert again == once
