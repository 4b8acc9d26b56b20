"""A base that learns what other models answer: what the folder says, what is refused, and that segments are no obstacle."""

from __future__ import annotations

import io
import json
import shutil

import pytest

from support.bases import PLACES, tiny_base, toy_documents
from support.segmenters import NAME, PAIRS, offer
from support.traces import files_with
from viner.bundle import Origin, base_origin, read_bundle
from viner.corpus import REVIEWED
from viner.document import Document, Entity
from viner.errors import BundleError, InputError, SchemaError, UsageError
from viner.formats import write
from viner.runtime import Recognizer
from viner.schema import Schema
from viner.workflow import Report, choose, train_model

pytestmark = pytest.mark.xdist_group("taught")  # one process makes what the tests share

CHOICES = {"epochs": 6, "learning_rate": 1e-2, "head_multiplier": 3.0, "batch_pieces": 128, "precision": "fp32", "harden": 0.0}
CHOICES |= {"layer_decay": 1.0}  # a random encoder knows nothing that its lower layers could forget


@pytest.fixture(autouse=True)
def few_sentences(monkeypatch):
    for name in ("SENTENCES", "_CANARIES", "_CALIBRATION"):
        monkeypatch.setattr(choose, name, 10)


@pytest.fixture(scope="module")
def toys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    for split, count, seed in (("train", 150, 1), ("dev", 40, 2)):
        write(toy_documents(count, seed), folder / f"{split}.jsonl")
    # Half a name is annotated, and no word is known to be outside of entities.
    started = [document.with_(entities=document.entities[:1], meta={REVIEWED: []}) for document in toy_documents(150, 1)]
    write(started, folder / "started.jsonl")
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny_base(tmp_path_factory.mktemp("bases") / "small")


def learn(out, toys, **options):
    said = io.StringIO()
    given = {"train": toys / "train.jsonl", "dev": toys / "dev.jsonl", "report": Report(said), **CHOICES, **options}
    return train_model(out=out, **given), said.getvalue()


