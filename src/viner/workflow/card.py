"""The model card: README.md of a model folder, in the form that the Hugging Face Hub shows.

It is made of what ``viner.json`` says, so it can be written anew for another place. Its last line holds its own checksum, which
tells whether somebody edited it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from viner.base.origin import said_by_card
from viner.bundle import Bundle, BundleInfo, Origin, base_origin, data_origin
from viner.bundle.bundle import CARD
from viner.bundle.info import CASCADE, EXACT, MEASURED_WITH, graphs_of
from viner.evaluation import Evaluation
from viner.evaluation.confidence import Confidence
from viner.schema import Layer
from viner.workflow.choose import percent
from viner.workflow.fingerprint import DEV_BEFORE, LEARNED, REFIT
from viner.workflow.front_matter import (
    CardChoices,
    card_title,
    front_matter,
    model_license,
    training_data,
)
from viner.workflow.lineage import (
    ADAPTED,
    TAUGHT,
    UNLABELED,
    distilled_from,
    inherited,
    learned_texts,
    taught_by,
    teachers_data,
)
from viner.workflow.markdown import escape

_LAYER_KINDS = {
    "entities": "spans of text",
    "tags": "one class for each word",
    "labels": "classes of the document",
    "relations": "links between entities",
}
_MARK = "<!-- Written by viner. Edit it as you like: an edited card is kept. {} -->\n"
_MARKED = re.compile(re.escape(_MARK).replace(re.escape("{}"), r"([0-9a-f]{64})") + r"\Z")


def model_card(info: BundleInfo, choices: CardChoices | None = None) -> str:
    """Writes the card. The same model and choices give the same card.

    Args:
        info: What the model says about itself.
        choices: What a person adds; None adds nothing.
    """
    choices = choices or CardChoices()
    evaluations = _evaluations(info.metrics)
    sections = (
        f"---\n{front_matter(info, choices, evaluations)}\n---\n",
        f"# {escape(choices.title or card_title(info))}\n",
        _opening(info, choices),
        *(_layer(layer) for layer in info.schema),
        _use(info, choices),
        _training(info) + _reading(info),
        _figures(info, evaluations),
        _LIMITS.format(scores=_scores(info)),
        _licenses(info, choices),
    )
    text = "\n".join(sections)
    return text + "\n" + _MARK.format(_checksum(text))


def is_untouched(card: str) -> bool:
    """Whether a card is as viner wrote it."""
    match = _MARKED.search(card)
    return match is not None and match[1] == _checksum(card[: match.start() - 1])


def edited_card(folder: Path) -> str | None:
    """The card of a model folder if somebody edited it; None if viner wrote it as it is, or there is none."""
    card = folder / CARD
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else None
    return None if text is None or is_untouched(text) else text


def with_card(bundle: Bundle) -> Bundle:
    """The model with the license that somebody wrote into its card by hand, if they did: it is theirs to say."""
    license_ = None if edited_card(bundle.path) is None else said_by_card(bundle.path / CARD).license
    if license_ is None:
        return bundle
    return replace(bundle, info=replace(bundle.info, chosen={**bundle.info.chosen, "license": license_}))


def license_lines(base: Origin, data: Origin) -> list[str]:
    """Which licenses base encoder and training data have, a sentence each."""
    at = f" ({base.id})" if base.id and base.id != base.name else ""
    return [
        f"Base encoder: {base.name or 'unknown'}{at}, license: {base.license or 'unknown'}.",
        f"Training data: {data.name or 'unnamed'}, license: {data.license or 'unknown'}.",
    ]


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _evaluations(metrics: Mapping[str, Any]) -> dict[str, Evaluation]:
    """The evaluations by split, as far as they can be read: no model stays unpublished for its figures."""
    found = {}
    for split, figures in metrics.items():
        if isinstance(figures, Mapping) and "micro" in figures:
            try:
                found[split] = Evaluation.from_dict(figures)
            except (KeyError, TypeError, ValueError, AttributeError):
                continue
    return found


def _confidence(info: BundleInfo, split: str) -> str:
    """What is known of the scores on a split, behind its table; nothing of models that were not asked."""
    try:
        confidence = Confidence.from_dict(info.metrics[split]["confidence"])
        return f"\n{confidence.summary()}\n" if confidence.entities else ""
    except (KeyError, TypeError, ValueError):
        return ""


def _opening(info: BundleInfo, choices: CardChoices) -> str:
    languages = training_data(info, choices).languages
    known = f" Trained on texts in: {', '.join(map(escape, languages))}." if languages else ""
    return f"Finds named entities in raw text, with exact offsets.{known}\n"


def _layer(layer: Layer) -> str:
    rows = "\n".join(f"| {escape(item.name)} | {escape(item.description or '')} |" for item in layer.types)
    return f"## Layer {escape(layer.name)}: {_LAYER_KINDS[layer.kind]}\n\n| type | what it marks |\n|---|---|\n{rows}\n"


def _use(info: BundleInfo, choices: CardChoices) -> str:
    name = choices.repo or "this-folder"
    offline = " What was fetched once works offline." if choices.repo else ""
    views = ", ".join(map(escape, info.views)) or "none"
    return f"""## Use

