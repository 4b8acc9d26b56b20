"""The model card: README.md of a model folder, in the form that the Hugging Face Hub shows."""

from __future__ import annotations

from collections.abc import Mapping

from viner.bundle import BundleInfo
from viner.evaluation import Evaluation
from viner.schema import ENTITIES


def model_card(info: BundleInfo, evaluations: Mapping[str, Evaluation]) -> str:
    """Writes the card.

    Args:
        info: What the model says about itself.
        evaluations: Figures by split.
    """
    types = "\n".join(f"| {item.name} | {item.description or ''} |" for item in info.schema[ENTITIES].types)
    figures = "\n".join(f"### {split}\n\n{evaluation.to_markdown()}" for split, evaluation in evaluations.items())
    counts = ", ".join(
        f"{split}: {part['documents']:,} documents with {part['entities']:,} entities"
        for split, part in info.data.items()
        if isinstance(part, Mapping) and "documents" in part
    )
    lost = info.data.get("lost_entities") or {}
    lost_line = "; ".join(f"{count:,} {reason}" for reason, count in lost.items()) or "none"
    evidence = info.evidence
    return f"""---
library_name: viner
pipeline_tag: token-classification
tags: [viner, ner, token-classification]
---

# Named-entity recognizer

Finds these types of entities in raw text, with exact offsets:

| type | what it marks |
|---|---|
{types}

## Use

```python
import viner

ner = viner.load("this-folder")
for entity in ner("Your text.").entities:
    print(entity.start, entity.end, entity.label, entity.text, entity.score)
```

With plain Transformers, `AutoModelForTokenClassification` and `AutoTokenizer` load the same weights and give the same logits
for the same `input_ids`. Word splitting, views ({", ".join(info.views)}), overlapping windows of {info.windows.pieces} pieces
and the decoding to well-formed spans are viner's: a plain pipeline cuts long texts and answers pieces, not words.

## Training

Base encoder: {info.base.get("name", "unknown")}. {counts}. Entities that a flat tagger cannot say exactly: {lost_line}.

## Figures

{figures}
Engine: {info.engine}. Over {evidence.get("sentences", 0):,} sentences int8 gave {evidence.get("same_share", 0):.2%} of the
entities of float32; {evidence.get("needed", 0):.1%} are needed.

## Limits

The model knows the kind of text that it was trained on. On other texts, in other languages, or for other guidelines its
figures do not hold; measure them with `viner evaluate MODEL FILE`. A score is the model's own estimate, not a probability of
being right.
"""
