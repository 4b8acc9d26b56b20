import itertools
import json
import logging
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import viner
from support.tiny import LABELS, WORDS, tiny_bundle
from viner.bundle import BundleInfo, read_bundle, rebuilt_graph
from viner.document import Document
from viner.errors import BundleError, InputError, UsageError
from viner.metrics.calibration import IDENTITY, Calibration
from viner.runtime import Recognizer, recognizer
from viner.runtime.canaries import disagreement

NOTICE = "Nguyễn Văn A và Lan từ Hà Nội đến Huế."


@pytest.fixture(scope="module")
def ner(tiny_model):
    return Recognizer.load(tiny_model)


def found(document):
    return [(entity.text, entity.label) for entity in document.entities]


def test_entities_with_exact_offsets(ner):
    document = ner(NOTICE)
    assert found(document) == [("Nguyễn Văn A", "PERSON"), ("Lan", "PERSON"), ("Hà Nội", "LOCATION"), ("Huế", "LOCATION")]
    for entity in document.entities:
        assert document.text[entity.start : entity.end] == entity.text
        assert 0 <= entity.score <= 1
        assert entity.source == "model"


def test_the_package_loads_it(tiny_model):
    assert found(viner.load(tiny_model)(NOTICE))[0] == ("Nguyễn Văn A", "PERSON")


def test_what_it_says_about_itself(ner):
    assert ner.labels == LABELS
    assert ner.schema["entities"].names == LABELS
    assert isinstance(ner.info, BundleInfo)


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t", "\u200b"])
def test_nothing_to_recognize(ner, text):
    assert ner(text).text == text
    assert ner(text).entities == ()


def test_a_document_keeps_its_id_meta_and_words(ner):
    document = ner(Document("LanHuế", id="7", meta={"page": 3}, words=[(0, 3), (3, 6)]))
    assert (document.id, document.meta, document.words) == ("7", {"page": 3}, ((0, 3), (3, 6)))
    assert found(document) == [("Lan", "PERSON"), ("Huế", "LOCATION")]
    assert found(ner("LanHuế")) == [("LanHuế", "PERSON")]


def test_annotations_of_the_input_are_not_answers(ner):
    given = Document.from_dict(
        {"text": "Huế", "entities": [{"id": "a", "start": 0, "end": 1, "label": "X"}], "tags": {"pos": ["N", "V"]}}
    )
    document = ner(given)
    assert found(document) == [("Huế", "LOCATION")]
    assert document.tags is None


def test_what_meta_says_of_other_annotations_is_not_said_of_the_answer(ner):
    conll = {"line": 1, "rows": 2, "odd": [[2, "I-X", "begins with I"]]}
    document = Document("Lan Huế", meta={"a": 1, "viner:reviewed": [[0, 3]], "conll": conll})
    assert ner(document).meta == {"a": 1, "conll": {"line": 1, "rows": 2}}
    foreign = Document("Lan Huế", meta={"conll": {"odd": "theirs"}})
    assert ner(foreign).meta == foreign.meta


def test_a_lone_surrogate_is_refused(ner):
    with pytest.raises(InputError, match="lone surrogate"):
        ner("Huế \ud83d")


texts = st.lists(
    st.one_of(st.sampled_from(sorted(WORDS)), st.text(max_size=8), st.sampled_from([" ", "-", "\n", "😷"])), max_size=60
).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, max_size=12))
def test_the_same_text_gives_the_same_entities_whatever_its_batch(tiny_model, items):
    together, alone = loaded(tiny_model)
    for document, text in zip(together.stream(items), items, strict=True):
        assert document == alone(text)
        assert document.text == text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["Lan", "Huế", "abc", "Hà Nội", "😷", "x" * 30]), min_size=1, max_size=300))
def test_long_documents_lose_nothing_at_the_seams_of_windows(tiny_model, parts):
    ner, _ = loaded(tiny_model)
    expected = [part for part in parts if part[0] in "LH"]
    assert [entity.text for entity in ner(". ".join(parts)).entities] == expected


def loaded(folder, cache={}):  # noqa: B006  hypothesis calls the test many times, and a fixture of module scope is not for it
    if not cache:
        cache["both"] = (Recognizer.load(folder, threads=2), Recognizer.load(folder, threads=1))
    return cache["both"]


def test_a_stream_keeps_order_over_chunks(ner, monkeypatch):
    monkeypatch.setattr(recognizer, "CHUNK_DOCUMENTS", 7)
    items = [f"{'abc ' * (index * 37 % 50)}Lan {index}" for index in range(100)]
    assert [document.text for document in ner.stream(items)] == items


