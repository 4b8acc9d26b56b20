import dataclasses
import io
import json
import shutil

import pytest

from support.bases import PLACES, tiny_base, toy_documents
from support.segmenters import NAME, PAIRS, Pairs, offer
from viner.bundle import SegmenterRecord, read_bundle
from viner.document import Document, Entity
from viner.encoding import SEGMENTS, PieceEncoder
from viner.errors import BundleError, MissingExtraError, UsageError
from viner.evaluation import evaluate_model
from viner.formats import write
from viner.publishing.folder import PublishError
from viner.publishing.model import needed_extras
from viner.publishing.static import publish_page
from viner.runtime import Recognizer
from viner.text import segment, split_words
from viner.workflow import Report, choose, train_model
from viner.workflow.segments import in_segments
from viner.workflow.start import Start

pytestmark = pytest.mark.xdist_group("segments")  # one process makes what the tests share

CHOICES = {
    "epochs": 6,
    "learning_rate": 5e-3,
    "head_multiplier": 3.0,
    "batch_pieces": 64,
    "precision": "fp32",
    "replace_mentions": 0.0,
}
RECORD = SegmenterRecord(NAME, "1.0")


@pytest.fixture
def pairs(monkeypatch):
    offer(monkeypatch)
    for name in ("SENTENCES", "_CANARIES", "_CALIBRATION"):
        monkeypatch.setattr(choose, name, 10)