With viner:

```python
import viner

ner = viner.load("{name}")
for entity in ner("Your text.").entities:
    print(entity.start, entity.end, entity.label, entity.text, entity.score)
```

`viner predict {name} notes.txt` does a file, `viner serve {name}` opens a page and a REST API.{offline}

With plain Transformers:

```python
from transformers import pipeline

ner = pipeline("token-classification", model="{name}", aggregation_strategy="simple")
print(ner("Your text."))
```

`AutoModelForTokenClassification` and `AutoTokenizer` load the same weights and give the same logits for the same `input_ids`.
Word splitting, views of words ({views}), overlapping windows of {info.windows.pieces} pieces and the decoding to
well-formed spans are viner's: a plain pipeline answers pieces rather than words, and cuts long texts. `model.onnx` is the graph
that viner runs ({graphs_of(info.engine)[0]}): from `input_ids` and `attention_mask` to one output a layer{_asked(info)}.
{_second(info)}"""


def _asked(info: BundleInfo) -> str:
    return ", for the pieces whose indices in the flattened batch are `first_pieces`" if info.engine != "fp32" else ""


def _second(info: BundleInfo) -> str:
    if info.engine != CASCADE:
        return ""
    return f"What it is unsure of is computed again by `{EXACT}`, in float32 and for all pieces.\n"


def _training(info: BundleInfo) -> str:
    counts = [
        f"| {escape(split)} | {part['documents']:,} | {part['entities']:,} |"
        for split, part in info.data.items()
        if isinstance(part, Mapping) and isinstance(part.get("documents"), int) and isinstance(part.get("entities"), int)
    ]
    table = "| split | documents | entities |\n|---|---:|---:|\n" + "\n".join(counts) if counts else "Nobody counted the data."
    lost = info.data.get("lost_entities")
    losses = "; ".join(f"{count:,} {escape(reason)}" for reason, count in lost.items()) if isinstance(lost, Mapping) else ""
    return f"""## Training

{table}

