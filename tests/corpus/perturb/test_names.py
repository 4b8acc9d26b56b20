from random import Random

from viner.corpus.perturb import Surfaces, with_new_names
from viner.corpus.perturb.swapping import swap_surfaces
from viner.document import Document, Entity


def marked(text, *found, words=None):
    entities = [Entity(text.index(surface), text.index(surface) + len(surface), label) for surface, label in found]
    return Document(text, entities=entities, words=words)


def surfaces(document):
    return [entity.text for entity in document.entities]


def test_people_and_places_get_names_and_nothing_else_changes():
    text = "Ông Lê Văn Nam, ở xã Hưng Yên Nam, khỏi ngày 3/5"
    document = marked(text, ("Lê Văn Nam", "NAME"), ("xã Hưng Yên Nam", "LOCATION"), ("3/5", "DATE"))
    person, place, date = surfaces(with_new_names(document, Random(1)))
    assert len(person.split()) == 3
    assert person != "Lê Văn Nam"
    assert place.startswith("xã ")
    assert place != "xã Hưng Yên Nam"
    assert date == "3/5"


def test_names_are_in_the_language_and_case_of_the_text():
    english = marked("Mr Smith of YORK and paris", ("Smith", "PER"), ("YORK", "GPE"), ("paris", "loc"))
    family, place, lower = surfaces(with_new_names(english, Random(1)))
    assert all(name.isascii() and len(name.split()) == 1 for name in (family, place, lower))
    assert family.istitle()
    assert place.isupper()
    assert lower.islower()
    vietnamese = marked("cô Lan ở Đà Lạt", ("Lan", "PERSON"))
    assert len(surfaces(with_new_names(vietnamese, Random(1)))[0].split()) == 1


def test_words_of_new_surfaces_are_words_of_the_document():
    document = marked("cô Lan ở Huế", ("Huế", "X"), words=[(0, 2), (3, 6), (7, 8), (9, 12)])
    changed = swap_surfaces(document, lambda entity: "Đà Nẵng")
    assert changed.text == "cô Lan ở Đà Nẵng"
    assert [changed.text[start:end] for start, end in changed.words] == ["cô", "Lan", "ở", "Đà", "Nẵng"]


def test_entities_stay_where_it_would_be_in_doubt_what_is_right():
    text = "Bệnh viện Huế 38t"
    outer, inner, number = Entity(0, 13, "A"), Entity(10, 13, "B"), Entity(14, 16, "C")
    document = Document(text, words=[(0, 4), (5, 9), (10, 13), (14, 17)], entities=[outer, inner, number])
    changed = swap_surfaces(document, lambda entity: "Đà Nẵng")
    assert surfaces(changed) == ["Bệnh viện Đà Nẵng", "Đà Nẵng", "38"]
    crossing = Document("một hai ba", entities=[Entity(0, 7, "A"), Entity(4, 10, "B")])
    assert swap_surfaces(crossing, lambda entity: "x") is crossing
    twice = Document("Huế", entities=[Entity(0, 3, "A"), Entity(0, 3, "B")])
    assert swap_surfaces(twice, lambda entity: "x") is twice


def test_surfaces_are_exchanged_within_a_label_and_a_language():
    found = [
        marked("Ở Huế và Bến Tre", ("Huế", "P"), ("Bến Tre", "P")),
        marked("in York or Bath", ("York", "P"), ("Bath", "P")),
    ]
    exchange = Surfaces(found, Random(1))
    assert surfaces(exchange.exchanged(found[0], Random(1))) == ["Bến Tre", "Huế"]
    assert surfaces(exchange.exchanged(found[1], Random(1))) == ["Bath", "York"]
    alone = marked("ở Huế", ("Huế", "Q"))
    assert Surfaces([alone], Random(1)).exchanged(alone, Random(1)) is alone


def test_where_one_surface_is_most_of_all_it_is_exchanged_as_well():
    found = [marked("ở Huế", ("Huế", "P"))] * 99 + [marked("ở Bến Tre", ("Bến Tre", "P"))]
    exchange = Surfaces(found, Random(1))
    assert {surfaces(exchange.exchanged(found[0], Random(seed)))[0] for seed in range(30)} == {"Bến Tre"}


def test_among_segments_a_name_in_lower_case_is_one():
    document = marked("ông lê văn nam về", ("lê văn nam", "NAME"), words=[(0, 3), (4, 14), (15, 17)])
    changed = with_new_names(document, Random(1))
    assert [changed.text[start:end] for start, end in changed.words] == ["ông", surfaces(changed)[0], "về"]


def test_the_sample_of_surfaces_does_not_grow(monkeypatch):
    monkeypatch.setattr("viner.corpus.perturb.surfaces.KEPT", 3)
    found = [marked(f"n{number}", (f"n{number}", "P")) for number in range(100)]
    exchange = Surfaces(iter(found), Random(1))
    drawn = {surfaces(exchange.exchanged(document, Random(seed)))[0] for seed, document in enumerate(found)}
    assert len(drawn) == 3


def test_among_segments_a_new_name_is_one_and_an_exchanged_surface_brings_its_own():
    document = marked(
        "ông Lê Văn Nam tại xã Hưng Yên Nam cũ", ("Lê Văn Nam", "NAME"), ("xã Hưng Yên Nam", "LOCATION"),
        words=[(0, 3), (4, 14), (15, 18), (19, 21), (22, 34), (35, 37)],
    )  # fmt: skip
    changed = with_new_names(document, Random(1))
    cut = [changed.text[start:end] for start, end in changed.words]
    person, place = surfaces(changed)
    assert cut == ["ông", person, "tại", "xã", place.removeprefix("xã "), "cũ"]
    other = marked("bà Bế Thục Khuê về", ("Bế Thục Khuê", "NAME"), words=[(0, 2), (3, 5), (6, 15), (16, 18)])
    exchange = Surfaces([document, other], Random(1))
    changed = exchange.exchanged(document, Random(1))
    assert [changed.text[start:end] for start, end in changed.words][:3] == ["ông", "Bế", "Thục Khuê"]
    bare = exchange.exchanged(other.with_(words=None), Random(1))
    assert bare.words is None
    assert surfaces(bare) == ["Lê Văn Nam"]
