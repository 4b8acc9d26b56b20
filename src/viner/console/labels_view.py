"""The labels of a project as HTML. Pure: no store, no Gradio."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from viner.console.frame import PageError, chip, notice, table
from viner.console.messages import Messages
from viner.formats.html.marks import visible
from viner.schema import ENTITIES, Schema
from viner.store import STATES, Counts
from viner.text import nfc

if TYPE_CHECKING:
    from viner.annotation.changes import Preview

_SURFACES = 30
"""How many texts of a label a preview shows."""


def label_colors(schema: Schema) -> dict[tuple[str, str], str]:
    """The color of each type, by layer and name, in display order."""
    return {(layer.name, name): layer.color(name) for layer in schema for name in layer.names}


def labels_view(schema: Schema, counts: Counts, say: Messages) -> str:
    """The types of each layer: color, description, key, and how many entities have them."""
    colors = list(label_colors(schema))
    parts = []
    for layer in schema:
        if not layer.types:
            continue
        rows = []
        entities = layer.kind == "entities"
        for item in layer.types:
            cells = [
                chip(item.name, colors.index((layer.name, item.name))),
                visible(item.description or ""),
                f"<kbd>{visible(item.key)}</kbd>" if item.key else "",
            ]
            if entities:
                cells += [say.number(counts.labels.get(item.name, {}).get(state, 0)) for state in STATES]
            rows.append(cells)
        columns = [say("label"), say("description"), say("key"), *((say(state) for state in STATES) if entities else ())]
        title = say("label_list") if len(schema.layers) == 1 else f"{say('layer')}: {layer.name}"
        heading = "" if len(schema.layers) == 1 else f'<h3 class="viner-layer">{visible(title)}</h3>'
        parts.append(heading + table(title, columns, rows, kind="viner-types", numbers=(3, 4, 5) if entities else ()))
    if not parts:
        return f'<div class="viner-empty small"><p>{escape(say("labels_none"))}</p></div>'
    return "".join(parts)


def preview_view(preview: Preview, done: int, rules: Sequence[str], say: Messages) -> str:
    """What a change would do to annotations and rules, in figures and examples.

    Args:
        preview: The preview.
        done: How many documents of the project are done.
        rules: The label of each rule of the project.
        say: The interface's messages.
    """
    kind = preview.change.kind
    followed, left = _rules(preview, rules)
    documents = sum(sum(statuses.values()) for statuses in preview.documents.values())
    entities = sum(preview.entities.values())
    finished = sum(statuses["done"] for statuses in preview.documents.values())
    lines = [say("change_nothing")]
    if entities:
        lines = [say("change_counts", documents=say.number(documents), entities=say.number(entities))]
    for key, count in (
        ("change_collapsed", preview.collapsed),
        ("change_review", preview.review),
        ("change_reopened", preview.reopened),
        ("change_lost", finished if kind == "delete" else 0),
        ("change_unseen", done if kind == "add" else 0),
        ("change_rules_follow", followed),
        ("change_rules_left", left),
    ):
        if count:
            lines.append(say(key, count=say.number(count)))
    told = notice(*lines, kind="bad" if kind == "delete" and entities else "neutral")
    return told + _surfaces(preview, say) + _samples(preview, say)


def _rules(preview: Preview, labels: Sequence[str]) -> tuple[int, int]:
    """How many rules a change gives another label, and how many are left with one that there is no longer."""
    change = preview.change
    if change.layer != ENTITIES:
        return 0, 0
    goes, stay = change.mapping(), change.schema(preview.schema).entity_labels
    changed = [goes[label] for label in labels if label in goes and label not in stay]
    return sum(to is not None for to in changed), sum(to is None for to in changed)


def _surfaces(preview: Preview, say: Messages) -> str:
    """The texts that a split tells apart."""
    if not preview.surfaces:
        return ""
    rows = [
        [visible(item.surface), say.number(item.accepted + item.suggested), visible(item.to or say("to_review"))]
        for item in preview.surfaces[:_SURFACES]
    ]
    more = preview.hidden_surfaces + max(0, len(preview.surfaces) - _SURFACES)
    rest = f'<p class="viner-note">{escape(say("surfaces_more", count=say.number(more)))}</p>' if more else ""
    return table(say("surfaces"), [say("surfaces"), say("total"), say("becomes")], rows, numbers=(1,)) + rest


def _samples(preview: Preview, say: Messages) -> str:
    if not preview.samples or preview.surfaces:
        return ""
    rows = []
    for item in preview.samples:
        text = f'<span dir="auto">…{visible(item.before)}<mark>{visible(item.surface)}</mark>{visible(item.after)}…</span>'
        rows.append([text, visible(item.to or say("goes"))])
    return table(say("samples"), [say("samples"), say("becomes")], rows)


def split_parts(label: str, rows: Sequence[tuple[str, str]], say: Messages) -> dict[str, Any]:
    """Into what a form splits a label: the fields ``into`` and ``assign`` of the change.

    Args:
        label: The label. It stays, for the entities whose text is not listed.
        rows: For each new label its name, and the texts that move to it, one a line. Empty rows say nothing.
        say: The interface's messages.

    Raises:
        PageError: If a name is missing or there twice, or a text, in whatever Unicode form, is to move to two labels.
    """
    into, assign = [label], {}
    moved: dict[str, str] = {}
    for number, (name, lines) in enumerate(rows, 1):
        surfaces = [line.strip() for line in lines.splitlines() if line.strip()]
        if not name and (surfaces or not any(other for other, _ in rows)):
            raise PageError(say("error_field", name=say("split_target", number=number)))
        if not name:
            continue
        if name in into:
            raise PageError(say("split_same", name=name), hint=say("split_same_hint"))
        into.append(name)
        for surface in surfaces:
            one = moved.setdefault(nfc(surface), name)
            if one != name:
                raise PageError(say("split_both", text=surface, one=one, other=name), hint=say("split_both_hint"))
            assign[surface] = name
    return {"into": into, "assign": assign}


def hex_color(value: str | None) -> str | None:
    """The ``#rrggbb`` of what a color picker gives (``#rgb``, ``#rrggbb`` or ``rgba(…)``); anything else as it is."""
    text = (value or "").strip().lower()
    if not text:
        return None
    if text.startswith("rgb") and "(" in text:
        try:
            red, green, blue = (round(float(part)) for part in text.split("(")[1].rstrip(")").split(",")[:3])
        except ValueError:
            return text
        return f"#{red:02x}{green:02x}{blue:02x}"
    if text.startswith("#") and len(text) == 4:
        return "#" + "".join(2 * digit for digit in text[1:])
    return text[:7] if text.startswith("#") and len(text) == 9 else text
