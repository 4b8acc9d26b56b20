from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from viner.evaluation.curve import Curve, CurveRun
from viner.evaluation.messages import ENGLISH, ERROR_MESSAGES
from viner.evaluation.page import curve_report
from viner.evaluation.page.curve import curve_plot
from viner.formats.html.plot import WIDE


def curve(sizes, scores) -> Curve:
    """A curve with F1 of each seed for each number of documents."""
    return Curve(
        [
            CurveRun(size / sizes[-1], size, 2 * size, seed, f1, 1.0, f"{size}-{seed}")
            for size, found in zip(sizes, scores, strict=True)
            for seed, f1 in enumerate(found, start=1)
        ],
        30,
        80,
    )


def plot(found: Curve) -> str:
    return curve_plot(found.points(), ENGLISH)


class Balanced(HTMLParser):
    """Fails where tags are not closed in order."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_doublings_are_equal_steps_and_more_is_higher():
    found = plot(curve([100, 200, 400, 800], [(0.2,), (0.4,), (0.5,), (0.55,)]))
    points = [tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]+)"', found)[1].split()]
    steps = [right[0] - left[0] for left, right in pairwise(points)]
    assert max(steps) - min(steps) < 0.2
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert "<path" not in found  # one seed has no deviation


@pytest.mark.parametrize(
    "scores",
    [
        [(0.0, 0.0), (0.0, 0.0)],
        [(1.0, 1.0), (1.0, 1.0)],
        [(0.0, 1.0), (1.0, 0.0)],
        [(0.31, 0.33), (0.41, 0.49)],
        [(0.5,), (0.5,)],
    ],
)
def test_everything_that_is_drawn_lies_within_the_picture(scores):
    found = plot(curve([3, 50], scores))
    Balanced(found)
    xs = [float(x) for x in re.findall(r'(?:cx|x1|x2|\bx)="([\d.-]+)"', found)]
    ys = [float(y) for y in re.findall(r'(?:cy|y1|y2|\by)="([\d.-]+)"', found)]
    ys += [float(y) for pair in re.findall(r"M[\d.-]+ ([\d.-]+)h8m-4 0V([\d.-]+)m-4 0h8", found) for y in pair]
    assert min(xs) >= 0
    assert max(xs) <= WIDE.width
    assert min(ys) >= 0
    assert max(ys) <= WIDE.height
    assert found.count("<path") == (2 if len(scores[0]) > 1 else 0)


def test_the_numbers_below_do_not_run_into_each_other():
    found = plot(curve([990, 995, 1000, 2000], [(0.1,), (0.2,), (0.3,), (0.4,)]))
    below = re.findall(rf'<text x="[\d.]+" y="{WIDE.height - 8}" text-anchor="\w+">([\d,]+)</text>', found)
    assert below == ["2,000", "1,000"]


def test_the_page_stands_alone_and_says_what_the_curve_says():
    found = curve([100, 200], [(0.5, 0.52), (0.54, 0.55)])
    page = curve_report(found, file="a<b>.conll")
    Balanced(page)
    assert found.summary() in page
    assert "of a&lt;b&gt;.conll" in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:|//)", page)
    assert "0.5100 ± 0.0141" in page
    assert "+3.5" in page


def test_failed_trainings_are_told():
    found = curve([100, 200], [(0.5, None), (0.54, None)])
    assert "2 trainings failed and are left out." in curve_report(found, file="f")


def test_messages_are_there_in_both_languages_with_the_same_placeholders():
    for key, (english, vietnamese) in ERROR_MESSAGES.items():
        assert vietnamese, key
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", vietnamese)), key


def test_points_gained_in_the_table_are_those_of_the_seeds_that_both_have():
    content = curve_report(curve([100, 200, 400], [(0.4, 0.2), (0.5, None), (None, 0.7)]), file="f", language="en")
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", content, re.DOTALL)]
    assert [cells[-1] for cells in rows if cells] == ["–", "+10.0", "–"]
