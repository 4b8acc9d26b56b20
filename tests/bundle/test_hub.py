import pytest

from support.hub import connect
from viner.bundle import download, find_bundle, is_hub_id
from viner.errors import BundleError

NAME = "minh/notices"


@pytest.mark.parametrize("name", ["xlm-roberta-base", "vinai/phobert-base", "user/name@main", "user/name@refs/pr/1"])
def test_hub_ids(name):
    assert is_hub_id(name)


@pytest.mark.parametrize("name", ["", ".", "./model", "../model", "/models/001", "a/b/c", "-x", "user/name@", "C:\\models"])
def test_what_can_only_be_a_path(name):
    assert not is_hub_id(name)


@pytest.fixture
def published(hub, tiny_model):
    """A model on the Hub, with a log that nobody should fetch."""
    files = {path.name: path.read_bytes() for path in tiny_model.iterdir()}
    repository = hub.add(NAME, files | {"training.jsonl": b"{}\n"})
    repository.tags["v1"] = repository.head
    return hub


def test_recognition_fetches_what_it_needs_and_once(published):
    bundle = find_bundle(f"{NAME}@v1", weights=False)
    assert {path.name for path in bundle.path.iterdir()} == {
        "viner.json", "config.json", "tokenizer.json", "model.onnx", "canaries.json",
    }  # fmt: skip
    before = len(published.sent)
    assert find_bundle(f"{NAME}@v1", weights=False).path == bundle.path
    assert not any(request.method == "GET" and "/resolve/" in request.path for request in published.sent[before:])


def test_a_fetch_that_broke_goes_on(published):
    published.fail("GET", "/resolve/.*/model.onnx", times=20, drop_after=0)
    with pytest.raises(BundleError, match="the Hub cannot be reached"):
        find_bundle(NAME, weights=False)
    published.faults.clear()
    before = len(published.sent)
    find_bundle(NAME, weights=False)
    fetched = [request.path.rpartition("/")[2] for request in published.sent[before:] if request.method == "GET"]
    assert "model.onnx" in fetched


def test_a_hub_that_is_down_is_not_taken_for_an_unknown_name(published):
    published.fail("GET", "/api/models/", times=20, status=503)
    with pytest.raises(BundleError, match="cannot be reached"):
        download(NAME, ["viner.json"])


def test_what_the_hub_does_not_have(published):
    with pytest.raises(BundleError, match="the Hub does not know it"):
        download("minh/nothing", ["viner.json"])
    with pytest.raises(BundleError, match="has no revision 'v9'"):
        download(f"{NAME}@v9", ["viner.json"])


def test_a_private_model_needs_its_owner(published, monkeypatch, tmp_path):
    connect(published, monkeypatch, tmp_path / "elsewhere", token=None)
    with pytest.raises(BundleError, match="the Hub does not know it") as caught:
        download(NAME, ["viner.json"])
    assert "hf auth login" in caught.value.hint


def test_a_token_that_nobody_knows(published, monkeypatch, tmp_path):
    connect(published, monkeypatch, tmp_path / "elsewhere", token="hf_forgotten")
    published.fail("GET", "/api/models/", times=9, status=401, said="Invalid credentials in Authorization header")
    with pytest.raises(BundleError, match="does not accept the token"):
        download(NAME, ["viner.json"])


def test_offline_only_what_was_fetched_is_found(published, monkeypatch):
    folder = download(NAME, ["viner.json"])
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert download(NAME, ["viner.json"]) == folder
    with pytest.raises(BundleError, match="HF_HUB_OFFLINE forbids") as caught:
        download(NAME, ["model.onnx"])
    assert "without HF_HUB_OFFLINE" in caught.value.hint
    with pytest.raises(BundleError, match="HF_HUB_OFFLINE forbids"):
        download("minh/other", ["viner.json"])


def test_a_pipe_sees_no_progress(published, capfd):
    find_bundle(NAME, weights=False)
    assert capfd.readouterr().err == ""
