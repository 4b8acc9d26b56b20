"""The page *Train*: start, watch and stop a training; the versions that came of them."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from viner.console.frame import PageError, notice, section
from viner.console.recognizer import entity_types
from viner.console.studio_page import LONG, QUICK, SCRIPT, StudioPage
from viner.console.theme import color_rules
from viner.console.train_view import comparison_view, learning_view, obstacle, plots_view, run_view, size, versions_view

_FAST, _SLOW = 2, 10
"""Seconds between two looks at the runs while one is at work, and otherwise."""


class TrainPage(StudioPage):
    """The page *Train*."""

    key = "train"

    def build(self, blocks: gr.Blocks) -> None:
        """Adds the components and their events to the page."""
        say = self._say
        self._frame(blocks)
        self._style = gr.HTML(js_on_load=None, elem_classes="viner-style")
        self._seen = gr.State("")
        self._pulse = gr.Timer(_SLOW)
        with gr.Row(elem_id="viner-training", equal_height=False):
            with gr.Column(scale=2, min_width=300, elem_id="viner-start"):
                gr.HTML(section(say("learn_from")), js_on_load=None)
                self._learning = gr.HTML(js_on_load=None, elem_id="viner-learning")
                self._obstacle = gr.HTML(js_on_load=None, elem_id="viner-obstacle")
                with gr.Row():
                    self._start = gr.Button(
                        say("start_training"),
                        variant="primary",
                        min_width=140,
                        scale=2,
                        interactive=False,
                        elem_id="viner-train",
                    )
                    self._stop = gr.Button(say("stop"), min_width=80, scale=1, interactive=False, elem_id="viner-stop")
                    self._resume = gr.Button(say("resume"), min_width=80, scale=1, interactive=False, elem_id="viner-resume")
                with gr.Accordion(say("more"), open=False):
                    self._minutes = gr.Number(0, label=say("minutes"), minimum=0, elem_id="viner-minutes")
                    self._epochs = gr.Number(0, label=say("epochs"), minimum=0, precision=0, elem_id="viner-epochs")
                    self._smaller = gr.Checkbox(False, label=say("smaller"), elem_id="viner-smaller")
                    self._self_train = gr.Checkbox(False, label=say("self_train"), elem_id="viner-self-train")
                    with gr.Row(elem_classes="viner-inline"):
                        self._after = gr.Number(
                            None, label=say("retrain_after"), minimum=0, precision=0, scale=3, elem_id="viner-after"
                        )
                        self._save = gr.Button(say("save"), size="sm", min_width=70, scale=1, elem_id="viner-save")
                self._told = gr.HTML(js_on_load=None, elem_id="viner-told")
            with gr.Column(scale=3, min_width=320, elem_id="viner-run-column"):
                self._run = gr.HTML(js_on_load=None, elem_id="viner-run-view")
                self._plots = gr.HTML(js_on_load=None, elem_id="viner-plots")
        gr.HTML(section(say("versions")), js_on_load=None)
        self._versions = gr.HTML(js_on_load=None, elem_id="viner-versions")
        with gr.Row(visible=False, elem_id="viner-choose", equal_height=False) as self._choose:
            self._a = gr.Dropdown([], label=say("version"), min_width=120, filterable=False, elem_id="viner-a")
            self._activate = gr.Button(say("activate"), min_width=130, elem_id="viner-activate")
            self._roll_back = gr.Button(say("roll_back"), min_width=130, elem_id="viner-roll-back")
            self._b = gr.Dropdown([], label=say("compare_with"), min_width=120, filterable=False, elem_id="viner-b")
            self._compare = gr.Button(say("compare"), min_width=100, elem_id="viner-compare")
        self._answer = gr.HTML(js_on_load=None, elem_id="viner-answer")
        with gr.Accordion(say("prune"), open=False, visible=False, elem_id="viner-prune") as self._pruning:
            with gr.Row(elem_classes="viner-inline"):
                self._keep = gr.Number(3, label=say("prune_keep"), minimum=1, precision=0, scale=3, elem_id="viner-keep")
                self._look = gr.Button(say("preview"), min_width=100, scale=1, elem_id="viner-prune-preview")
            self._doomed = gr.HTML(js_on_load=None, elem_id="viner-doomed")
            self._pruned = gr.State(0)
            self._prune = gr.Button(say("prune_confirm"), variant="stop", visible=False, elem_id="viner-prune-confirm")
        self._connect(blocks)

    def _connect(self, blocks: gr.Blocks) -> None:
        live = [
            self._seen,
            self._pulse,
            self._style,
            self._learning,
            self._obstacle,
            self._start,
            self._stop,
            self._resume,
            self._roll_back,
            self._run,
            self._plots,
            self._versions,
            self._choose,
            self._a,
            self._b,
            self._pruning,
        ]
        choice = [self._a, self._b]
        blocks.load(self._watch, [self._seen, *choice], live, **QUICK)
        blocks.load(self._settings, None, self._after, **QUICK)
        self._pulse.tick(self._watch, [self._seen, *choice], live, **QUICK)
        told = self._start.click(lambda: notice(self._say("taking_snapshot"), kind="neutral"), None, self._told, **QUICK)
        for done in (
            told.then(self._start_run, [self._minutes, self._epochs, self._smaller, self._self_train], self._told, **QUICK),
            self._stop.click(self._stop_run, None, self._told, **QUICK),
            self._resume.click(self._resume_run, None, self._told, **QUICK),
        ):
            done.then(self._watch, [self._seen, *choice], live, **QUICK)
        self._save.click(self._save_after, self._after, self._told, **QUICK)
        self._activate.click(self._put_into_service, self._a, self._answer, **LONG).then(
            self._watch, [self._seen, *choice], live, **QUICK
        )
        self._roll_back.click(self._go_back, None, self._answer, **LONG).then(self._watch, [self._seen, *choice], live, **QUICK)
        self._compare.click(self._compare_two, choice, self._answer, show_progress_on=self._answer, **LONG)
        asked = self._look.click(self._preview_prune, self._keep, [self._doomed, self._prune, self._pruned], **QUICK)
        asked.then(inputs=None, outputs=None, js="() => viner.focus('viner-prune-confirm')", **SCRIPT)
        self._prune.click(self._prune_now, self._pruned, [self._doomed, self._prune, self._pruned], **LONG).then(
            self._watch, [self._seen, *choice], live, **QUICK
        )

    def _watch(self, seen: str, a: str | None, b: str | None) -> list[Any]:
        """Outputs ``live``; nothing where nothing has changed since the visitor's last look."""
        say = self._say

        def work() -> list[Any]:
            counts = self._studio.store.counts()
            run = self._studio.runs.current()
            versions = [version.to_dict() for version in self._studio.versions.list()]
            active = run is not None and run.active
            pulse = gr.Timer(_FAST if active else _SLOW)
            now = repr((counts.to_dict(), None if run is None else run.to_dict(), versions))
            course = run_view(run, say, now=time.time())
            if now == seen:  # of a training at work, the time at least has gone on
                return [*[gr.skip()] * 9, course if active else gr.skip(), *[gr.skip()] * 6]
            why = obstacle(counts, say)
            types = entity_types(self._studio.store.schema()[0])
            names = [version["name"] for version in versions]
            serving = next((version["name"] for version in versions if version.get("active")), None)
            first = a if a in names else serving or (names[-1] if names else None)
            second = b if b in names else next((name for name in reversed(names) if name != first), None)
            return [
                now,
                pulse,
                f"<style>{color_rules(types)}</style>",
                learning_view(counts, say),
                "" if why is None or active else notice(say("cannot_start"), why, kind="neutral"),
                gr.update(
                    interactive=why is None and not active,
                    value=say("start_anew" if run is not None and run.resumable else "start_training"),
                ),
                gr.update(interactive=active),
                gr.update(interactive=run is not None and run.resumable),
                gr.update(interactive=serving in names[1:]),
                course,
                "" if run is None else plots_view(self._studio.runs.events(run.name, 0), say),
                versions_view(versions, say),
                gr.update(visible=bool(names)),
                gr.update(choices=names[::-1], value=first),
                gr.update(choices=names[::-1], value=second),
                gr.update(visible=len(names) > 1),
            ]

        return self._guard(work, lambda html: [*[gr.skip()] * 9, html, *[gr.skip()] * 6])

    def _settings(self) -> Any:
        return self._guard(lambda: self._studio.settings.annotation.retrain_after, lambda html: gr.skip())

    def _start_run(self, minutes: float | None, epochs: float | None, smaller: bool, self_train: bool) -> str:
        def work() -> str:
            wanted = {"smaller": smaller, "self_train": self_train}
            options: dict[str, Any] = {name: True for name, asked in wanted.items() if asked}
            for name, value in (("minutes", minutes), ("epochs", epochs)):
                if value is not None and value != 0:
                    if value < 0:
                        raise PageError(self._say("error_positive"), where=self._say(name))
                    options[name] = value
            self._studio.runs.start(**options)
            return ""

        return self._guard(work, str)

    def _stop_run(self) -> str:
        return self._with_current(self._studio.runs.stop)

    def _resume_run(self) -> str:
        return self._with_current(self._studio.runs.resume)

    def _with_current(self, act: Any) -> str:
        def work() -> str:
            run = self._studio.runs.current()
            if run is not None:
                act(run.name)
            return ""

        return self._guard(work, str)

    def _save_after(self, count: float | None) -> str:
        def work() -> str:
            if count is None or count < 0 or count != int(count):
                raise PageError(self._say("error_whole_number"))
            self._studio.set_retrain_after(int(count))
            return notice(self._say("saved"))

        return self._guard(work, str)

    def _put_into_service(self, name: str | None) -> str:
        def work() -> str:
            if not name:
                return ""
            self._studio.versions.activate(name)
            return notice(self._say("activated", name=name))

        return self._guard(work, str)

    def _go_back(self) -> str:
        def work() -> str:
            return notice(self._say("activated", name=self._studio.versions.roll_back().name))

        return self._guard(work, str)

    def _compare_two(self, a: str | None, b: str | None) -> str:
        def work() -> str:
            if not a or not b or a == b:
                raise PageError(self._say("error_same_version"))
            labels = list(entity_types(self._studio.store.schema()[0]))
            return comparison_view(self._studio.versions.compare(a, b).to_dict(), labels, self._say)

        return self._guard(work, str)

    def _preview_prune(self, keep: float | None) -> list[Any]:
        def work() -> list[Any]:
            if keep is None or keep < 1 or keep != int(keep):
                raise PageError(self._say("error_positive"))
            doomed = self._studio.versions.prunable(keep=int(keep))
            if not doomed:
                return [notice(self._say("prune_none"), kind="neutral"), gr.update(visible=False), 0]
            names = ", ".join(version.name for version in doomed)
            total = size(sum(version.size for version in doomed), self._say)
            return [notice(self._say("prune_preview", names=names, size=total), kind="bad"), gr.update(visible=True), int(keep)]

        return self._guard(work, lambda html: [html, gr.update(visible=False), 0])

    def _prune_now(self, keep: int) -> list[Any]:
        def work() -> list[Any]:
            names = self._studio.versions.prune(keep=keep) if keep else []
            return [notice(self._say("pruned", names=", ".join(names) or self._say("none"))), gr.update(visible=False), 0]

        return self._guard(work, lambda html: [html, gr.update(visible=False), 0])
