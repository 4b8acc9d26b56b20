"""The spaCy component, in pipelines as their users write them: nobody imports viner."""

from __future__ import annotations

import copy
import logging
import pickle
import shutil
import unicodedata

import pytest

import viner
from support.systems import needs_system
from viner.document import Entity
from viner.errors import BundleError, InputError, UsageError

pytestmark = needs_system("spacy")

WORDS = {"nlp": {"tokenizer": {"@tokenizers": "viner.Words.v1"}}}
TEXTS = [
    "Lan ở Hà Nội.",
    "",
    " \n ",
    "😷 Minh, Nam\r\n\r\nvà  Lan; 👨‍👩‍👧 Hà Nội!",
    unicodedata.normalize("NFD", "Nguyễn Văn A từ Huế đến Paris"),
    "không có gì",
    "\tHuế\u00a0",
]
RULES = """
[[rules.patterns]]
label = "ID"
pattern = 'BN\\d+'
recognize = "over"
"""


@pytest.fixture
def pipeline(tiny_model):
    """Makes an empty pipeline with the component."""
    spacy = pytest.importorskip("spacy")

    def make(words=True, model=tiny_model, **config):
        nlp = spacy.blank("xx", config=WORDS if words else {})
        nlp.add_pipe("viner", config={"model": str(model), **config})
        return nlp

    return make


def shown(spans):
    return [(span.start_char, span.end_char, span.label_) for span in spans]


def exact(document):
    return [(entity.start, entity.end, entity.label) for entity in document.entities]


def test_entities_are_those_of_viner_at_exact_offsets(pipeline, tiny_model):
    nlp, ner = pipeline(), viner.load(tiny_model)
    for text in TEXTS:
        doc, answer = nlp(text), ner(text)
        assert doc.text == text
        assert shown(doc.ents) == shown(doc.spans["viner"]) == exact(answer)
        assert doc._.viner_entities == [entity.to_dict(surface=True) for entity in answer.entities]
        for span, entity in zip(doc.ents, answer.entities, strict=True):
            assert (span.text, span._.viner_score, span._.viner_source) == (entity.text, entity.score, "model")


def test_entities_with_a_lower_score_can_be_left_out_and_asked_for(pipeline, tiny_model, silent_model, tmp_path):
    assert shown(pipeline(model=silent_model)(TEXTS[0]).ents) == []
    nlp, expected = pipeline(model=silent_model, least_score=0), exact(viner.load(tiny_model)(TEXTS[0]))
    assert shown(nlp(TEXTS[0]).ents) == expected
    nlp.to_disk(tmp_path / "pipeline")
    import spacy

    assert shown(spacy.load(tmp_path / "pipeline")(TEXTS[0]).ents) == expected
    with pytest.raises(UsageError, match="not between 0 and 1"):
        pipeline(least_score=3)


def test_many_documents_are_the_same_as_one_by_one_and_keep_their_order(pipeline):
    nlp = pipeline()
    expected = [shown(nlp(text).ents) for text in TEXTS]
    assert [shown(doc.ents) for doc in nlp.pipe(TEXTS * 3, batch_size=2)] == expected * 3
    assert [context for _, context in nlp.pipe(zip(TEXTS, range(7), strict=True), as_tuples=True)] == list(range(7))


def test_what_does_not_fit_spacys_tokens_is_left_out_cut_or_widened_as_told(pipeline, caplog):
    text = "Lan_Huế ở Hà Nội"  # to spaCy's tokenizer Lan_Huế is one token
    strict = pipeline(words=False)
    with caplog.at_level(logging.WARNING, "viner"):
        doc = strict(text)
        strict(text)
    assert [ent.text for ent in doc.ents] == ["Hà Nội"]
    assert [entity["text"] for entity in doc._.viner_entities] == ["Lan", "Huế", "Hà Nội"]
    assert len([record for record in caplog.records if "within a token" in record.message]) == 1
    assert [ent.text for ent in pipeline(words=False, alignment_mode="contract")(text).ents] == ["Hà Nội"]
    wide = pipeline(words=False, alignment_mode="expand", spans_key="people")(text)
    assert [span.text for span in wide.spans["people"]] == ["Lan_Huế", "Lan_Huế", "Hà Nội"]
    assert [(ent.text, ent.label_) for ent in wide.ents] == [("Lan_Huế", "PERSON"), ("Hà Nội", "LOCATION")]


