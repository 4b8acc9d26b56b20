from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeRecognizer
from fastapi import FastAPI
from fastapi.testclient import TestClient

from viner.corpus import flag_of
from viner.document import Document
from viner.errors import UsageError, VinerError
from viner.feedback import FeedbackBox, new_receipt, read_collected
from viner.server import Settings, check_feedback, create_app
from viner.server.errors import RequestError
from viner.server.feedback import Collector, model_mark

URL = "/api/v1/feedback"
TEXT = "😷 BN91 ở Hà Nội"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "flagged"


@pytest.fixture
def app(folder: Path) -> FastAPI:
    settings = Settings(feedback=folder, feedback_note="Kept for 90 days.")
    return create_app(FakeRecognizer(), settings, console=False)


@pytest.fixture
def visitor(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def kept(folder: Path) -> list[Document]:
    return list(read_collected(folder / "feedback.jsonl"))


def error_of(response: Any) -> tuple[int, str, str | None]:
    error = response.json()["error"]
    return response.status_code, error["code"], error["where"]


def test_nothing_is_collected_unless_the_operator_gave_a_folder(client: TestClient) -> None:
    for response in (client.get(URL), client.post(URL, json={"text": TEXT}), client.delete(f"{URL}/{new_receipt()}")):
        assert error_of(response)[:2] == (404, "not_found")
    assert not [path for path in client.get("/api/openapi.json").json()["paths"] if "feedback" in path]


def test_what_is_sent_is_kept_as_the_model_answered_and_erased_by_its_receipt(visitor: TestClient, folder: Path) -> None:
    response = visitor.post(URL, json={"text": TEXT, "comment": "BN91, không phải 91", "wrong": [[4, 6]]})
    assert response.status_code == 201
    receipt = response.json()["receipt"]
    (document,) = kept(folder)
    assert document.text == TEXT
    assert document.entities is None
    assert [(entity.start, entity.end, entity.label) for entity in document.suggestions or ()] == [
        (4, 6, "PATIENT_ID"),
        (9, 15, "LOCATION"),
    ]
    flag = flag_of(document)
    assert flag is not None
    assert (flag.receipt, flag.comment, flag.wrong) == (receipt, "BN91, không phải 91", ((4, 6),))
    assert flag.model == model_mark(FakeRecognizer())
    assert "testclient" not in (folder / "feedback.jsonl").read_text(encoding="utf-8")
    for _ in range(2):
        assert visitor.delete(f"{URL}/{receipt}").json() == {"receipt": receipt, "erased": True}
    assert TEXT.encode() not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_spans_may_count_utf16_units(visitor: TestClient, folder: Path) -> None:
    assert visitor.post(f"{URL}?offsets=utf16", json={"text": TEXT, "wrong": [[5, 7]]}).status_code == 201
    assert kept(folder)[0].meta["viner:feedback"]["wrong"] == [[4, 6]]
    assert error_of(visitor.post(f"{URL}?offsets=utf16", json={"text": TEXT, "wrong": [[1, 7]]}))[0] == 422


def test_a_request_sent_again_under_its_own_receipt_is_kept_once(visitor: TestClient, folder: Path) -> None:
    body = {"text": TEXT, "comment": "sai", "receipt": new_receipt()}
    assert [visitor.post(URL, json=body).json() for _ in range(2)] == [{"receipt": body["receipt"]}] * 2
    assert len(kept(folder)) == 1
    assert error_of(visitor.post(URL, json={**body, "text": "khác"})) == (409, "receipt_used", "receipt")


def test_visitors_and_programs_are_told_the_terms(visitor: TestClient) -> None:
    assert visitor.get(URL).json() == {
        "collecting": True,
        "note": "Kept for 90 days.",
        "longest_text": 100_000,
        "longest_comment": 2_000,
    }
    description = visitor.get("/api/openapi.json").json()["paths"]
    assert set(description[URL]) == {"get", "post"}
    assert set(description[f"{URL}/{{receipt}}"]) == {"delete"}
    assert f"-X DELETE http://testserver{URL}" in visitor.get("/api/docs").text


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({}, 422, "text"),
        ({"text": ""}, 422, "text"),
        ({"text": "  "}, 422, "text"),
        ({"text": "a" * 100_001}, 422, "text"),
        ({"text": "a\0"}, 422, "text"),
        ({"text": "a", "comment": "b" * 2_001}, 422, "comment"),
        ({"text": "a", "comment": 5}, 422, "comment"),
        ({"text": "a", "wrong": [[0, 1]]}, 422, "wrong[0]"),
        ({"text": "a", "wrong": [[0]]}, 422, "wrong[0]"),
        ({"text": "a", "wrong": [["0", 1]]}, 422, "wrong[0]"),
        ({"text": "a", "wrong": "all"}, 422, "wrong"),
        ({"text": "a", "receipt": "mine"}, 422, "receipt"),
        ({"text": "a", "name": "Lan"}, 422, "body"),
        ([], 422, "body"),
    ],
)
def test_what_is_malformed_is_refused_with_its_place(
    visitor: TestClient, folder: Path, body: Any, status: int, where: str
) -> None:
    assert error_of(visitor.post(URL, json=body)) == (status, "invalid_input", where)
    assert not (folder / "feedback.jsonl").exists()


