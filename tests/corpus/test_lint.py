from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from support.segmenters import Pairs
from viner.corpus import Finding, lint
from viner.document import Document, Entity
from viner.formats import read
from viner.schema import Schema

DATA = Path(os.environ.get("VINER_DATA", "/nonexistent"))


def codes(*entities: Entity, schema: Schema | None = None) -> list[str]:
    return [finding.code for finding in lint([Document("Đại học Hà Nội BN990-993", entities=entities)], schema)]


def test_sound_annotations_give_no_findings() -> None:
    assert codes(Entity(0, 14, "ORG"), Entity(15, 20, "ID"), Entity(21, 24, "ID")) == []
    assert list(lint([Document("nothing annotated"), Document("", entities=[])])) == []


@pytest.mark.parametrize(
    ("entities", "expected"),
    [
        ([Entity(15, 18, "ID")], ["cuts-word"]),
        ([Entity(16, 19, "ID")], ["cuts-word", "cuts-word"]),
        ([Entity(7, 14, "LOC")], ["space-edge"]),
        ([Entity(0, 14, "ORG"), Entity(8, 14, "LOC")], ["nested"]),
        ([Entity(0, 10, "ORG"), Entity(8, 14, "LOC")], ["crossing"]),
        ([Entity(0, 7, "ORG"), Entity(0, 7, "ORG")], ["duplicate"]),
        ([Entity(0, 7, "ORG"), Entity(0, 7, "LOC")], ["two-labels"]),
    ],
)
def test_doubtful_spans_are_found(entities: list[Entity], expected: list[str]) -> None:
    assert codes(*entities) == expected


def test_entities_outside_of_a_files_own_words_are_found() -> None:
    text = "ở Huế, Đà Lạt ."
    found = [Entity(2, 5, "P"), Entity(7, 13, "P"), Entity(0, 1, "P"), Entity(5, 6, "P"), Entity(13, 15, "P")]
    document = Document(text, words=[(0, 1), (7, 9), (14, 15)], entities=found)
    messages = [finding.message for finding in lint([document]) if finding.code == "no-word"]
    assert messages == [
        "P 'Huế' [2, 5] begins outside of all words",
        "P 'Huế' [2, 5] ends outside of all words",
        "P ',' [5, 6] begins outside of all words",
        "P ',' [5, 6] ends outside of all words",
        "P 'Đà Lạt' [7, 13] ends outside of all words",
    ]
    assert [finding.code for finding in lint([document.with_(words=None)])] == ["space-edge"]


def test_labels_outside_of_the_schema_are_found() -> None:
    assert codes(Entity(0, 7, "ORG"), Entity(8, 14, "LOCATON"), schema=Schema.of_entities(["ORG", "LOC"])) == ["unknown-label"]


def test_labels_that_the_first_split_lacks_are_found_once_a_split() -> None:
    def split(*labels: str) -> list[Document]:
        return [Document("Hà Nội", id=label, entities=[Entity(0, 6, label)]) for label in labels]

    splits = {"train": split("LOC"), "dev": split("LOC", "LOCATION", "LOCATION"), "test": split("LOCATION", "ORG")}
    found = [(item.code, item.file, item.document) for item in lint(splits) if item.code != "repeated-id"]
    assert found == [("new-label", "dev", "LOCATION"), ("new-label", "test", "LOCATION"), ("new-label", "test", "ORG")]
    with_schema = lint(splits, Schema.of_entities(["LOC", "LOCATION", "ORG"]))
    assert [item.code for item in with_schema if item.code != "repeated-id"] == []


def test_findings_read_well() -> None:
    (finding,) = lint({"train.jsonl": [Document("ở BN990", id="d7", entities=[Entity(2, 5, "ID")])]})
    assert str(finding) == "train.jsonl (d7): ID 'BN9' [2, 5] ends inside the word 'BN990' [cuts-word]"
    assert finding.to_dict()["document"] == "d7"
    assert str(Finding("leak", "message", file="a.conll", line=3)) == "a.conll:3: message [leak]"
    assert str(Finding("leak", "message")) == "message [leak]"


def test_lines_of_conll_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- O\n\na B-X\nb O\n\n\nc O\nd I-X\n\n-DOCSTART- O\n\ne I-X\n\n")
    findings = list(lint({"a.conll": read(path)}, Schema.of_entities([])))
    assert [(finding.code, finding.line) for finding in findings if finding.code != "odd-tag"] == [
        ("unknown-label", 3),
        ("unknown-label", 8),
        ("unknown-label", 12),
    ]
    assert all(finding.line in (3, 8, 12) for finding in findings)


def test_sentences_in_two_splits_and_repeated_ids_are_found() -> None:
    train = [Document("Bệnh nhân đã khỏi bệnh. Anh về nhà.", id="1"), Document("Khác.", id="1")]
    test = [Document("Tin mới. Bệnh nhân đã khỏi  bệnh.", id="1"), Document("Khác.", id="2")]
    findings = list(lint({"train": train, "test": test}))
    assert [finding.code for finding in findings] == ["repeated-id", "leak"]
    assert str(findings[1]) == "test (1): the sentence 'Bệnh nhân đã khỏi  bệnh.' stands in train (1) too [leak]"


@pytest.mark.skipif(not DATA.is_dir(), reason="VINER_DATA names no folder of data sets")
def test_the_known_leaks_of_a_data_set_are_found() -> None:
    folder = DATA / "ner_en/crossner/music"
    findings = list(lint({split: read(folder / f"{split}.txt") for split in ("train", "dev", "test")}))
    assert Counter((finding.code, finding.file) for finding in findings) == {("leak", "dev"): 1, ("leak", "test"): 23}


def test_entities_that_cut_segments_are_found_if_a_segmenter_is_named() -> None:
    entities = [Entity(0, 7, "ORG"), Entity(4, 7, "ORG"), Entity(8, 14, "LOC"), Entity(8, 10, "LOC"), Entity(16, 20, "ID")]
    document = Document("Đại học Hà Nội BN990-993", entities=entities)
    cut = [(f.code, f.message.split(" ends ")[-1].split(" begins ")[-1]) for f in lint([document], segmenter=Pairs())]
    assert [item for item in cut if item[0].startswith("cuts")] == [
        ("cuts-segment", "inside the segment 'Đại học'"),
        ("cuts-segment", "inside the segment 'Hà Nội'"),
        ("cuts-word", "inside the word 'BN990'"),
    ]
    assert not [f for f in lint([document]) if f.code == "cuts-segment"]
