"""The bundled corpus keeps what it promises: size, variety, disjoint splits, and spans that words can say."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

import pytest

from viner.document import Document
from viner.encoding import align
from viner.errors import UsageError
from viner.formats import detect
from viner.samples import SPLITS, corpora, corpus
from viner.text import split_sentences, split_words, strip_diacritics

TYPES = "PATIENT_ID NAME AGE GENDER JOB LOCATION ORGANIZATION SYMPTOM_AND_DISEASE TRANSPORTATION DATE".split()
FOLDED = {"oà", "oá", "oả", "uỷ", "uý", "oè"}, {"òa", "óa", "ỏa", "ủy", "úy", "òe"}


@pytest.fixture(scope="module")
def splits() -> dict[str, list[Document]]:
    return {split: list(corpus().documents(split)) for split in SPLITS}


@pytest.fixture(scope="module")
def documents(splits) -> list[Document]:
    return [document for split in SPLITS for document in splits[split]]


def sentences(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in split_sentences(document.text)]


def count(documents: list[Document]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for document in documents:
        counts["documents"] += 1
        counts["sentences"] += len(sentences(document))
        counts["words"] += len(split_words(document.text))
        counts.update(entity.label for entity in document.entities)
        counts["entities"] += len(document.entities)
    return counts


def test_at_least_700_vietnamese_and_300_english_sentences(documents):
    counts = Counter()
    for document in documents:
        counts[document.meta["lang"]] += len(sentences(document))
    assert set(counts) == {"vi", "en"}
    assert counts["vi"] >= 700
    assert counts["en"] >= 300


def test_four_fifths_train_a_tenth_each_dev_and_test(splits):
    total = sum(count(documents)["sentences"] for documents in splits.values())
    for split, share in (("train", 0.8), ("dev", 0.1), ("test", 0.1)):
        assert count(splits[split])["sentences"] / total == pytest.approx(share, abs=0.02)


def test_every_source_and_type_is_in_every_split(splits):
    for documents in splits.values():
        assert {document.id.rpartition("-")[0] for document in documents} == {"vi-a", "vi-b", "vi-c", "vi-d", "en"}
        assert {entity.label for document in documents for entity in document.entities} == set(TYPES)


def test_every_document_is_in_one_split(documents):
    ids = [document.id for document in documents]
    assert [name for name, times in Counter(ids).items() if times > 1] == []


def test_no_sentence_is_in_two_splits(splits):
    seen: dict[str, str] = {}
    for split, documents in splits.items():
        for document in documents:
            for sentence in sentences(document):
                key = unicodedata.normalize("NFC", sentence).casefold()
                assert seen.setdefault(key, split) == split, sentence


def test_the_schema_knows_every_label(documents):
    layer = corpus().schema()["entities"]
    assert list(layer.names) == TYPES
    assert {entity.label for document in documents for entity in document.entities} <= set(layer.names)


def test_types_have_descriptions_unique_keys_and_readable_colors():
    types = corpus().schema()["entities"].types
    assert all(item.description for item in types)
    assert len({item.key for item in types}) == len({item.color for item in types}) == len(types)
    for item in types:
        assert 1.05 / (luminance(item.color) + 0.05) >= 4.5, item.name


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_entities_never_cut_words(documents):
    for document in documents:
        lost = align(document, split_words(document.text), TYPES).lost
        assert not lost, f"{document.id}: {lost}"


def test_entities_are_trimmed_and_never_nest(documents):
    for document in documents:
        end = 0
        for entity in document.entities:
            surface = document.text[entity.start : entity.end]
            assert surface == surface.strip(), document.id
            assert entity.start >= end, f"{document.id}: {surface}"
            end = entity.end


def test_ages_and_patient_ids_hold_no_words_around_them(documents):
    for document in documents:
        for entity in document.entities:
            surface = document.text[entity.start : entity.end]
            if entity.label == "AGE":
                assert surface.isdigit(), f"{document.id}: {surface}"
            if entity.label == "PATIENT_ID":
                assert re.fullmatch(r"(BN ?|[\w.]+-)?[\d.]+", surface), f"{document.id}: {surface}"


def test_the_virus_is_never_annotated(documents):
    for document in documents:
        for entity in document.entities:
            if entity.label == "SYMPTOM_AND_DISEASE":
                assert not re.search(
                    r"(?i)covid|sars-cov|ncov|coronavirus|virus corona", document.text[entity.start : entity.end]
                ), document.id


@pytest.mark.parametrize("split", SPLITS)
def test_some_documents_are_nfd_and_some_without_diacritics(splits, split):
    nfd = [document for document in splits[split] if document.meta.get("form") == "nfd"]
    assert nfd
    assert all(unicodedata.is_normalized("NFD", document.text) for document in nfd)
    assert any(unicodedata.combining(character) for character in nfd[0].text)
    plain = [document for document in splits[split] if document.meta.get("note") == "no-diacritics"]
    assert plain
    assert all(strip_diacritics(document.text) == document.text for document in plain)


def test_all_other_documents_are_nfc(documents):
    for document in documents:
        if document.meta.get("form") != "nfd":
            assert unicodedata.is_normalized("NFC", document.text), document.id


def test_both_tone_styles_are_written(documents):
    words = [word for document in documents for word in re.findall(r"\w+", document.text.lower())]
    old, new = (sum(word[-2:] in endings for word in words) for endings in FOLDED)
    assert old >= 50
    assert new >= 50


def test_some_sentences_have_no_entity(documents):
    empty = total = 0
    for document in documents:
        for start, end in split_sentences(document.text):
            total += 1
            empty += not any(entity.start < end and entity.end > start for entity in document.entities)
    assert 0.1 <= empty / total <= 0.25


def test_license_and_guideline_lie_beside_the_files():
    folder = corpus().folder
    assert "CC0-1.0" in (folder / "LICENSE-CC0.txt").read_text(encoding="utf-8")
    guideline = (folder / "GUIDELINE.md").read_text(encoding="utf-8")
    assert all(f"**{name}**" in guideline for name in TYPES)


def test_the_readme_counts_what_is_there(splits):
    table = dict(re.findall(r"^\| (\w+) \|(.+)\|$", (corpus().folder / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    counts = [count(splits[split]) for split in SPLITS]
    for row in ("documents", "sentences", "words", "entities", *TYPES):
        figures = [each[row] for each in counts]
        assert [int(cell) for cell in table[row].split("|")] == [*figures, sum(figures)], row


def test_the_files_are_found_out_to_be_inline_markup():
    assert {detect(corpus().path(split)) for split in SPLITS} == {"inline"}


def test_unknown_names_are_errors_that_list_the_known_ones():
    assert corpora() == ("epidemic",)
    with pytest.raises(UsageError, match="epidemic"):
        corpus("weather")
    with pytest.raises(UsageError, match="train, dev, test"):
        corpus().path("valid")
