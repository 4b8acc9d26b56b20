from __future__ import annotations

from dataclasses import replace

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from support.front_matter import front_matter_problems
from viner.bundle import BUNDLED_BASE, BundleInfo, Head, Origin, SegmenterRecord, Windows
from viner.evaluation import Evaluation
from viner.evaluation.confidence import Confidence
from viner.metrics import evaluate
from viner.metrics.calibration import Calibration, Outcomes
from viner.schema import ENTITIES, Layer, Schema, Type
from viner.workflow.card import is_untouched, model_card
from viner.workflow.front_matter import CardChoices

ODD = (
    "a|b", '"quoted"', "it's", "<script>alert(1)</script>", "😷", "yes", "- item: [x]", "# no", "{a: b}", "two\nlines",
    "`tick`", "*star*", "--- \n---", "&amp;", "%TAG",
)  # fmt: skip


def measured(*labels: str) -> Evaluation:
    gold = [(place, place + 1, label) for place, label in enumerate(labels)]
    return Evaluation(evaluate(gold, gold[1:]), 12, 0, 0, 0, {})


def test_an_engine_that_was_asked_for_is_told_with_what_it_costs():
    evidence = {"sentences": 350, "same_share": 0.978, "needed": 0.995}
    assert "97.80% of the entities of float32; 99.5% are needed." in model_card(info(evidence=evidence))
    assert "99.49% of the entities of float32; 99.5%" in model_card(info(evidence={**evidence, "same_share": 0.99497}))
    evidence |= {"asked": True, "dev_f1": {"int8": 0.5239, "fp32": 0.5242}}
    told = "97.80% of the entities of float32 (F1 0.5239 against 0.5242); it was asked for."
    assert told in model_card(info(evidence=evidence))


def info(labels: tuple[str, ...] = ("PERSON", "PLACE"), **changes) -> BundleInfo:
    schema = Schema((Layer(ENTITIES, "entities", tuple(Type(label, f"Marks {label}") for label in labels)),))
    known = BundleInfo(
        schema=schema,
        heads=(Head.softmax_bio(ENTITIES, labels),),
        windows=Windows(pieces=256, overlap=64),
        engine="int8",
        evidence={"sentences": 2000, "same_share": 0.997, "needed": 0.995},
        base=BUNDLED_BASE.to_dict(),
        data={
            "source": {"name": "Notices", "license": "cc0-1.0", "languages": ["vi", "en"]},
            "train": {"documents": 1200, "entities": 3400, "sha256": "0" * 64},
            "dev": {"documents": 12, "entities": 34, "sha256": "0" * 64},
            "lost_entities": {"nested": 3},
        },
        metrics={"dev": measured(*labels).to_dict(), "test": measured(*labels, *labels).to_dict(), "training": {"epochs": 3}},
    )
    return replace(known, **changes)


def front_matter(card: str) -> dict:
    assert front_matter_problems(card) == []
    return ModelCard(card).data.to_dict()


def table_rows(card: str) -> list[list[str]]:
    """The cells of all tables of a card, as a reader sees them."""
    rows: list[list[str]] = []
    within = False
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(card):
        if token.type in ("tr_open", "tr_close"):
            within = token.type == "tr_open"
            rows += [[]] if within else []
        elif token.type == "inline" and within:
            rows[-1].append("".join(child.content for child in token.children or () if child.type == "text"))
    return rows


def test_the_front_matter_says_what_the_hub_asks():
    data = front_matter(model_card(info(), CardChoices(repo="minh/notices", datasets=("minh/notices-data",))))
    assert data["language"] == ["vi", "en"]
    assert data["license"] == "mit"
    assert data["base_model"] == "intfloat/multilingual-e5-small"
    assert data["pipeline_tag"] == "token-classification"
    assert data["library_name"] == "viner"
    assert data["datasets"] == ["minh/notices-data"]
    assert {"viner", "ner"} <= set(data["tags"])


