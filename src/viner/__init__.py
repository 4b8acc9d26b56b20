"""viner: from raw text to a named-entity app.

    import viner

    ner = viner.load("models/003")
    doc = ner("Bệnh nhân 91 là phi công người Anh.")
    for entity in doc.entities:
        print(entity.start, entity.end, entity.label, entity.text, entity.score)

Names are imported on first use, so ``import viner`` stays quick.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from viner.version import __version__

__all__ = ["Document", "Entity", "Project", "Relation", "Schema", "__version__", "load"]

if TYPE_CHECKING:
    from viner.document import Document, Entity, Relation
    from viner.project import Project
    from viner.rules import RuledRecognizer
    from viner.runtime import Recognizer
    from viner.schema import Schema

_HOMES = {
    "Document": "viner.document",
    "Entity": "viner.document",
    "Relation": "viner.document",
    "Schema": "viner.schema",
    "Project": "viner.project",
}


def load(
    path: str | Path,
    *,
    engine: str | None = None,
    provider: str | None = None,
    rules: str | Path | Literal[False] | None = None,
    least_score: float | None = None,
) -> Recognizer | RuledRecognizer[Recognizer]:
    """Loads a recognizer.

    Args:
        path: A model folder, or a project, which stands for its active model and its rules; where no such path exists, a Hub
            id ``user/name[@revision]``.
        engine: What is to run, "int8", "fp32", or "cascade": int8, and float32 where that is unsure. None takes what the model
            chose.
        provider: What runs it: "onnxruntime", "openvino" (with ``viner[openvino]``) or "cuda"; None takes ``VINER_PROVIDER``,
            else ONNX Runtime on the processor.
        rules: A ``viner.toml``, or a file with ``[rules]`` alone, whose dictionaries and patterns go over or under the model;
            None takes those of the project, False none.
        least_score: Entities of the model with a lower score are left out, in [0, 1]; 0 gives all that it finds, however unsure
            it is of them. None leaves out those without which F1 was better in training.

    Raises:
        BundleError: If the folder is no model, or is incomplete, damaged, or of a later version.
        InputError: If the project has no model yet, or a rule cannot be used.
        UsageError: If engine or provider are unknown, or the least score is none.
    """
    from viner.rules import with_rules
    from viner.runtime import Recognizer

    recognizer = Recognizer.load(path, engine=engine, provider=provider).with_least_score(least_score)
    return with_rules(recognizer, path, rules)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'viner' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
