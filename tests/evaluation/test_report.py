from __future__ import annotations

import json

from viner.evaluation import Evaluation
from viner.metrics import Interval, ModeScores, evaluate


def evaluation() -> Evaluation:
    scores = evaluate([(0, 5, "NAME"), (6, 8, "DATE")], [(0, 5, "NAME")])
    return Evaluation(scores, documents=1200, unannotated=0, truncated_entities=0, cut_entities=0, unknown_labels={})


def test_json_has_what_scripts_read():
    data = json.loads(json.dumps(evaluation().to_dict()))
    assert set(data) >= {"micro", "macro", "labels", "truncated_entities"}
    assert set(data["micro"]) >= {"precision", "recall", "f1"}
    assert data["labels"]["NAME"]["support"] == 1
    assert data["truncated_entities"] == 0


def test_markdown_is_an_aligned_table_with_micro_and_macro_last():
    lines = evaluation().to_markdown().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len({len(line) for line in table}) == 1
    assert [row.split("|")[1].strip() for row in table[2:]] == ["DATE", "NAME", "**micro**", "**macro**"]
    assert "0.6667" in table[-2]
    assert "1,200 documents" in lines[-1]


def test_what_is_not_annotated_has_no_f1_and_it_is_said():
    scores = evaluate([(0, 5, "NAME")], [(0, 5, "NAME"), (6, 8, "DATE")])
    text = Evaluation(scores, 1, 0, 0, 0, {}).to_markdown()
    (row,) = [line for line in text.splitlines() if line.startswith("| DATE")]
    assert [cell.strip() for cell in row.strip("|").split("|")] == ["DATE", "0.0000", "–", "–", "0", "1", "0"]
    assert "No DATE is annotated: there is no F1 of it, and it counts as 0 in macro." in text
    assert "No NAME" not in text


def test_the_json_form_comes_back_whole():
    scores = evaluation().scores
    full = Evaluation(
        scores,
        3,
        1,
        0,
        2,
        {"X": 1},
        Interval(0.4, 0.9),
        {"type": ModeScores(1, 2, 0, 4, 5)},
        scores.labels,
        {"seen": scores.micro},
        modes_by_label={"NAME": {"partial": ModeScores(1, 0, 2, 4, 5)}},
    )
    assert Evaluation.from_dict(json.loads(json.dumps(full.to_dict()))) == full
    assert "95 % interval: 0.4000 to 0.9000" in full.to_markdown()


def test_what_older_model_folders_hold_is_read():
    old = evaluation().to_dict()
    for name in ("interval", "modes", "modes_by_label", "lengths", "surfaces"):
        del old[name]
    assert Evaluation.from_dict(old) == evaluation()