@pytest.fixture(scope="module")
def segment_base(tmp_path_factory):
    """A base whose vocabulary holds segments, as PhoBERT's does."""
    words = ["_".join(pair) for pair in PAIRS]
    return tiny_base(tmp_path_factory.mktemp("bases") / "phobert", "roberta", layers=1, tokenizer="PhoBERT", words=words)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, segment_base):
    folder = tmp_path_factory.mktemp("segments")
    write(toy_documents(150, 1), folder / "train.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        offer(patch)
        for name in ("SENTENCES", "_CANARIES", "_CALIBRATION"):
            patch.setattr(choose, name, 10)
        data = {"train": folder / "train.jsonl", "dev": folder / "train.jsonl"}
        return train_model(**data, out=folder / "m", base=segment_base, segmenter=NAME, report=Report(io.StringIO()), **CHOICES)


def test_the_model_reads_segments_and_answers_in_words_and_raw_offsets(trained, pairs):
    info = read_bundle(trained).info
    assert info.segmenter == RECORD
    assert info.views[-1] == SEGMENTS
    ner = Recognizer.load(trained)
    text = "Minh  gặp Lan ở Hà\u00a0Nội.\nNam về Đà  Nẵng hôm qua."
    document = ner(text)
    assert document.words == tuple(split_words(text))
    assert [entity.text for entity in document.entities] == ["Minh", "Lan", "Hà\u00a0Nội", "Nam", "Đà  Nẵng"]
    assert [item for item, _ in ner.judged([text])] == [document]
    ((_, probabilities),) = ner.probabilities([text])
    located = [text[slice(*word)] for word, row in zip(document.words, probabilities, strict=True) if row.argmax() == 2]
    assert sorted(located) == ["Hà", "Nẵng", "Nội", "Đà"]
    assert evaluate_model(ner, toy_documents(30, 2)).scores.micro.f1 > 0.9


def test_what_it_is_shown_are_whole_segments(segment_base, pairs):
    encoder = PieceEncoder.from_folder(segment_base, views=("nfc", "tone-old", SEGMENTS))
    (document,) = in_segments([Document("Lan ở Đà  Nẵng")], RECORD)
    whole = encoder.encode("Đà_Nẵng", [(0, 7)]).pieces.tolist()
    assert encoder.encode(document.text, document.words).pieces.tolist()[2:] == whole
    assert encoder.encode(document.text, split_words(document.text)).pieces.tolist()[2:] != whole


def test_views_of_syllables_reach_each_syllable_of_a_segment(segment_base):
    views = [PieceEncoder.from_folder(segment_base, views=(style, SEGMENTS)) for style in ("tone-old", "tone-new")]
    for encoder in views:
        old, new = (encoder.encode(text, [(0, len(text))]).pieces.tolist() for text in ("hòa thúy", "hoà thuý"))
        assert old == new


def test_training_parts_segments_at_entities_and_recognition_cannot(pairs):
    document = Document("gặp ở Hà Nội", entities=[Entity(4, 12, "LOCATION")])
    (learned,) = in_segments([document], RECORD, keep=True)
    (asked,) = in_segments([document], RECORD)
    assert [document.text[start:end] for start, end in learned.words] == ["gặp", "ở", "Hà Nội"]
    assert [document.text[start:end] for start, end in asked.words] == ["gặp ở", "Hà Nội"]
    assert learned.entities == document.entities


def test_a_base_of_segments_gets_them_unless_told_otherwise(segment_base, base, pairs, monkeypatch):
    start = Start.find(segment_base, None)
    assert start.segmenter("none") is None
    assert start.segmenter(NAME) == RECORD
    assert Start.find(base, None).segmenter(None) is None
    with pytest.raises(UsageError, match="unknown segmenter 'mine'"):
        start.segmenter("mine")
    monkeypatch.setitem(segment._OWN, segment.DEFAULT_SEGMENTER, "support.segmenters:Pairs")
    assert start.segmenter(None) == SegmenterRecord(segment.DEFAULT_SEGMENTER, "1.0")


def test_without_the_extra_such_a_base_says_what_to_do(segment_base, pairs, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "underthesea", None)
    with pytest.raises(MissingExtraError, match="extra 'vi'") as caught:
        Start.find(segment_base, None).segmenter(None)
    assert "pip install 'viner[vi]'" in caught.value.hint
    assert "--segmenter none" in caught.value.hint


def test_a_distilled_model_reads_as_its_teacher(trained, base, pairs):
    start = Start.find(None, trained)
    assert start.segmenter(None) == start.segmenter(NAME) == RECORD
    assert start.config({}, RECORD).views == read_bundle(trained).info.views
    with pytest.raises(UsageError, match="'pairs', not 'none'"):
        start.segmenter("none")


def test_a_model_whose_segmenter_is_missing_or_another_version_says_so(trained, pairs, monkeypatch, caplog):
    monkeypatch.setattr(Pairs, "version", "2.0")
    Recognizer.load(trained)
    assert "segments of pairs 1.0, and 2.0 is installed" in caplog.text
    offer(monkeypatch, "others")
    with pytest.raises(BundleError, match="segments of 'pairs', a segmenter that is not installed"):
        Recognizer.load(trained)


def test_a_page_without_a_server_has_no_segmenter(trained, tmp_path, pairs):
    with pytest.raises(PublishError, match="does not run in a browser"):
        publish_page(trained, out=tmp_path / "page")


def test_view_and_segmenter_go_together_in_a_model_folder(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "m")
    path = tmp_path / "m" / "viner.json"
    said = json.loads(path.read_text())
    del said["segmenter"]
    path.write_text(json.dumps(said))
    with pytest.raises(BundleError, match="a segmenter and the view 'segments' go together"):
        read_bundle(tmp_path / "m")


def test_places_of_the_task_are_segments():
    assert {tuple(place.split()) for place in PLACES if " " in place} <= PAIRS


def test_what_is_published_needs_the_extra_and_refuses_segmenters_of_others(trained, pairs):
    bundle = read_bundle(trained)
    with pytest.raises(PublishError, match="'pairs', which comes from a package that is not viner's"):
        needed_extras(bundle)
    ours = dataclasses.replace(bundle.info, segmenter=SegmenterRecord(segment.DEFAULT_SEGMENTER, "9.5.0"))
    assert needed_extras(dataclasses.replace(bundle, info=ours)) == ("vi",)
    theirs = dataclasses.replace(bundle.info, segmenter=None)
    assert needed_extras(dataclasses.replace(bundle, info=theirs)) == ()