def test_a_stream_reads_no_further_than_it_must(ner, monkeypatch):
    monkeypatch.setattr(recognizer, "CHUNK_DOCUMENTS", 5)
    taken = []
    stream = ner.stream(taken.append(index) or "Lan" for index in itertools.count())
    for _ in range(12):
        assert found(next(stream)) == [("Lan", "PERSON")]
    assert len(taken) <= 12 + 2 * 5
    stream.close()


def test_an_error_of_the_source_reaches_the_caller(ner):
    def source():
        yield "Lan"
        raise OSError("pulled the plug")

    with pytest.raises(OSError, match="pulled the plug"):
        list(ner.stream(source()))


@pytest.mark.parametrize("before", [0, 1, 5, 12, 13])
def test_what_came_before_an_error_is_answered_first(ner, monkeypatch, before):
    monkeypatch.setattr(recognizer, "CHUNK_DOCUMENTS", 5)
    stream = ner.stream(["Lan ở Huế"] * before + ["\ud800"] + ["Lan"])
    assert [found(next(stream)) for _ in range(before)] == [[("Lan", "PERSON"), ("Huế", "LOCATION")]] * before
    with pytest.raises(InputError, match="lone surrogate"):
        next(stream)


def test_two_hundred_thousand_words(ner):
    document = ner("Lan ở Hà Nội. " * 40_000)
    assert len(document.words) == 200_000
    assert len(document.entities) == 80_000
    assert document.entities[-1].end == len(document.text) - 2


def test_a_megabyte_without_a_space(ner):
    document = ner("x" * 1_000_000)
    assert document.words[-1][1] == 1_000_000


def test_the_processor_that_made_the_model_is_trusted(tiny_model, monkeypatch):
    monkeypatch.setattr(Recognizer, "canaries", lambda *_: pytest.fail("the canaries were asked"))
    Recognizer.load(tiny_model)


def test_another_processor_that_agrees_says_nothing(tmp_path, caplog):
    folder = tiny_bundle(tmp_path / "model", processor_name="another one")
    assert found(Recognizer.load(folder)("Lan")) == [("Lan", "PERSON")]
    assert caplog.records == []


def disagreeing(folder, **changes):
    """A model of another processor whose canaries expect what nobody finds, or something else that was changed."""
    tiny_bundle(folder, processor_name="another one")
    path = folder / "canaries.json"
    if changes:
        path.write_text(replace(read_bundle(folder).canaries(), **changes).to_json())
    else:
        path.write_text(path.read_text().replace("PERSON", "SOMEONE"))
    size = path.stat().st_size
    info = folder / "viner.json"
    old = read_bundle_size(info.read_text())
    info.write_text(info.read_text().replace(f'"bytes": {old}', f'"bytes": {size}'))
    return folder


def read_bundle_size(text):
    import json

    return json.loads(text)["files"]["canaries.json"]["bytes"]