def test_the_model_index_has_strict_entity_scores_by_split():
    results = ModelCard(model_card(info(), CardChoices(repo="minh/notices"))).data.eval_results
    found = {(result.dataset_split, result.metric_type): result.metric_value for result in results}
    assert set(found) == {(split, kind) for split in ("dev", "test") for kind in ("f1", "precision", "recall")}
    assert found["dev", "f1"] == round(measured("PERSON", "PLACE").scores.micro.f1, 4)
    assert all("Strict entity" in result.metric_name for result in results)
    assert {result.dataset_name for result in results} == {"Notices"}


def test_the_text_says_layers_counts_figures_use_and_licenses():
    card = model_card(info(), CardChoices(repo="minh/notices"))
    rows = table_rows(card)
    assert ["PERSON", "Marks PERSON"] in rows
    assert ["train", "1,200", "3,400"] in rows
    assert measured("PERSON", "PLACE").to_markdown() in card
    for heading in (
        "# Notices: named entities", "## Layer entities: spans of text", "## Use", "## Training", "## Figures", "### test",
        "## Intended use", "## Limits", "## Licenses",
    ):  # fmt: skip
        assert f"\n{heading}\n" in card, heading
    assert 'viner.load("minh/notices")' in card
    assert 'model="minh/notices"' in card
    assert "3 nested" in card
    assert "99.70% of the entities" in card
    assert "intfloat/multilingual-e5-small), license: mit" in card
    assert "Training data: Notices, license: cc0-1.0" in card


def test_a_card_says_how_far_scores_can_be_trusted():
    confidence = Confidence.of(Outcomes.of([0.9] * 10, [True] * 9 + [False]))
    figures = {**measured("PERSON").to_dict(), "confidence": confidence.to_dict()}
    card = model_card(info(metrics={"test": figures}, calibration=Calibration(0.5, 0.2)))
    assert card.count(confidence.summary()) == 1
    assert "A score says how probable it is that an entity is right" in card
    assert "not a probability of being right" in model_card(info())
    assert "Confidence" not in model_card(info())


ADAPTED = {
    "documents": 1200,
    "words": 34567,
    "epochs": 2.5,
    "kept": True,
    "before": {"loss": 4.5, "accuracy": 0.25},
    "after": {"loss": 3.25, "accuracy": 0.4},
}


def test_a_card_says_what_the_base_was_adapted_to_and_derives_no_license_from_unknown_texts():
    def card(choices=None, **changes):
        base = {**BUNDLED_BASE.to_dict(), "adapted": {**ADAPTED, **changes}}
        return model_card(info(base=base, data={"source": Origin("d", license="cc0-1.0").to_dict()}), choices)

    said = "adapted to 1,200 texts without annotations (34,567 words, 2.5 epochs) by masked language modeling: of the hidden"
    assert said in card()
    assert "it guesses 40.0%, 25.0% before (loss 3.250, 4.500)." in card()
    assert "Texts that the base encoder was adapted to, license: unknown." in card()
    assert "license" not in front_matter(card())
    assert front_matter(card(CardChoices(license="mit")))["license"] == "mit"
    left = card(kept=False)
    assert "guessed held-out ones no better than before, and was left as it was." in left
    assert "license: unknown" not in left
    assert front_matter(left)["license"] == "mit"
    assert "adapted" not in model_card(info())


@pytest.mark.parametrize("broken", ["text", [], {}, {"documents": "many", "before": 3, "after": None}])
def test_an_adaptation_that_cannot_be_read_breaks_no_card(broken):
    card = model_card(info(base={**BUNDLED_BASE.to_dict(), "adapted": broken}))
    assert "adapted to" not in card.replace("Texts that the base encoder was adapted to", "")
    assert "None" not in card


@pytest.mark.parametrize("broken", ["text", {}, [], None, {"entities": 3, "ece": "low", "bins": 1}])
def test_a_confidence_that_cannot_be_read_breaks_no_card(broken):
    figures = {**measured("PERSON").to_dict(), "confidence": broken}
    assert "Confidence" not in model_card(info(metrics={"test": figures}))


def test_a_model_without_figures_says_so():
    card = model_card(info(metrics={}, evidence={}, data={}, base={}))
    data = front_matter(card)
    assert {"model-index", "metrics", "base_model", "language", "license"} & set(data) == set()
    assert "Nobody measured how well this model does" in card
    assert "Nobody counted the data" in card
    assert "nobody chose a license" in card
    assert "None" not in card


