from contextlib import nullcontext

import pytest

from support.bases import LABELS, toy_documents
from viner.bundle import BundleInfo, Head, Windows
from viner.document import Document, Entity
from viner.encoding import PieceEncoder
from viner.evaluation import evaluate_model
from viner.runtime import Recognizer
from viner.schema import ENTITIES, Schema
from viner.training.checkpoint import TrainingFolder
from viner.training.data import usable_overlap
from viner.training.export import export_onnx
from viner.training.heads import EntityHead
from viner.training.model import MultiHeadModel, load_encoder, to_stock
from viner.training.scoring import DevSet


def test_the_dev_score_is_that_of_the_exported_model(trainer, base, tmp_path):
    made, _ = trainer(epochs=3, window_pieces=24, window_overlap=99)
    with TrainingFolder(tmp_path / "t") as folder:
        result = made.run(folder)
    long = " ".join(document.text for document in toy_documents(60, 7))
    spot = long.index("Huế")
    documents = [
        *toy_documents(30, 8),
        Document(""),
        Document(long, entities=[Entity(spot, spot + 3, "LOCATION")]),
        Document("Lan-Nam / Hà Nội", words=[(0, 7), (10, 16)], entities=[Entity(10, 16, "LOCATION")]),
    ]
    documents = [document.with_(entities=document.entities or ()) for document in documents]
    ours = DevSet(documents, result.encoder, overlap=99).score(result.model, result.head, nullcontext())
    export_onnx(to_stock(result.model, result.head), tmp_path / "model.onnx")
    info = BundleInfo(
        schema=Schema.of_entities(LABELS),
        heads=(Head.softmax_bio(ENTITIES, LABELS),),
        windows=Windows(24, usable_overlap(99, result.encoder)),
        engine="fp32",
        views=result.encoder.views,
    )
    theirs = evaluate_model(Recognizer.from_graph(info, base, tmp_path / "model.onnx"), documents).scores
    assert ours.to_dict() == theirs.to_dict()
    assert 0 < ours.micro.f1 < 1


@pytest.mark.parametrize("documents", [[], [Document("", entities=[])], [Document("Lan", entities=[])]])
def test_nothing_to_score(base, documents):
    encoder = PieceEncoder.from_folder(base)
    head = EntityHead("entities", LABELS, 32, 0.1)
    model = MultiHeadModel(load_encoder(base, 0.1), [head])
    dev = DevSet(documents, encoder, overlap=8)
    assert dev.entities == 0
    assert dev.score(model, head, nullcontext()).micro.support == 0
    assert model.training
