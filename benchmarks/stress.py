"""How much F1 is left when the same texts are written otherwise, by the default recipe and by one that does not harden.

Data: PhoNER_COVID19 (train.conll, dev.conll and test.conll in the folder that VINER_PHONER names), else the bundled corpus.
Both models are trained on it with all defaults, the first one with --harden 0, which takes about 40 minutes on two cores, so
`make bench` runs it only by name: make bench NAME=stress. Two models that are there are compared by
python benchmarks/stress.py PLAIN HARDENED.

Perturbed are dev and test; what is chosen is chosen on dev. VINER_BENCH_SIZE=small trains for half a minute each and tries
three perturbations on dev, which only shows that the script works.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import viner
from _bench import SPLITS, annotated_splits, report, size, skip_in_a_round, table
from viner.corpus.perturb import PERTURBATIONS
from viner.evaluation.stress import stress_model
from viner.evaluation.stress_report import StressReport
from viner.formats import read
from viner.workflow import train_model


def models(files: dict[str, Path], scratch: Path) -> tuple[Path, Path]:
    """The plain and the hardened model: those that the command line names, or trained with all defaults."""
    if len(sys.argv) == 3:
        return Path(sys.argv[1]), Path(sys.argv[2])
    given: dict[str, Any] = {"train": files["train"], "dev": files["dev"]}
    given |= {"budget_minutes": 0.5} if size(0, 1) else {}
    return train_model(**given, out=scratch / "plain", harden=0.0), train_model(**given, out=scratch / "hardened")


def compare(split: str, plain: StressReport, hardened: StressReport) -> dict[str, float]:
    """Prints both side by side; the figures."""
    names = [outcome.name for outcome in plain.outcomes]
    before, after = ({o.name: o.scores.micro.f1 for o in found.outcomes} for found in (plain, hardened))
    clean = plain.clean.scores.micro.f1, hardened.clean.scores.micro.f1
    rows: list[tuple[str, ...]] = [("as it is", f"{clean[0]:.4f}", "", f"{clean[1]:.4f}", "")]
    for name in names:
        lost = (f"{100 * (whole - f1[name]):.1f}" for whole, f1 in zip(clean, (before, after), strict=True))
        rows.append((name, f"{before[name]:.4f}", next(lost), f"{after[name]:.4f}", next(lost)))
    print()
    table((f"{split}: strict micro F1", "plain", "points lost", "hardened", "points lost"), rows)
    figures = {
        f"{split}_clean_points_lost_by_hardening": 100 * (clean[0] - clean[1]),
        f"{split}_plain_no_diacritics_points_lost": 100 * (clean[0] - before["no-diacritics"]),
        f"{split}_no_diacritics_points_lost": 100 * (clean[1] - after["no-diacritics"]),
    }
    return figures | {f"{split}_{name.replace('-', '_')}_f1": after[name] for name in names}


def main() -> None:
    skip_in_a_round(minutes=40)
    files = annotated_splits()
    figures: dict[str, float | int] = {}
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as folder:
        recognizers = [viner.load(path) for path in models(files, Path(folder))]
        for split in SPLITS[1 : size(3, 2)]:
            tried = PERTURBATIONS[: size(len(PERTURBATIONS), 3)]
            found = [stress_model(recognizer, lambda split=split: read(files[split]), tried) for recognizer in recognizers]
            figures |= compare(split, *found)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