@pytest.fixture(scope="module")
def teachers(tmp_path_factory, toys, base):
    """One of another architecture and tokenizer, and one of the student's own."""
    folder = tmp_path_factory.mktemp("teachers")
    other = tiny_base(folder / "roberta", "roberta", layers=1, tokenizer="BPE")
    schema = Schema.of_entities(["LOCATION", "PERSON"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choose, "SENTENCES", 10)
        return [
            learn(folder / "one", toys, base=other, schema=schema, source=Origin("News", license="cc-by-4.0"))[0],
            learn(folder / "two", toys, base=base, epochs=12)[0],
        ]


def test_a_base_learns_what_two_models_answer(tmp_path, toys, base, teachers):
    path, report = learn(tmp_path / "m", toys, base=base, train=toys / "started.jsonl", teacher=teachers, epochs=12)
    bundle = read_bundle(path)
    bundle.verify()
    info = bundle.info
    told = info.base["taught_by"]
    assert [(one["name"], one.get("data", {}).get("name")) for one in told["models"]] == [("one", "News"), ("two", None)]
    assert [one["sha256"] for one in told["models"]] == [
        read_bundle(model).info.files["model.safetensors"].sha256 for model in teachers
    ]
    assert told["dev_f1"] > 0.9
    assert info.metrics["dev"]["micro"]["f1"] > 0.85
    assert base_origin(info) == Origin("small")
    # Its labels stand in the order of the first teacher's.
    assert info.heads[0].labels == ("LOCATION", "PERSON")
    assert f"2 teachers, whose mean answer has dev F1 {told['dev_f1']:.4f}" in report
    card = (path / "README.md").read_text(encoding="utf-8")
    assert (
        f"It also learned to answer as one, two; the F1 of their mean answer on the same dev set is {told['dev_f1']:.4f}."
        in card
    )
    assert "Training data of the model that it learned from: News, license: cc-by-4.0." in card
    assert files_with(path, str(teachers[0].parent)) == []
    # What learned from others can teach, and become smaller. Who taught it is no teacher of the new model, but the data that it
    # learned from is not forgotten.
    smaller, _ = learn(tmp_path / "smaller", toys, distill_from=path, layers=1, epochs=1)
    again, report = learn(tmp_path / "again", toys, base=base, teacher=path, epochs=1)
    assert "taught_by" not in read_bundle(smaller).info.base
    assert [one["name"] for one in read_bundle(again).info.base["taught_by"]["models"]] == ["m"]
    assert "Teacher: dev F1 " in report
    for student in (smaller, again):
        card = (student / "README.md").read_text(encoding="utf-8")
        assert "What its teachers are made of: News, license: cc-by-4.0." in card
        assert "What its teachers are made of: roberta, license: unknown." in card


def test_a_teacher_of_segments_teaches_a_base_that_reads_words(tmp_path, toys, base, monkeypatch):
    offer(monkeypatch)
    words = ["_".join(pair) for pair in PAIRS]
    of_segments = tiny_base(tmp_path / "phobert", "roberta", layers=1, tokenizer="PhoBERT", words=words)
    recipe = {"learning_rate": 5e-3, "batch_pieces": 64, "replace_mentions": 0.0}
    teacher, _ = learn(tmp_path / "teacher", toys, base=of_segments, segmenter=NAME, **recipe)
    student, _ = learn(tmp_path / "m", toys, train=toys / "started.jsonl", base=base, teacher=teacher, epochs=12)
    info = read_bundle(student).info
    assert info.segmenter is None
    assert info.base["taught_by"]["dev_f1"] > 0.9
    found = {entity.text for entity in Recognizer.load(student)("Lan về Hà Nội cùng Nam. Minh ở Đà Nẵng.").entities}
    assert found & {place for place in PLACES if " " in place}
    # The other way round, nobody could say what a word in the middle of a segment is.
    offer(monkeypatch, "another")
    with pytest.raises(BundleError, match="a segmenter that is not installed here"):  # and not after an hour of adaptation
        learn(tmp_path / "x", toys, base=base, teacher=teacher)
    offer(monkeypatch)
    with pytest.raises(UsageError, match="the base reads segments of pairs, and a teacher words") as caught:
        learn(tmp_path / "x", toys, base=of_segments, segmenter=NAME, teacher=student)
    assert "--segmenter none" in caught.value.hint
    # A base of the same segments reads them as its teacher does.
    same, _ = learn(tmp_path / "same", toys, base=of_segments, segmenter=NAME, teacher=teacher, **recipe)
    assert read_bundle(same).info.base["taught_by"]["dev_f1"] == pytest.approx(info.base["taught_by"]["dev_f1"], abs=0.05)


@pytest.mark.parametrize("way", ["teacher", "distill_from"])
def test_texts_that_nobody_annotated_teach_what_the_teacher_answers(tmp_path, toys, base, teachers, way):
    """The annotated file alone teaches nothing of places."""
    people = [
        document.with_(entities=[e for e in document.entities if e.label == "PERSON"], meta={REVIEWED: []})
        for document in toy_documents(3, 5)
    ]
    write(people, tmp_path / "few.jsonl")
    (tmp_path / "notes").mkdir()
    texts = [document.text for document in toy_documents(150, 6)]
    (tmp_path / "notes" / "a.txt").write_text("\n".join([*texts, *texts[:30], "", "  "]), encoding="utf-8")
    blank = [Document(text) for text in ("", "  ")]
    write([*toy_documents(40, 2)[:10], *blank], tmp_path / "notes" / "dev.jsonl")  # what it is scored on
    given = {"base": base} if way == "teacher" else {"layers": 2}
    given |= {way: teachers[1], "train": tmp_path / "few.jsonl", "epochs": 12}
    path, report = learn(tmp_path / "m", toys, unlabeled=tmp_path / "notes", **given)
    info = read_bundle(path).info
    assert info.metrics["dev"]["labels"]["LOCATION"]["f1"] > 0.8
    assert info.data["train"]["documents"] == 3
    distinct = len(set(texts))
    assert info.data["unlabeled"]["documents"] == distinct
    assert info.data["unlabeled"]["left_out"] == 180 - distinct + 10
    assert f"Training on {distinct + 3} documents" in report
    card = (path / "README.md").read_text(encoding="utf-8")
    assert f"It learned so from {distinct} texts without annotations, too." in card
    assert "Texts without annotations, license: unknown." in card
    assert files_with(path, str(tmp_path)) == []


def test_what_cannot_teach_is_said_before_anything_is_written(tmp_path, toys, base, teachers):
    def refused(error, match, *, where=None, **options):
        with pytest.raises(error, match=match) as caught:
            learn(tmp_path / "m", toys, **{"base": base, "teacher": teachers[1], **options})
        assert caught.value.where == (None if where is None else str(where))
        assert caught.value.hint
        assert not (tmp_path / "m").exists()
        assert not (tmp_path / "m.training").exists()

    refused(UsageError, "--teacher and --distill-from exclude each other", distill_from=teachers[0], base=None)
    refused(UsageError, "--r-drop and --teacher exclude each other", r_drop=1.0)
    refused(UsageError, "--adversarial and --teacher exclude each other", adversarial=0.6)
    refused(UsageError, "--layers goes with --distill-from only", layers=1)
    refused(UsageError, "--unlabeled goes with --teacher or --distill-from", teacher=None, unlabeled=toys / "dev.jsonl")
    refused(UsageError, "--unlabeled cannot read standard input", unlabeled="-")
    refused(InputError, "no such file or folder", unlabeled=tmp_path / "none.txt", where=tmp_path / "none.txt")
    known = toys / "dev.jsonl"
    refused(InputError, "no text to learn from but the 40 that are annotated", unlabeled=known, where=known)
    refused(BundleError, "no such model folder", teacher=tmp_path / "none", where=tmp_path / "none")
    refused(BundleError, "no model folder of viner", teacher=base, where=base)
    unlisted = tmp_path / "unlisted"
    shutil.copytree(teachers[1], unlisted)
    info = json.loads((unlisted / "viner.json").read_text(encoding="utf-8"))
    del info["files"]["model.safetensors"]
    (unlisted / "viner.json").write_text(json.dumps(info), encoding="utf-8")
    refused(BundleError, "does not list model.safetensors", teacher=[teachers[0], unlisted], where=unlisted)
    drugs = [Document("Uống aspirin.", id="d1", entities=[Entity(5, 12, "DRUG")])]
    write([*toy_documents(4), *drugs], tmp_path / "drugs.jsonl")
    refused(
        SchemaError,
        "unknown label 'DRUG': 'aspirin' in document d1",
        train=tmp_path / "drugs.jsonl",
        where=tmp_path / "drugs.jsonl",
    )
    refused(
        SchemaError,
        "other labels than the schema: it lacks DRUG, the schema lacks LOCATION",
        schema=Schema.of_entities(["DRUG", "PERSON"]),
        where=teachers[1],
    )
    people = [document.with_(entities=[e for e in document.entities if e.label == "PERSON"]) for document in toy_documents(40)]
    write(people, tmp_path / "people.jsonl")
    files = {"train": tmp_path / "people.jsonl", "dev": tmp_path / "people.jsonl"}
    one, _ = learn(tmp_path / "people", toys, **files, base=base, epochs=1)
    refused(SchemaError, f"other labels than {teachers[1]}, the other teacher", teacher=[teachers[1], one], where=one)
