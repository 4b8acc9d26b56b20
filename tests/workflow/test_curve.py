from __future__ import annotations

import io
from dataclasses import asdict
from types import SimpleNamespace

import pytest

from support.bases import toy_documents, with_other_weights
from viner.corpus import REVIEWED
from viner.corpus.shares import nested_shares
from viner.errors import InputError, TrainingError, UsageError
from viner.formats import read, write
from viner.workflow import Report, curve
from viner.workflow.curve import learning_curve
from viner.workflow.trial import NO_MEMORY

QUICK = {"epochs": 1, "batch_pieces": 400, "precision": "fp32"}


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    for split, count, seed in (("train", 40, 1), ("dev", 10, 2)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    return folder


@pytest.fixture
def draw(tmp_path, base, toys):
    """Draws a curve, and returns it with what was said."""

    def call(**options):
        said = io.StringIO()
        given = {"train": toys / "train.jsonl", "dev": toys / "dev.jsonl", "base": base, **QUICK, **options}
        return learning_curve(work=tmp_path / "work", report=Report(said), **given), said.getvalue()

    return call


@pytest.fixture
def pretend(monkeypatch):
    """Trainings that cost nothing: more documents are better. Returns what they learned from."""
    made = []

    def try_training(material, config, place, observe):
        made.append(([document.id for document in material.train], config))
        pretend.before(material, config)
        return SimpleNamespace(scores=SimpleNamespace(micro=SimpleNamespace(f1=len(material.train) / 100 + config.seed / 1000)))

    pretend = SimpleNamespace(made=made, before=lambda material, config: None)
    monkeypatch.setattr(curve, "try_training", try_training)
    return pretend


def test_trainings_are_made_and_models_are_not(draw, tmp_path):
    found, said = draw(shares=(0.5, 1.0))
    assert [(run.share, run.documents, run.seed) for run in found.runs] == [(0.5, 20, 1), (1.0, 40, 1)]
    assert all(0 <= run.f1 <= 1 for run in found.runs)
    assert "Training 2 of 2: share 1, 40 documents, seed 1" in said
    assert sorted(path.suffix for path in (tmp_path / "work").iterdir()) == [".json", ".json"]


def test_each_seed_has_its_own_nested_parts_and_all_are_scored_on_the_same(draw, pretend):
    found, _ = draw(shares=(1, 0.25, 0.5), seeds=(1, 7))
    parts = {(len(names), config.seed): set(names) for names, config in pretend.made}
    for seed in (1, 7):
        assert parts[10, seed] < parts[20, seed] < parts[40, seed]
    assert parts[10, 1] != parts[10, 7]
    assert [point.documents for point in found.points()] == [10, 20, 40]
    assert found.points()[1].by_seed == {1: pytest.approx(0.201), 7: pytest.approx(0.207)}
    assert (found.documents, found.entities) == (10, sum(len(item.entities) for item in toy_documents(10, 2)))


def test_without_dev_the_same_tenth_is_set_aside_for_all(draw, pretend, toys):
    draw(dev=None, seeds=(1, 2))
    taught = {frozenset(names) for names, config in pretend.made if len(names) == 36}
    assert len(taught) == 1
    assert all(set(names) <= next(iter(taught)) for names, _ in pretend.made)


def test_an_interrupted_curve_goes_on(draw, pretend):
    whole, _ = draw(seeds=(1, 2))
    del pretend.made[:]

    def interrupt(material, config):
        if len(pretend.made) == 4:
            raise KeyboardInterrupt

    pretend.before = interrupt
    choices = {"seeds": (1, 2), "dropout": 0.2}
    with pytest.raises(KeyboardInterrupt):
        draw(**choices)
    pretend.before = lambda material, config: None
    found, said = draw(**choices)
    assert len(pretend.made) == 3 + 1 + 5
    assert "Training 4 of 8" in said
    assert "Training 3 of 8" not in said
    assert [asdict(run) | {"key": "", "seconds": 0} for run in found.runs] == [
        asdict(run) | {"key": "", "seconds": 0} for run in whole.runs
    ]


def test_trainings_of_an_earlier_curve_are_taken_where_they_are_the_same(draw, pretend, tmp_path):
    import shutil

    first, _ = draw(shares=(0.5, 1))
    shutil.rmtree(tmp_path / "work")
    more, _ = draw(shares=(0.25, 0.5, 1), known=first.runs)
    assert [len(names) for names, _ in pretend.made] == [20, 40, 10]
    assert more.runs[1:] == first.runs
    other, _ = draw(shares=(0.5, 1), known=first.runs, dropout=0.3)
    assert len(pretend.made) == 5
    assert {run.key for run in other.runs}.isdisjoint(run.key for run in first.runs)


def test_trainings_from_another_base_of_the_same_name_are_not_taken(draw, pretend, base, tmp_path):
    first, _ = draw(shares=(0.5, 1))
    other = with_other_weights(base, tmp_path / "other" / base.name)
    found, _ = draw(shares=(0.5, 1), known=first.runs, base=other)
    assert len(pretend.made) == 4
    assert {run.key for run in found.runs}.isdisjoint(run.key for run in first.runs)


def test_a_training_that_fails_is_a_gap_and_too_many_end_it(draw, pretend):
    def fail(material, config):
        if len(material.train) < 20:
            raise TrainingError("the model learns nothing")

    pretend.before = fail
    found, said = draw()
    assert [run.f1 is None for run in found.runs] == [True, True, False, False]
    assert "failed: the model learns nothing" in said

    def fail_always(material, config):
        raise TrainingError("the model learns nothing")

    pretend.before = fail_always
    with pytest.raises(TrainingError, match="4 of 4 trainings failed, so there is no curve") as caught:
        draw(dropout=0.3)
    assert caught.value.hint


def test_a_part_in_which_nobody_said_what_is_outside_of_entities_is_a_gap(draw, toys, tmp_path):
    documents = list(read(toys / "train.jsonl"))
    few = {document.id for document in nested_shares(documents, (0.1, 1.0), 1)[0]}
    partly = [
        document.with_(meta={REVIEWED: [[entity.start, entity.end] for entity in document.entities]})
        if document.id in few
        else document
        for document in documents
    ]
    write(partly, tmp_path / "partly.jsonl")
    found, said = draw(train=tmp_path / "partly.jsonl", shares=(0.1, 0.5, 1.0))
    assert [run.f1 is None for run in found.runs] == [True, False, False]
    assert found.runs[0].problem.startswith("the training documents are annotated only in part")
    assert "failed: the training documents are annotated only in part" in said


def test_what_failed_for_want_of_memory_is_tried_again_and_what_learns_nothing_is_not(draw, pretend):
    def fail(material, config):
        if len(material.train) < 20:
            raise TrainingError(NO_MEMORY if len(material.train) == 10 else "the model learns nothing")

    pretend.before = fail
    first, _ = draw(shares=(0.125, 0.25, 0.5, 1))
    assert [run.f1 is None for run in first.runs] == [True, True, False, False]
    pretend.before = lambda material, config: None
    again, _ = draw(shares=(0.125, 0.25, 0.5, 1), known=first.runs)
    assert [run.f1 is None for run in again.runs] == [True, False, False, False]
    assert [len(names) for names, _ in pretend.made] == [5, 10, 20, 40, 10]


def test_an_error_of_the_disk_is_no_gap(draw, pretend):
    def fail(material, config):
        raise TrainingError("the checkpoint cannot be written", where="place")

    pretend.before = fail
    with pytest.raises(TrainingError, match="cannot be written"):
        draw()
    assert len(pretend.made) == 1


def test_what_was_done_and_cannot_be_read_is_told_by_its_place(draw, pretend, tmp_path):
    draw()
    file = next((tmp_path / "work").glob("*.json"))
    file.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="what was done cannot be read") as caught:
        draw()
    assert caught.value.where == str(file)


@pytest.mark.parametrize("shares", [(1.0,), (0.5, 0.5), (0, 1), (0.5, 1.5), (-0.5, 1), (float("nan"), 1)])
def test_shares_that_make_no_curve_are_refused(draw, pretend, shares):
    with pytest.raises(UsageError, match="two shares at least"):
        draw(shares=shares)
    assert pretend.made == []


def test_parts_that_teach_nothing_or_the_same_are_refused_before_the_first_training(draw, pretend, toys, tmp_path):
    with pytest.raises(UsageError, match=r"shares of 0.01 and 0.02 are the same 1 documents"):
        draw(shares=(0.01, 0.02, 1))
    bare = [document.with_(entities=[]) for document in read(toys / "train.jsonl")]
    write([*bare[:-1], next(iter(toy_documents(1, 1)))], tmp_path / "bare.jsonl")
    with pytest.raises(InputError, match="holds no entity") as caught:
        draw(train=tmp_path / "bare.jsonl")
    assert "larger --shares" in caught.value.hint
    assert pretend.made == []
