import io
import json
from typing import ClassVar

import pytest

from support.bases import toy_documents
from viner.bundle import read_bundle
from viner.cli.main import main
from viner.errors import MissingPackageError, TrainingError
from viner.formats import write
from viner.training.tracking import Tracking
from viner.workflow import Report, choose, train_model

CHOICES = {"epochs": 2, "learning_rate": 1e-2, "head_multiplier": 3.0, "precision": "fp32", "batch_pieces": 256}


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch):
    monkeypatch.setattr(choose, "SENTENCES", 20)


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    for split, count, seed in (("train", 60, 1), ("dev", 20, 2), ("test", 20, 3)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    return folder


def learn(out, base, toys, **options):
    said = io.StringIO()
    files = {split: toys / f"{split}.jsonl" for split in ("train", "dev", "test")}
    return train_model(out=out, **files, base=base, report=Report(said), **{**CHOICES, **options}), said.getvalue()


def scalars(folder):
    """What TensorBoard would show: values by step for each name, each step once."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder))
    shown.Reload()
    told = {tag: [(event.step, event.value) for event in shown.Scalars(tag)] for tag in shown.Tags()["scalars"]}
    assert all(len(dict(points)) == len(points) for points in told.values())
    return {tag: dict(points) for tag, points in told.items()}


def logged(model):
    lines = (model / "training.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_tensorboard_reads_back_what_the_log_says(tmp_path, base, toys):
    model, _ = learn(tmp_path / "m", base, toys, track=["tensorboard"])
    told = scalars(tmp_path / "m.tracking")
    events = logged(model)
    steps = [event for event in events if event["event"] == "step"]
    epochs = [event for event in events if event["event"] == "epoch"]
    assert len(epochs) == 2
    tested = read_bundle(model).info.metrics["test"]["micro"]
    for name in ("loss", "rate"):
        assert told[f"train/{name}"] == pytest.approx({event["total"]: event[name] for event in steps})
    for name in ("precision", "recall", "f1"):
        assert list(told[f"dev/{name}"].values()) == pytest.approx([event["dev"][name] for event in epochs])
        assert list(told[f"model/test_{name}"].values()) == pytest.approx([tested[name]])
    assert list(told["epoch"].values()) == [1, 2]
    assert max(told["dev/f1"]) == max(told["train/loss"]) == steps[-1]["total"]
    (choices,) = (tmp_path / "m.tracking").glob("*/hparams.yml")
    assert "choice/batch_pieces: 256" in choices.read_text(encoding="utf-8")
    assert not (tmp_path / "m.training").exists()


def test_a_training_that_goes_on_shows_each_step_once(tmp_path, base, toys):
    class Stops(Report):
        def event(self, event):
            # The last step of the second epoch has been told, and will be taken again.
            if event["event"] == "step" and event["epoch"] == 2 and event["step"] == event["steps"]:
                raise KeyboardInterrupt

    files = {split: toys / f"{split}.jsonl" for split in ("train", "dev")}
    with pytest.raises(KeyboardInterrupt):
        train_model(out=tmp_path / "m", **files, base=base, report=Stops(io.StringIO()), track=["tensorboard"], **CHOICES)
    before = scalars(tmp_path / "m.tracking")
    model, _ = learn(tmp_path / "m", base, toys, track=["tensorboard"])
    after = scalars(tmp_path / "m.tracking")
    (first, second) = [event for event in logged(model) if event["event"] == "epoch"]
    assert list(after["dev/f1"]) == [*before["dev/f1"], max(after["train/loss"])]
    assert list(after["dev/f1"].values()) == pytest.approx([event["dev"]["f1"] for event in (first, second)])
    assert max(before["train/loss"]) == max(after["train/loss"]) == max(after["dev/f1"])
    # Another training in the same place is what is shown from then on; the old files are kept.
    kept = {file.name for file in (tmp_path / "m.tracking").iterdir()}
    learn(tmp_path / "m", base, toys, track=["tensorboard"], overwrite=True, epochs=1)
    assert list(scalars(tmp_path / "m.tracking")["epoch"].values()) == [1]
    assert kept < {file.name for file in (tmp_path / "m.tracking").iterdir()}


def test_the_command_line_takes_a_place_for_the_files(tmp_path, base, toys):
    files = [f"--{split}={toys / split}.jsonl" for split in ("train", "dev")]
    given = ["--base", str(base), "--epochs", "1", "--out", str(tmp_path / "m"), "--track", "tensorboard"]
    assert main(["train", *files, *given, "--track-dir", str(tmp_path / "runs")]) == 0
    assert "dev/f1" in scalars(tmp_path / "runs" / "m")
    assert not (tmp_path / "m.tracking").exists()


def test_unknown_trackers_are_refused_before_anything_is_read(tmp_path, capsys):
    assert main(["train", "--train", "nowhere.conll", "--out", str(tmp_path / "m"), "--track", "notebook"]) == 2
    said = capsys.readouterr().err
    assert "unknown tracker 'notebook'" in said
    assert "mlflow" in said and "tensorboard" in said and "wandb" in said  # noqa: PT018


def test_a_tracker_whose_library_is_missing_is_named_with_its_command(tmp_path, monkeypatch):
    monkeypatch.setattr("accelerate.tracking._available_trackers", [])
    with pytest.raises(MissingPackageError, match="pip install comet-ml"):
        Tracking(["comet_ml"], tmp_path, "m", {}, print)


class Recorder:
    """What accelerate asks of a tracker."""

    name = "recorder"
    requires_logging_directory = False
    told: ClassVar[list[tuple[dict, int | None]]] = []
    fail_at: int | None = None

    def __init__(self, project, **kwargs):
        self.project = project

    def start(self):
        type(self).told = []

    tracker = property(lambda self: self)

    def store_init_configuration(self, values):
        assert all(value is None or isinstance(value, str | int | float | bool) for value in values.values())
        self.told.append((values, None))

    def log(self, values, step=None, **kwargs):
        if self.fail_at is not None and len(self.told) > self.fail_at:
            raise ConnectionError("the line is dead")
        self.told.append((values, step))

    def finish(self):
        self.told.append(({}, -1))


@pytest.fixture
def recorder(monkeypatch):
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS, GeneralTracker

    made = type("Recorder", (Recorder, GeneralTracker), {})
    monkeypatch.setitem(LOGGER_TYPE_TO_CLASS, "recorder", made)
    return made


def test_any_tracker_of_accelerate_is_told_the_choices_and_closed(tmp_path, base, toys, recorder):
    _, said = learn(tmp_path / "m", base, toys, track=["recorder", "recorder"])
    choices, steps = recorder.told[0][0], [step for _, step in recorder.told[1:-1]]
    assert choices["choice/views"] == "nfc, tone-old"
    assert choices["choice/lora"] is None
    assert choices["batch_pieces"] == 256
    assert choices["rate"] == 1e-2
    assert steps == sorted(steps)
    assert recorder.told[-1] == ({}, -1)
    assert "Tracking has stopped" not in said


def test_a_tracker_that_fails_in_mid_training_is_left_and_told_once(tmp_path, base, toys, recorder):
    recorder.fail_at = 3
    model, said = learn(tmp_path / "m", base, toys, track=["recorder"])
    assert (model / "viner.json").is_file()
    assert said.count("Tracking has stopped, the training goes on (ConnectionError: the line is dead)") == 1


def test_a_tracker_that_cannot_start_stops_the_training_before_it_begins(tmp_path, base, toys, recorder, monkeypatch):
    def refuse(self):
        raise PermissionError("no login")

    monkeypatch.setattr(recorder, "start", refuse)
    with pytest.raises(TrainingError, match="recorder cannot start") as caught:
        learn(tmp_path / "m", base, toys, track=["recorder"])
    assert "no login" in caught.value.message
    assert not (tmp_path / "m").exists()
    assert not (tmp_path / "m.training").exists()


def test_without_trackers_nothing_is_written(tmp_path):
    with Tracking([], tmp_path / "nothing", "m", {}, print) as tracking:
        tracking({"event": "start"})
        tracking.scores("test", {"precision": 1.0, "recall": 1.0, "f1": 1.0})
    assert not (tmp_path / "nothing").exists()