Base encoder: {escape(base_origin(info).name or "unknown")}.{_adapted(info)}{_distilled(info)} Entities that a flat tagger \
cannot say exactly: {losses or "none"}.{_refit(info)}
"""


def _refit(info: BundleInfo) -> str:
    """That it learned dev, in sentences that go on from another one."""
    if not info.data.get(REFIT):
        return ""
    known = info.metrics.get("calibration")
    on_dev = isinstance(known, Mapping) and known.get("on") == "dev"
    scores = " and the calibration of scores" if on_dev else ""
    return (
        " It learned train and dev together, with the choices of a model before it that learned train alone. The figures called"
        f" {DEV_BEFORE}{scores} are that one's, which had not seen dev."
    )


def _adapted(info: BundleInfo) -> str:
    """What the base learned from before the task, in a sentence that goes on from another one."""
    known = info.base.get(ADAPTED)
    if not isinstance(known, Mapping):
        return ""
    try:
        before, after = known["before"], known["after"]
        texts = f"{known['documents']:,} texts without annotations ({known['words']:,} words, {known['epochs']:g} epochs)"
        if not known["kept"]:
            return f" It was to be adapted to {texts}, guessed held-out ones no better than before, and was left as it was."
        return (
            f" It was adapted to {texts} by masked language modeling: of the hidden pieces of held-out passages it guesses"
            f" {after['accuracy']:.1%}, {before['accuracy']:.1%} before (loss {after['loss']:.3f}, {before['loss']:.3f})."
        )
    except (KeyError, TypeError, ValueError):  # no card stays unwritten for its figures
        return ""


def _reading(info: BundleInfo) -> str:
    """What the model reads instead of words, and how its texts were changed, a paragraph; nothing where neither is so."""
    told = []
    if info.segmenter is not None:
        told.append(
            f"It reads segments of {escape(info.segmenter.name)} {escape(info.segmenter.version)}, which must be installed;"
            " entities begin and end at words all the same."
        )
    if isinstance(share := info.data.get("hardened"), float):
        told.append(
            f"Hardened: {share:.0%} of the sequences were shown without diacritics, in one case or mistyped, drawn anew in each"
            " epoch."
        )
    return f"\n{' '.join(told)}\n" if told else ""


def _distilled(info: BundleInfo) -> str:
    """Which models it learned from, in sentences that go on from another one."""
    text = ""
    for known in distilled_from(info):
        name = escape(str(known.get("name") or "a larger model"))
        text += f" Distilled from {name}"
        layers, kept, f1 = known.get("layers"), known.get("kept"), known.get("dev_f1")
        if isinstance(layers, int) and isinstance(kept, list):
            text += f", of whose {layers} layers it began with {', '.join(map(str, kept))}"
        text += f"; the larger model's F1 on the same dev set is {f1:.4f}." if isinstance(f1, float) else "."
    if teachers := taught_by(info):
        names = [escape(str(known.get("name") or "a model without a name")) for known in teachers]
        f1 = info.base[TAUGHT].get("dev_f1")
        text += f" It also learned to answer as {', '.join(names)}"
        whose = "the teacher's F1" if len(names) == 1 else "the F1 of their mean answer"
        text += f"; {whose} on the same dev set is {f1:.4f}." if isinstance(f1, float) else "."
    texts = info.data.get(UNLABELED)
    if isinstance(texts, Mapping) and isinstance(count := texts.get("documents"), int):
        text += f" It learned so from {count:,} texts without annotations, too."
    return text


def _figures(info: BundleInfo, evaluations: Mapping[str, Evaluation]) -> str:
    tables = "\n".join(
        f"### {escape(split)}\n\n{evaluation.to_markdown(escape)}{_confidence(info, split)}"
        for split, evaluation in evaluations.items()
    )
    if not tables:
        tables = "Nobody measured how well this model does. `viner evaluate MODEL FILE` measures it.\n"
    evidence = info.evidence
    compared = ""
    if "same_share" in evidence:
        f1 = evidence.get("dev_f1")
        figures = f" (F1 {f1['int8']:.4f} against {f1['fp32']:.4f})" if isinstance(f1, Mapping) else ""
        rule = "it was asked for" if evidence.get("asked") else f"{evidence.get('needed', 0):.1%} are needed"
        compared = (
            f" Over {evidence.get('sentences', 0):,} sentences{' that it had learned' if evidence.get(LEARNED) else ''}"
            f" int8 gave {percent(evidence['same_share'])} of the entities of"
            f" float32{', before any is left out' if info.least_estimate else ''}{figures}; {rule}."
        )
        if evidence.get(REFIT):
            compared += " Compared was the model before this one, which had not learned dev."
        if isinstance(both := evidence.get(CASCADE), Mapping):
            compared += (
                f" Where float32 computed again what int8 was unsure of, {both['recomputed']:.0%} of the text, it was"
                f" {percent(both['same_share'])}, {both['times_as_fast']:.2f} times as fast as float32"
                f" ({both['needed']:.2f} times is needed)."
            )
    measured = evidence.get(MEASURED_WITH)
    if evaluations and measured:
        tables += f"\nThese figures were measured with {measured}, before the model was made to run {info.engine}.\n"
    return f"## Figures\n\n{tables}\n{_calibration(info)}Engine: {info.engine}.{compared}\n"


def _calibrated_on(info: BundleInfo) -> str:
    """The documents that scores were fitted to, as the table of the data names them."""
    known = info.metrics.get("calibration")
    return escape(str(known["on"])) if isinstance(known, Mapping) and "on" in known else "dev"


def _scores(info: BundleInfo) -> str:
    """What a score means, and below which one entities are left out."""
    told = _UNCALIBRATED if info.calibration is None else _CALIBRATED.format(on=_calibrated_on(info))
    if not info.least_estimate:
        return told
    which = "of which it is least sure" if info.least_score is None else f"with a score below {info.least_score:.2f}"
    return f"{told}\n{_LEAST.format(which=which)}"


def _calibration(info: BundleInfo) -> str:
    """What the calibration of scores is worth, a paragraph; nothing where it is not known."""
    try:
        known = info.metrics["calibration"]
        before, after = (Confidence.from_dict(known[name]) for name in ("before", "after"))
    except (KeyError, TypeError, ValueError):
        return ""
    if info.calibration is None:
        return ""
    return (
        f"Scores: fitted to {before.entities:,} entities of {_calibrated_on(info)}. On documents that they were not fitted to"
        f" (cross-validation) their expected calibration error is {after.ece:.4f} ({after.chance:.4f} by chance alone);"
        f" before it was {before.ece:.4f}.{_calibrated_with(known)}\n\n"
    )


def _calibrated_with(known: Mapping[str, Any]) -> str:
    engine = known.get(MEASURED_WITH)
    return f" The scores were those of {engine}." if engine else ""


_LIMITS = """## Intended use

