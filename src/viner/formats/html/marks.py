"""A document as HTML with its entities marked, nested and crossing ones included.

Every character of a document reaches the page through :func:`html.escape`; nothing else of a document does, apart from labels
and scores, which are escaped as well. The marks carry their label in an attribute that the style sheet displays, so that
copying the marked text copies the text alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from viner.document import Document, Entity

_DEEPEST = 4
# A page drops NUL and browsers disagree on the other controls: show their Unicode pictures. Tab and line ends stay.
_CONTROLS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


def visible(text: str) -> str:
    """Text escaped for HTML, control characters shown as their pictures (``U+0000`` as ``␀``), CR LF as one line end."""
    return escape(text.replace("\r\n", "\n").translate(_CONTROLS), quote=True)


def percent(score: float | None) -> str:
    """A score in [0, 1] for people: ``97 %``, rounded down so that only certainty shows as 100; empty for None."""
    return "" if score is None else f"{int(score * 100 + 1e-9)} %"


def entity_anchor(document: int, entity: int) -> str:
    """The HTML id of an entity's mark: positions of the document on the page and of the entity in its document."""
    return f"viner-d{document}e{entity}"


def highlight(document: Document, types: Sequence[str], *, number: int = 0, limit: int | None = None) -> str:
    """The text of a document as HTML in which every entity is a focusable mark that tells type and score.

    An entity that crosses another one is drawn in several pieces: the first can be focused, the last shows the label.

    Args:
        document: A document; its entities may nest and cross in any way.
        types: Names of the types in display order: the n-th is drawn in the color of the CSS class ``tN``.
        number: Position of the document on its page, for the anchors of its entities.
        limit: Show the first so many code points only, and the entities that lie within.
    """
    text = document.text if limit is None else document.text[:limit]
    classes = {name: f"t{index}" for index, name in enumerate(types)}
    named = [(entity, entity_anchor(number, index)) for index, entity in enumerate(document.entities or ())]
    return _Marker(text, classes).mark([item for item in named if item[0].end <= len(text)])


class _Marker:
    """One pass over the text that opens and closes marks; a mark that must close too early opens again right behind."""

    def __init__(self, text: str, classes: Mapping[str, str]) -> None:
        self._text = text
        self._classes = classes
        self._parts: list[str] = []
        self._open: list[_Mark] = []

    def mark(self, entities: Sequence[tuple[Entity, str]]) -> str:
        waiting = sorted(entities, key=lambda item: (item[0].start, -item[0].end))
        borders = sorted({border for entity, _ in entities for border in (entity.start, entity.end)} | {len(self._text)})
        position = taken = 0
        for border in borders:
            self._parts.append(visible(self._text[position:border]))
            position = border
            self._close(position)
            while taken < len(waiting) and waiting[taken][0].start == position:
                self._start(*waiting[taken], first=True)
                taken += 1
        return "".join(self._parts)

    def _close(self, position: int) -> None:
        ending = [index for index, mark in enumerate(self._open) if mark.entity.end == position]
        if not ending:
            return
        crossed: list[_Mark] = []
        while len(self._open) > ending[0]:
            mark = self._open.pop()
            done = mark.entity.end == position
            if not done:
                crossed.append(mark)
            if self._open:
                self._open[-1].height = max(self._open[-1].height, mark.height + 1)
            self._parts[mark.part] = self._tag(mark, last=done)
            self._parts.append("</span>")
        for mark in reversed(crossed):
            self._start(mark.entity, mark.anchor, first=False)

    def _start(self, entity: Entity, anchor: str, *, first: bool) -> None:
        self._open.append(_Mark(entity, anchor, first, len(self._parts)))
        self._parts.append("")  # the tag, which says how many marks lie inside, is written when the mark closes

    def _tag(self, mark: _Mark, *, last: bool) -> str:
        entity = mark.entity
        kinds = ["entity", self._classes.get(entity.label, "t-other"), f"h{min(mark.height, _DEEPEST)}"]
        kinds += ["first"] * mark.first + ["last"] * last
        attributes = [f'class="{" ".join(kinds)}"']
        score = percent(entity.score)
        tip = f"{entity.label} · {score}" if score else entity.label
        attributes.append(f'data-tip="{visible(tip)}"')
        if mark.first:
            attributes.append(f'id="{mark.anchor}" tabindex="0" role="group" aria-label="{visible(tip)}"')
        if last:
            attributes.append(f'data-label="{visible(entity.label)}"')
        return f"<span {' '.join(attributes)}>"


class _Mark:
    """A piece of an entity that is being drawn: where its tag goes and how many marks lie inside."""

    __slots__ = ("anchor", "entity", "first", "height", "part")

    def __init__(self, entity: Entity, anchor: str, first: bool, part: int) -> None:
        self.entity = entity
        self.anchor = anchor
        self.first = first
        self.part = part
        self.height = 0
