from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from support.annotated import documents
from viner.corpus.perturb import as_scanned
from viner.document import Document, Entity

TEXT = "Bệnh nhân khám ở Thanh Hóa lúc 10 giờ, modern clinic"


def test_what_looks_alike_is_misread():
    read = {as_scanned(Document("modern"), Random(seed), 1.0).text for seed in range(80)}
    assert {"rnodern", "modem", "moclern", "m0dern", "modcrn"} <= read
    assert {as_scanned(Document("Huế"), Random(seed), 1.0).text for seed in range(40)} >= {"Hue", "Hnế", "Hiiế"}


def test_words_break_and_run_together_and_own_words_with_them():
    words = [(0, 4), (5, 9), (10, 14), (15, 16), (17, 22), (23, 26), (27, 30), (31, 33), (34, 37), (37, 38), (39, 45), (46, 52)]
    document = Document(TEXT, words=words, entities=[Entity(17, 26, "PLACE")], tags={"pos": ["N"] * 12})
    broken = joined = 0
    for seed in range(400):
        scanned = as_scanned(document, Random(seed), 0.0)
        surfaces = [scanned.text[start:end] for start, end in scanned.words]
        assert " ".join(surfaces).replace(" ,", ",") == scanned.text
        assert scanned.text.replace(" ", "") == TEXT.replace(" ", "")
        assert (scanned.tags is None) == (scanned is not document)
        broken += len(surfaces) > len(words)
        joined += len(surfaces) < len(words)
    assert broken > 20
    assert joined > 20


@settings(deadline=None)
@given(documents(words=True), st.integers(0, 200))
def test_no_entity_shares_a_word_with_its_neighbor_that_it_did_not_share_before(document, seed):
    def cut(found):
        borders = {border for word in found.words for border in word}
        return [(item.start in borders, item.end in borders) for item in found.entities]

    scanned = as_scanned(document, Random(seed))
    assert all(now >= before for now, before in zip(cut(scanned), cut(document), strict=True))


def test_words_with_spaces_inside_stay_whole():
    document = Document("bệnh viện Bạch Mai", words=[(0, 9), (10, 18)], entities=[])
    for seed in range(200):
        scanned = as_scanned(document, Random(seed), 0.0)
        if scanned.text.count(" ") == 3:
            assert len(scanned.words) == 2


def test_a_word_with_spaces_loses_one_and_is_misread_at_once():
    document = Document("ở Hà Nội Mới", words=[(0, 1), (2, 12)], entities=[Entity(2, 12, "PLACE")])
    read = [as_scanned(document, Random(seed), 1.0) for seed in range(2000)]
    lost = [item for item in read if item.text.count(" ") < 3]
    assert 40 < len(lost) < 120, "one space in fifty, of two"
    for item in read:
        (entity,) = item.entities
        assert (entity.start, entity.end) == item.words[-1] == (2, len(item.text))
