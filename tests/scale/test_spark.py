"""Spark's side of recognition: the function with pandas alone, and within a Spark of this machine."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata

import pytest

import viner
from support.systems import needs_system
from viner.errors import InputError
from viner.scale.spark import ENTITIES, recognize_partitions

pytestmark = needs_system("pandas")

TEXTS = [
    "Lan ở Hà Nội.",
    "",
    None,
    "😷 Minh,\r\nNam ở Huế",
    unicodedata.normalize("NFD", "Nguyễn Văn A từ Huế đến Paris"),
    "Lan gặp Minh ở Hà Nội. " * 40,
]


def expected(model):
    recognizer = viner.load(model)
    return [[(e.start, e.end, e.label, e.text, e.score) for e in recognizer(text or "").entities] for text in TEXTS]


def tuples(entities):
    return [(e["start"], e["end"], e["label"], e["text"], e["score"]) for e in entities]


def test_rows_keep_their_columns_and_order_however_they_are_spread(tiny_model):
    import pandas

    frames = [
        pandas.DataFrame({"id": [1, 2], "text": TEXTS[:2]}),
        pandas.DataFrame({"id": [], "text": []}),
        pandas.DataFrame({"id": [3, 4, 5, 6], "text": TEXTS[2:]}, index=[9, 8, 7, 6]),
    ]
    answered = pandas.concat(recognize_partitions(str(tiny_model))(iter(frames)))
    assert answered.columns.tolist() == ["id", "text", "entities"]
    assert answered["id"].tolist() == [1, 2, 3, 4, 5, 6]
    assert [tuples(entities) for entities in answered["entities"]] == expected(tiny_model)


def test_a_least_score_goes_along(tiny_model, silent_model):
    import pandas

    def answered(**options):
        recognize = recognize_partitions(str(silent_model), **options)
        return [
            tuples(entities) for entities in pandas.concat(recognize(iter([pandas.DataFrame({"text": TEXTS})])))["entities"]
        ]

    assert answered() == [[] for _ in TEXTS]
    assert answered(least_score=0) == expected(tiny_model)


def test_the_model_is_loaded_once_in_a_process(tiny_model, monkeypatch):
    import pandas

    from viner.runtime import Recognizer
    from viner.scale import spark

    loads = []
    load = Recognizer.load
    monkeypatch.setattr(Recognizer, "load", lambda *args, **options: loads.append(args) or load(*args, **options))
    spark._loaded.cache_clear()
    for _partition in range(3):
        list(recognize_partitions(str(tiny_model))(iter([pandas.DataFrame({"text": ["Lan"]})])))
    assert len(loads) == 1


def test_a_column_of_arrays_is_no_column_of_texts(tiny_model):
    import numpy
    import pandas

    frame = pandas.DataFrame({"text": [numpy.array(["Lan", "ở"], dtype=object)]})
    with pytest.raises(InputError, match="row 0 holds no text but ndarray") as caught:
        list(recognize_partitions(str(tiny_model))(iter([frame])))
    assert caught.value.where == "text"


def test_rules_of_a_project_and_of_a_file_go_along_and_missing_texts_have_no_entities(tiny_model, tmp_path):
    import pandas

    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "001").symlink_to(tiny_model, target_is_directory=True)
    rules = '[[rules.patterns]]\nlabel = "ID"\npattern = "BN12"\nrecognize = "over"\n'
    (tmp_path / "viner.toml").write_text(rules, encoding="utf-8")
    frame = pandas.DataFrame({"text": pandas.array(["Lan BN12", pandas.NA, None], dtype="string")})

    def labels(model, **options):
        (answered,) = recognize_partitions(str(model), **options)(iter([frame]))
        return [[entity["label"] for entity in entities] for entities in answered["entities"]]

    assert labels(tmp_path) == labels(tiny_model, rules=str(tmp_path / "viner.toml")) == [["PERSON", "ID"], [], []]
    assert labels(tmp_path, rules=False) == labels(tiny_model) == [["PERSON"], [], []]


@pytest.mark.parametrize(
    ("frame", "column", "message"),
    [
        ({"note": ["Lan"]}, "text", "there is no column 'text'"),
        ({"text": ["Lan", 7]}, "text", "row 1 holds no text but int"),
        ({"text": ["Lan"], "entities": [[]]}, "entities", "there is a column 'entities' already"),
    ],
)
def test_a_wrong_column_is_named(tiny_model, frame, column, message):
    import pandas

    with pytest.raises(InputError, match=message) as caught:
        list(recognize_partitions(str(tiny_model))(iter([pandas.DataFrame(frame)])))
    assert caught.value.where == column


@pytest.fixture(scope="module")
def session():
    """A Spark of this machine, with two cores."""
    if shutil.which("java") is None:
        if os.environ.get("VINER_REQUIRE_SYSTEMS", "") not in ("", "0"):
            pytest.fail("Spark needs Java: install default-jre-headless")
        pytest.skip("Spark needs Java")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        yield from running()


def running():
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield spark
    spark.stop()


@needs_system("pyspark")
def test_it_runs_in_spark(tiny_model, session):
    rows = [(number, text) for number, text in enumerate(TEXTS * 5)]
    frame = session.createDataFrame(rows, "id int, text string").repartition(4)
    recognize = recognize_partitions(str(tiny_model))
    found = frame.mapInPandas(recognize, f"id int, text string, {ENTITIES}").orderBy("id").collect()
    assert [row.text for row in found] == TEXTS * 5
    assert [tuples(row.entities) for row in found] == expected(tiny_model) * 5
