"""Hyperparameter search: trainings with choices that Optuna draws, scored on dev.

The sampler is TPE (Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization"): after a few random trials it draws
where good ones were. A trial whose best epoch lies below the median of the others' at the same epoch is given up. The study is
an SQLite file in the folder of the search, for Optuna's own tools as well.
"""

from __future__ import annotations

import json
import sqlite3
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from viner.base import identity
from viner.errors import InputError, MissingExtraError, TrainingError, UsageError
from viner.formats.files import replacing
from viner.schema import Schema
from viner.workflow.material import Material, require_training
from viner.workflow.progress import Report, duration
from viner.workflow.space import Space, default_space
from viner.workflow.start import Start
from viner.workflow.trial import GivenUpError, try_training
from viner.workflow.trials import Search, State, Trial, told

if TYPE_CHECKING:
    import optuna

TRIALS = 20
BEST, RESULT = "best.toml", "search.json"
"""What is in the folder of a search for people and for programs."""

_STUDY, _LOCK, _PLACE = "study.db", "lock", "trial"
_NAME = "viner"
_AT_RANDOM = 8
"""Trials before the sampler learns from them, the default recipe among them."""
_SPARED_TRIALS, _SPARED_EPOCHS = 4, 2
"""Complete trials before one is given up, and the epochs that each has in any case."""
_STATES: dict[State, str] = {"complete": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
"""How a trial ended, and what Optuna calls it."""
_ENOUGH_TO_WEIGH = 10
"""Complete trials before anything is said about importance."""


class TimeUp(BaseException):
    """The time of the search is up. It passes what catches exceptions, as an interrupt does."""


def search_choices(
    train: str | Path,
    out: str | Path,
    *,
    dev: str | Path | None = None,
    trials: int = TRIALS,
    budget_minutes: float | None = None,
    space: Sequence[str] = (),
    seed: int = 1,
    base: str | Path | None = None,
    schema: Schema | None = None,
    format: str | None = None,
    read_options: Mapping[str, Any] | None = None,
    allow_bin: bool = False,
    segmenter: str | None = None,
    report: Report | None = None,
) -> Search:
    """Searches the choices with which a training gets the highest strict micro F1 on dev; no model is written.

    Killed or interrupted, the same call goes on: finished trials stay, and the one that ran goes on from its last epoch. A call
    with more trials, or more time, makes those that are missing. What is drawn for a trial depends on seed, number and the
    results before it alone. The first trial is the default recipe, as far as the space holds it. A trial that fails is told of.

    Args:
        train: Annotated file to learn from, in any format that viner reads.
        out: Folder of the search: the study, ``best.toml`` and ``search.json``.
        dev: Annotated file to score on; None sets a seeded tenth of ``train`` aside.
        trials: How many trials there are to be, those of earlier calls included.
        budget_minutes: No time beyond that, earlier calls included; a trial that is cut short waits for more. None: no limit.
        space: What is drawn, ``NAME=LOW..HIGH`` or ``NAME=A,B,C`` for any field of
            :class:`viner.training.config.TrainingConfig`; one value fixes it. Empty:
            :func:`viner.workflow.space.default_space`.
        seed: Of what is drawn, and of all trainings.
        base: Encoder to start from; None takes the bundled one.
        schema: Types; None infers them from the data.
        format: Format of the annotated files; None finds it out for each.
        read_options: Options of that format.
        allow_bin: Accept a base whose weights are in PyTorch's ``.bin`` format.
        segmenter: What groups syllables into segments, or "none"; None takes what the base learned from.
        report: Where progress goes; None writes to stderr.

    Raises:
        InputError: If a file cannot be read or holds nothing to learn from.
        UsageError: If the space cannot be, or the folder holds something else.
        BundleError: If the base cannot be used.
        TrainingError: If all trials failed, none was done in time, or another search is at work in that folder.
        MissingExtraError: If Optuna or the training libraries are missing.
    """
    require_training()
    try:
        import optuna
    except ImportError as error:
        raise MissingExtraError("searching choices", "search") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    given = Space.parse(space) if space else None
    start = Start.find(base, None, allow_bin=allow_bin)
    reads = start.segmenter(segmenter)
    rate = _default_rate(start, adapters=given is not None and not given.allows("lora", None))
    found = given or Space.parse(default_space(rate))
    start.config({**found.fixed, "seed": seed}, reads)
    material = Material.read(start, reads, train, dev, seed=seed, schema=schema, format=format, read_options=read_options)
    question = {
        "data": material.fingerprint(),
        "base": identity(start.folder),
        "segmenter": None if reads is None else reads.name,
        "space": found.to_dict(),
        "seed": seed,
    }
    with _held(Path(out)) as folder, _open_study(folder, question) as study:
        return _Searching(folder, study, material, found, rate, trials, budget_minutes, seed, report or Report()).run()


class _Searching:
    """A search at work."""

    def __init__(
        self,
        folder: Path,
        study: optuna.Study,
        material: Material,
        space: Space,
        rate: float,
        planned: int,
        budget_minutes: float | None,
        seed: int,
        report: Report,
    ) -> None:
        self._folder, self._study, self._material, self._space, self._rate = folder, study, material, space, rate
        self._planned, self._budget, self._seed, self._report = planned, budget_minutes, seed, report
        self._deadline: float | None = None

    def run(self) -> Search:
        import optuna

        study = self._study
        for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)  # its process was killed
        if self._budget is not None:
            self._deadline = time.monotonic() + 60 * self._budget - self._spent()
        found = self._write()
        if found.trials and len(found.trials) < self._planned:
            self._report.line(f"Going on after trial {len(found.trials)}{_so_far(found)}")
        try:
            while len(found.trials) < self._planned:
                self._check_time()
                self._one(found)
                found = self._write()
        except TimeUp:
            self._report.line(
                f"The time is up after {len(found.trials)} of {self._planned} trials; with a larger budget it goes on"
            )
        except BaseException:
            if found.trials:
                self._report.line(
                    f"Stopped after {len(found.trials)} of {self._planned} trials{_so_far(found)}; the same command goes on"
                )
            raise
        finally:
            self._report.close(keep=False)
        if found.best is None:
            raise _nothing(found, self._folder)
        return found

    def _one(self, found: Search) -> None:
        """Makes the next trial."""
        import optuna

        number = len(found.trials) + 1
        study = self._study
        # From seed and number, so that a search that went on draws what one without interruption would.
        drawing = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        study.sampler = optuna.samplers.TPESampler(seed=drawing, n_startup_trials=_AT_RANDOM)
        if number == 1 and not study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
            study.enqueue_trial(self._space.defaults(self._rate))
        trial = study.ask(self._space.distributions())
        choices = self._space.choices(trial.params)
        default = number == 1 and len(self._space.defaults(self._rate)) == len(choices)
        self._report.title = f"trial {number} of {self._planned}"
        self._report.line(f"Trial {number} of {self._planned}{' (the defaults)' if default else ''}: {told(choices)}")
        watch = _Watch(trial, self._report, self._check_time)
        state, problem = None, None
        began = time.monotonic()
        try:
            state, problem = self._made(choices, watch)
        finally:
            # What an interrupted trial took counts, too; only how it ended is missing.
            seconds = time.monotonic() - began
            known = {"seconds": round(seconds, 1), "epochs": watch.epochs, "dev_f1": watch.best, "problem": problem}
            for name, value in known.items():
                if value is not None:
                    trial.set_user_attr(name, value)
            ended = optuna.trial.TrialState[_STATES[state]] if state else optuna.trial.TrialState.FAIL
            study.tell(trial, watch.best if state == "complete" else None, ended)
        self._report.close(keep=False)
        outcome = {
            "complete": f"dev F1 {watch.best:.4f} after {watch.epochs} epochs",
            "pruned": f"given up after epoch {watch.epochs}, dev F1 {watch.best:.4f}",
            "failed": f"failed: {problem}",
        }[state]
        best = 0.0 if found.best is None else found.best.dev_f1 or 0.0
        mark = ", best so far" if state == "complete" and (found.best is None or watch.best > best) else ""
        against = "" if mark or found.best is None else f" (best: {best:.4f}, trial {found.best.number})"
        self._report.line(f"  {outcome}{mark}{against}; {seconds:.0f} s{self._left(found, seconds)}")

    def _made(self, choices: Mapping[str, Any], watch: _Watch) -> tuple[State, str | None]:
        """Trains one; returns how it ended, and why where it failed."""
        try:
            config = self._material.start.config({**self._space.fixed, "seed": self._seed, **choices}, self._material.reads)
            watch.best = try_training(self._material, config, self._folder / _PLACE, watch).scores.micro.f1
        except GivenUpError:
            return "pruned", None
        except (TrainingError, UsageError, InputError) as error:
            if error.where is not None:
                raise  # the disk's fault, which every trial would meet
            return "failed", error.message
        return "complete", None

    def _check_time(self) -> None:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise TimeUp

    def _spent(self) -> float:
        """Seconds that all trials so far took, interrupted ones as far as it is known."""
        return float(sum(trial.user_attrs.get("seconds", 0.0) for trial in self._study.get_trials(deepcopy=False)))

    def _left(self, found: Search, seconds: float) -> str:
        waiting = self._planned - len(found.trials) - 1
        if not waiting:
            return ""
        each = (sum(trial.seconds for trial in found.trials) + seconds) / (len(found.trials) + 1)
        left = waiting * each
        if self._deadline is not None:
            left = min(left, max(0.0, self._deadline - time.monotonic()))
        return f", about {duration(left)} left"

    def _write(self) -> Search:
        """What has been found, written to the folder."""
        trials = _trials(self._study, self._space)
        importance = _importance(self._study, self._space)
        sizes = len(self._material.train), len(self._material.dev)
        fixed = {**self._space.fixed, "seed": self._seed}
        found = Search(trials, self._planned, self._space.to_dict(), fixed, sizes, importance)
        with replacing(self._folder / RESULT) as sink:
            sink(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) + "\n")
        if found.best is not None:
            with replacing(self._folder / BEST) as sink:
                sink(found.to_toml())
        return found