def test_where_two_entities_share_a_place_the_surest_one_is_told(pipeline, monkeypatch):
    nlp = pipeline(words=False, alignment_mode="expand")
    found = [Entity(0, 2, "A", score=0.9, source="model"), Entity(3, 5, "B", score=0.1, source="pattern")]
    component = nlp.get_pipe("viner")
    monkeypatch.setattr(
        type(component.recognizer), "stream", lambda self, items: (item.with_(entities=found) for item in items)
    )
    doc = nlp("ab_cd")
    assert [(span.label_, span._.viner_score, span._.viner_source) for span in doc.spans["viner"]] == [
        ("A", 0.9, "model"),
        ("B", 0.9, "model"),
    ]
    assert [entity["score"] for entity in doc._.viner_entities] == [0.9, 0.1]
    found[1] = Entity(0, 5, "B", score=0.1, source="pattern")
    doc = nlp("ab_cd")
    assert [span._.viner_score for span in doc.spans["viner"]] == [0.1, 0.1], "its offsets are exact"


def test_entities_that_are_there_give_way_or_stay(pipeline):
    def ruler(nlp):
        nlp.add_pipe("entity_ruler", first=True).add_patterns([{"label": "ORG", "pattern": "Nội ở"}])
        return nlp

    text = "Hà Nội ở Huế"
    assert [(ent.text, ent.label_) for ent in ruler(pipeline())(text).ents] == [("Hà Nội", "LOCATION"), ("Huế", "LOCATION")]
    beside = ruler(pipeline())("Nội ở xa, Lan ở Huế")
    assert [ent.label_ for ent in beside.ents] == ["ORG", "PERSON", "LOCATION"], "nothing overlaps it"
    kept = ruler(pipeline(overwrite_ents=False))(text)
    assert [(ent.text, ent.label_) for ent in kept.ents] == [("Nội ở", "ORG"), ("Huế", "LOCATION")]
    assert [span.text for span in kept.spans["viner"]] == ["Hà Nội", "Huế"]


@pytest.fixture
def rules(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text(RULES, encoding="utf-8")
    return file


def test_rules_of_a_file_and_of_a_project(pipeline, rules, tmp_path, tiny_model):
    doc = pipeline(rules=str(rules))("Lan BN12")
    assert [(ent.label_, ent._.viner_score, ent._.viner_source) for ent in doc.ents][1] == ("ID", None, "pattern")
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "001").symlink_to(tiny_model, target_is_directory=True)
    rules.rename(tmp_path / "viner.toml")
    assert [ent.label_ for ent in pipeline(model=tmp_path)("Lan BN12").ents] == ["PERSON", "ID"]
    assert [ent.label_ for ent in pipeline(model=tmp_path, rules=False)("Lan BN12").ents] == ["PERSON"]


def test_a_pipeline_on_disk_has_its_model_and_its_rules_with_it(pipeline, rules, tmp_path, tiny_model):
    spacy = pytest.importorskip("spacy")
    shutil.copytree(tiny_model, tmp_path / "model")
    nlp = pipeline(model=tmp_path / "model", rules=str(rules))
    assert nlp.get_pipe("viner").labels == ("PERSON", "LOCATION", "ID")
    nlp.to_disk(tmp_path / "pipeline")
    shutil.rmtree(tmp_path / "model")
    rules.unlink()
    assert not (tmp_path / "pipeline" / "viner" / "model" / "model.safetensors").exists()
    again = spacy.load(tmp_path / "pipeline")
    assert [ent.label_ for ent in again("Lan BN12 ở Huế").ents] == ["PERSON", "ID", "LOCATION"]
    again.to_disk(tmp_path / "pipeline")  # onto itself
    moved = (tmp_path / "pipeline").rename(tmp_path / "moved")
    assert [ent.label_ for ent in spacy.load(moved)("Lan BN12").ents] == ["PERSON", "ID"]


def test_a_pipeline_of_bytes_has_its_model_with_it(pipeline, rules, tmp_path, tiny_model):
    data = pipeline(rules=str(rules)).to_bytes()
    rules.unlink()
    other = pipeline(model=tmp_path / "gone")
    other.from_bytes(data)
    assert [ent.label_ for ent in other("Lan BN12").ents] == ["PERSON", "ID"]
    without = pipeline().to_bytes()
    other.from_bytes(without)
    assert [ent.label_ for ent in other("Lan BN12").ents] == ["PERSON"]


