import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.annotated import documents
from viner.corpus.perturb import PERTURBATIONS, Source, perturbations
from viner.document import Document, Entity
from viner.errors import UsageError

WORD_FOR_WORD = {"no-diacritics", "tone-style", "nfd", "lower", "upper", "typos", "telex"}
named = pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda perturbation: perturbation.name)


def held(found: list[Document]) -> Source:
    return lambda: iter(found)


@named
@settings(deadline=None, max_examples=25)
@given(found=st.lists(documents(), max_size=4), seed=st.integers(0, 3))
def test_labels_are_kept_and_the_same_seed_draws_the_same(perturbation, found, seed):
    """That spans are valid, a document checks by itself whenever one is made."""
    once = list(perturbation.stream(held(found), seed))
    labels = [[entity.label for document in group for entity in document.entities] for group in (found, once)]
    assert sorted(labels[0]) == sorted(labels[1])
    assert once == list(perturbation.stream(held(found), seed))
    if perturbation.name != "joined":
        assert [document.id for document in once] == [document.id for document in found]
    if all(document.words is not None for document in found):
        assert all(document.words is not None for document in once)


@pytest.mark.parametrize("name", sorted(WORD_FOR_WORD))
@settings(deadline=None, max_examples=25)
@given(found=documents(words=True))
def test_words_stay_one_by_one(name, found):
    (changed,) = next(iter(perturbations([name]))).stream(held([found]), 1)
    assert len(changed.words) == len(found.words)


@named
def test_it_changes_what_it_is_for(perturbation):
    text = "Bác sĩ Nguyễn Văn Thành ở Thanh Hóa đã khỏi bệnh. "
    entities = [Entity(7, 23, "PERSON"), Entity(26, 35, "LOCATION")]
    other = Document("Lê Thị Hoa về Hải Dương", entities=[Entity(0, 10, "PERSON"), Entity(14, 23, "LOCATION")])
    found = [Document(text, entities=entities), other] * 10
    changed = list(perturbation.stream(held(found), 1))
    assert [document.text for document in changed] != [document.text for document in found]
    surfaces = [entity.text for document in changed for entity in document.entities]
    same = surfaces == [entity.text for document in found for entity in document.entities]
    assert same == (perturbation.name in ("no-stop", "joined"))


@pytest.mark.parametrize("name", ["typos", "telex", "ocr", "new-names"])
def test_what_is_drawn_for_a_document_does_not_depend_on_those_before_it(name):
    (perturbation,) = perturbations([name])
    found = [Document(f"Bệnh nhân thứ {i} ở phường Bến Nghé.", entities=[Entity(17, 20, "X")]) for i in range(5)]
    others = [Document("a", entities=[]), *found[1:]]
    once, again = (list(perturbation.stream(held(group), 1)) for group in (found, others))
    assert once[1:] == again[1:]


@named
def test_nothing_gives_nothing(perturbation):
    assert list(perturbation.stream(held([]), 1)) == []
    empty = Document("", id="e", words=[], entities=[])
    assert list(perturbation.stream(held([empty]), 1)) == [empty]


def test_perturbations_go_by_name():
    assert [found.name for found in perturbations(["nfd", "no-diacritics"])] == ["no-diacritics", "nfd"]
    with pytest.raises(UsageError, match="no perturbation 'nfc'") as error:
        perturbations(["nfc"])
    assert "no-diacritics" in error.value.hint