def test_a_processor_that_disagrees_falls_back_to_float32_aloud(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    folder = disagreeing(tmp_path / "model")
    graph = rebuilt_graph(read_bundle(folder).info, "fp32")
    graph.parent.mkdir(parents=True)
    graph.write_bytes((tiny_bundle(tmp_path / "float", engine="fp32") / "model.onnx").read_bytes())
    with caplog.at_level(logging.WARNING, logger="viner"):
        ner = Recognizer.load(folder)
    assert "int8 finds 4 of the 9 entities" in caplog.text
    assert "float32 instead" in caplog.text
    assert ner.engine == "fp32"


NOTHING = "không có gì ở đây"


def test_canaries_without_entities_are_compared_by_their_logits(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    canaries = Recognizer.load(tiny_bundle(tmp_path / "source")).canaries([NOTHING, ""])
    assert canaries.distance(canaries) == 0
    Recognizer.load(disagreeing(tmp_path / "same", documents=canaries.documents, logits=canaries.logits))
    assert caplog.records == []
    wrong = [-part for part in canaries.logits]
    Recognizer.load(disagreeing(tmp_path / "other", documents=canaries.documents, logits=wrong))
    assert "% off in the model's test texts" in caplog.text


def test_few_entities_without_logits_prove_nothing(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    Recognizer.load(disagreeing(tmp_path / "model", logits=()))
    assert "9 entities, too few to tell" in caplog.text


@pytest.mark.parametrize(("engine", "evidence"), [("fp32", {}), ("int8", {"asked": True, "same_share": 0.98, "needed": 0.995})])
def test_a_model_that_may_be_unsure_is_judged_by_logits_alone(tmp_path, engine, evidence):
    bundle = read_bundle(tiny_bundle(tmp_path / "model", engine=engine, processor_name="another one"))
    ner = Recognizer.load(bundle.path)
    bundle = replace(bundle, info=replace(bundle.info, evidence=evidence))
    canaries = bundle.canaries()
    others = tuple(document.with_(entities=()) for document in canaries.documents)

    def judged(bundle, **changes):
        (bundle.path / "canaries.json").write_text(replace(canaries, **changes).to_json())
        return disagreement(ner, bundle)

    assert judged(bundle, documents=others) is None
    assert "% off" in judged(bundle, logits=[-part for part in canaries.logits])
    assert f"{engine} finds 0 of the 0 entities" in judged(bundle, documents=others, logits=())


def test_a_model_that_int8_suits_is_judged_by_entities_though_it_was_asked_for(tmp_path):
    bundle = read_bundle(tiny_bundle(tmp_path / "model", processor_name="another one"))
    ner = Recognizer.load(bundle.path)
    bundle = replace(bundle, info=replace(bundle.info, evidence={"asked": True, "same_share": 0.998, "needed": 0.995}))
    canaries = bundle.canaries()
    others = tuple(document.with_(entities=()) for document in canaries.documents)
    (bundle.path / "canaries.json").write_text(replace(canaries, documents=others).to_json())
    assert "int8 finds 0 of the 0 entities" in disagreement(ner, bundle)


def test_one_guess_of_few_does_not_turn_an_engine_down_where_the_logits_agree(tmp_path):
    bundle = read_bundle(tiny_bundle(tmp_path / "model", processor_name="another one"))
    ner = Recognizer.load(bundle.path)
    texts = [f"Lan ở Huế {i}" for i in range(8)]
    canaries = replace(ner.canaries(texts), processor="another one")
    assert 10 <= sum(len(document.entities) for document in canaries.documents) < 50

    def judged(dropped, **changes):
        documents = [document.with_(entities=document.entities[1:]) if i < dropped else document
                     for i, document in enumerate(canaries.documents)]  # fmt: skip
        (bundle.path / "canaries.json").write_text(replace(canaries, documents=documents, **changes).to_json())
        return disagreement(ner, bundle)

    assert judged(1) is None
    assert "others" in judged(2)
    assert "% off" in judged(1, logits=[-part for part in canaries.logits])
    assert "others" in judged(1, logits=())


def test_words_that_no_window_answers_are_an_error_or_told(ner, monkeypatch):
    plan = recognizer.plan_windows
    monkeypatch.setattr(recognizer, "plan_windows", lambda *args: plan(*args)[1:])
    text = "Lan " * 100
    with pytest.raises(RuntimeError, match="not answered"):
        ner(text)
    told = []
    documents = list(ner.stream(["Huế " * 100, text], unanswered=lambda document, spans: told.append((document, spans))))
    assert [document for document, _ in told] == documents
    for document, spans in told:
        assert 0 < len(spans) < 100
        assert {(entity.start, entity.end) for entity in document.entities} == set(document.words) - set(spans)


def test_an_answer_that_is_no_number_is_an_error(ner, monkeypatch):
    run = ner._engine.run
    monkeypatch.setattr(ner._engine, "run", lambda *batch, **how: run(*batch, **how) * np.float32("nan"))
    for text in ("Lan", "Lan " * 1000):
        with pytest.raises(BundleError, match="no number"):
            ner(text)


def test_without_a_float32_graph_it_says_how_to_get_one(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    ner = Recognizer.load(disagreeing(tmp_path / "model"))
    assert ner.engine == "int8"
    assert "pip install 'viner[train]'" in caplog.text


def test_an_engine_by_name(tiny_model, tmp_path, monkeypatch):
    monkeypatch.setenv("VINER_HOME", str(tmp_path / "home"))
    assert Recognizer.load(tiny_model, engine="int8").engine == "int8"
    with pytest.raises(BundleError, match=r"int8 graph only.*viner\.workflow\.rebuild"):
        Recognizer.load(tiny_model, engine="fp32")
    with pytest.raises(UsageError, match="unknown engine 'fast'"):
        Recognizer.load(tiny_model, engine="fast")


def test_recognition_imports_neither_torch_nor_transformers(tiny_model):
    code = (
        "import sys, viner; viner.load(sys.argv[1])('Lan ở Huế');"
        "print([name for name in ('torch', 'transformers', 'onnx', 'gradio') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code, str(tiny_model)], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_probabilities_come_with_what_a_stream_gives_and_favor_its_answers(ner):
    items = [NOTICE, "", "không có gì"]
    answers = list(ner.probabilities(items))
    assert [document for document, _ in answers] == list(ner.stream(items))
    for document, probabilities in answers:
        assert probabilities.shape == (len(document.words), 1 + len(LABELS))
        assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    document, probabilities = answers[0]
    said = {word: e.label for e in document.entities for word in document.words if e.start <= word[0] < e.end}
    likeliest = [("", *ner.labels)[best] for best in probabilities.argmax(axis=1)]
    assert likeliest == [said.get(word, "") for word in document.words]


def test_judged_gives_what_a_stream_gives_and_how_unsure_the_model_is(ner, monkeypatch):
    monkeypatch.setattr(recognizer, "CHUNK_DOCUMENTS", 3)
    items = [NOTICE, "", "Lan", "không có gì ở đây", Document("LanHuế", id="7", words=[(0, 3), (3, 6)])]
    judged = list(ner.judged(items))
    assert [document for document, _ in judged] == list(ner.stream(items))
    assert all(0 <= uncertainty <= 1 for _, uncertainty in judged)
    assert judged[1][1] == 0.0


def test_a_calibrated_model_finds_the_same_with_other_scores_and_is_as_unsure(ner, tmp_path):
    folder = tiny_bundle(tmp_path / "model")
    calibration = Calibration(slope=0.6, intercept=-0.4)
    content = json.loads((folder / "viner.json").read_text(encoding="utf-8"))
    (folder / "viner.json").write_text(json.dumps(content | {"calibration": calibration.to_dict()}), encoding="utf-8")
    calibrated = Recognizer.load(folder)
    identical = Recognizer.from_graph(replace(ner.info, calibration=IDENTITY), folder, folder / "model.onnx")
    texts = [NOTICE, "không có gì", "Minh, Nam và Lan; Hà Nội!"]
    for (before, unsure), (after, same) in zip(ner.judged(texts), calibrated.judged(texts), strict=True):
        assert found(after) == found(before)
        assert same == unsure
        scores = calibration(np.array([entity.score for entity in identical(after.text).entities]))
        # Both are rounded to four digits.
        assert [entity.score for entity in after.entities] == pytest.approx(scores.tolist(), abs=2e-4)
        assert after == calibrated(after.text)
    assert len({entity.score for entity in calibrated(NOTICE).entities}) > 1


def test_what_a_model_leaves_out_can_be_asked_for_and_more_can_be_left_out(ner):
    texts = [NOTICE, "Minh, Nam và Lan; Hà Nội!", ""]
    everything = list(ner.stream(texts))
    scores = sorted({entity.score for document in everything for entity in document.entities})
    assert len(scores) > 2
    info = replace(ner.info, calibration=Calibration(slope=0.6, intercept=-0.4))
    calibrated = ner.calibrated_by(info.calibration)
    told = sorted({entity.score for document in calibrated.stream(texts) for entity in document.entities})
    middle = info.calibration.inverse(told[len(told) // 2] - 1e-4)
    frugal = Recognizer(replace(info, least_estimate=middle), ner._encoder, ner._engine)
    kept = sorted({entity.score for document in frugal.stream(texts) for entity in document.entities})
    assert kept == told[len(told) // 2 :]
    assert list(frugal.with_least_score(0).stream(texts)) == list(calibrated.stream(texts))
    assert list(frugal.with_least_score(0).with_least_score(None).stream(texts)) == list(frugal.stream(texts))
    most = frugal.with_least_score(told[-1] - 1e-4)
    assert {entity.score for document in most.stream(texts) for entity in document.entities} == {told[-1]}
    assert (frugal.least_score, most.least_score) == (None, told[-1] - 1e-4)
    assert [unsure for _, unsure in frugal.judged(texts)] == [unsure for _, unsure in ner.judged(texts)]
    with pytest.raises(UsageError, match="not between 0 and 1"):
        ner.with_least_score(1.5)


def test_the_uncertainty_of_a_word_is_what_its_probability_lacks(ner):
    # One word, one entity: its score is the probability of the decoded tag, rounded to four digits.
    document, uncertainty = next(iter(ner.judged(["Lan"])))
    assert uncertainty == pytest.approx(1 - document.entities[0].score, abs=1e-4)


def test_windows_of_a_long_document_that_have_not_begun_are_left_out_after_an_error(ner, monkeypatch):
    # An interrupt ends the wait for the first batch in the same way; the others would keep the process from ending.
    run, calls = ner._engine.run, []

    def failing(*batch, **how):
        calls.append(len(batch[0]))
        if len(calls) == 1:
            raise MemoryError
        time.sleep(0.05)
        return run(*batch, **how)

    monkeypatch.setattr(ner._engine, "run", failing)
    monkeypatch.setattr(ner, "_budget", 256)
    with pytest.raises(MemoryError):
        ner("Lan ở Huế. " * 5_000)
    begun = len(calls)
    time.sleep(0.3)
    assert len(calls) <= begun + ner._engine.threads