def test_annotations_survive_the_way_to_disk(pipeline):
    spacy = pytest.importorskip("spacy")
    nlp = pipeline()
    docs = spacy.tokens.DocBin(docs=[nlp(text) for text in TEXTS], store_user_data=True)
    for text, doc in zip(TEXTS, spacy.tokens.DocBin().from_bytes(docs.to_bytes()).get_docs(nlp.vocab), strict=True):
        assert shown(doc.ents) == shown(nlp(text).ents)
        assert list(doc._.viner_entities) == nlp(text)._.viner_entities  # msgpack makes a tuple of a list
        assert [ent._.viner_score for ent in doc.ents] == [entity["score"] for entity in doc._.viner_entities]


def test_several_processes_load_a_model_each(pipeline):
    nlp = pipeline()
    expected = [shown(nlp(text).ents) for text in TEXTS]  # loaded here already, before they are forked
    assert [shown(doc.ents) for doc in nlp.pipe(TEXTS, n_process=2, batch_size=2)] == expected
    component = pickle.loads(pickle.dumps(nlp.get_pipe("viner")))  # what a process that is spawned gets
    assert shown(component(nlp.make_doc(TEXTS[0])).ents) == expected[0]


def test_a_pipeline_can_be_evaluated(pipeline):
    spacy = pytest.importorskip("spacy")
    nlp = pipeline()

    def example(text, *entities):
        return spacy.training.Example.from_dict(nlp.make_doc(text), {"entities": list(entities)})

    scores = nlp.evaluate([example("Lan ở Huế", (0, 3, "PERSON"), (6, 9, "LOCATION")), example("không có", (0, 5, "PERSON"))])
    assert (scores["ents_p"], scores["ents_r"], scores["ents_f"]) == (1.0, 2 / 3, 0.8)
    assert scores["ents_per_type"]["LOCATION"]["f"] == 1.0


def test_what_is_no_model_is_refused_at_once_or_when_it_is_needed(pipeline, tmp_path):
    with pytest.raises(BundleError, match=r"no viner\.json"):
        pipeline(model=tmp_path)
    nlp = pipeline(model=tmp_path / "nowhere")
    with pytest.raises(BundleError, match="no such model folder"):
        nlp("Lan")


def test_config_is_checked_by_spacy(pipeline):
    with pytest.raises(ValueError, match="alignment_mode"):
        pipeline(alignment_mode="wide")
    with pytest.raises(ValueError, match="rules"):
        pipeline(rules=True)


def test_nothing_but_a_model_of_viner_is_replaced_on_disk(pipeline, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.txt").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="would be replaced"):
        pipeline().get_pipe("viner").to_disk(tmp_path)
    assert (tmp_path / "model" / "thesis.txt").exists()


@pytest.mark.parametrize("text", [*TEXTS, "a  b", "  a", "a \n b ", "BN990-993", "38t\x1cx", "İstanbul ﷽"])
def test_tokens_are_viners_words_and_white_space(text):
    spacy = pytest.importorskip("spacy")
    from viner.text import split_words

    doc = spacy.blank("xx", config=WORDS)(text)
    assert doc.text == text
    words = [(token.idx, token.idx + len(token)) for token in doc if not token.text.isspace()]
    assert words == split_words(text)


def test_bytes_of_somebody_else_write_nothing_elsewhere(pipeline, tmp_path):
    import srsly

    component = pipeline().get_pipe("viner")
    files = srsly.msgpack_loads(component.to_bytes())
    for name in ("../owned.txt", str(tmp_path / "owned.txt"), "model/../../owned.txt", "other/owned.txt", "model"):
        with pytest.raises(InputError, match="no component of viner's"):
            component.from_bytes(srsly.msgpack_dumps({**files, name: b"x"}))
    for data in (b"", b"\xc1", srsly.msgpack_dumps([1]), srsly.msgpack_dumps({"rules.json": 1})):
        with pytest.raises(InputError, match=r"to_bytes\(\)"):
            component.from_bytes(data)
    assert list(tmp_path.rglob("owned.txt")) == []


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda nlp: pickle.loads(pickle.dumps(nlp))])
def test_a_copy_of_a_pipeline_of_bytes_outlives_it(pipeline, tmp_path, copied):
    nlp = pipeline(model=tmp_path / "gone")
    nlp.from_bytes(pipeline().to_bytes())
    folder = nlp.get_pipe("viner")._unpacked.folder
    other = copied(nlp)
    nlp.get_pipe("viner")._unpacked.remove()  # as it is when the first one goes
    assert not folder.exists()
    assert [ent.label_ for ent in other("Lan BN12").ents] == ["PERSON"]
