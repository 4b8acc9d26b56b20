"""Scores of tag sequences, read as conlleval and seqeval read them: to compare with the tables of others.

viner decodes well-formed entities and scores them as spans, so it needs none of this for itself. Systems that answer a class
for each word often break the scheme (``I-`` behind ``O``), and it matters what a scorer makes of that: the strict mode of
seqeval drops such entities, its default mode repairs them and gives higher figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from viner.errors import InputError
from viner.metrics.entities import EntityScores, EntityTally

_TAG = re.compile(r"O|([BIES])-(.+)", re.DOTALL)


def lenient_spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """The entities of a tag sequence, well-formed or not, as conlleval reads them.

    An entity begins wherever a tag is not ``O`` and is ``B`` or ``S``, or follows ``O``, ``E``, ``S`` or another label; it
    lasts until the next one begins or ``O`` comes. On ``B``, ``I`` and ``O`` this is conlleval (Tjong Kim Sang and Buchholz
    2000; version 2004-01-26), and with ``E`` and ``S`` the default mode of seqeval.

    Args:
        tags: One a word, of one sentence: ``O``, or ``B-``, ``I-``, ``E-`` or ``S-`` with a label.

    Returns:
        ``(first word, one past the last word, label)`` in the order of the words.

    Raises:
        InputError: If a tag is none.
    """
    spans: list[tuple[int, int, str]] = []
    previous: tuple[str, str] | None = None
    for index, tag in enumerate(tags):
        match = _TAG.fullmatch(tag)
        if match is None:
            raise InputError(
                f"{tag!r} is no tag",
                where=f"word {index + 1}",
                hint="Tags are O, or B-, I-, E- or S- with a label, such as B-LOC",
            )
        if tag == "O":
            previous = None
            continue
        prefix, label = match[1], match[2]
        if prefix in "BS" or previous is None or previous[0] in "ES" or previous[1] != label:
            spans.append((index, index + 1, label))
        else:
            spans[-1] = (spans[-1][0], index + 1, label)
        previous = prefix, label
    return spans


def evaluate_tags(gold: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> EntityScores:
    """Scores predicted tags against gold ones: the figures of conlleval, and of seqeval in its default mode.

    For the figures of seqeval's strict mode, score spans: :func:`viner.metrics.evaluate`.

    Args:
        gold: The right tags, sentence by sentence.
        predicted: Those of a system, for the same sentences and words.

    Raises:
        InputError: If the two do not have the same sentences, or words in a sentence, or a tag is none.
    """
    tally = EntityTally()
    ours, theirs = list(gold), list(predicted)
    if len(ours) != len(theirs):
        raise InputError(f"{len(ours)} sentences are annotated, {len(theirs)} predicted", hint="Score the same sentences")
    for number, (right, found) in enumerate(zip(ours, theirs, strict=True), start=1):
        if len(right) != len(found):
            raise InputError(
                f"{len(right)} words are annotated, {len(found)} predicted",
                where=f"sentence {number}",
                hint="A system that cuts long sentences must give O for the words that it leaves out",
            )
        tally.add(lenient_spans(right), lenient_spans(found))
    return tally.scores()
