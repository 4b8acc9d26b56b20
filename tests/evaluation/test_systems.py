from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest

from viner import Document, Entity
from viner.evaluation.systems import compare_systems, comparison_markdown, score_system, systems_markdown

DOCUMENTS = [
    Document(f"{'Huế' if i % 2 else 'Lan'} {i}", entities=[Entity(0, 3, "LOC" if i % 2 else "PER")]) for i in range(30)
]


@dataclass
class Knows:
    """A recognizer that finds the first entities of each label, so many of fifteen."""

    per: int
    loc: int
    labels = ("PER", "LOC")

    def stream(self, documents: Iterable[Document], *, unanswered: object = None) -> Iterator[Document]:
        left = {"PER": self.per, "LOC": self.loc}
        for document in documents:
            label = "LOC" if document.text.startswith("Huế") else "PER"
            left[label] -= 1
            found = [Entity(0, 3, label)] if left[label] >= 0 else []
            yield document.with_(entities=found, words=[(0, len(document.text))])


def system(name, *models):
    return score_system(name, [(f"{name}/{i}", model) for i, model in enumerate(models, start=1)], lambda: iter(DOCUMENTS))


def f1(found):
    return 2 * found / (30 + found)


def test_seeds_are_told_as_mean_and_deviation():
    found = system("plain", Knows(15, 5), Knows(15, 9))
    assert found.micro().mean == pytest.approx((f1(20) + f1(24)) / 2)
    assert found.micro().deviation == pytest.approx(abs(f1(24) - f1(20)) / 2**0.5)
    assert found.labels()["PER"].to_dict() == {"mean": 1.0, "deviation": 0.0, "count": 2}
    assert found.interval().low < found.micro().mean < found.interval().high
    table, note = systems_markdown([found]).split("\n\n")
    assert [found.name in row and "±" in row for row in table.splitlines()] == [False, False, True]
    assert "30 documents" in note
    assert "deviation over seeds" in note
    assert found.to_dict()["models"] == ["plain/1", "plain/2"]


def test_a_label_that_a_seed_neither_has_nor_finds_counts_zero():
    found = score_system("s", [("1", Knows(2, 0))], lambda: DOCUMENTS[:3:2])
    assert set(found.labels()) == {"PER"}


def test_systems_are_compared_on_all_seeds_together():
    comparison = compare_systems(system("a", Knows(15, 3), Knows(15, 5)), system("b", Knows(15, 13), Knows(15, 15)))
    assert comparison.delta == pytest.approx(2 * 58 / (60 + 58) - 2 * 38 / (60 + 38))
    assert comparison.p_value is not None
    assert comparison.p_value < 0.01
    assert comparison.interval is not None
    assert comparison.interval.low > 0
    assert comparison.to_dict()["overall"]["support"] == 30
    text = comparison_markdown(comparison)
    assert text.startswith("b instead of a: micro F1 +0.2")
    assert "| LOC " in text
    assert "| PER " not in text  # no difference
    assert text.rstrip().endswith(" 15 |")


def test_different_numbers_of_seeds_are_not_tested():
    comparison = compare_systems(system("a", Knows(15, 3)), system("b", Knows(15, 13), Knows(15, 15)))
    assert comparison.p_value is None
    assert comparison.interval is not None
    assert comparison.to_dict()["overall"]["support"] == 30
    assert "Not tested" in comparison_markdown(comparison)


def test_three_seeds_of_each_and_more_are_tested_over_seeds():
    comparison = compare_systems(
        system("a", Knows(15, 3), Knows(15, 4), Knows(15, 5)),
        system("b", Knows(15, 9), Knows(15, 9), Knows(14, 8), Knows(15, 9)),
    )
    over = comparison.over_seeds
    assert over is not None
    assert over.p_value is not None
    assert over.p_value < 0.01
    assert over.interval.low > 0
    assert comparison.to_dict()["over_seeds"]["p_value"] == over.p_value
    text = comparison_markdown(comparison)
    assert "With other seeds as well: 95 % interval of the mean +0." in text
    assert "(Welch's test over the seeds)" in text
    assert "Not tested" not in text
    assert "over_seeds" not in compare_systems(system("a", Knows(1, 1)), system("b", Knows(2, 1))).to_dict()


def test_seeds_are_tested_on_one_document_as_well():
    many = Document(
        " ".join(f"Lan {number}" for number in range(9)), entities=[Entity(6 * i, 6 * i + 3, "PER") for i in range(9)]
    )

    @dataclass
    class Finds:
        """The first entities of the document, so many of nine."""

        count: int
        labels = ("PER",)

        def stream(self, documents: Iterable[Document], *, unanswered: object = None) -> Iterator[Document]:
            for document in documents:
                yield document.with_(entities=many.entities[: self.count], words=[(0, len(document.text))])

    def scored(name, *counts):
        return score_system(name, [(f"{name}/{i}", Finds(count)) for i, count in enumerate(counts)], lambda: [many])

    comparison = compare_systems(scored("a", 3, 4, 5), scored("b", 8, 7, 8))
    assert comparison.to_dict()["over_seeds"]["interval"] is None
    text = comparison_markdown(comparison)
    assert "Not tested: it is one document." in text
    assert f"With other seeds: p = {comparison.over_seeds.p_value:.3g} (Welch's test over the seeds)." in text


def test_seeds_that_change_nothing_have_an_interval_and_no_test():
    comparison = compare_systems(system("a", *[Knows(15, 3)] * 3), system("b", *[Knows(15, 9)] * 3))
    assert comparison.over_seeds is not None
    assert comparison.over_seeds.p_value is None
    assert "Welch" not in comparison_markdown(comparison)


def test_equal_systems_differ_in_no_type():
    same = system("a", Knows(3, 3))
    text = comparison_markdown(compare_systems(same, same))
    assert "+0.0000" in text
    assert "p = 1" in text
    assert "|" not in text
