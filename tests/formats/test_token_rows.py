from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viner.document import Document
from viner.errors import FormatError, UsageError
from viner.formats import read, write
from viner.formats.conll.tags import encode

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
TOKENS = ["Lan", "Anh", "ở", "Huế", "."]


def line(tmp_path: Path, **row: Any) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def spans(document: Document) -> list[tuple[str, str]]:
    return [(entity.text, entity.label) for entity in document.entities or ()]


@pytest.mark.parametrize("key", ["ner_tags", "ner", "tags", "labels"])
def test_entities_and_words_come_from_tokens_and_tags(tmp_path: Path, key: str) -> None:
    path = line(tmp_path, id=7, tokens=TOKENS, **{key: ["B-PER", "I-PER", "O", "B-LOC", "O"]}, pos_tags=[1, 1, 2, 1, 3])
    (document,) = read(path)
    assert document.text == "Lan Anh ở Huế."
    assert [document.text[start:end] for start, end in document.words or ()] == TOKENS
    assert spans(document) == [("Lan Anh", "PER"), ("Huế", "LOC")]
    assert document.id == "7"
    assert document.meta == {"pos_tags": [1, 1, 2, 1, 3]}


def test_without_tags_nothing_is_annotated_and_with_o_alone_there_is_nothing(tmp_path: Path) -> None:
    (document,) = read(line(tmp_path, tokens=TOKENS))
    assert document.entities is None
    assert document.id == "rows:1"
    (document,) = read(line(tmp_path, tokens=TOKENS, ner_tags=["O"] * 5))
    assert document.entities == ()


def test_numbers_stand_for_names_in_their_order(tmp_path: Path) -> None:
    path = line(tmp_path, tokens=TOKENS, ner_tags=[1, 2, 0, 3, 0])
    assert spans(next(read(path, names=NAMES))) == [("Lan Anh", "PER"), ("Huế", "LOC")]
    with pytest.raises(FormatError, match="nothing says what they stand for") as caught:
        next(read(path))
    assert caught.value.where == f"{path}:1"
    with pytest.raises(FormatError, match="the number 3, but there are 3 names"):
        next(read(path, names=NAMES[:3]))


def test_the_tags_may_be_called_otherwise(tmp_path: Path) -> None:
    path = line(tmp_path, tokens=TOKENS, ner_tags=["O"] * 5, fine=["B-PER", "I-PER", "O", "B-LOC", "O"])
    (document,) = read(path, tags="fine")
    assert spans(document) == [("Lan Anh", "PER"), ("Huế", "LOC")]
    assert document.meta == {"ner_tags": ["O"] * 5}
    with pytest.raises(FormatError, match="no list of tags called 'coarse'") as caught:
        next(read(path, tags="coarse"))
    assert "fine" in (caught.value.hint or "")


def test_a_text_that_holds_the_tokens_is_kept(tmp_path: Path) -> None:
    text = "Lan  Anh ở Huế ."
    (document,) = read(line(tmp_path, text=text, tokens=TOKENS, ner_tags=["B-PER", "I-PER", "O", "B-LOC", "O"]))
    assert document.text == text
    assert spans(document) == [("Lan  Anh", "PER"), ("Huế", "LOC")]
    with pytest.raises(FormatError, match="not those of its text"):
        next(read(line(tmp_path, text="Minh ở Huế", tokens=TOKENS, ner_tags=["O"] * 5)))


def test_bare_labels_are_read_where_somebody_says_so(tmp_path: Path) -> None:
    path = line(tmp_path, tokens=TOKENS, ner_tags=["PER", "PER", "O", "LOC", "O"])
    with pytest.raises(FormatError, match="'PER', which is no tag") as caught:
        next(read(path))
    assert "scheme=IO" in (caught.value.hint or "")
    assert spans(next(read(path, scheme="IO"))) == [("Lan Anh", "PER"), ("Huế", "LOC")]


