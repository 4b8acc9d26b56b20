"""The page *Labels*: the schema, and how it changes in mid-project."""

from __future__ import annotations

import uuid
from typing import Any

import gradio as gr

from viner.console.frame import PageError, notice, section, who_is
from viner.console.labels_view import hex_color, label_colors, labels_view, preview_view, split_parts
from viner.console.studio_page import LONG, QUICK, SCRIPT, StudioPage
from viner.console.theme import color_rules
from viner.schema import ENTITIES

_MOST_PARTS = 10
"""New labels that one split can make on the page."""
_PARTS = tuple((f"part_{number}", f"surfaces_{number}") for number in range(1, _MOST_PARTS + 1))
_FIELDS = {
    "add": ("target", "description", "key", "color"),
    "rename": ("label", "target"),
    "merge": ("sources", "into"),
    "split": ("label", *(name for part in _PARTS for name in part)),
    "recolor": ("label", "color"),
    "describe": ("label", "description", "key"),
    "delete": ("label",),
}
"""What each kind of change asks for."""
_NAMES = ("label", "sources", "into", "target", *_FIELDS["split"][1:], "description", "key", "color")

_FORGET = "() => [{__type__: 'update', interactive: false}, '']"
"""What was previewed is no longer what the form says. The browser does it at once: an answer of the server could come after
that of a preview which was asked for meanwhile, and take it away."""


