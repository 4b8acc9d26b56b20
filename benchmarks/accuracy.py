"""How good the default recipe is: trained on each data set from the bundled base, evaluated on its test set once.

    WNUT-17           from VINER_DATA, ner_en/wnut17
    PhoNER_COVID19    from the folder that VINER_PHONER names, with train.conll, dev.conll and test.conll (syllables). Its
                      license forbids passing it on, so it is not part of any folder of data sets; get it from its authors

About 40 minutes on two cores, so `make bench` runs it only by name: make bench NAME=accuracy. VINER_BENCH_SIZE=small trains on
the first data set for half a minute, which only shows that the script works.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _bench import SPLITS, data_folder, report, size, skip_in_a_round, table
from viner.bundle import read_bundle
from viner.workflow import train_model


@dataclass(frozen=True)
class DataSet:
    """A data set with three splits.

    Args:
        name: For people.
        key: For figures.
        folder: Where its splits are; None where it is not there.
        absent: Why, and what to do.
    """

    name: str
    key: str
    folder: Path | None
    absent: str

    @property
    def available(self) -> bool:
        return self.folder is not None and all((self.folder / f"{split}.conll").is_file() for split in SPLITS)


def data_sets() -> list[DataSet]:
    data, phoner = data_folder(), os.environ.get("VINER_PHONER")
    wnut = None if data is None else data / "ner_en" / "wnut17"
    return [
        DataSet("WNUT-17", "wnut17", wnut, "VINER_DATA names no folder with ner_en/wnut17"),
        DataSet("PhoNER_COVID19", "phoner", Path(phoner) if phoner else None, "VINER_PHONER names no folder with it"),
    ]


def train(data_set: DataSet) -> dict[str, Any]:
    """Trains with all defaults; the metrics of the model folder, with minutes."""
    assert data_set.folder is not None
    files = {split: data_set.folder / f"{split}.conll" for split in SPLITS}
    budget = {"budget_minutes": 0.5} if size(0, 1) else {}
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as folder:
        model = train_model(**files, out=Path(folder) / "model", **budget)
        info = read_bundle(model).info
    return {**info.metrics, "engine": info.engine, "minutes": (time.perf_counter() - began) / 60}


def main() -> None:
    skip_in_a_round(minutes=40)
    rows, figures = [], {}
    for data_set in data_sets()[: size(2, 1)]:
        if not data_set.available:
            print(f"{data_set.name}: skipped, {data_set.absent}")
            continue
        metrics = train(data_set)
        micro, macro = metrics["test"]["micro"], metrics["test"]["macro"]
        rows.append(
            (
                data_set.name,
                *(f"{micro[key]:.4f}" for key in ("precision", "recall", "f1")),
                f"{macro['f1']:.4f}",
                f"{metrics['dev']['micro']['f1']:.4f}",
                metrics["engine"],
                metrics["training"]["epochs"],
                metrics["minutes"],
            )
        )
        figures |= {
            f"{data_set.key}_test_micro_f1": micro["f1"],
            f"{data_set.key}_test_macro_f1": macro["f1"],
            f"{data_set.key}_dev_micro_f1": metrics["dev"]["micro"]["f1"],
            f"{data_set.key}_minutes": metrics["minutes"],
        }
    print()
    table(("strict, entity level", "P", "R", "F1", "macro F1", "dev F1", "engine", "epochs", "minutes"), rows)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
