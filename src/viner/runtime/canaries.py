"""Whether a processor can be trusted with a model: it answers the model's test texts as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from viner.bundle import Bundle, Canaries, processor
from viner.bundle.info import CASCADE
from viner.runtime.provider import ONNX_RUNTIME

if TYPE_CHECKING:
    from viner.runtime.recognizer import Recognizer

TOLERANCE = 0.02
"""Share of the canaries' entities that may differ on another processor. Attention is computed in float32, whose last bit
depends on the processor and can move an entity at the edge; products that saturate move them by the dozen."""
FEW_ENTITIES = 10
"""Canaries with fewer entities are compared by their logits, too; those of a model that may be unsure by these alone."""
LOGITS_TOLERANCE = 0.1
"""How far logits may be off on another processor, as a share of how much they vary from word to word. Chosen, not measured:
a last bit of float32 moves logits little, products that saturate move them about as much as they vary."""


def disagreement(recognizer: Recognizer, bundle: Bundle) -> str | None:
    """Why the canaries say that this processor cannot be trusted with a model, or None.

    Args:
        recognizer: The model as it runs here.
        bundle: The model folder.
    """
    expected = bundle.canaries()
    if expected.processor == processor() and recognizer.provider == ONNX_RUNTIME:
        return None
    found = recognizer.canaries(expected.documents)
    wanted, got = _entities(expected), _entities(found)
    distance = expected.distance(found)
    # Where a model is unsure, int8 guesses otherwise here and there, and so does float32 in bf16.
    evidence = bundle.info.evidence
    compared = evidence.get(CASCADE, {}) if recognizer.engine == CASCADE else evidence
    alike = compared.get("same_share", 1) >= evidence.get("needed", 0)
    unsure = recognizer.engine == "fp32" or not alike
    most = TOLERANCE * max(1, len(wanted | got))
    # Of few entities one is more than that share, and in texts unlike those of its training a model guesses: logits decide.
    one = most < 1 and wanted ^ got and max(len(wanted - got), len(got - wanted)) <= 1 and distance is not None
    if (not unsure or distance is None) and not one:
        if len(wanted ^ got) > most:
            return (
                f"on this processor, {recognizer.engine} finds {len(wanted & got)} of the {len(wanted)} entities that the"
                f" model's test texts should have, and {len(got - wanted)} others"
            )
        if len(wanted) >= FEW_ENTITIES:
            return None
    # A model that finds next to nothing in the test texts finds it on any processor.
    if distance is None:
        few = f"the model's test texts have {len(wanted)} entities, too few to tell"
        return f"{few} whether {recognizer.engine} works on this processor"
    if distance > LOGITS_TOLERANCE:
        return f"on this processor, {recognizer.engine} is {distance:.0%} off in the model's test texts"
    return None


def _entities(canaries: Canaries) -> set[tuple[int, int, int, str]]:
    return {(i, e.start, e.end, e.label) for i, document in enumerate(canaries.documents) for e in document.entities or ()}