@pytest.mark.parametrize("broken", [{"micro": 1}, {"micro": {}, "macro": {}, "labels": {}}, "text", None, []])
def test_figures_that_cannot_be_read_are_none(broken):
    card = model_card(info(metrics={"test": broken}))
    assert "Nobody measured" in card
    assert "model-index" not in front_matter(card)


def test_a_long_label_is_cut_before_it_is_escaped():
    label = "_" * 30  # no longer than a cell, until each is escaped
    names = [row[0] for row in table_rows(model_card(info((label,)))) if row[0].endswith("_")]
    assert (len(names), set(names)) == (3, {label})  # what it marks, and the figures of two splits


def test_odd_labels_are_shown_as_they_are_and_break_nothing():
    card = model_card(info(ODD, data={"source": {"name": ODD[3] + "\n---\n" + ODD[6]}}), CardChoices(repo="minh/odd"))
    assert front_matter(card)["model-index"][0]["name"] == "minh/odd"
    shown = {cell for row in table_rows(card) for cell in row}
    for label in ODD:
        assert " ".join(label.split()) in shown, label
    assert "<script" not in card.partition("\n---\n")[2]
    columns = {len(row) for row in table_rows(card)}
    assert columns == {2, 7}  # what a type marks; its figures; no data was counted


@pytest.mark.parametrize(
    ("base", "data", "chosen", "license_"),
    [
        ("mit", "cc0-1.0", None, "mit"),
        ("mit", "mit", None, "mit"),
        ("mit", "cc-by-nc-4.0", None, None),
        ("mit", None, None, None),
        (None, "cc0-1.0", None, None),
        ("mit", "cc-by-nc-4.0", "CC-BY-NC-4.0", "cc-by-nc-4.0"),
    ],
)
def test_a_license_is_derived_only_where_that_is_safe(base, data, chosen, license_):
    model = info(base=Origin("b", "a/b", base).to_dict(), data={"source": Origin("d", license=data).to_dict()})
    assert front_matter(model_card(model, CardChoices(license=chosen))).get("license") == license_


def distilled(data: Origin | None) -> BundleInfo:
    teacher = {"name": "big", "layers": 12, "kept": [6, 12], "dev_f1": 0.9, "sha256": "0" * 64}
    known = {} if data is None else {"data": data.to_dict()}
    return info(base={**BUNDLED_BASE.to_dict(), "distilled_from": {**teacher, **known}})


def test_a_card_says_what_the_model_was_distilled_from():
    card = model_card(distilled(Origin("Notices", license="cc0-1.0", languages=("vi", "en"))))
    said = "Distilled from big, of whose 12 layers it began with 6, 12; the larger model's F1 on the same dev set is 0.9000."
    assert said in card
    assert "that it was distilled from: " not in card  # the same data
    assert "Training data of the model that it was distilled from: News, license: unknown." in model_card(
        distilled(Origin("News"))
    )
    assert "Distilled" not in model_card(info())


@pytest.mark.parametrize("broken", ["text", [], {}, {"name": 3, "layers": "x", "kept": 1, "dev_f1": "high", "data": "none"}])
def test_a_teacher_that_cannot_be_read_breaks_no_card(broken):
    card = model_card(info(base={**BUNDLED_BASE.to_dict(), "distilled_from": broken}))
    assert ("Distilled from" in card) == isinstance(broken, dict)
    assert "None" not in card


@pytest.mark.parametrize(
    "broken", ["text", [], {}, {"models": 3}, {"models": ["x", {"name": 3, "data": []}], "dev_f1": "high"}]
)
def test_teachers_that_cannot_be_read_break_no_card(broken):
    card = model_card(info(base={**BUNDLED_BASE.to_dict(), "taught_by": broken}))
    assert ("It also learned to answer as 3." in card) == (isinstance(broken, dict) and isinstance(broken.get("models"), list))
    assert "None" not in card


