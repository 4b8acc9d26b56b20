import gc
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path

import pytest

from viner.document import Document, Entity
from viner.errors import BundleError
from viner.project import Pattern
from viner.rules import RecognitionRules
from viner.runtime import Recognizer
from viner.schema import Schema
from viner.studio import NoModelError, ServingRecognizer

SCHEMA = Schema.of_entities(["PERSON"])


@dataclass
class Info:
    schema: Schema


class Model:
    """Marks the first character with its own label, and says so for each document."""

    def __init__(self, path: Path) -> None:
        if path.name == "broken":
            raise BundleError("model.onnx is missing", where=path)
        self.info = Info(Schema.of_entities([path.name]))

    def stream(self, items):
        for item in items:
            document = item if isinstance(item, Document) else Document(item)
            (label,) = self.info.schema["entities"].names
            yield Document(document.text, entities=[Entity(0, 1, label, score=0.5, source="model")])

    def judged(self, items):
        return ((document, 0.25) for document in self.stream(items))


def serving(labels=lambda schema: (SCHEMA, {name: name for name in schema["entities"].names})):
    return ServingRecognizer(labels, Model)


def label_of(document):
    return [entity.label for entity in document.entities]


def test_without_a_model_it_says_how_to_get_one():
    recognizer = serving()
    for ask in (lambda: recognizer("a"), lambda: recognizer.stream(["a"]), lambda: recognizer.schema, lambda: recognizer.info):
        with pytest.raises(NoModelError, match="no model yet") as caught:
            ask()
        assert caught.value.code == "no_model"
        assert "training" in caught.value.hint
    assert recognizer.name is None


def test_a_stream_keeps_the_model_that_it_began_with():
    recognizer = serving()
    recognizer.switch(Path("A"))
    answers = recognizer.stream(["x"] * 3)
    assert label_of(next(answers)) == ["A"]
    recognizer.switch(Path("B"))
    assert [label_of(answer) for answer in answers] == [["A"], ["A"]]
    assert label_of(recognizer("x")) == ["B"]
    assert recognizer.name == "B"


def test_the_old_model_goes_when_its_last_request_is_done():
    recognizer = serving()
    recognizer.switch(Path("A"))
    old = weakref.ref(recognizer.current())
    answers = recognizer.stream(["x", "x"])
    next(answers)
    recognizer.switch(Path("B"))
    gc.collect()
    assert old() is not None
    assert label_of(next(answers)) == ["A"]
    del answers
    gc.collect()
    assert old() is None


def test_under_load_no_request_fails_and_none_mixes_models():
    recognizer = serving()
    recognizer.switch(Path("A"))
    stop, seen, problems = threading.Event(), set(), []

    def ask():
        try:
            while not stop.is_set():
                labels = {label for answer in recognizer.stream(["x"] * 20) for label in label_of(answer)}
                seen.update(labels)
                if len(labels) != 1:
                    problems.append(labels)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    turn = 0
    while turn < 300 or (len(seen) < 2 and not problems):
        recognizer.switch(Path("AB"[turn % 2]))
        turn += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert not problems
    assert seen == {"A", "B"}


def test_a_model_that_cannot_be_loaded_leaves_the_old_one_in_service():
    recognizer = serving()
    recognizer.switch(Path("A"))
    with pytest.raises(BundleError, match=r"model\.onnx is missing"):
        recognizer.switch(Path("broken"))
    assert label_of(recognizer("x")) == ["A"]


def test_answers_are_in_the_labels_of_today():
    labels = {"A": "PERSON"}
    recognizer = serving(lambda schema: (SCHEMA, dict(labels)))
    recognizer.switch(Path("A"))
    assert label_of(recognizer("x")) == ["PERSON"]
    assert [(label_of(document), unsure) for document, unsure in recognizer.judged(["x"])] == [(["PERSON"], 0.25)]
    assert recognizer.schema == SCHEMA
    assert recognizer.current().labels == ("PERSON",)
    labels["A"] = None
    recognizer.remap()
    assert label_of(recognizer("x")) == []


def test_without_a_model_again():
    recognizer = serving()
    recognizer.switch(Path("A"))
    recognizer.switch(None)
    with pytest.raises(NoModelError):
        recognizer("x")


def test_rules_answer_beside_the_model_and_the_model_alone_suggests():
    recognizer = serving(lambda schema: (SCHEMA, {"A": "PERSON", "B": "PERSON"}))
    recognizer.use(RecognitionRules(patterns=[Pattern("PERSON", "y", "under")]))
    recognizer.switch(Path("A"))
    assert [entity.source for entity in recognizer("xy").entities] == ["model", "pattern"]
    assert [len(document.entities) for document, _ in recognizer.judged(["xy"])] == [2]
    name, model = recognizer.served()
    assert name == "A"
    assert [[entity.source for entity in document.entities] for document, _ in model.judged(["xy"])] == [["model"]]
    assert [[entity.source for entity in document.entities] for document in model.stream(["xy"])] == [["model"]]
    recognizer.switch(Path("B"))
    assert len(recognizer("xy").entities) == 2
    recognizer.remap()
    assert len(recognizer("xy").entities) == 2
    recognizer.use(None)
    assert len(recognizer("xy").entities) == 1


def test_a_stream_keeps_the_rules_that_it_began_with():
    recognizer = serving()
    recognizer.switch(Path("PERSON"))
    recognizer.use(RecognitionRules(patterns=[Pattern("PERSON", "y", "over")]))
    answers = recognizer.stream(["xy"] * 3)
    assert len(next(answers).entities) == 2
    recognizer.use(None)
    assert [len(answer.entities) for answer in answers] == [2, 2]
    assert len(recognizer("xy").entities) == 1


def test_what_suggests_gets_all_that_the_model_finds(tiny_model, silent_model):
    recognizer = ServingRecognizer(lambda schema: (schema, {name: name for name in schema["entities"].names}))
    recognizer.switch(silent_model)
    expected = Recognizer.load(tiny_model)("Lan ở Huế")
    assert recognizer("Lan ở Huế").entities == ()
    name, model = recognizer.served()
    assert name == "model"
    assert model("Lan ở Huế").entities == ()
    assert model.everything()("Lan ở Huế") == expected
    ((document, _),) = model.everything().judged([Document("Lan ở Huế")])
    assert document == expected