Finding the types above in texts like those that it was trained on: to search and count them, to pick them out for a database,
or to suggest them to people who annotate. Where a mistake hurts somebody, as in decisions about persons, let a person look at
every answer. Who uses it on personal data answers for that.

## Limits

The model knows the kind of text that it was trained on. On other texts, in other languages, or for other guidelines its figures
do not hold; measure them with `viner evaluate MODEL FILE`. It repeats what its annotators did, with mistakes and blind spots.
Entities do not overlap. {scores}
"""
_CALIBRATED = """A score says how probable it is that an entity is right, start, end and type, in texts like the documents of
{on}, to which the scores were fitted."""
_LEAST = """Entities {which} are left out, since F1 on dev was better without them; where all are wanted,
`viner.load(MODEL, least_score=0)` and `--least-score 0` give them."""
_UNCALIBRATED = "A score is the model's own estimate, not a probability of being right."


def _licensed(origin: Origin) -> str:
    return f"{origin.name or 'unnamed'}, license: {origin.license or 'unknown'}."


def _licenses(info: BundleInfo, choices: CardChoices) -> str:
    chosen = model_license(info, choices)
    first = f"This model: {chosen}." if chosen else "This model: nobody chose a license, and without one others may not use it."
    lines = [first, *license_lines(base_origin(info), training_data(info, choices))]
    lines += [f"{texts}, license: unknown." for texts in learned_texts(info)]
    whose = "was distilled from" if distilled_from(info) else "learned from"
    learned = teachers_data(info)
    lines += [f"Training data of the model that it {whose}: {_licensed(data)}" for data in learned if data != data_origin(info)]
    told = (base_origin(info), data_origin(info), *learned)
    lines += [f"What its teachers are made of: {_licensed(origin)}" for origin in inherited(info) if origin not in told]
    return "## Licenses\n\n" + "\n".join(f"- {escape(line)}" for line in lines) + "\n"
