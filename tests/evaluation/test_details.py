from __future__ import annotations

from dataclasses import replace

from viner.evaluation import Evaluation, details_markdown
from viner.evaluation.documents import DocumentScores
from viner.metrics import Interval, ModeScores, Scores, evaluate


def whole() -> Evaluation:
    documents = DocumentScores()
    for number in range(1, 9):
        documents.add(f"{'long ' * 30}{number}", 12_345, number, 0)
    documents.add("well", 1, 1, 1)
    scores = Scores.from_counts(support=123_456, predicted=123_456, correct=1)
    return Evaluation(
        evaluate([(0, 5, "NAME")], [(0, 5, "NAME")]), 9, 0, 0, 0, {},
        Interval(0.91, 0.95),
        dict.fromkeys(("strict", "exact", "partial", "type"), ModeScores(123_456, 23_456, 23_456, 23_456, 23_456)),
        {"1": scores, "5+": scores},
        {"seen": scores, "other_label": scores, "unseen": scores},
        documents,
    )  # fmt: skip


def test_it_fits_a_terminal_of_100_columns_and_its_tables_are_aligned():
    blocks = details_markdown(whole()).split("\n\n")
    for block in blocks:
        table = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(line) for line in table}) <= 1
        assert all(len(line) <= 100 for line in block.splitlines())
    assert [block.split(" ")[1] for block in blocks if block.startswith("|")] == ["mode", "words", "in", "document"]


def test_it_names_the_worst_documents_and_says_how_many_are_right():
    text = details_markdown(whole())
    assert "1 of 9 documents have no error." in text
    assert text.count("long") // text.count("…") >= 7  # names are cut
    assert text.count("…") == 5


def test_what_was_not_measured_is_left_out():
    bare = replace(whole(), modes={}, lengths={}, surfaces={}, by_document=None)
    assert details_markdown(bare) == ""
    assert "never seen" not in details_markdown(replace(whole(), surfaces={}))


def test_modes_of_a_label_are_told_where_they_can_differ():
    modes = {"strict": ModeScores(1, 1), "exact": ModeScores(1, 1), "partial": ModeScores(1, 0, 1), "type": ModeScores(2)}
    none = dict.fromkeys(modes, ModeScores(spurious=2))
    text = details_markdown(replace(whole(), modes_by_label={"NAME": modes, "ODD": none}))
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines()]
    assert ["F1 of type", "strict", "partial", "type"] in rows
    assert ["NAME", "0.5000", "0.7500", "1.0000"] in rows
    assert ["ODD", "–", "–", "–"] in rows


def test_a_document_without_annotated_entities_has_no_f1():
    documents = DocumentScores()
    documents.add("empty", 0, 2, 0)
    documents.add("missed", 3, 0, 0)
    text = details_markdown(replace(whole(), by_document=documents))
    rows = {line.split("|")[1].strip(): line.split("|")[-2].strip() for line in text.splitlines() if line.startswith("| ")}
    assert (rows["empty"], rows["missed"]) == ("–", "0.0000")
