from __future__ import annotations

import json

import pytest

from viner.errors import InputError
from viner.evaluation.curve import Curve, CurveRun, read_curve

SIZES = {0.25: 100, 0.5: 200, 1.0: 400}


def curve(*scores: tuple[float, int, float | None], sizes: dict[float, int] = SIZES) -> Curve:
    """A curve of (share, seed, F1)."""
    runs = [
        CurveRun(
            share, sizes[share], 3 * sizes[share], seed, f1, 1.0, f"{share}-{seed}", None if f1 is not None else "it collapsed"
        )
        for share, seed, f1 in scores
    ]
    return Curve(runs, 50, 150)


def test_points_are_means_over_the_seeds_in_the_order_of_their_size():
    found = curve((1.0, 1, 0.8), (1.0, 2, 0.6), (0.5, 1, 0.5), (0.25, 1, None)).points()
    assert [(point.share, point.documents, point.entities, point.f1.mean, point.f1.count) for point in found] == [
        (0.5, 200, 600, 0.5, 1),
        (1.0, 400, 1200, pytest.approx(0.7), 2),
    ]


def test_the_gain_of_the_last_doubling_is_taken_seed_by_seed():
    before, last, gain = curve((0.5, 1, 0.50), (0.5, 2, 0.60), (0.5, 3, 0.9), (1.0, 1, 0.53), (1.0, 2, 0.64)).last_doubling()
    assert (before.documents, last.documents, gain.count) == (200, 400, 2)
    assert (gain.mean, gain.deviation) == (pytest.approx(0.035), pytest.approx(0.00707, abs=1e-5))


def test_the_point_with_half_as_many_documents_is_compared_and_other_steps_are_told_by_doubling():
    sizes = {0.25: 100, 0.5: 200, 0.8: 320, 1.0: 400}
    before, _, gain = curve((0.25, 1, 0.1), (0.5, 1, 0.5), (0.8, 1, 0.6), (1.0, 1, 0.6), sizes=sizes).last_doubling()
    assert (before.documents, gain.mean) == (200, pytest.approx(0.1))
    wide = curve((0.25, 1, 0.4), (1.0, 1, 0.6))
    assert wide.last_doubling()[2].mean == pytest.approx(0.1)
    assert "By doubling, the last step (100 to 400 documents) gained 10.0 points" in wide.summary()


@pytest.mark.parametrize(
    ("gains", "told"),
    [
        (
            (0.031,),
            "The last doubling (200 to 400 documents) gained 3.1 points of F1: more documents would still help. One seed",
        ),
        ((0.007,), "gained 0.7 points of F1: more documents would help a little."),
        ((0.002,), "gained 0.2 points of F1: more documents of the same kind will hardly help."),
        ((-0.02,), "gained -2.0 points of F1: more documents of the same kind will hardly help."),
        ((0.03, 0.034), "gained 3.2 ± 0.3 points of F1: more documents would still help."),
        (
            (0.05, -0.03),
            "gained 1.0 ± 5.7 points of F1, no more than seeds differ by: whether more documents would help cannot",
        ),
    ],
)
def test_it_says_whether_more_documents_would_help(gains, told):
    runs = [(share, seed, 0.5 + (gain if share == 1.0 else 0)) for seed, gain in enumerate(gains) for share in (0.5, 1.0)]
    found = curve(*runs)
    assert told in found.summary()
    assert found.summary() in found.to_markdown()
    assert ("One seed" in found.summary()) == (len(gains) == 1)


def test_without_two_points_of_one_seed_nothing_is_concluded():
    for found in (curve((1.0, 1, 0.5)), curve((0.5, 1, 0.5), (1.0, 2, 0.6)), curve((0.5, 1, None), (1.0, 1, 0.6)), curve()):
        assert found.last_doubling() is None
        assert "no two points" in found.summary()
        assert found.to_dict()["last_doubling"] is None


def test_the_table_has_a_row_for_each_share_and_tells_of_what_failed():
    lines = curve((0.25, 1, None), (0.5, 1, 0.5), (1.0, 1, 0.6), (1.0, 2, 0.7)).to_markdown().splitlines()
    assert [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:4]] == [
        ["0.5", "200", "600", "1", "0.5000", ""],
        ["1", "400", "1,200", "2", "0.6500 ± 0.0707", "+10.0"],
    ]
    assert "Share 0.25, seed 1 failed: it collapsed" in lines


def test_points_gained_are_those_of_the_seeds_that_both_points_have():
    found = curve((0.25, 1, 0.4), (0.25, 2, 0.2), (0.5, 1, 0.5), (0.5, 2, None), (1.0, 1, None), (1.0, 2, 0.7))
    lines = found.to_markdown().splitlines()[2:5]
    assert [line.split("|")[-2].strip() for line in lines] == ["", "+10.0", "–"]
    first, second, third = found.points()
    assert (second.gain_over(first).mean, second.gain_over(first).count) == (pytest.approx(0.1), 1)
    assert third.gain_over(second) is None


def test_json_is_read_back(tmp_path):
    found = curve((0.25, 1, None), (0.5, 1, 0.5), (1.0, 1, 0.6))
    file = tmp_path / "curve.json"
    file.write_text(json.dumps(found.to_dict()), encoding="utf-8")
    assert read_curve(file) == found
    assert found.to_dict()["last_doubling"]["gain"]["mean"] == pytest.approx(0.1)


RUN = '{"share": 1, "documents": %s, "entities": 1, "seed": 1, "f1": %s, "seconds": 0, "key": ""}'


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        "{}",
        '{"runs": [{}], "documents": 1, "entities": 1}',
        '{"runs": [%s], "documents": 1, "entities": 1}' % (RUN % ('"many"', "0")),
        '{"runs": [%s], "documents": 1, "entities": 1}' % (RUN % ("0", "0")),
        '{"runs": [%s], "documents": 1, "entities": 1}' % (RUN % ("9", "NaN")),
        '{"runs": [%s]}' % (RUN % ("9", "1")),
    ],
)
def test_what_is_no_curve_is_refused_by_its_place(tmp_path, content):
    file = tmp_path / "curve.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_curve(file)
    assert caught.value.where == str(file)


def test_the_runs_of_those_are_fine_otherwise(tmp_path):
    (tmp_path / "curve.json").write_text(
        '{"runs": [%s], "documents": 1, "entities": 1}' % (RUN % ("9", "0.5")), encoding="utf-8"
    )
    assert read_curve(tmp_path / "curve.json").points()[0].documents == 9


@pytest.mark.parametrize(
    "change",
    [{"seed": [1]}, {"seed": 1.5}, {"key": 3}, {"f1": 93}, {"f1": -0.1}, {"f1": "x"}, {"documents": 0}, {"share": None}],
)
def test_a_training_with_what_is_no_figure_is_no_curve(tmp_path, change):
    run = {"share": 0.5, "documents": 10, "entities": 5, "seed": 1, "f1": 0.5, "seconds": 1.0, "key": "k"}
    (tmp_path / "c.json").write_text(json.dumps({"runs": [run | change], "documents": 4, "entities": 2}), encoding="utf-8")
    with pytest.raises(InputError, match="this is no learning curve"):
        read_curve(tmp_path / "c.json")
    (tmp_path / "c.json").write_text('{"runs": [], "documents": Infinity, "entities": 1}', encoding="utf-8")
    with pytest.raises(InputError, match="this is no learning curve"):
        read_curve(tmp_path / "c.json")