class _Watch:
    """Observes a training for its trial: moves the bar, reports epochs to the pruner, and ends what is not worth going on."""

    def __init__(self, trial: optuna.Trial, report: Report, check_time: Any) -> None:
        self._trial, self._report, self._check_time = trial, report, check_time
        self.best = 0.0
        self.epochs = 0
        self._last = 0

    def __call__(self, event: Mapping[str, Any]) -> None:
        kind = event["event"]
        if kind == "start":
            self._last = event["epochs"]
        elif kind == "step":
            self._report.step(dict(event))
        elif kind == "resume":
            for epoch, f1 in event["scored"]:  # the pruner compares trials epoch by epoch
                self._report_to_pruner(epoch, f1)
            self.best, self.epochs = max(self.best, event["best_f1"]), event["epoch"]
        elif kind == "epoch" and event["dev"] is not None:
            self._judge(event["epoch"], event["dev"]["f1"])
        if kind != "end":
            self._check_time()

    def _judge(self, epoch: int, f1: float) -> None:
        if self._report_to_pruner(epoch, f1) and epoch < self._last and self._trial.should_prune():
            raise GivenUpError

    def _report_to_pruner(self, epoch: int, f1: float) -> bool:
        # After a collapse epochs come again; what counts is how good the trial was by then.
        self.best = max(self.best, f1)
        if epoch <= self.epochs:
            return False
        self.epochs = epoch
        self._trial.report(self.best, epoch)
        return True


