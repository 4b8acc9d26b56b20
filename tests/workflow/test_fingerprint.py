"""Whether a model has learned documents, by what its folder says of its data."""

from __future__ import annotations

import pytest

from support.bases import toy_documents
from viner.document import Document
from viner.formats import read, write
from viner.workflow.fingerprint import REFIT, WHOLE, fingerprint, has_learned, has_learned_of

FILE = toy_documents(60, 1)
WHOLE_FILE, ASIDE, OTHERS = fingerprint(FILE), fingerprint(FILE[:6]), fingerprint(FILE[6:12])
LEARNED, REST = fingerprint(FILE[6:]), fingerprint([*FILE[:6], *FILE[12:]])
ELSEWHERE = fingerprint(toy_documents(20, 2))


@pytest.mark.parametrize(
    ("data", "learned"),
    [
        ({"train": WHOLE_FILE, "dev": ELSEWHERE}, True),  # its dev came from another file
        ({"train": WHOLE_FILE, "dev": ELSEWHERE, REFIT: True, WHOLE: fingerprint([*FILE, *toy_documents(20, 2)])}, True),
        ({"train": REST, "dev": OTHERS, WHOLE: WHOLE_FILE}, True),  # it set others aside
        ({"train": LEARNED, "dev": ASIDE, WHOLE: WHOLE_FILE, REFIT: True}, True),
        ({"train": LEARNED, "dev": ASIDE, WHOLE: WHOLE_FILE}, False),
        ({"train": ELSEWHERE, "dev": ASIDE}, False),
        ({}, False),
    ],
)
def test_a_model_knows_documents_that_another_training_sets_aside_of_its_file(data, learned) -> None:
    assert (has_learned(data, ASIDE) or has_learned_of(data, WHOLE_FILE, ASIDE)) is learned


def test_documents_are_known_in_another_format_order_and_without_their_ids(tmp_path) -> None:
    write(FILE, tmp_path / "a.conll")
    lines = (tmp_path / "a.conll").read_bytes()
    (tmp_path / "crlf.conll").write_bytes(lines.replace(b"\n", b"\r\n"))
    nameless = [Document(document.text, entities=document.entities) for document in reversed(FILE)]
    write(read(tmp_path / "a.conll"), tmp_path / "b.jsonl")
    data = {"train": fingerprint(read(tmp_path / "crlf.conll")), "dev": ELSEWHERE}
    for documents in (FILE, read(tmp_path / "a.conll"), read(tmp_path / "b.jsonl"), nameless):
        assert has_learned(data, fingerprint(documents))
    assert not has_learned(data, fingerprint(FILE[1:]))
    assert not has_learned(data, fingerprint([*FILE, FILE[0]]))
    changed = [FILE[0].with_(entities=[]), *FILE[1:]]
    assert FILE[0].entities
    assert not has_learned(data, fingerprint(changed))
    partial = [FILE[0].with_(meta={"viner:reviewed": []}), *FILE[1:]]
    assert not has_learned(data, fingerprint(partial))


def test_models_from_before_know_the_very_lines_alone() -> None:
    older = {"train": {key: value for key, value in WHOLE_FILE.items() if key != "content"}}
    assert has_learned(older, WHOLE_FILE)
    assert not has_learned(older, fingerprint(reversed(FILE)))
