"""``viner evaluate --stress``."""

from __future__ import annotations

import json
import re

import pytest

from viner.corpus.perturb import PERTURBATIONS
from viner.document import Document, Entity
from viner.formats import write


@pytest.fixture
def gold(tmp_path):
    file = tmp_path / "gold.jsonl"
    write([Document("Minh ở Hà Nội.", entities=[Entity(0, 4, "PERSON"), Entity(7, 13, "LOCATION")])], file)
    return file


def test_it_prints_what_each_perturbation_costs(run, tiny_model, gold):
    status, out, err = run("evaluate", tiny_model, gold, "--stress")
    assert (status, err) == (0, "")
    assert re.findall(r"^\| ([\w-]+) ", out, re.MULTILINE)[1:] == [perturbation.name for perturbation in PERTURBATIONS]


def test_some_of_them_and_json(run, tiny_model, gold):
    status, out, _ = run("evaluate", tiny_model, gold, "--stress", "no-diacritics,nfd", "--json")
    data = json.loads(out)
    assert status == 0
    assert data["micro"]["f1"] == 1
    lost = {entry["name"]: round(entry["points_lost"]) for entry in data["stress"]}
    assert lost == {"no-diacritics": 33, "nfd": 0}  # Minh is found, Ha Noi is not
    assert data["rules"] is None


def test_its_section_is_in_the_language_of_the_page(run, tiny_model, gold):
    page = gold.with_name("loi.html")
    assert run("evaluate", tiny_model, gold, "--stress", "no-diacritics", "--report", page, "--language", "vi")[0] == 0
    content = page.read_text(encoding="utf-8")
    assert "Ha Noi thay cho Hà Nội" in content
    assert ">33,3</td>" in content


def test_a_page_has_a_section_about_them_and_errors_of_the_documents_as_they_are(run, tiny_model, gold):
    page = gold.with_name("errors.html")
    status, out, err = run("evaluate", tiny_model, gold, "--stress", "nfd,no-diacritics", "--report", page)
    assert (status, err) == (0, "")
    assert f"Errors in context: {page}" in out
    content = page.read_text(encoding="utf-8")
    assert str(tiny_model.parent) not in content
    table = content.split('id="ve-stress"')[1].split("</section>")[0]
    assert re.findall(r'<th scope="row">(?:<b>)?([\w-]+)', table) == ["none", "no-diacritics", "nfd"], (
        "what costs most is first"
    )
    assert ">33.3</td>" in table
    assert "There is no error." in content, "the errors are those of the documents as they are"
    data = json.loads(run("evaluate", tiny_model, gold, "--stress", "lower", "--report", page, "--json")[1])
    assert (data["report"], len(data["stress"]), data["errors"]["errors"]) == (str(page), 1, 0)


def test_a_name_that_there_is_not_stdin_and_other_reports_are_errors(run, tiny_model, gold):
    status, _, err = run("evaluate", tiny_model, gold, "--stress", "nodiacritics")
    assert status == 2
    assert "no perturbation 'nodiacritics'" in err
    status, _, err = run("evaluate", tiny_model, gold, "--stress", "nfd", "--against", tiny_model)
    assert status == 2
    assert "--against" in err
    status, _, err = run("evaluate", tiny_model, "-", "--stress")
    assert status == 2
    assert "can be read once" in err


def test_help_lists_them(run):
    _, out, _ = run("evaluate", "--help")
    listed = re.findall(r"^    ([a-z-]+)  +(\S.*)$", out.split("What --stress can try:")[1], re.MULTILINE)
    assert listed == [(perturbation.name, perturbation.title) for perturbation in PERTURBATIONS]


def test_a_model_that_is_taken_for_names_is_told(run, tiny_model, gold):
    status, _, err = run("evaluate", "--stress", tiny_model, gold)
    assert status == 2
    assert f"no perturbation '{tiny_model}'" in err
    assert "put --stress last" in err
