import pytest

from viner.metrics.groups import LENGTHS, SeenSurfaces, length_group


@pytest.mark.parametrize(("words", "group"), [(0, "1"), (1, "1"), (4, "4"), (5, "5+"), (40, "5+")])
def test_lengths_from_five_words_on_are_one_group(words, group):
    assert length_group(words) == group
    assert group in LENGTHS


def test_a_surface_is_seen_with_its_label_with_another_one_or_not_at_all():
    seen = SeenSurfaces()
    seen.add("Huế", "LOCATION")
    seen.add("Huế", "ORGANIZATION")
    seen.add("Lan", "PERSON")
    assert seen.group("Huế", "LOCATION") == seen.group("Huế", "ORGANIZATION") == "seen"
    assert seen.group("Huế", "PERSON") == "other_label"
    assert seen.group("huế", "LOCATION") == "unseen"
    assert len(seen) == 2
