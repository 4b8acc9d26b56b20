"""serve --feedback, erase --feedback, and import of what was collected."""

from __future__ import annotations

import json

import pytest

from viner.document import Document, Entity
from viner.feedback import FeedbackBox, make_entry, new_receipt
from viner.store import Store

pytestmark = pytest.mark.usefixtures("stdin")


@pytest.fixture
def box(tmp_path):
    return FeedbackBox.open(tmp_path / "flagged")


def flag(box, text, comment="", label="PLACE"):
    receipt = new_receipt()
    answer = Document(text, entities=[Entity(0, 3, label, score=0.5)])
    box.add(make_entry(answer, receipt=receipt, comment=comment, wrong=[(0, 3)]))
    return receipt


def test_what_was_collected_is_imported_again_and_again_as_it_grows(project, box, run, exported):
    flag(box, "Huế mưa", "không phải nơi")
    status, out, err = run("import", box.path, "--project", project)
    assert (status, err) == (0, "")
    assert out.splitlines()[:2] == ["1 documents (train 1)", "1 suggestions"]
    flag(box, "Vinh nắng")
    with box.path.open("ab") as file:
        file.write(b'{"id": "flagged-00')  # being written, or cut off by a crash
    assert run("import", box.folder, "--project", project)[:2] == (
        0,
        "1 documents (train 1)\n1 documents skipped, which were there\n1 suggestions\n",
    )
    documents = exported(project)
    assert [document["text"] for document in documents] == ["Huế mưa", "Vinh nắng"]
    assert all("entities" not in document for document in documents)


def test_what_senders_erased_is_named_with_the_command_that_erases_it_here(project, box, run):
    receipt = flag(box, "Huế mưa")
    flag(box, "Vinh nắng")
    run("import", box.path, "--project", project)
    assert run("erase", "--feedback", box.folder, receipt, "--yes")[:2] == (0, "1 flagged answers erased\n")
    status, out, _ = run("import", box.path, "--project", project)
    assert status == 0
    command = out.splitlines()[-1].removeprefix("Erase them here, too: viner ").split()
    assert run(*command, "--yes")[:2] == (0, "1 documents erased\n")
    assert json.loads(run("import", box.path, "--project", project, "--json")[1])["withdrawn"] == []


def test_other_labels_than_the_project_has_are_told(project, box, run):
    flag(box, "Huế mưa", label="RIVER")
    status, _, err = run("import", box.path, "--project", project)
    assert (status, "no entity label 'RIVER'" in err) == (1, True)
    assert run("import", box.path, "--project", project, "--new-labels", "add")[0] == 0


def test_the_operator_erases_one_or_all(box, run):
    receipt = flag(box, "Huế mưa")
    flag(box, "Vinh nắng")
    assert json.loads(run("erase", "--feedback", box.folder, f"flagged-{receipt}", "--yes", "--json")[1]) == {"erased": 1}
    assert "Huế".encode() not in box.path.read_bytes()
    status, _, err = run("erase", "--feedback", box.folder)
    assert (status, "no terminal to ask on" in err) == (2, True)
    assert run("erase", "--feedback", box.folder, "--yes")[:2] == (0, "1 flagged answers erased\n")
    assert not box.path.exists()


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (("erase", "--yes"), 2, "which documents? No id is given"),
        (("erase", "--feedback", "none", "--yes"), 1, "none: there are no flagged answers"),
        (("erase", "--feedback", "FOLDER", "0" * 32, "--yes"), 1, "nothing is kept under this receipt"),
        (("erase", "--feedback", "FOLDER", "typo", "--yes"), 1, "nothing is kept under this receipt"),
        (("erase", "--feedback", "FOLDER", "--project", "x", "--yes"), 2, "exclude each other"),
        (("serve", "--project", "x", "--feedback", "FOLDER"), 2, "--feedback goes with a MODEL"),
        (("serve", "model", "--port", "0", "--feedback", "FILE"), 1, "this is a file, not a folder"),
    ],
)
def test_what_cannot_be_done_is_said(box, run, tmp_path, args, status, said):
    flag(box, "Huế mưa")
    file = tmp_path / "file"
    file.write_text("x")
    places = {"FOLDER": box.folder, "FILE": file}
    found, _, err = run(*(places.get(arg, arg) for arg in args))
    assert (found, said in err) == (status, True), err
    assert len(box) == 1


def test_a_project_can_be_imported_into_while_it_is_served(project, box, run):
    from viner.project import Project

    flag(box, "Huế mưa")
    with Store.of_project(Project(project)) as store:
        assert run("import", box.path, "--project", project)[0] == 0
        assert store.counts().flagged == 1