class LabelsPage(StudioPage):
    """The page *Labels*."""

    key = "labels"

    def build(self, blocks: gr.Blocks) -> None:
        """Adds the components and their events to the page."""
        say = self._say
        self._frame(blocks)
        self._style = gr.HTML(js_on_load=None, elem_classes="viner-style")
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320):
                gr.HTML(section(say("label_list")), js_on_load=None)
                self._table = gr.HTML(js_on_load=None, elem_id="viner-types")
            with gr.Column(scale=2, min_width=320, elem_id="viner-change"):
                gr.HTML(section(say("change")), js_on_load=None)
                self._build_form()
        gr.HTML(section(say("guideline")), js_on_load=None)
        self._guideline = gr.Markdown(elem_id="viner-guideline", sanitize_html=True)
        self._connect(blocks)

    def _build_form(self) -> None:
        say = self._say
        self._layer = gr.Dropdown([ENTITIES], value=ENTITIES, label=say("layer"), visible=False, filterable=False)
        self._kind = gr.Radio(
            [(say(f"change_{kind}"), kind) for kind in _FIELDS], value="add", label=say("change_kind"), elem_id="viner-kind"
        )
        text: dict[str, Any] = {"lines": 1, "max_lines": 1}
        self._inputs: dict[str, Any] = {
            "label": gr.Dropdown([], label=say("change_label"), filterable=False, visible=False, elem_id="viner-label"),
            "sources": gr.CheckboxGroup([], label=say("change_sources"), visible=False, elem_id="viner-sources"),
            "into": gr.Dropdown(
                [], label=say("merge_target"), allow_custom_value=True, visible=False, elem_id="viner-merge-into"
            ),
            "target": gr.Textbox(label=say("change_target"), elem_id="viner-target", **text),
        }
        for number, (part, surfaces) in enumerate(_PARTS, 1):
            self._inputs[part] = gr.Textbox(
                label=say("split_target", number=number), visible=False, elem_id=f"viner-part-{number}", **text
            )
            self._inputs[surfaces] = gr.Textbox(
                label=say("split_surfaces", number=number), info=say("split_hint") if number == 1 else None,
                lines=3, visible=False, elem_id=f"viner-surfaces-{number}",
            )  # fmt: skip
        self._more = gr.Button(say("split_more"), size="sm", visible=False, elem_id="viner-more-parts")
        self._parts = gr.State(1)
        self._inputs |= {
            "description": gr.Textbox(label=say("description"), lines=2, elem_id="viner-description"),
            "key": gr.Textbox(label=say("key"), max_length=1, elem_id="viner-key", **text),
            "color": gr.ColorPicker(label=say("new_color"), value=None, elem_id="viner-color"),
        }
        with gr.Row():
            self._preview = gr.Button(say("preview"), min_width=100, elem_id="viner-preview")
            self._apply = gr.Button(say("apply"), variant="primary", min_width=100, interactive=False, elem_id="viner-apply")
        self._told = gr.HTML(js_on_load=None, elem_id="viner-changed")
        self._undo = gr.Button(say("undo"), size="sm", visible=False, min_width=90, elem_id="viner-undo")
        self._pending = gr.State(None)
        self._operation = gr.State(None)

    def _connect(self, blocks: gr.Blocks) -> None:
        fields = [self._inputs[name] for name in _NAMES]
        shown = [self._style, self._table, self._layer, self._inputs["label"], self._inputs["sources"], self._inputs["into"]]
        form = [self._layer, self._kind, *fields]
        blocks.load(self._show, self._layer, shown, **QUICK)
        blocks.load(self._guide, None, self._guideline, **QUICK)
        self._kind.input(
            self._fields, [self._layer, self._kind, self._inputs["label"], self._parts], [*fields, self._more],
            trigger_mode="always_last", **QUICK,
        )  # fmt: skip
        self._kind.input(inputs=None, outputs=[self._apply, self._told], js=_FORGET, **SCRIPT)
        self._more.click(
            self._add_part, self._parts, [self._parts, *(self._inputs[name] for part in _PARTS for name in part), self._more],
            **QUICK,
        ).then(inputs=None, outputs=None, js="() => viner.focusAdded('viner-part-')", **SCRIPT)  # fmt: skip
        self._layer.input(self._show, self._layer, shown, **QUICK)
        self._inputs["label"].input(
            self._known, [self._layer, self._inputs["label"]],
            [self._inputs["description"], self._inputs["key"], self._inputs["color"]], **QUICK,
        )  # fmt: skip
        asked = self._preview.click(self._look, form, [self._pending, self._apply, self._told], **QUICK)
        asked.then(inputs=None, outputs=None, js="() => viner.focus('viner-apply')", **SCRIPT)
        outcome = [self._pending, self._apply, self._told, self._operation, self._undo]
        self._apply.click(self._do, self._pending, outcome, **LONG).then(self._show, self._layer, shown, **QUICK)
        self._undo.click(self._take_back, self._operation, outcome, **LONG).then(self._show, self._layer, shown, **QUICK)

    def _show(self, layer: str) -> list[Any]:
        def work() -> list[Any]:
            schema, _ = self._studio.store.schema()
            layers = [item.name for item in schema]
            names = list(schema[layer].names) if layer in layers else []
            colors = {f"{place}/{name}": color for (place, name), color in label_colors(schema).items()}
            return [
                f"<style>{color_rules(colors)}</style>",
                labels_view(schema, self._studio.store.counts(), self._say),
                gr.update(choices=layers or [ENTITIES], visible=len(layers) > 1),
                gr.update(choices=names, value=names[0] if names else None),
                gr.update(choices=names, value=[]),
                gr.update(choices=names, value=None),
            ]

        return self._guard(work, lambda html: [gr.skip(), html, *[gr.skip()] * 4])

    def _guide(self) -> Any:
        settings = self._studio.settings
        none = self._say("guideline_none", name=f"`{settings.annotation.guideline}`")
        return self._guard(lambda: settings.guideline or none, lambda html: none)

    def _fields(self, layer: str, kind: str, label: str | None, parts: int) -> list[Any]:
        """The fields that a kind of change asks for, with what is there now, and the button for more of them."""
        visible = set(_FIELDS[kind]).difference(name for part in _PARTS[parts:] for name in part)
        updates = [gr.update(visible=name in visible) for name in _NAMES]
        if kind in ("describe", "recolor"):
            for name, value in zip(("description", "key", "color"), self._known(layer, label), strict=True):
                updates[_NAMES.index(name)] = gr.update(visible=name in visible, value=value)
        return [*updates, gr.update(visible=kind == "split" and parts < _MOST_PARTS)]

    def _add_part(self, parts: int) -> list[Any]:
        """Outputs how many new labels there is room for, their fields, and the button for one more."""
        parts = min(parts + 1, _MOST_PARTS)
        fields = [gr.update(visible=number < parts) for number, part in enumerate(_PARTS) for _ in part]
        return [parts, *fields, gr.update(visible=parts < _MOST_PARTS)]

    def _known(self, layer: str, label: str | None) -> list[Any]:
        def work() -> list[Any]:
            schema, _ = self._studio.store.schema()
            for item in schema[layer].types:
                if item.name == label:
                    return [item.description or "", item.key or "", schema[layer].color(item.name)]
            return ["", "", None]

        return self._guard(work, lambda html: ["", "", None])

    def _look(self, layer: str, kind: str, *values: Any) -> list[Any]:
        """Outputs the change as it was previewed, whether it can be applied, and what it would do."""
        from viner.annotation import changes

        def work() -> list[Any]:
            data = self._change(layer, kind, dict(zip(_NAMES, values, strict=True)))
            found = changes.preview(self._studio.store, changes.change_from_dict(data))
            done = self._studio.store.counts().status("done")
            rules = self._studio.project.rule_labels()
            return [(data, found.version), gr.update(interactive=True), preview_view(found, done, rules, self._say)]

        return self._guard(work, lambda html: [None, gr.update(interactive=False), html])

    def _do(self, pending: tuple[dict[str, Any], int] | None, request: gr.Request) -> list[Any]:
        """Outputs ``outcome``. What was previewed is applied, whatever the form says meanwhile."""
        from viner.annotation import changes

        def work() -> list[Any]:
            if pending is None:
                return [None, gr.update(interactive=False), "", gr.skip(), gr.skip()]
            data, version = pending
            operation = str(uuid.uuid4())
            changes.apply(
                self._studio.store,
                changes.change_from_dict(data),
                operation=operation,
                who=who_is(request),
                version=version,
            )
            told = self._follow("change_applied")
            return [None, gr.update(interactive=False), told, operation, gr.update(visible=True)]

        return self._guard(work, lambda html: [None, gr.update(interactive=False), html, gr.skip(), gr.skip()])

    def _take_back(self, operation: str | None, request: gr.Request) -> list[Any]:
        """Outputs ``outcome``."""

        def work() -> list[Any]:
            if operation is not None:
                self._studio.store.undo(operation, new_id=str(uuid.uuid4()), who=who_is(request))
            told = self._follow("change_undone")
            return [None, gr.update(interactive=False), told, None, gr.update(visible=False)]

        return self._guard(work, lambda html: [None, gr.update(interactive=False), html, gr.skip(), gr.skip()])

    def _follow(self, done: str) -> str:
        """Lets everything follow the store's schema; a ``viner.toml`` in the way is no failure: that is changed already."""
        from viner.annotation.sync import try_write_back

        written = try_write_back(self._studio.store, self._studio.project)
        self._studio.schema_changed()
        if written.problem is None:
            return notice(self._say(done), self._say("change_rules", count=written.rules) if written.rules else "")
        return notice(
            self._say("change_unwritten", problem=str(written.problem)), self._say("change_unwritten_hint"), kind="bad"
        )

    def _change(self, layer: str, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """The change that the form says, in its JSON form."""
        say = self._say
        text = {name: (value or "").strip() for name, value in values.items() if name not in ("sources", "color")}

        def need(name: str, title: str) -> str:
            if not text[name]:
                raise PageError(say("error_field", name=say(title)))
            return str(text[name])

        data: dict[str, Any] = {"kind": kind, "layer": layer}
        if kind == "add":
            data["label"] = need("target", "change_target")
        elif kind == "merge":
            if not values["sources"]:
                raise PageError(say("error_field", name=say("change_sources")))
            return {**data, "labels": list(values["sources"]), "into": need("into", "merge_target")}
        else:
            data["label"] = need("label", "change_label")
        if kind == "rename":
            data["to"] = need("target", "change_target")
        elif kind == "split":
            return data | split_parts(data["label"], [(text[part], text[surfaces]) for part, surfaces in _PARTS], say)
        if kind in ("add", "describe"):
            data |= {"description": text["description"] or None, "key": text["key"] or None}
        if kind in ("add", "recolor"):
            data["color"] = hex_color(values["color"])
        return data
