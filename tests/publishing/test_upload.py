"""Uploads by huggingface_hub's own client to a Hub on this machine, which fails where a test wants it to."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from support.hub import Blob, LocalHub, connect
from viner.errors import UsageError
from viner.publishing import upload
from viner.publishing.upload import UploadError, push

REPO = "minh/notices"
CARD = "---\nlibrary_name: viner\n---\n# Notices\n"
SPACE_CARD = "---\ntitle: Notices\nsdk: gradio\nsdk_version: '6.1.0'\napp_file: app.py\n---\n# Notices\n"
LARGE = ("model.onnx", "model.safetensors")


@pytest.fixture(params=["xet", "lfs"])
def transport(request, hub, monkeypatch, tmp_path):
    """Both ways in which large files travel."""
    connect(hub, monkeypatch, tmp_path / "hf", xet=request.param == "xet")
    return request.param


@pytest.fixture
def folder(tmp_path) -> Path:
    """A repository to be: two small files and two large ones."""
    draw = random.Random(7)
    made = tmp_path / "notices"
    made.mkdir()
    (made / "README.md").write_text(CARD)
    (made / "config.json").write_text("{}")
    (made / "model.onnx").write_bytes(draw.randbytes(40_000) + bytes(range(256)) * 400)
    (made / "model.safetensors").write_bytes(b"weights " * 20_000 + draw.randbytes(300_000))
    (made / ".viner-publish.json").write_text('{"kind": "hub"}')
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".viner-publish.json"}


def shown(hub: LocalHub, repo: str = REPO, kind: str = "model") -> dict[str, bytes]:
    """What a visitor sees; empty where there is no repository, too."""
    found = hub.repositories.get((kind, repo))
    return found.files if found else {}


def calls(hub: LocalHub, pattern: str) -> list[str]:
    return [request.path for request in hub.sent if pattern in request.path]


def test_a_folder_becomes_a_private_repository_in_one_commit(hub, folder, transport):
    assert push(folder, REPO, kind="model", tag="v1") == f"{hub.url}/{REPO}"
    repository = hub.repository(REPO)
    assert repository.files == contents(folder)
    assert repository.private
    assert len(repository.commits) == 2  # the Hub's own and this one
    assert repository.tags == {"v1": repository.head}
    assert {name for name, blob in repository.commits[repository.head].items() if blob.lfs} == set(LARGE)
    assert bool(calls(hub, "/cas/")) == (transport == "xet")
    assert bool(calls(hub, "/storage/")) == (transport == "lfs")


def test_a_space_goes_the_same_way(hub, folder, transport):
    (folder / "README.md").write_text(SPACE_CARD)
    (folder / "app.py").write_text("print('hello')\n")
    assert push(folder, REPO, kind="space", private=False) == f"{hub.url}/spaces/{REPO}"
    repository = hub.repository(REPO, "space")
    assert repository.files == contents(folder)
    assert (repository.private, repository.sdk) == (False, "gradio")


def test_folders_within_the_folder_come_along(hub, folder):
    (folder / "model").mkdir()
    (folder / "model" / "viner.json").write_text("{}")
    push(folder, REPO, kind="model")
    assert shown(hub)["model/viner.json"] == b"{}"


def test_the_same_once_more_sends_nothing(hub, folder):
    push(folder, REPO, kind="model")
    before = len(hub.repository(REPO).commits), len(hub.sent)
    assert push(folder, REPO, kind="model", tag="v1") == f"{hub.url}/{REPO}"
    assert len(hub.repository(REPO).commits) == before[0]
    again = hub.sent[before[1] :]
    assert {request.method for request in again if not request.path.endswith(f"/tag/{hub.repository(REPO).head}")} == {"GET"}
    assert hub.repository(REPO).tags == {"v1": hub.repository(REPO).head}


# What is there is not overwritten


def test_what_a_repository_holds_is_replaced_by_force_only(hub, folder):
    theirs = {"README.md": b"mine\n", "old.txt": b"old\n"}
    repository = hub.add(REPO, theirs)
    with pytest.raises(UploadError, match="not empty") as caught:
        push(folder, REPO, kind="model")
    assert "--force" in caught.value.hint
    assert repository.files == theirs
    assert {request.method for request in hub.sent} == {"GET"}
    push(folder, REPO, kind="model", force=True)
    assert repository.files == contents(folder)
    assert len(repository.commits) == 3


def test_an_empty_repository_is_filled(hub, folder):
    hub.add(REPO, {})
    push(folder, REPO, kind="model")
    assert shown(hub) == contents(folder)


@pytest.mark.parametrize(("private", "hint"), [(True, "Add --public"), (False, "Leave --public away")])
def test_who_sees_a_repository_never_changes(hub, folder, private, hint):
    repository = hub.add(REPO, {}, private=not private)
    with pytest.raises(UploadError, match="public already" if private else "private already") as caught:
        push(folder, REPO, kind="model", private=private, force=True)
    assert hint in caught.value.hint
    assert (repository.private, repository.files) == (not private, {})


def test_a_tag_never_moves(hub, folder):
    repository = hub.add(REPO, {"old.txt": b"old\n"})
    repository.tags["v1"] = repository.head
    with pytest.raises(UploadError, match="tag v1 already"):
        push(folder, REPO, kind="model", force=True, tag="v1")
    assert repository.files == {"old.txt": b"old\n"}
    assert hub.uploads() == []


def test_a_change_of_somebody_else_in_between_is_not_overwritten(hub, folder):
    def change():
        hub.repository(REPO).commit({"theirs.txt": Blob(b"theirs\n", lfs=False)})

    hub.fail("POST", "/commit/", then=change)
    with pytest.raises(UploadError, match="somebody else changed"):
        push(folder, REPO, kind="model")
    assert shown(hub) == {"theirs.txt": b"theirs\n"}
    with pytest.raises(UploadError, match="not empty"):
        push(folder, REPO, kind="model")


def test_done_is_said_only_of_what_the_repository_holds(hub, folder):
    def lose():
        repository = hub.repository(REPO)
        if len(repository.commits) == 2:
            repository.commits[repository.head].pop("model.onnx")

    hub.fail("GET", f"/api/models/{REPO}/revision/", then=lose)
    with pytest.raises(UploadError, match="does not hold what was sent"):
        push(folder, REPO, kind="model")


# What breaks, is said, and goes on

BROKEN = [
    # who is asked, how it fails, what is said, what to do
    (("POST", "/api/repos/create", {"status": 500}), "trouble of its own, status 500", "some minutes"),
    (("POST", "/preupload/", {"status": 503, "times": 6}), "trouble of its own, status 503", "some minutes"),
    (("POST", "/preupload/", {"status": 429, "times": 6, "said": "slow down"}), r"too many requests \(slow down\)", "minutes"),
    (("POST", "/preupload/", {"drop_after": 5, "times": 6}), "cannot be reached", "goes on where it stopped"),
    (("POST", "/preupload/", {"status": 403}), "may not write", "settings/tokens"),
    (
        ("POST", "/commit/", {"status": 400, "said": "bad LFS pointer"}),
        r"refuses it, status 400 \(bad LFS pointer\)",
        "same command",
    ),
    (("POST", "/commit/", {"status": 500}), "trouble of its own, status 500", "some minutes"),
    (("POST", "/commit/", {"status": 413}), "larger than the Hub takes", "smaller base"),
    (("POST", "/commit/", {"drop_after": 30}), "cannot be reached", "goes on where it stopped"),
    (("POST", "/commit/", {"status": 403, "said": "Private storage limit reached"}), "no room for it", "billing"),
    (("POST", "/api/validate-yaml", {"status": 503}), "trouble of its own, status 503", "some minutes"),
]


@pytest.mark.parametrize(("fault", "message", "hint"), BROKEN)
def test_what_breaks_is_said_and_the_same_call_goes_on(hub, folder, fault, message, hint):
    method, pattern, how = fault
    hub.fail(method, pattern, **how)
    with pytest.raises(UploadError, match=message) as caught:
        push(folder, REPO, kind="model")
    assert hint in caught.value.hint
    assert str(caught.value).count("\n") == 0
    assert LocalHub.token not in str(caught.value)
    assert shown(hub) == {}
    hub.faults.clear()
    push(folder, REPO, kind="model")
    assert shown(hub) == contents(folder)


STORAGE = {
    "xet": [
        (("POST", "/v1/xorbs/", {"drop_after": 20_000}), "cannot be reached"),
        (("POST", "/v1/xorbs/", {"status": 503}), "trouble of its own, status 503"),
        (("POST", "/v1/xorbs/", {"status": 403}), "may not write"),
        (("POST", "/v1/shards", {"status": 500}), "trouble of its own, status 500"),
        (("GET", "/xet-write-token/", {"status": 403}), "may not write"),
    ],
    "lfs": [
        (("PUT", "/storage/", {"drop_after": 20_000}), "cannot be reached"),
        (("PUT", "/storage/", {"status": 503}), "trouble of its own, status 503"),
        (("POST", "/objects/batch", {"status": 403}), "may not write"),
        (("POST", "/verify", {"status": 500}), "trouble of its own, status 500"),
    ],
}


@pytest.mark.parametrize(
    ("transport", "fault", "message"),
    [(name, fault, message) for name, faults in STORAGE.items() for fault, message in faults],
    indirect=["transport"],
)
def test_what_was_uploaded_before_it_broke_is_not_sent_again(hub, folder, transport, fault, message):
    """The small one of the large files arrives; the other breaks, for as long as the client tries."""
    method, pattern, how = fault

    def begin():  # when the second large file is announced
        hub.fail(method, pattern, times=20, **how)

    hub.fail("POST", "/preupload/", times=3)
    hub.fail("POST", "/preupload/", then=begin)
    with pytest.raises(UploadError, match=message):
        push(folder, REPO, kind="model")
    assert shown(hub) == {}
    arrived = [request.path for request in hub.uploads() if request.status == 200]
    assert arrived
    hub.faults.clear()
    before = len(hub.sent)
    push(folder, REPO, kind="model")
    assert shown(hub) == contents(folder)
    again = [request.path for request in hub.sent[before:]]
    assert not set(arrived[:1]) & set(again)


def test_one_large_file_that_the_storage_refuses(hub, folder, monkeypatch, tmp_path):
    connect(hub, monkeypatch, tmp_path / "hf", xet=False)
    hub.largest = 200_000
    with pytest.raises(UploadError, match="this object is too large") as caught:
        push(folder, REPO, kind="model")
    assert str(caught.value).count("\n") == 0
    assert shown(hub) == {}


def test_after_a_commit_that_failed_no_content_is_sent_again(hub, folder, transport):
    hub.fail("POST", "/commit/", status=500)
    with pytest.raises(UploadError):
        push(folder, REPO, kind="model")
    before = len(hub.uploads())
    push(folder, REPO, kind="model")
    assert shown(hub) == contents(folder)
    assert len(hub.uploads()) == before


@pytest.mark.parametrize("how", [{"status": 503}, {"drop_after": 0}, {"status": 429, "headers": {"Retry-After": "1"}}])
def test_trouble_that_passes_is_waited_out(hub, folder, transport, how):
    hub.fail("POST", "/preupload/", **how)
    hub.fail("PUT" if transport == "lfs" else "POST", "/storage/" if transport == "lfs" else "/v1/xorbs/", **how)
    push(folder, REPO, kind="model")
    assert shown(hub) == contents(folder)


def test_a_slow_answer_is_waited_for(hub, folder):
    hub.fail("POST", "/commit/", delay=1.5)
    push(folder, REPO, kind="model")
    assert shown(hub) == contents(folder)


def test_a_commit_whose_answer_is_lost_counts(hub, folder):
    hub.fail("POST", "/commit/", lose_answer=True)
    push(folder, REPO, kind="model", tag="v1")
    repository = hub.repository(REPO)
    assert repository.files == contents(folder)
    assert repository.tags == {"v1": repository.head}
    assert len(repository.commits) == 2


def test_a_tag_that_failed_is_made_by_the_next_call(hub, folder):
    hub.fail("POST", "/tag/", status=500)
    with pytest.raises(UploadError, match="trouble of its own"):
        push(folder, REPO, kind="model", tag="v1")
    push(folder, REPO, kind="model", tag="v1")
    repository = hub.repository(REPO)
    assert repository.tags == {"v1": repository.head}
    assert len(repository.commits) == 2


# Who may not, and where not


def test_without_a_login_it_says_how_to_log_in(hub, folder, monkeypatch, tmp_path):
    connect(hub, monkeypatch, tmp_path / "hf", token=None)
    with pytest.raises(UploadError, match="nobody is logged in") as caught:
        push(folder, REPO, kind="model")
    assert "hf auth login" in caught.value.hint
    assert hub.sent == []


def test_the_login_that_hf_auth_login_keeps(hub, folder, monkeypatch, tmp_path):
    connect(hub, monkeypatch, tmp_path / "hf", token=None)
    (tmp_path / "hf").mkdir(exist_ok=True)
    (tmp_path / "hf" / "token").write_text(f"{hub.token}\n")
    push(folder, REPO, kind="model")
    assert shown(hub) == contents(folder)


def test_a_token_that_nobody_knows(hub, folder, monkeypatch, tmp_path):
    connect(hub, monkeypatch, tmp_path / "hf", token="hf_forgotten")
    with pytest.raises(UploadError, match="does not accept the token") as caught:
        push(folder, REPO, kind="model")
    assert "HF_TOKEN" in caught.value.hint
    assert "hf_forgotten" not in str(caught.value)


def test_a_token_for_reading_only_is_told_before_anything_is_sent(hub, folder, monkeypatch, tmp_path):
    connect(hub, monkeypatch, tmp_path / "hf", token=hub.reader)
    with pytest.raises(UploadError, match="reading only") as caught:
        push(folder, REPO, kind="model")
    assert "settings/tokens" in caught.value.hint
    assert {request.method for request in hub.sent} == {"GET"}


def test_the_repository_of_somebody_else(hub, folder):
    with pytest.raises(UploadError, match="minh may not make repositories of lan") as caught:
        push(folder, "lan/notices", kind="model")
    assert "minh/notices" in caught.value.hint
    theirs = hub.add("lan/notices", {}, private=False)
    with pytest.raises(UploadError, match="may not write"):
        push(folder, "lan/notices", kind="model", private=False)
    assert theirs.files == {}


def test_an_organization_that_one_may_write_to(hub, folder):
    push(folder, "lab/notices", kind="model")
    assert shown(hub, "lab/notices") == contents(folder)


@pytest.mark.parametrize(
    "repo", ["notices", "a/b/c", "", "/notices", "minh/", "minh/có dấu", "minh/a--b", "minh/.git", "minh/x.git"]
)
def test_malformed_names(folder, repo):
    with pytest.raises(UsageError, match="names no repository"):
        push(folder, repo, kind="model")


@pytest.mark.parametrize("tag", ["", "-v1", "v 1", "v1^"])
def test_malformed_tags(folder, tag):
    with pytest.raises(UsageError, match="cannot be a tag"):
        push(folder, REPO, kind="model", tag=tag)


def test_no_network(folder, monkeypatch, tmp_path):
    with LocalHub() as gone:
        connect(gone, monkeypatch, tmp_path / "hf")
    with pytest.raises(UploadError, match="cannot be reached") as caught:
        push(folder, REPO, kind="model")
    assert "Check the network" in caught.value.hint


def test_offline_by_choice(hub, folder, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UploadError, match="HF_HUB_OFFLINE is set"):
        push(folder, REPO, kind="model")
    assert hub.sent == []


def test_a_file_above_the_limit_is_refused_before_anything_is_sent(hub, folder, monkeypatch):
    monkeypatch.setattr(upload, "MAX_FILE", 200_000)
    with pytest.raises(UploadError, match=r"model\.safetensors has .* the Hub takes files of up to"):
        push(folder, REPO, kind="model")
    assert hub.uploads() == []
    assert hub.repositories == {}


def test_the_readme_that_the_hub_puts_into_a_space_is_no_content_of_somebody(hub, folder):
    (folder / "README.md").write_text(SPACE_CARD)
    hub.fail("POST", "/commit/", status=500)
    with pytest.raises(UploadError):
        push(folder, REPO, kind="space")
    assert set(shown(hub, kind="space")) == {"README.md"}
    push(folder, REPO, kind="space")
    assert shown(hub, kind="space") == contents(folder)


def test_a_readme_that_somebody_wrote_is(hub, folder):
    theirs = {"README.md": SPACE_CARD.encode() + b"Mine.\n"}
    hub.add(REPO, theirs, kind="space")
    with pytest.raises(UploadError, match="not empty"):
        push(folder, REPO, kind="space")
    assert shown(hub, kind="space") == theirs


def test_attributes_of_the_folder_take_the_place_of_the_hubs(hub, folder):
    (folder / ".gitattributes").write_text("*.onnx filter=lfs\n*.whl filter=lfs\n")
    push(folder, REPO, kind="model")
    repository = hub.repository(REPO)
    assert b"whl" in repository.commits[repository.head][".gitattributes"].content
    before = len(repository.commits)
    push(folder, REPO, kind="model")
    assert len(repository.commits) == before


@pytest.mark.parametrize(
    ("card", "said"),
    [("---\nlicense: perhaps\n---\n", "license must be"), ("---\nlanguage: Vietnamese\n---\n", "language must be")],
)
def test_a_card_that_the_hub_does_not_accept_is_told_in_its_words(hub, folder, card, said):
    (folder / "README.md").write_text(card)
    with pytest.raises(UploadError, match=said):
        push(folder, REPO, kind="model")
    assert shown(hub) == {}