def test_other_bodies_and_other_sites_are_refused(visitor: TestClient) -> None:
    assert error_of(visitor.post(URL, content="text"))[:2] == (415, "unsupported_media_type")
    assert error_of(visitor.post(URL, content="{", headers={"content-type": "application/json"}))[:2] == (400, "invalid_json")
    foreign = {"origin": "https://elsewhere.example"}
    assert error_of(visitor.post(URL, json={"text": TEXT}, headers=foreign))[:2] == (403, "foreign_origin")
    receipt = visitor.post(URL, json={"text": TEXT}, headers={"origin": "http://testserver"}).json()["receipt"]
    assert error_of(visitor.delete(f"{URL}/{receipt}", headers=foreign))[:2] == (403, "foreign_origin")
    assert visitor.delete(f"{URL}/{receipt}").status_code == 200


def test_an_unknown_receipt_is_said_and_guessing_is_slowed_down(visitor: TestClient) -> None:
    receipt = visitor.post(URL, json={"text": TEXT}).json()["receipt"]
    answers = [visitor.delete(f"{URL}/{new_receipt()}") for _ in range(31)]
    assert error_of(answers[0]) == (404, "unknown_receipt", "receipt")
    assert error_of(answers[-1])[:2] == (429, "too_many_requests")
    assert answers[-1].headers["retry-after"] == "2"
    assert visitor.delete(f"{URL}/{receipt}").status_code == 429


def test_one_place_cannot_send_without_end(visitor: TestClient, folder: Path) -> None:
    answers = [visitor.post(URL, json={"text": f"{TEXT} {number}"}) for number in range(21)]
    assert [answer.status_code for answer in answers] == [201] * 20 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 10
    assert len(kept(folder)) == 20


def test_tries_come_back_and_places_do_not_share_them(folder: Path) -> None:
    now = [0.0]
    collector = Collector(FeedbackBox.open(folder), {}, clock=lambda: now[0])

    def send(address: str) -> None:
        collector.send(FakeRecognizer()(TEXT), receipt=new_receipt(), comment="", wrong=(), address=address)

    for _ in range(20):
        send("10.0.0.1")
    with pytest.raises(RequestError) as caught:
        send("10.0.0.1")
    assert (caught.value.status, caught.value.wait) == (429, 10)
    send("10.0.0.2")
    now[0] = 10.0
    send("10.0.0.1")


