"""A learning curve: what trainings on growing parts of the documents reach, and what more documents would bring."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from viner.errors import InputError
from viner.evaluation.markdown import markdown_table
from viner.evaluation.messages import ENGLISH
from viner.languages import Say
from viner.metrics import Spread

HELPS, HELPS_LITTLE = 0.01, 0.005
"""F1 that the last doubling gained from which more documents would help, or help a little."""


@dataclass(frozen=True, slots=True)
class CurveRun:
    """One training of a curve.

    Args:
        share: Share of the documents that it learned from, in (0, 1].
        documents: How many these are.
        entities: Annotated entities in them.
        seed: Of the part that was drawn, and of the training.
        f1: Strict micro F1 on dev of the best epoch, in [0, 1]; None where the training failed.
        seconds: How long it took.
        key: Names what was learned and how, so that it need not be done again.
        problem: Why it failed.
    """

    share: float
    documents: int
    entities: int
    seed: int
    f1: float | None
    seconds: float
    key: str
    problem: str | None = None

    @classmethod
    def from_dict(cls, data: Any) -> CurveRun:
        """Reads the JSON form.

        Raises:
            ValueError: If it is none.
        """
        names = {item.name for item in fields(cls)}
        if not isinstance(data, dict) or not names >= data.keys() >= names - {"problem"}:
            raise ValueError("no training of a curve")
        run = cls(**data)
        numbers = (run.share, run.documents, run.entities, run.seconds, *(() if run.f1 is None else (run.f1,)))
        if not all(type(value) in (int, float) and math.isfinite(value) for value in numbers) or run.documents < 1:
            raise ValueError("a training of a curve with what is no figure")
        if type(run.seed) is not int or not isinstance(run.key, str) or not 0 <= (run.f1 or 0) <= 1:
            raise ValueError("a training of a curve with a seed, key or F1 that is none")
        return run


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What the trainings on one share of the documents came to.

    Args:
        share: The share.
        documents: How many documents these are, on average over the seeds.
        entities: Entities in them, likewise.
        f1: Strict micro F1 on dev over the seeds.
        by_seed: F1 of each seed.
    """

    share: float
    documents: int
    entities: int
    f1: Spread
    by_seed: Mapping[int, float]

    def gain_over(self, before: CurvePoint) -> Spread | None:
        """F1 that it gained over another point, seed by seed; None where no seed has both."""
        seeds = sorted(self.by_seed.keys() & before.by_seed.keys())
        return Spread.of([self.by_seed[seed] - before.by_seed[seed] for seed in seeds]) if seeds else None


