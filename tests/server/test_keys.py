from __future__ import annotations

import os
from pathlib import Path

import pytest
from fakes import FakeRecognizer
from fastapi.testclient import TestClient

from conftest import visit
from viner.errors import InputError, UsageError
from viner.server import Settings, create_app
from viner.server.keys import ApiKeys, add_key, hash_key, new_key, read_keys, remove_key

URL = "/api/v1/recognize"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.txt"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_a_file_of_keys_holds_no_key_and_only_its_owner_reads_it(file: Path) -> None:
    keys = [add_key(file, name) for name in ("crawler", "desk@lab")]
    assert list(read_keys(file)) == ["crawler", "desk@lab"]
    assert not any(key in file.read_text() for key in keys)
    assert len(set(keys)) == 2
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600
    assert [ApiKeys(str(file)).who(key) for key in (*keys, "viner_x", "")] == ["crawler", "desk@lab", None, None]


def test_comments_and_the_last_line_without_an_end_survive(file: Path) -> None:
    file.write_text(f"# ours\na {hash_key('x')} # since May\n\nb {hash_key('y')}")
    add_key(file, "c")
    remove_key(file, "b")
    assert file.read_text().startswith(f"# ours\na {hash_key('x')} # since May\n\n")
    assert list(read_keys(file)) == ["a", "c"]


@pytest.mark.parametrize("name", ["", "a b", "a\n", "x" * 65, "#"])
def test_a_name_is_one_word(file: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a key"):
        add_key(file, name)
    assert not file.exists()


def test_a_name_is_taken_once(file: Path) -> None:
    add_key(file, "a")
    with pytest.raises(UsageError, match=r"there is a key 'a'.*viner keys remove"):
        add_key(file, "a")
    with pytest.raises(UsageError, match=r"there is no key 'b'.*Keys: a"):
        remove_key(file, "b")


@pytest.mark.parametrize("line", ["a", "a sha256:12", "a b c", "a sha256:" + "g" * 64])
def test_what_is_no_key_is_named_with_its_line(file: Path, line: str) -> None:
    file.write_text(f"# keys\n{line}\n")
    with pytest.raises(InputError, match=r"keys.txt:2: this is no key"):
        ApiKeys(str(file))


def test_a_file_that_is_not_there_or_empty_never_opens_the_server(file: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be read.*viner keys add"):
        ApiKeys(str(file))
    file.write_text("# none yet\n")
    with pytest.raises(UsageError, match="is empty"):
        ApiKeys(str(file))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="no file of API keys"):
        ApiKeys(str(file))
    with pytest.raises(UsageError, match="among the hashes"):
        ApiKeys("sha256:12,sha256:34")


def test_hashes_can_be_given_without_a_file() -> None:
    keys = [new_key(), new_key()]
    known = ApiKeys(",".join(map(hash_key, keys)))
    assert [known.who(key) for key in (*keys, "x")] == ["key1", "key2", None]


def test_a_changed_file_counts_without_a_restart(file: Path) -> None:
    now = [0.0]
    first = add_key(file, "a")
    keys = ApiKeys(str(file), clock=lambda: now[0])
    second = add_key(file, "b")
    assert keys.who(second) is None
    now[0] += 2
    assert (keys.who(first), keys.who(second)) == ("a", "b")
    remove_key(file, "a")
    now[0] += 2
    assert (keys.who(first), keys.who(second)) == (None, "b")
    file.unlink()
    now[0] += 2
    assert keys.who(second) is None
    third = add_key(file, "c")
    now[0] += 2
    assert keys.who(third) == "c"


def test_a_model_answers_only_with_a_key(file: Path) -> None:
    key = add_key(file, "crawler")
    app = create_app(FakeRecognizer(), Settings(api_keys=str(file)))
    with TestClient(app, follow_redirects=False) as client:
        for path in ("/api/v1/health", "/api/v1/ready", "/api/openapi.json", "/api/docs"):
            assert client.get(path).status_code == 200, path
        for headers in ({}, bearer("viner_wrong"), bearer(""), {"authorization": f"Basic {key}"}, {"authorization": key}):
            for response in (
                client.post(URL, json={"texts": []}, headers=headers),
                client.get("/api/v1/metrics", headers=headers),
            ):
                assert (response.status_code, response.json()["error"]["code"]) == (401, "key_required")
                assert response.headers["www-authenticate"] == "Bearer"
        assert client.post(URL, json={"texts": ["Kenya"]}, headers=bearer(key)).json()["documents"][0]["entities"]
        assert client.get("/api/v1/model", headers={"authorization": f"bearer  {key}"}).status_code == 200
        metrics = client.get("/api/v1/metrics", headers=bearer(key)).text
        assert "viner_documents_total 1" in metrics
        assert f'viner_requests_total{{method="POST",route="{URL}",status="401"}} 5' in metrics


def test_a_page_is_no_way_around_the_keys(file: Path) -> None:
    add_key(file, "crawler")
    with TestClient(create_app(FakeRecognizer(), Settings(api_keys=str(file), space=True)), follow_redirects=False) as client:
        assert client.get("/api/v1/ready").json()["console"] == "off"
        for path in ("/", "/en", "/en/", "/vi/", "/config", "/gradio_api/info"):
            assert client.get(path).status_code == 404, path


def test_in_a_project_a_key_is_a_way_in_for_programs_beside_accounts(make_studio, file: Path) -> None:
    studio = make_studio(recognizer=FakeRecognizer())
    studio.store.accounts.add("lan", "a long password")
    key = add_key(file, "crawler")
    with visit(studio, host="0.0.0.0", api_keys=str(file)) as client:
        assert client.get("/api/v1/model").status_code == 401
        assert client.post(URL, json={"texts": []}, headers=bearer("viner_wrong")).json()["error"]["code"] == "key_required"
        assert client.post(URL, json={"texts": []}, headers=bearer(key)).json() == {"documents": []}
        for path in ("/annotate/api/session", "/annotate/", "/"):  # but no person
            assert client.get(path, headers=bearer(key)).status_code == 401