@pytest.mark.parametrize(("data", "license_"), [("cc0-1.0", "mit"), ("cc-by-nc-4.0", None), (None, None)])
@pytest.mark.parametrize("inherited", [False, True])
def test_each_teacher_has_a_say_in_the_license(data, license_, inherited):
    """So have its base, and what its own teachers learned from."""
    models = [{"name": name, "data": Origin(name, license=known).to_dict()} for name, known in (("a", "mit"), ("b", data))]
    if inherited:
        models[1] = {"name": "b", "data": models[0]["data"], "learned": [models[1]["data"], "what cannot be read"]}
    model = info(base={**BUNDLED_BASE.to_dict(), "taught_by": {"models": models, "dev_f1": 0.9}})
    card = model_card(model)
    assert front_matter(card).get("license") == license_
    assert "It also learned to answer as a, b; the F1 of their mean answer on the same dev set is 0.9000." in card
    whose = "What its teachers are made of" if inherited else "Training data of the model that it learned from"
    assert f"{whose}: b, license: {data or 'unknown'}." in card


@pytest.mark.parametrize(("data", "license_"), [("cc0-1.0", "mit"), ("mit", "mit"), ("cc-by-nc-4.0", None), (None, None)])
def test_what_a_model_was_distilled_from_has_a_say_in_its_license(data, license_):
    assert front_matter(model_card(distilled(Origin("d", license=data)))).get("license") == license_


def test_a_license_that_the_hub_does_not_know_is_named():
    data = front_matter(model_card(info(), CardChoices(license="House rules 2")))
    assert (data["license"], data["license_name"]) == ("other", "house-rules-2")


def test_regions_of_languages_have_a_field_of_their_own():
    data = front_matter(model_card(info(), CardChoices(languages=("vi-VN", "vi-Latn", "en"))))
    assert data["language"] == ["vi", "en"]
    assert data["language_bcp47"] == ["vi-VN", "vi-Latn", "en"]


def test_the_same_model_has_the_same_card_and_edits_are_told():
    card = model_card(info(), CardChoices(repo="minh/notices"))
    assert card == model_card(info(), CardChoices(repo="minh/notices"))
    assert is_untouched(card)
    assert not is_untouched(card.replace("Notices", "Reports"))
    assert not is_untouched(card + "\nSee also.\n")
    assert not is_untouched("See also.\n\n" + card)
    assert not is_untouched("# My own card\n")
    assert not is_untouched("")


def test_segmenter_and_hardening_are_named_where_they_were_used():
    assert "segments" not in model_card(info())
    assert "Hardened" not in model_card(info())
    segmented = info(segmenter=SegmenterRecord("under|thesea", "9.2"), data={**info().data, "hardened": 0.3})
    card = model_card(segmented)
    assert "It reads segments of under\\|thesea 9.2, which must be installed" in card
    assert "Hardened: 30% of the sequences" in card
    assert is_untouched(card)


def test_what_a_calibration_is_worth_is_told_as_measured_on_other_documents():
    before, after = (Confidence.of(Outcomes.of(scores, [True, False] * 40)).to_dict() for scores in ([0.9] * 80, [0.5] * 80))
    known = {"on": "dev", "before": before, "after": after}
    told = "Scores: fitted to 80 entities of dev. On documents that they were not fitted to (cross-validation) their expected"
    calibrated = info(calibration=Calibration(0.5, 0.1), metrics={**info().metrics, "calibration": known})
    assert f"{told} calibration error is 0.0000" in model_card(calibrated)
    assert "before it was 0.4000" in model_card(calibrated)
    assert "in texts like the documents of\ndev," in model_card(calibrated)
    for without in (
        replace(calibrated, calibration=None),
        replace(calibrated, metrics={"calibration": {**known, "after": None}}),
        replace(calibrated, metrics={"calibration": {"on": "dev", "before": {}, "after": {}}}),
    ):
        assert "Scores: fitted" not in model_card(without)


def test_a_card_says_which_entities_are_left_out_and_how_to_get_them():
    assert "left out" not in model_card(info())
    card = model_card(info(calibration=Calibration(1.0, 0.0), least_estimate=0.43))
    assert "Entities with a score below 0.43 are left out" in card
    assert "least_score=0" in card
    assert is_untouched(card)
    assert "Entities of which it is least sure are left out" in model_card(info(least_estimate=0.43))