@contextmanager
def _held(folder: Path) -> Iterator[Path]:
    """The folder of a search, for one process at a time."""
    from filelock import FileLock, Timeout

    if folder.is_dir() and any(folder.iterdir()) and not any((folder / name).exists() for name in (_STUDY, _LOCK)):
        raise UsageError("it holds something else than a search", where=folder, hint="Name a new folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK)
        lock.acquire(timeout=0)
    except Timeout:
        raise TrainingError(
            "another search is at work here", where=folder, hint="Wait until it has finished, or choose another --out"
        ) from None
    except OSError as error:
        raise InputError(f"the folder cannot be made ({error.strerror or error})", where=folder) from error
    try:
        yield folder
    finally:
        lock.release()


@contextmanager
def _open_study(folder: Path, question: Mapping[str, Any]) -> Iterator[optuna.Study]:
    """The study of a folder, made when missing.

    Raises:
        UsageError: If it is about something else.
        InputError: If it cannot be read.
    """
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    path = str((folder / _STUDY).resolve())
    # Connected to by its path: a URL would read the braces, percent signs and question marks in it.
    engine = {"creator": lambda: sqlite3.connect(path, check_same_thread=False)}
    try:
        storage = optuna.storages.RDBStorage(f"sqlite:///{_STUDY}", engine_kwargs=engine)
        study = optuna.create_study(
            storage=storage,
            study_name=_NAME,
            direction="maximize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner(n_startup_trials=_SPARED_TRIALS, n_warmup_steps=_SPARED_EPOCHS),
        )
        known = study.user_attrs.get("search")
        if known is None:
            study.set_user_attr("search", dict(question))
    except (SQLAlchemyError, RuntimeError, optuna.exceptions.OptunaError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"the study cannot be read ({reason})", where=path, hint="Name a new folder with --out") from error
    differing = [name for name in question if known is not None and known.get(name) != question[name]]
    if differing:
        raise UsageError(
            f"this folder holds a search with another {' and '.join(differing)}",
            where=folder,
            hint="Give what that search began with, or name a new folder with --out",
        )
    try:
        yield study
    finally:
        storage.engine.dispose()


def _trials(study: optuna.Study, space: Space) -> list[Trial]:
    """The trials that have ended by themselves; others were interrupted, and are made again under the same number."""
    states: dict[str, State] = {theirs: ours for ours, theirs in _STATES.items()}
    found: list[Trial] = []
    for trial in study.get_trials(deepcopy=False):
        known = trial.user_attrs
        state = states.get(trial.state.name)
        if state is None or (state == "failed" and "problem" not in known):
            continue
        f1 = None if state == "failed" else known.get("dev_f1", 0.0)
        found.append(
            Trial(
                len(found) + 1,
                state,
                space.choices(trial.params),
                f1,
                known.get("epochs", 0),
                known.get("seconds", 0.0),
                known.get("problem"),
            )
        )
    return found


def _importance(study: optuna.Study, space: Space) -> dict[str, float]:
    """Share of each choice in what sets good trials apart (PED-ANOVA: Watanabe et al. 2023), the largest first."""
    import optuna

    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < _ENOUGH_TO_WEIGH or len({trial.value for trial in complete}) < 2 or len(space.dimensions) < 2:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        shares = optuna.importance.get_param_importances(study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
    return {name: round(float(share), 4) for name, share in shares.items()}


def _nothing(found: Search, folder: Path) -> TrainingError:
    failed = [trial for trial in found.trials if trial.state == "failed"]
    if failed:
        return TrainingError(
            f"all {len(failed)} trials failed, the last one: {failed[-1].problem}",
            where=folder,
            hint="There may be too few entities to learn from; else search other choices (--space), in a new folder",
        )
    return TrainingError(
        "the time was up before a trial was done",
        where=folder,
        hint="Give a larger --budget, and the same command goes on; or search short trainings, such as --space epochs=4",
    )


def _so_far(found: Search) -> str:
    best = found.best
    return "" if best is None else f", the best so far is trial {best.number} with dev F1 {best.dev_f1:.4f}"


def _default_rate(start: Start, *, adapters: bool) -> float:
    """The rate that a training with this base takes by itself."""
    from transformers import AutoConfig

    from viner.training.config import default_learning_rate

    width = int(AutoConfig.from_pretrained(start.folder, trust_remote_code=False).hidden_size)
    return default_learning_rate(width, adapters=adapters)
