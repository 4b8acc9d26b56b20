import pytest

from viner.corpus.perturb import without_final_stop
from viner.document import Document, Entity


@pytest.mark.parametrize(
    ("text", "without"),
    [("Về nhà. Rồi.", "Về nhà. Rồi"), ("Ai?!", "Ai"), ("Xong… \n", "Xong \n"), ("3.5", "3.5"), ("", ""), (".", "")],
)
def test_the_last_stop_goes(text, without):
    assert without_final_stop(Document(text)).text == without


def test_words_and_their_classes_go_with_it():
    document = Document("Về .", words=[(0, 2), (3, 4)], tags={"pos": ["V", "."]}, entities=[Entity(0, 2, "X")])
    assert without_final_stop(document) == Document("Về ", words=[(0, 2)], tags={"pos": ["V"]}, entities=[Entity(0, 2, "X")])


def test_it_stays_where_something_holds_it():
    for document in (
        Document("ở TP.", entities=[Entity(2, 5, "X")]),
        Document("ở TP.", suggestions=[Entity(2, 5, "X")]),
        Document("ở TP.", words=[(0, 1), (2, 5)]),
        Document("Wow!!", meta={"conll": {"sentences": [[0, 4], [4, 5]]}}),
    ):
        assert without_final_stop(document) is document