@dataclass(frozen=True, slots=True)
class Curve:
    """A learning curve.

    Args:
        runs: All trainings.
        documents: Documents that all of them were scored on.
        entities: Annotated entities in these.
        kept: Trainings of earlier calls that are no part of this curve, for later ones.
    """

    runs: Sequence[CurveRun]
    documents: int
    entities: int
    kept: Sequence[CurveRun] = ()

    def keeping(self, runs: Iterable[CurveRun]) -> Curve:
        """The same curve, which keeps those of the trainings that are no part of it."""
        shown = {run.key for run in self.runs}
        return replace(self, kept=tuple({run.key: run for run in runs if run.key not in shown}.values()))

    def points(self) -> list[CurvePoint]:
        """A point for each share of which a training has a score, the smallest first."""
        found = []
        for share in sorted({run.share for run in self.runs}):
            scored = [run for run in self.runs if run.share == share and run.f1 is not None]
            if scored:
                by_seed = {run.seed: run.f1 for run in scored if run.f1 is not None}
                documents, entities = (
                    round(sum(counts) / len(scored))
                    for counts in zip(*((run.documents, run.entities) for run in scored), strict=True)
                )
                found.append(CurvePoint(share, documents, entities, Spread.of(list(by_seed.values())), by_seed))
        return found

    def last_doubling(self) -> tuple[CurvePoint, CurvePoint, Spread] | None:
        """What the last doubling of the documents gained.

        Returns:
            The last point, the one before it that has nearest to half as many documents, and the gain in F1 from one to the
            other by doubling, over the seeds that have both; None where there are no two points of one seed.
        """
        points = self.points()
        last = points[-1] if points else None
        earlier = [
            point
            for point in points
            if last is not None and point.documents < last.documents and point.by_seed.keys() & last.by_seed.keys()
        ]
        if last is None or not earlier:
            return None
        before = min(earlier, key=lambda point: abs(math.log2(last.documents / point.documents) - 1))
        doublings = math.log2(last.documents / before.documents)
        seeds = sorted(before.by_seed.keys() & last.by_seed.keys())
        return before, last, Spread.of([(last.by_seed[seed] - before.by_seed[seed]) / doublings for seed in seeds])

    def summary(self, say: Say = ENGLISH) -> str:
        """What more documents would bring, for people."""
        found = self.last_doubling()
        if found is None:
            return say("err_curve_untold")
        before, last, gain = found
        spread = "" if gain.deviation is None else f" ± {say.decimal(100 * gain.deviation, 1)}"
        doubled = abs(last.documents / before.documents - 2) < 0.1
        told = say(
            "err_curve_doubling" if doubled else "err_curve_step",
            before=say.number(before.documents),
            last=say.number(last.documents),
            gain=f"{say.decimal(100 * gain.mean, 1)}{spread}",
        )
        if gain.deviation is not None and abs(gain.mean) <= gain.deviation:
            return say("err_curve_luck", told=told)
        enough = "helps" if gain.mean >= HELPS else "little" if gain.mean >= HELPS_LITTLE else "hardly"
        told = say(f"err_curve_{enough}", told=told)
        return told if gain.deviation is not None else say("err_curve_one_seed", told=told)

    def to_markdown(self) -> str:
        """A table with a row for each share, and what it says."""
        rows = []
        before: CurvePoint | None = None
        for point in self.points():
            gained = None if before is None else point.gain_over(before)
            gain = "" if before is None else "–" if gained is None else f"{100 * gained.mean:+.1f}"
            seeds = f"{point.f1.count}"
            rows.append((f"{point.share:g}", f"{point.documents:,}", f"{point.entities:,}", seeds, str(point.f1), gain))
            before = point
        table = markdown_table(("share", "documents", "entities", "seeds", "dev F1", "points gained"), rows)
        notes = (
            f"Strict micro F1 on {self.documents:,} documents with {self.entities:,} entities; mean ± deviation over seeds.\n"
        )
        failed = [f"Share {run.share:g}, seed {run.seed} failed: {run.problem}\n" for run in self.runs if run.f1 is None]
        return "\n".join([table, notes, *failed, self.summary() + "\n"])

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        gain = self.last_doubling()
        return {
            "documents": self.documents,
            "entities": self.entities,
            "points": [
                {"share": point.share, "documents": point.documents, "entities": point.entities, "f1": point.f1.to_dict()}
                for point in self.points()
            ],
            "last_doubling": None
            if gain is None
            else {"from": gain[0].documents, "to": gain[1].documents, "gain": gain[2].to_dict()},
            "summary": self.summary(),
            "runs": [asdict(run) for run in self.runs],
            **({"kept": [asdict(run) for run in self.kept]} if self.kept else {}),
        }


def read_curve(path: str | Path) -> Curve:
    """A curve from the JSON file that ``viner curve`` wrote.

    Raises:
        InputError: If it cannot be read, or is no curve.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"the curve cannot be read ({error})", where=path, hint="Make one: viner curve --out FILE.json"
        ) from error
    try:
        runs, kept = ([CurveRun.from_dict(run) for run in part] for part in (data["runs"], data.get("kept", ())))
        curve = Curve(runs, int(data["documents"]), int(data["entities"]), tuple(kept))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError("this is no learning curve", where=path, hint="Make one: viner curve --out FILE.json") from error
    return curve
