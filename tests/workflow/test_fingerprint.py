"""Whether a model has learned documents, by what its folder says of its data."""

from __future__ import annotations

import pytest

from support.bases import toy_documents
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
