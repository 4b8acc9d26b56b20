import pytest

from viner.bundle import is_hub_id


@pytest.mark.parametrize("name", ["xlm-roberta-base", "vinai/phobert-base", "user/name@main", "user/name@refs/pr/1"])
def test_hub_ids(name):
    assert is_hub_id(name)


@pytest.mark.parametrize("name", ["", ".", "./model", "../model", "/models/001", "a/b/c", "-x", "user/name@", "C:\\models"])
def test_what_can_only_be_a_path(name):
    assert not is_hub_id(name)
