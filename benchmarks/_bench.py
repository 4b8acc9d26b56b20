"""What the benchmarks share: their size, their data, their model, and the form of their answer."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from viner.samples import corpus
from viner.text import split_sentences
from viner.workflow.demo import run_demo

ROOT = Path(__file__).resolve().parent.parent
SMALL = "small"


def size(full: int, small: int) -> int:
    """A number of texts, steps or rounds: ``full``, or ``small`` under ``VINER_BENCH_SIZE=small``, to try a script out."""
    wanted = os.environ.get("VINER_BENCH_SIZE", "full")
    if wanted not in ("full", SMALL):
        sys.exit(f"VINER_BENCH_SIZE is 'full' or 'small', not {wanted!r}")
    return small if wanted == SMALL else full


def skip_in_a_round(minutes: int) -> None:
    """Ends a long benchmark when ``make bench`` runs all of them; ``make bench NAME=…`` and the script itself run it."""
    if "MAKELEVEL" in os.environ and not os.environ.get("NAME"):
        print(f"skipped: takes about {minutes} minutes; run it with: make bench NAME={Path(sys.argv[0]).stem}")
        report({})
        sys.exit(0)


def data_folder() -> Path | None:
    """The folder of open data sets that ``VINER_DATA`` names."""
    folder = os.environ.get("VINER_DATA")
    return Path(folder) if folder and Path(folder).is_dir() else None


SPLITS = ("train", "dev", "test")


def annotated_splits() -> dict[str, Path]:
    """The splits of PhoNER_COVID19 in the folder that ``VINER_PHONER`` names, else those of the bundled corpus."""
    folder = os.environ.get("VINER_PHONER")
    if folder:
        return {split: Path(folder) / f"{split}.conll" for split in SPLITS}
    print("VINER_PHONER is not set: the data set is the bundled corpus")
    return {split: getattr(corpus(), split) for split in SPLITS}


def sentences(count: int) -> list[str]:
    """Running text in both languages, sentence by sentence: XQuAD's paragraphs and statutes, else the bundled corpus.

    Args:
        count: How many; the sources are taken evenly, and repeated where they are too short.
    """
    folder = data_folder()
    if folder is None:
        print("VINER_DATA is not set: the sentences are those of the bundled corpus")
        sources = [[text for split in SPLITS for text in _cut(d.text for d in corpus().documents(split))]]
    else:
        raw = folder / "raw"
        sources = [_cut(_paragraphs(raw / "xquad" / f"xquad.{language}.json")) for language in ("vi", "en")]
        sources.append(_cut([(raw / "vn_statutes_2mb.txt").read_text(encoding="utf-8")]))
    share = -(-count // len(sources))
    mixed = [source[i % len(source)] for i in range(share) for source in sources]
    return mixed[:count]


def _paragraphs(path: Path) -> list[str]:
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return [paragraph["context"] for article in articles for paragraph in article["paragraphs"]]


def _cut(texts: Any) -> list[str]:
    found = [text[start:end] for text in texts for start, end in split_sentences(text)]
    return [sentence for sentence in found if len(sentence) >= 20]


def model_folder() -> Path:
    """A trained model: the first argument, ``VINER_BENCH_MODEL``, the demo's, or one trained like it in ``build/``."""
    named = next(iter(sys.argv[1:]), None) or os.environ.get("VINER_BENCH_MODEL")
    if named:
        return Path(named)
    demo = ROOT / "viner-demo"
    # A minute of training would do for the weights, but such a model finds nothing, and int8 cannot be judged by it.
    return run_demo(demo if demo.is_dir() else ROOT / "build" / "bench-demo")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table: first column to the left, the others to the right; floats with as many digits as tell something."""
    cells = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for index, row in enumerate(cells):
        first, *rest = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *rest]).rstrip())
        if index == 0:
            print("  ".join("-" * width for width in widths))
    print(flush=True)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def report(figures: dict[str, float | int]) -> None:
    """Prints the last line of a benchmark: ``{"bench": name, "figures": {…}}``, named after the script."""
    rounded = {name: float(f"{value:.4g}") if isinstance(value, float) else value for name, value in figures.items()}
    print(json.dumps({"bench": Path(sys.argv[0]).stem, "figures": rounded}), flush=True)
