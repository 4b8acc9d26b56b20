from random import Random

from viner.corpus.perturb import with_telex, with_typos
from viner.corpus.perturb.telex import telex
from viner.document import Document, Entity


def distance(one: str, other: str) -> int:
    """Edits of one letter, swaps of neighbors included (Damerau)."""
    if not one or not other:
        return len(one) + len(other)
    best = min(
        distance(one[1:], other) + 1,
        distance(one, other[1:]) + 1,
        distance(one[1:], other[1:]) + (one[0] != other[0]),
    )
    if one[:2] == other[1::-1] and len(one) > 1 and len(other) > 1:
        best = min(best, distance(one[2:], other[2:]) + 1)
    return best


def test_each_mistyped_word_is_one_slip_away():
    slips = {with_typos(Document("Hànội"), Random(seed), 1.0).text for seed in range(60)}
    assert {distance("Hànội", slip) for slip in slips - {"Hànội"}} == {1}
    assert len(slips) > 20
    assert {len(slip) for slip in slips} == {4, 5, 6}


def test_short_words_numbers_and_other_scripts_stay():
    text = "ở Hà 2021 BN12 北京大学 Москва"
    assert with_typos(Document(text), Random(1), 1.0).text == text


def test_letters_in_nfd_are_mistyped_with_their_marks():
    bare = "e\u0302\u0323"
    for seed in range(40):
        changed = with_typos(Document(f"b{bare}nh"), Random(seed), 1.0).text
        assert changed.count("\u0302") == changed.count("\u0323")
        assert "\u0302" not in changed or bare in changed


def test_the_rate_is_the_share_of_the_words():
    document = Document("bệnh viện phường " * 1000)
    changed = with_typos(document, Random(1), 0.1).text.split()
    share = sum(a != b for a, b in zip(changed, document.text.split(), strict=True)) / len(changed)
    assert 0.07 < share < 0.12


def test_telex_keys():
    assert [telex(word) for word in ("người", "đường", "Huế", "Ăn", "ĐẦU", "Ở", "ông", "an", "COVID")] == [
        "nguwowif", "dduwowngf", "Huees", "Awn", "DDAAUF", "Owr", "oong", "an", "COVID",
    ]  # fmt: skip
    assert [telex(word) for word in ("naïve", "1ệ", "Москва", "")] == ["naïve", "1ệ", "Москва", ""]


def test_telex_moves_entities():
    document = Document("Bà Đỗ ở Huế", entities=[Entity(3, 5, "PERSON"), Entity(8, 11, "PLACE")])
    assert [item.text for item in with_telex(document, Random(1), 1.0).entities] == ["Ddoox", "Huees"]
