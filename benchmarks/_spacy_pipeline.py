"""A spaCy pipeline of the size of en_core_web_sm's entity recognizer, on all cores.

Its weights are random: a transition-based parser takes about a step a word whatever they are, so the speed is that of a
trained one, and no model has to be fetched. Whatever else en_core_web_sm does (tagger, parser, lemmas) is left out, as one does
who only wants entities.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_CHUNK = 64
_nlp: Any = None


@contextmanager
def spacy_processes(labels: Sequence[str], count: int) -> Iterator[Any]:
    """As many processes as there are cores, each with the pipeline: yields a function that recognizes texts with them."""
    with multiprocessing.get_context("spawn").Pool(count, _start, (tuple(labels),)) as pool:
        yield lambda texts: pool.map(_recognize, [list(texts[i : i + _CHUNK]) for i in range(0, len(texts), _CHUNK)], 1)


def _start(labels: tuple[str, ...]) -> None:
    global _nlp
    import spacy

    _nlp = spacy.blank("xx")
    recognizer = _nlp.add_pipe("ner", config={"model": _MODEL})
    for label in labels:
        recognizer.add_label(label)
    _nlp.initialize()


def _recognize(texts: list[str]) -> int:
    return sum(len(document.ents) for document in _nlp.pipe(texts))


# As in en_core_web_sm's config.cfg.
_MODEL = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 64,
    "maxout_pieces": 2,
    "use_upper": True,
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": 96,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE"],
            "rows": [5000, 1000, 2500, 2500],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": 96,
            "depth": 4,
            "window_size": 1,
            "maxout_pieces": 3,
        },
    },
}
