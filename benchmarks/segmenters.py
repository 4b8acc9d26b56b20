"""How good and how fast the Vietnamese segmenters are that can be named here, on the segmented words of UD Vietnamese.

From VINER_DATA, pos/ud_vi_vtb (test) and pos/ud_vi_tuecl. VTB comes from the treebank that most segmenters learned from. Words
are those of viner, so that punctuation inside a treebank's word counts as a border that no segmenter can take back.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from _bench import data_folder, report, size, table
from viner.document import Span
from viner.errors import VinerError
from viner.text import find_segmenter, segment_words, split_words
from viner.text.segment import Segmenter, segmenters

SETS = {"vtb": "ud_vi_vtb", "tuecl": "ud_vi_tuecl"}


class Alone:
    """Takes each word for a segment, to compare with."""

    version = ""

    def segment(self, words: list[str]) -> list[tuple[int, int]]:
        return [(index, index + 1) for index in range(len(words))]


def sentences(path: Path) -> list[tuple[str, list[Span]]]:
    """Texts with the spans of their segments."""
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        forms = [line.split("\t")[0] for line in block.split("\n") if line]
        spans, at = [], 0
        for form in forms:
            spans.append((at, at + len(form)))
            at += len(form) + 1
        if forms:
            found.append((" ".join(forms), spans))
    return found


def measure(segmenter: Segmenter, texts: list[tuple[str, list[Span]]]) -> tuple[float, float]:
    """F1 of segments, and words a second of processor time."""
    words = [split_words(text) for text, _ in texts]
    began = time.process_time()
    answers = [segment_words(text, spans, segmenter) for (text, _), spans in zip(texts, words, strict=True)]
    seconds = time.process_time() - began
    right = sum(len(set(answer) & set(gold)) for answer, (_, gold) in zip(answers, texts, strict=True))
    f1 = 2 * right / (sum(map(len, answers)) + sum(len(gold) for _, gold in texts))
    return f1, sum(map(len, words)) / seconds


def main() -> None:
    folder = data_folder()
    if folder is None:
        print("skipped: VINER_DATA names no folder with pos/ud_vi_vtb and pos/ud_vi_tuecl")
        report({})
        return
    data = {key: sentences(folder / "pos" / name / "test.pos.tsv")[: size(10_000, 50)] for key, name in SETS.items()}
    named: dict[str, Segmenter] = {"none": Alone()}
    for name in segmenters():
        try:
            named[name] = find_segmenter(name)
        except VinerError as error:
            print(f"{name}: skipped, {error}")
    rows, figures = [], {}
    for name, segmenter in named.items():
        measure(segmenter, data["tuecl"])  # it reads its model, and caches what it caches
        measured = {key: measure(segmenter, texts) for key, texts in data.items()}
        rows.append((f"{name} {segmenter.version}", *(f"{measured[key][0]:.3f}" for key in SETS), measured["vtb"][1]))
        figures |= {f"{name}_{key}_f1": measured[key][0] for key in SETS} | {f"{name}_words_per_s": measured["vtb"][1]}
    table(("segmenter", "F1 on VTB test", "F1 on TueCL", "words/s, one core"), rows)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