def test_strangers_cannot_fill_the_disk(folder: Path) -> None:
    with TestClient(create_app(FakeRecognizer(), Settings(feedback=folder, feedback_quota=3_500), console=False)) as client:
        answers = [client.post(URL, json={"text": "một " * 200}) for _ in range(4)]
        assert error_of(answers[-1])[:2] == (507, "feedback_full")
        assert (folder / "feedback.jsonl").stat().st_size <= 3_500
        assert client.delete(f"{URL}/{answers[0].json()['receipt']}").status_code == 200
        assert client.post(URL, json={"text": "một " * 200}).status_code == 201


def test_a_disk_that_fails_is_an_error_that_names_no_folder(
    visitor: TestClient, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FeedbackBox) -> None:
        raise OSError(5, "Input/output error", str(folder))

    monkeypatch.setattr(FeedbackBox, "_opened", broken)
    response = visitor.post(URL, json={"text": TEXT})
    assert error_of(response)[:2] == (500, "feedback_failed")
    assert str(folder) not in response.text


def test_no_text_comment_or_receipt_reaches_the_log(visitor: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receipt = visitor.post(URL, json={"text": f"{TEXT} bí mật", "comment": "riêng tư"}).json()["receipt"]
    visitor.post(URL, json={"text": "bí mật", "wrong": [[0, 99]]})
    visitor.delete(f"{URL}/{receipt}")
    visitor.delete(f"{URL}/{new_receipt()}")
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("viner"))
    assert f"POST {URL} 201" in logged
    assert f"DELETE {URL}/{{receipt}} 200" in logged
    for secret in ("bí mật", "riêng tư", receipt):
        assert secret not in logged
    metrics = visitor.get("/api/v1/metrics").text
    assert f'route="{URL}/{{receipt}}"' in metrics
    assert receipt not in metrics


def test_models_are_told_apart_by_all_that_they_say_about_themselves() -> None:
    class Info:
        def __init__(self, data: dict[str, Any]) -> None:
            self.data = data

        def to_dict(self) -> dict[str, Any]:
            return self.data

    def mark(**data: Any) -> dict[str, str]:
        recognizer = FakeRecognizer()
        recognizer.info = Info(data)  # type: ignore[assignment]
        return model_mark(recognizer)

    one, other = mark(data={"source": {"name": "Notices"}}, metrics={"f1": 0.9}), mark(data={}, metrics={"f1": 0.91})
    assert one["name"] == "Notices"
    assert "name" not in other
    assert one["fingerprint"] != other["fingerprint"]
    assert mark(data={}, metrics={"f1": 0.91}) == other


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    for name in ("VINER_FEEDBACK", "VINER_FEEDBACK_NOTE", "VINER_FEEDBACK_QUOTA"):
        monkeypatch.delenv(name, raising=False)
    return lambda feedback=None, **environ: Settings.resolve(feedback=feedback, environ=environ)


def test_the_folder_comes_from_the_argument_or_the_environment(settled: Callable[..., Settings]) -> None:
    assert settled().feedback is None
    assert settled(VINER_FEEDBACK="").feedback is None
    assert settled(VINER_FEEDBACK="/data/feedback").feedback == Path("/data/feedback")
    assert settled("mine", VINER_FEEDBACK="/data/feedback").feedback == Path("mine")
    given = settled(VINER_FEEDBACK_NOTE=" Kept for\n90 days. ", VINER_FEEDBACK_QUOTA="2048")
    assert (given.feedback_note, given.feedback_quota) == ("Kept for 90 days.", 2048)
    for wrong in ({"VINER_FEEDBACK_NOTE": "x" * 501}, {"VINER_FEEDBACK_QUOTA": "much"}, {"VINER_FEEDBACK_QUOTA": "5"}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            settled(**wrong)


def test_a_folder_that_cannot_be_used_is_told_before_anything_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(VinerError, match="a file, not a folder"):
        create_app(FakeRecognizer(), Settings(feedback=file), console=False)
    with pytest.raises(VinerError, match="a file, not a folder"):
        check_feedback(file)
    monkeypatch.setenv("VINER_FEEDBACK", str(tmp_path / "made"))
    check_feedback()
    assert (tmp_path / "made").is_dir()