def test_tags_that_break_their_scheme_are_told(tmp_path: Path) -> None:
    (document,) = read(line(tmp_path, tokens=TOKENS, ner_tags=["I-PER", "I-PER", "O", "B-LOC", "O"]))
    assert spans(document) == [("Lan Anh", "PER"), ("Huế", "LOC")]
    assert document.meta == {"odd_tags": [[0, "I-PER", "continues no entity, begins one"]]}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": TOKENS, "ner_tags": ["O"]}, "5 tokens, but 1 ner_tags"),
        ({"tokens": ["Lan", ""], "ner_tags": ["O", "O"]}, "token 2 is empty"),
        ({"tokens": ["Lan", 3], "ner_tags": ["O", "O"]}, "token 2 is no text but 3"),
        ({"tokens": ["Lan"], "ner_tags": [None]}, "'None', which is no tag"),
        ({"tokens": ["Lan"], "ner_tags": [True]}, "'True', which is no tag"),
        ({"tokens": ["a\ud800"], "ner_tags": ["O"]}, "surrogate"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_place(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n" + json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(FormatError, match=message) as caught:
        list(read(path))
    assert caught.value.where == f"{path}:2"


def test_an_unknown_scheme_is_no_scheme(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scheme must be one of"):
        next(read(line(tmp_path, tokens=TOKENS), scheme="BIO"))


def test_a_row_that_says_its_entities_itself_is_viners_own_and_checked_as_such(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="unknown key 'tokens'"):
        next(read(line(tmp_path, text="Lan", tokens=["Lan"], entities=[])))


TOKEN = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=6)


@given(st.lists(st.tuples(TOKEN, st.sampled_from(["", "PER", "LOC"])), min_size=1, max_size=12))
def test_what_is_said_by_tags_comes_back(tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, str]]) -> None:
    tokens = [token for token, _ in pairs]
    given_spans = [(index, index + 1, label) for index, (_, label) in enumerate(pairs) if label]
    path = line(tmp_path_factory.mktemp("rows"), tokens=tokens, ner_tags=encode(given_spans, len(tokens)))
    (document,) = read(path)
    words = document.words or ()
    assert [document.text[start:end] for start, end in words] == tokens
    assert [(entity.start, entity.end, entity.label) for entity in document.entities or ()] == [
        (words[first][0], words[last - 1][1], label) for first, last, label in given_spans
    ]


class TestParquet:
    @staticmethod
    def table(tmp_path: Path, features: Any = None, tags: Any = ((1, 2, 0, 3, 0),), **columns: Any) -> Path:
        arrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        table = arrow.table({"tokens": [TOKENS], "ner_tags": [list(row) for row in tags], **columns})
        if features is not None:
            table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
        path = tmp_path / "rows.parquet"
        parquet.write_table(table, path)
        return path

    @pytest.mark.parametrize(
        "feature",
        [
            {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "Sequence"},
            {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "List"},
            [{"names": NAMES, "_type": "ClassLabel"}],
        ],
    )
    def test_the_file_tells_the_names_of_numbers(self, tmp_path: Path, feature: Any) -> None:
        path = self.table(tmp_path, {"ner_tags": feature, "tokens": {"feature": {"dtype": "string"}, "_type": "Sequence"}})
        (document,) = read(path)
        assert spans(document) == [("Lan Anh", "PER"), ("Huế", "LOC")]
        assert document.id == "rows:1"

    def test_what_somebody_names_comes_before_it(self, tmp_path: Path) -> None:
        told = {"ner_tags": {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "Sequence"}}
        names = ["O", "B-X", "I-X", "B-Y", "I-Y"]
        assert spans(next(read(self.table(tmp_path, told), names=names))) == [("Lan Anh", "X"), ("Huế", "Y")]

    @pytest.mark.parametrize("features", [None, [], {"ner_tags": None}, {"ner_tags": {"feature": {"names": [1]}}}])
    def test_a_file_that_tells_none_asks_for_them(self, tmp_path: Path, features: Any) -> None:
        with pytest.raises(FormatError, match="nothing says what they stand for"):
            next(read(self.table(tmp_path, features)))

    def test_names_as_tags_and_other_columns(self, tmp_path: Path) -> None:
        path = self.table(tmp_path, tags=[["B-PER", "I-PER", "O", "B-LOC", "O"]], id=["s1"], source=["news"])
        (document,) = read(path)
        assert (document.id, document.meta) == ("s1", {"source": "news"})
        assert spans(document) == [("Lan Anh", "PER"), ("Huế", "LOC")]

    def test_a_column_of_text_can_still_be_named(self, tmp_path: Path) -> None:
        (document,) = read(self.table(tmp_path, sentence=["Lan Anh ở Huế."]), text_column="sentence")
        assert document.text == "Lan Anh ở Huế."
        assert document.meta["tokens"] == TOKENS

    def test_it_comes_back_as_viners_own(self, tmp_path: Path) -> None:
        documents = list(read(self.table(tmp_path, tags=[["B-PER", "I-PER", "O", "B-LOC", "O"]])))
        write(documents, tmp_path / "own.parquet")
        assert list(read(tmp_path / "own.parquet")) == documents
