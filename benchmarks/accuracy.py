"""How good the default recipe is: trained on each data set from the bundled base, evaluated on its test set once for each seed.

    wnut17      WNUT-17, in VINER_DATA (ner_en/wnut17)
    ncbi        NCBI-disease, in VINER_DATA (ner_en/ncbi_disease)
    ewt         UNER EWT, in VINER_DATA (ner_en/uner_en_ewt): its pre-release training file, without the entities of OTH and O
    crossner    the five domains of CrossNER, 100 to 200 training sentences each, in VINER_DATA (ner_en/crossner): their mean
    phoner      PhoNER_COVID19 (syllables): train.conll, dev.conll and test.conll in the folder that VINER_PHONER names. Its
                license forbids passing it on, so it is not part of any folder of data sets; get it from its authors
    bundled     the bundled corpus, on PhoNER_COVID19's test set

`make bench NAME=accuracy` trains on all of them with the seeds 1, 2 and 3, which takes about five hours on two cores. The
script takes names and seeds: python benchmarks/accuracy.py wnut17 phoner --seeds 1, and choices in the place of defaults, for
recipes to compare with: --choice layer_decay=1 --choice replace_mentions=0; --refit learns dev as well.
VINER_BENCH_SIZE=small trains once on the first data set for half a minute, which only shows that the script works.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from _bench import SPLITS, data_folder, report, size, skip_in_a_round, table
from viner.bundle import read_bundle
from viner.document import Document
from viner.formats import read, write
from viner.metrics.spread import Spread
from viner.samples import corpus
from viner.workflow import train_model
from viner.workflow.choices import parse_choice
from viner.workflow.fingerprint import DEV_BEFORE

DOMAINS = ("ai", "literature", "music", "politics", "science")


@dataclass(frozen=True)
class DataSet:
    """Three splits, in one task or several whose figures are averaged.

    Args:
        key: For figures and the command line.
        name: For people.
        tasks: Files of each task by split; None where they are not there.
        labels: Types whose F1 is told as well.
        dropped: Types that do not belong to the task.
    """

    key: str
    name: str
    tasks: tuple[Mapping[str, Path], ...] | None
    labels: tuple[str, ...] = ()
    dropped: frozenset[str] = frozenset()


def data_sets() -> list[DataSet]:
    data, folder = data_folder(), os.environ.get("VINER_PHONER")
    english = None if data is None else data / "ner_en"
    phoner = None if folder is None else {split: Path(folder) / f"{split}.conll" for split in SPLITS}
    bundled = None if phoner is None else {**phoner, "train": corpus().train, "dev": corpus().dev}

    def files(*names: str) -> Mapping[str, Path] | None:
        return None if english is None else dict(zip(SPLITS, (english / name for name in names), strict=True))

    def tasks(*found: Mapping[str, Path] | None) -> tuple[Mapping[str, Path], ...] | None:
        there = tuple(task for task in found if task is not None and all(file.is_file() for file in task.values()))
        return there if len(there) == len(found) else None

    domains = [files(*(f"crossner/{domain}/{split}.txt" for split in SPLITS)) for domain in DOMAINS]
    treebank = files(*(f"uner_en_ewt/{name}.iob2" for name in ("train.prerelease", "dev", "test")))
    disease = files(*(f"ncbi_disease/{name}.tsv" for name in ("train", "devel", "test")))
    return [
        DataSet("wnut17", "WNUT-17", tasks(files(*(f"wnut17/{split}.conll" for split in SPLITS)))),
        DataSet("ncbi", "NCBI-disease", tasks(disease)),
        DataSet("ewt", "UNER EWT", tasks(treebank), dropped=frozenset({"OTH", "O"})),
        DataSet("crossner", "CrossNER, five domains", tasks(*domains)),
        DataSet("phoner", "PhoNER_COVID19", tasks(phoner), labels=("JOB", "SYMPTOM_AND_DISEASE", "ORGANIZATION")),
        DataSet("bundled", "bundled corpus → PhoNER_COVID19", tasks(bundled)),
    ]


def figures_of(data_set: DataSet, seed: int, scratch: Path, choices: Mapping[str, Any]) -> dict[str, float]:
    """Trains with one seed, and defaults but for ``choices``; the figures of the model folder, averaged over the tasks."""
    assert data_set.tasks is not None
    found: list[dict[str, float]] = []
    for number, task in enumerate(data_set.tasks):
        files = {split: _without(data_set.dropped, file, scratch / f"{split}.jsonl") for split, file in task.items()}
        given = {**({"budget_minutes": 0.5} if size(0, 1) else {}), **choices, "seed": seed}
        began = time.perf_counter()
        info = read_bundle(train_model(**files, out=scratch / f"{data_set.key}-{seed}-{number}", **given)).info
        test, confidence = info.metrics["test"], info.metrics["test"]["confidence"]
        figures = {
            "f1": test["micro"]["f1"],
            "precision": test["micro"]["precision"],
            "recall": test["micro"]["recall"],
            "macro_f1": test["macro"]["f1"],
            "dev_f1": info.metrics[DEV_BEFORE if DEV_BEFORE in info.metrics else "dev"]["micro"]["f1"],
            "ece": confidence["ece"],
            "epochs": info.metrics["training"]["epochs"],
            "minutes": (time.perf_counter() - began) / 60,
        }
        figures |= {f"{_short(label)}_f1": test["labels"][label]["f1"] for label in data_set.labels}
        print(
            f"\n{data_set.name}, seed {seed}, task {number + 1} of {len(data_set.tasks)}, {info.engine}:", figures, flush=True
        )
        found.append(figures)
    return {name: sum(figures[name] for figures in found) / len(found) for name in found[0]}


def _short(label: str) -> str:
    return label.partition("_")[0].lower()


def _without(labels: frozenset[str], file: Path, into: Path) -> Path:
    """The file, or a copy without the entities of some types."""
    if not labels:
        return file

    def kept() -> Iterable[Document]:
        for document in read(file):
            yield document.with_(entities=[entity for entity in document.entities or () if entity.label not in labels])

    write(kept(), into)
    return into


def over_seeds(data_set: DataSet, seeds: Iterable[int], train: Callable[..., dict[str, float]]) -> dict[str, Spread]:
    """Mean and deviation of each figure."""
    with tempfile.TemporaryDirectory(prefix="viner-bench-") as folder:
        found = [train(data_set, seed, Path(folder)) for seed in seeds]
    return {name: Spread.of([figures[name] for figures in found]) for name in found[0]}


def ask(
    description: str, keys: Sequence[str], seeds: Sequence[int], *, refit: bool = False
) -> tuple[argparse.Namespace, dict[str, Any]]:
    """What the command line asks for, ``sets`` and ``seeds`` among it, and the choices in the place of defaults."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("sets", nargs="*", choices=[*keys, []], help="data sets; all if not given")
    parser.add_argument("--seeds", type=int, nargs="+", default=seeds)
    parser.add_argument(
        "--choice", action="append", default=[], metavar="NAME=VALUE", help="a choice in the place of a default"
    )
    if refit:
        parser.add_argument("--refit", action="store_true", help="learn dev as well, once dev has chosen")
    asked = parser.parse_args()
    given = {"refit": True} if refit and asked.refit else {}
    return asked, given | {name: parse_choice(name, value) for name, _, value in (pair.partition("=") for pair in asked.choice)}


def main() -> None:
    skip_in_a_round(minutes=300)
    known = data_sets()
    asked, choices = ask(
        "How good the default recipe is.", [item.key for item in known], [1] if size(0, 1) else [1, 2, 3], refit=True
    )
    chosen = [item for item in known if item.key in asked.sets] if asked.sets else known[: size(len(known), 1)]
    columns = ("precision", "recall", "f1", "macro_f1", "dev_f1", "ece", "epochs", "minutes")
    rows: list[tuple[object, ...]] = []
    figures: dict[str, float | int] = {}
    for data_set in chosen:
        if data_set.tasks is None:
            print(f"{data_set.name}: skipped, since its files are not there (see the head of this script)")
            continue
        spreads = over_seeds(data_set, asked.seeds, partial(figures_of, choices=choices))
        rows.append(
            (data_set.name, *(str(spreads[name]) for name in columns[:-2]), *(spreads[name].mean for name in columns[-2:]))
        )
        for name, spread in spreads.items():
            figures[f"{data_set.key}_{name}"] = spread.mean
    print()
    table((f"strict micro, test, seeds {', '.join(map(str, asked.seeds))}", *columns), rows)
    report(figures)


if __name__ == "__main__":
    sys.exit(main())
