"""The front matter of a model card: what the Hugging Face Hub reads by machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from viner.bundle import BundleInfo, Chosen, Origin, base_origin, data_origin
from viner.evaluation import Evaluation
from viner.workflow.fingerprint import DEV_BEFORE
from viner.workflow.lineage import inherited, learned_texts, teachers_data
from viner.workflow.markdown import one_line

LICENSES = frozenset(
    """
    afl-3.0 agpl-3.0 apache-2.0 artistic-2.0 bigcode-openrail-m bigscience-bloom-rail-1.0 bigscience-openrail-m bsd
    bsd-2-clause bsd-3-clause bsd-3-clause-clear bsl-1.0 c-uda cc cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-nc-2.0
    cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nc-nd-3.0 cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0
    cc-by-nd-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc0-1.0 cdla-permissive-1.0 cdla-permissive-2.0 cdla-sharing-1.0
    creativeml-openrail-m deepfloyd-if-license ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 gemma gfdl gpl gpl-2.0
    gpl-3.0 isc lgpl lgpl-2.1 lgpl-3.0 lgpl-lr llama2 lppl-1.3c mit mpl-2.0 ms-pl ncsa odbl odc-by ofl-1.1 openrail
    openrail++ osl-3.0 pddl postgresql unlicense wtfpl zlib
    """.split()
)
"""The licenses that the Hub knows by name (https://huggingface.co/docs/hub/repositories-licenses); any other is "other"."""
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
"""A language that the Hub knows: ISO 639, perhaps with a region or script."""
_UNBOUND = frozenset(("cc0-1.0", "unlicense", "pddl", "wtfpl"))
"""Licenses that ask for nothing, so that what is made of the data may have any."""


@dataclass(frozen=True, slots=True)
class CardChoices:
    """What a person says about a model that ``viner.json`` does not know, or says otherwise.

    Args:
        repo: Its id on the Hub, ``user/name``; None while it is a folder only.
        title: A title; None takes the one it was published with, else the name of the data.
        license: Its license; None takes the one it was published with, else derives one where that is safe.
        languages: Its languages (BCP 47); empty takes those of the data.
        datasets: Ids of its training data on the Hub; empty takes those it was published with.
        data_license: The license of its training data; None takes what the model says.
    """

    repo: str | None = None
    title: str | None = None
    license: str | None = None
    languages: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    data_license: str | None = None


def front_matter(info: BundleInfo, choices: CardChoices, evaluations: Mapping[str, Evaluation]) -> str:
    """The front matter as YAML, without the lines that enclose it.

    Args:
        info: What the model says about itself.
        choices: What a person adds.
        evaluations: Figures by split.
    """
    from huggingface_hub import EvalResult, ModelCardData

    data = training_data(info, choices)
    datasets = list(choices.datasets or Chosen.of(info).datasets) or ([data.id] if data.id else None)
    results = [
        EvalResult(
            task_type="token-classification",
            task_name="Named-entity recognition",
            dataset_type=datasets[0] if datasets else "own",
            dataset_name=one_line(data.name or "Own data"),
            dataset_split=split,
            metric_type=kind,
            metric_name=f"Strict entity {name}, micro",
            metric_value=round(getattr(evaluation.scores.micro, kind), 4),
        )
        for split, evaluation in evaluations.items()
        if split != DEV_BEFORE  # of other weights
        for kind, name in (("f1", "F1"), ("precision", "precision"), ("recall", "recall"))
    ]
    fields: dict[str, Any] = {
        **_languages(data.languages),
        **license_fields(model_license(info, choices)),
        "library_name": "viner",
        "pipeline_tag": "token-classification",
        "tags": ["viner", "ner", "named-entity-recognition", "token-classification"],
        "base_model": base_origin(info).id,
        "datasets": datasets,
        "metrics": ["f1", "precision", "recall"] if results else None,
        "model_name": (choices.repo or one_line(choices.title or card_title(info))) if results else None,
        "eval_results": results or None,
    }
    return ModelCardData(**fields).to_yaml()


def keep_choices(info: BundleInfo, choices: CardChoices) -> BundleInfo:
    """The model with what a person says about it kept, so that all that is made of it goes by that.

    Args:
        info: What the model says about itself.
        choices: What a person adds; what they leave out stays as it was.
    """
    before = Chosen.of(info)
    chosen = Chosen(choices.title or before.title, choices.license or before.license, choices.datasets or before.datasets)
    source = training_data(info, choices).to_dict()
    return replace(info, data={**info.data, **({"source": source} if source else {})}, chosen=chosen.to_dict())


def card_title(info: BundleInfo) -> str:
    """The title that a model was published with, else one from the name of its data."""
    name = data_origin(info).name
    return Chosen.of(info).title or (f"{name}: named entities" if name else "Named-entity recognizer")


def training_data(info: BundleInfo, choices: CardChoices) -> Origin:
    """Where the training data comes from, by what the model and the person say."""
    known = data_origin(info)
    return replace(known, license=choices.data_license or known.license, languages=choices.languages or known.languages)


def model_license(info: BundleInfo, choices: CardChoices) -> str | None:
    """The license that somebody chose; else the base encoder's, where the data asks for nothing else; else None.

    What a model learned from has learned from data, too. Nobody says what license texts have that are not annotated, so a
    model that read such has the one that somebody chose, or none.
    """
    base = base_origin(info)
    learned = (*teachers_data(info), *inherited(info))
    known = [training_data(info, choices).license, *(origin.license for origin in learned)]
    free = base.license in LICENSES and all(license_ in _UNBOUND or license_ == base.license for license_ in known)
    free = free and not learned_texts(info)
    return choices.license or Chosen.of(info).license or (base.license if free else None)


def license_fields(name: str | None) -> dict[str, str]:
    """A license as the Hub writes it: one that it knows by name, or "other" and the name; nothing where there is none."""
    if name is None:
        return {}
    known = name.strip().lower()
    if known in LICENSES:
        return {"license": known}
    # The Hub has room for an id only; the text of the card says the name in full.
    slug = re.sub(r"[^a-z0-9.]+", "-", known).strip("-")
    return {"license": "other", "license_name": slug or "own"}


def _languages(codes: tuple[str, ...]) -> dict[str, list[str]]:
    """The Hub wants ISO 639 for languages; regions and scripts have a field of their own."""
    known = [code for code in codes if LANGUAGE.fullmatch(code)]
    if not known:
        return {}
    languages = list(dict.fromkeys(code.partition("-")[0].lower() for code in known))
    return {"language": languages, **({"language_bcp47": known} if any("-" in code for code in known) else {})}
