"""The page *Documents*: files in and out, progress, the list, erasing."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from threading import Event
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from viner.console.documents_view import chosen_view, distribution_view, imported_lines, list_view, lost_view, progress_view
from viner.console.frame import PageError, notice, problem, section, who_is
from viner.console.recognizer import entity_types
from viner.console.studio_page import LONG, QUICK, SCRIPT, StudioPage
from viner.console.theme import color_rules
from viner.console.uploads import Choices, ImportStoppedError, UploadError, add_files
from viner.store import SPLITS, STATUSES, Filter

ROWS = 25
"""Documents on a page of the list."""

_KINDS = ("jsonl", "conll")
_FORGET_AFTER = 3600
# The filter and the place in the list stand in the address, so that a reload or a link leads to the same rows.
_REMEMBER = """(status, split, label, flagged, commented, text, cursors) => viner.remember({
  status, split, label, flagged: flagged ? "1" : "", commented: commented ? "1" : "", q: text,
  after: cursors?.length ? cursors[cursors.length - 1] : ""})"""

# Where the button that stops went away under the focus, this is the next best place.
_BACK_TO_IMPORT = "() => { if (document.activeElement === document.body) viner.focus('viner-import'); }"


class DocumentsPage(StudioPage):
    """The page *Documents*."""

    key = "documents"

    def build(self, blocks: gr.Blocks) -> None:
        """Adds the components and their events to the page."""
        say = self._say
        self._frame(blocks)
        self._style = gr.HTML(js_on_load=None, elem_classes="viner-style")
        with gr.Row(elem_id="viner-overview", equal_height=False):
            with gr.Column(scale=1, min_width=320):
                gr.HTML(section(say("progress")), js_on_load=None)
                self._progress = gr.HTML(js_on_load=None, elem_id="viner-progress")
            with gr.Column(scale=1, min_width=320):
                gr.HTML(section(say("distribution")), js_on_load=None)
                self._distribution = gr.HTML(js_on_load=None, elem_id="viner-labels")
        with gr.Row(elem_id="viner-files-row", equal_height=False):
            with gr.Column(scale=3, min_width=320, elem_id="viner-add"):
                self._build_upload()
            with gr.Column(scale=2, min_width=280, elem_id="viner-export"):
                self._build_export()
        self._build_list()
        self._connect(blocks)

    def _build_upload(self) -> None:
        say = self._say
        gr.HTML(section(say("add_documents")), js_on_load=None)
        with gr.Row(elem_classes="viner-inline"):
            self._files = gr.UploadButton(say("files"), file_count="multiple", min_width=130, scale=0, elem_id="viner-upload")
            self._chosen = gr.HTML(js_on_load=None, elem_id="viner-chosen")
        gr.HTML(f'<p class="viner-hint">{say("files_hint")}</p>', js_on_load=None)
        with gr.Row():
            self._unit = gr.Radio(
                [(say("unit_line"), "line"), (say("unit_file"), "file")],
                value="line",
                label=say("text_unit"),
                min_width=200,
                elem_id="viner-unit",
            )
            self._duplicates = gr.Radio(
                [(say(f"duplicates_{name}"), name) for name in ("skip", "update", "refuse")],
                value="skip",
                label=say("duplicates"),
                min_width=240,
                elem_id="viner-duplicates",
            )
        with gr.Accordion(say("more"), open=False):
            self._as = gr.Radio(
                [(say("annotations_accepted"), "accepted"), (say("annotations_suggested"), "suggested")],
                value="accepted",
                label=say("annotations_in_files"),
                elem_id="viner-as",
            )
            self._into = gr.Radio(
                [(say("split_drawn"), ""), *((say(f"split_{split}"), split) for split in SPLITS)],
                value="",
                label=say("split_choice"),
                elem_id="viner-into",
            )
            self._new = gr.Radio(
                [(say("new_labels_add"), "add"), (say("new_labels_refuse"), "refuse")],
                value="add",
                label=say("new_labels"),
                elem_id="viner-new-labels",
            )
        with gr.Row():
            self._add = gr.Button(say("import"), variant="primary", min_width=140, scale=3, elem_id="viner-import")
            self._halt = gr.Button(say("import_stop"), visible=False, min_width=80, scale=1, elem_id="viner-import-stop")
        self._halted = gr.State(None)
        self._added = gr.HTML(js_on_load=None, elem_id="viner-imported")

    def _build_export(self) -> None:
        say = self._say
        gr.HTML(section(say("export_heading")), js_on_load=None)
        gr.HTML(f'<p class="viner-hint">{say("export_hint")}</p>', js_on_load=None)
        with gr.Row(elem_classes="viner-files"):
            gr.HTML(f"<span>{say('download')}</span>", js_on_load=None)
            self._exports = [gr.Button({"jsonl": "JSONL", "conll": "CoNLL"}[kind], size="sm", min_width=80,
                                       elem_id=f"viner-export-{kind}") for kind in _KINDS]  # fmt: skip
        self._report = gr.HTML(js_on_load=None, elem_id="viner-exported")
        self._file = gr.DownloadButton(visible="hidden")
        self._written = gr.State(None, time_to_live=_FORGET_AFTER, delete_callback=_discard)

    def _build_list(self) -> None:
        say = self._say
        anything = (say("all"), "")
        gr.HTML(section(say("list")), js_on_load=None)
        with gr.Row(elem_id="viner-filter", equal_height=False):
            self._status = gr.Dropdown(
                [anything, *((say(f"status_{status}"), status) for status in STATUSES)],
                value="",
                label=say("status"),
                min_width=130,
                filterable=False,
            )
            self._split = gr.Dropdown(
                [anything, *((say(f"split_{split}"), split) for split in SPLITS)],
                value="",
                label=say("split"),
                min_width=120,
                filterable=False,
            )
            self._label = gr.Dropdown([anything], value="", label=say("label"), min_width=150, allow_custom_value=True)
            self._text = gr.Textbox(label=say("search"), lines=1, min_width=180, elem_id="viner-search")
            with gr.Column(min_width=150, scale=1, elem_id="viner-only"):
                self._flagged = gr.Checkbox(label=say("only_flagged"), container=False)
                self._commented = gr.Checkbox(label=say("only_commented"), container=False)
            self._clear = gr.Button(say("filter_clear"), size="sm", min_width=90, scale=0, elem_id="viner-clear")
        self._list = gr.HTML(js_on_load=None, elem_id="viner-list")
        self._cursors = gr.State([])
        self._shown = gr.JSON([], visible="hidden")
        self._following = gr.State(None)
        with gr.Row(elem_id="viner-pager"):
            self._previous = gr.Button(say("previous"), size="sm", min_width=80, interactive=False, elem_id="viner-previous")
            self._position = gr.HTML(js_on_load=None)
            self._next = gr.Button(say("next"), size="sm", min_width=80, interactive=False, elem_id="viner-next")
        with gr.Row(elem_id="viner-erasing"):
            self._erase = gr.Button(say("erase"), size="sm", min_width=120, scale=0, elem_id="viner-erase")
        self._selected = gr.JSON([], visible="hidden")
        self._condemned = gr.State(())
        with gr.Column(visible=False, elem_id="viner-confirm") as self._confirm:
            self._warning = gr.HTML(js_on_load=None)
            with gr.Row(elem_classes="viner-decide"):
                self._cancel = gr.Button(say("cancel"), min_width=90, elem_id="viner-cancel")
                self._really = gr.Button(say("erase_confirm"), variant="stop", min_width=120, elem_id="viner-erase-confirm")
        self._told = gr.HTML(js_on_load=None, elem_id="viner-erased")

    def _connect(self, blocks: gr.Blocks) -> None:
        choice = [self._status, self._split, self._label, self._flagged, self._commented, self._text]
        rows = [self._cursors, self._following, self._list, self._position, self._previous, self._next, self._shown]
        overview = [self._style, self._progress, self._distribution, self._label]
        remember = [*choice, self._shown]

        blocks.load(self._overview, None, overview, **QUICK)
        blocks.load(self._enter, None, [*choice, *rows], **QUICK)
        for change in (
            self._status.input,
            self._split.input,
            self._label.input,
            self._flagged.input,
            self._commented.input,
            self._text.submit,
        ):
            found = change(self._first, choice, rows, trigger_mode="always_last", **QUICK)
            found.then(inputs=remember, outputs=None, js=_REMEMBER, **SCRIPT)
        cleared = self._clear.click(self._unfiltered, None, [*choice, *rows], **QUICK)
        cleared.then(inputs=remember, outputs=None, js=_REMEMBER, **SCRIPT)
        for button, step in ((self._previous, self._back), (self._next, self._forward)):
            turned = button.click(step, [*choice, self._cursors, self._following], rows, **QUICK)
            turned.then(inputs=remember, outputs=None, js=_REMEMBER, **SCRIPT)

        self._files.upload(self._choose, self._files, [self._chosen, self._added], **QUICK)
        begun = self._add.click(self._begin, None, [self._halted, self._halt, self._add], **QUICK)
        self._halt.click(self._stop, self._halted, self._halt, **QUICK)
        added = begun.then(
            self._import,
            [self._files, self._unit, self._duplicates, self._as, self._into, self._new, self._halted],
            [self._added, self._files, self._chosen],
            show_progress_on=self._added,
            **{**LONG, "show_progress": "full"},
        )
        ended = added.then(self._end, None, [self._halt, self._add], **QUICK)
        ended.then(inputs=None, outputs=None, js=_BACK_TO_IMPORT, **SCRIPT)
        added.then(self._overview, None, overview, **QUICK).then(self._first, choice, rows, **QUICK)

        for kind, button in zip(_KINDS, self._exports, strict=True):
            written = button.click(
                partial(self._export, kind),
                [*choice, self._written],
                [self._file, self._written, self._report],
                show_progress_on=self._report,
                **LONG,
            )
            written.success(inputs=self._file, outputs=None, js="(file) => { viner.takeFile(file); }", **SCRIPT)

        asking = [self._condemned, self._warning, self._confirm, self._told]
        asked = self._erase.click(self._ask, self._selected, asking, js="() => [viner.selected()]", **QUICK)
        asked.then(inputs=None, outputs=None, js="() => viner.focus('viner-cancel')", **SCRIPT)
        self._cancel.click(self._keep, None, asking, **QUICK).then(
            inputs=None, outputs=None, js="() => viner.focus('viner-erase')", **SCRIPT
        )
        erased = self._really.click(self._erase_now, self._condemned, asking, **LONG)
        erased.then(self._overview, None, overview, **QUICK).then(self._first, choice, rows, **QUICK)

    # What the page shows

    def _overview(self) -> list[Any]:
        def work() -> list[Any]:
            counts = self._studio.store.counts()
            schema, _ = self._studio.store.schema()
            types = entity_types(schema)
            labels = list(types)
            known = [*labels, *(label for label in counts.labels if label not in types)]
            return [
                f"<style>{color_rules(types)}</style>",
                progress_view(counts, self._say),
                distribution_view(counts, labels, self._say),
                gr.update(choices=[(self._say("all"), ""), *((label, label) for label in known)]),
            ]

        return self._guard(work, lambda html: [gr.skip(), html, "", gr.skip()])

    def _enter(self, request: gr.Request) -> list[Any]:
        """The list as the address says."""
        asked = dict(request.query_params)
        status = asked.get("status", "") if asked.get("status") in STATUSES else ""
        split = asked.get("split", "") if asked.get("split") in SPLITS else ""
        after = asked.get("after", "")
        choice = (
            status,
            split,
            asked.get("label", "")[:200],
            asked.get("flagged") == "1",
            asked.get("commented") == "1",
            asked.get("q", "")[:1000],
        )
        cursors = [int(after)] if after.isdecimal() and len(after) < 16 else []
        return [*choice, *self._rows(*choice, cursors)]

    def _first(self, *choice: Any) -> list[Any]:
        return self._rows(*choice, [])

    def _unfiltered(self) -> list[Any]:
        choice = ("", "", "", False, False, "")
        return [*choice, *self._rows(*choice, [])]

    def _back(self, *values: Any) -> list[Any]:
        *choice, cursors, _ = values
        return self._rows(*choice, cursors[:-1])

    def _forward(self, *values: Any) -> list[Any]:
        *choice, cursors, following = values
        return self._rows(*choice, cursors if following is None else [*cursors, following])

    def _rows(self, *values: Any) -> list[Any]:
        """Outputs ``rows``: a page of the list. Cursors are the numbers behind which this page and those before it begin."""
        *choice, cursors = values

        def work() -> list[Any]:
            page = self._studio.store.find(_filter(*choice), after=cursors[-1] if cursors else None, limit=ROWS)
            position = ""
            if page.rows:
                first, last = (self._say.number(page.rows[index].number) for index in (0, -1))
                position = self._say("rows_shown", first=first, last=last)
            return [
                cursors,
                page.next,
                list_view(page.rows, self._say, filtered=any(choice) or bool(cursors)),
                f'<p class="viner-position" role="status">{position}</p>',
                gr.update(interactive=bool(cursors)),
                gr.update(interactive=page.next is not None),
                cursors,
            ]

        return self._guard(work, lambda html: [cursors, None, html, "", gr.skip(), gr.skip(), cursors])

    # Files

    def _choose(self, paths: list[str] | None) -> list[str]:
        """Outputs the names of the files that were chosen, and no report of those before."""
        return [chosen_view([Path(path).name for path in paths or ()], self._say), ""]

    def _begin(self) -> list[Any]:
        """Outputs what stops this import, also while it waits for its turn, and the buttons as they are meanwhile."""
        return [Event(), gr.update(visible=True, interactive=True), gr.update(interactive=False)]

    def _stop(self, halted: Event | None) -> Any:
        if halted is not None:
            halted.set()
        return gr.update(interactive=False)

    def _end(self) -> list[Any]:
        return [gr.update(visible=False), gr.update(interactive=True)]

    def _import(
        self,
        paths: list[str] | None,
        unit: str,
        duplicates: str,
        annotations: str,
        split: str,
        new_labels: str,
        halted: Event,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  how Gradio hands it over
    ) -> list[Any]:
        say = self._say

        def work() -> list[Any]:
            if not paths:
                raise PageError(say("error_no_files"))
            choices = Choices(unit == "file", duplicates, annotations == "suggested", split or None, new_labels)
            try:
                done = add_files(
                    self._studio.store,
                    [Path(path) for path in paths],
                    choices,
                    who=who_is(request),
                    progress=lambda count: progress(None, desc=say("importing", count=say.number(count))),
                    stopped=halted.is_set,
                )
            except UploadError as error:
                told = "".join(notice(name, *imported_lines(report, say)) for name, report in error.done)
                if isinstance(error.error, ImportStoppedError):
                    return [
                        told + notice(say("import_stopped"), say("import_left_out", name=error.where), kind="neutral"),
                        None,
                        "",
                    ]
                partly = notice(say("imported_partly"), kind="neutral") if error.done else ""
                return [problem(say, error.error) + told + partly, None, ""]
            return ["".join(notice(name, *imported_lines(report, say)) for name, report in done), None, ""]

        return self._guard(work, lambda html: [html, gr.skip(), gr.skip()])

    def _export(self, kind: str, *values: Any) -> list[Any]:
        """Outputs the file, its path, and what became of the documents. The file goes with the next one, or after an hour."""
        *choice, previous = values
        _discard(previous)

        def work() -> list[Any]:
            from viner.formats import write

            folder = Path(mkdtemp(dir=get_upload_folder()))
            path = folder / f"{_file_name(self._studio.settings.name)}.{kind}"
            try:
                report = write(self._studio.store.export(_filter(*choice)), path, format=kind)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            numbers = {"documents": self._say.number(report.documents), "entities": self._say.number(report.entities)}
            told = notice(self._say("exported", name=path.name, **numbers), *lost_view(report.lost, self._say))
            return [str(path), str(path), told]

        return self._guard(work, lambda html: [None, None, html])

    # Erasing

    def _ask(self, selected: list[str]) -> list[Any]:
        """Outputs ``asking``: what would go."""
        say = self._say

        def work() -> list[Any]:
            if not selected:
                raise PageError(say("error_none_selected"))
            entities = sum(len(self._studio.store.get(name).entities) for name in selected)
            title = say("erase_title_one") if len(selected) == 1 else say("erase_title", count=say.number(len(selected)))
            warning = notice(title, say("erase_text", entities=say.number(entities)), kind="bad")
            return [tuple(selected), warning, gr.update(visible=True), ""]

        return self._guard(work, lambda html: [(), "", gr.update(visible=False), html])

    def _keep(self) -> list[Any]:
        return [(), "", gr.update(visible=False), ""]

    def _erase_now(self, condemned: tuple[str, ...], request: gr.Request) -> list[Any]:
        def work() -> list[Any]:
            count = self._studio.erase(condemned, who=who_is(request)).documents
            return [(), "", gr.update(visible=False), notice(self._say("erased", count=self._say.number(count)))]

        return self._guard(work, lambda html: [(), "", gr.update(visible=False), html])


def _filter(status: str, split: str, label: str, flagged: bool, commented: bool, text: str) -> Filter:
    return Filter(
        statuses=(status,) if status else None,  # type: ignore[arg-type]
        splits=(split,) if split else None,  # type: ignore[arg-type]
        label=label or None,
        flagged=True if flagged else None,
        commented=True if commented else None,
        text=text.strip() or None,
    )


def _file_name(name: str) -> str:
    """The name of a project as one of a file."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name).strip("-") or "project"


def _discard(path: str | None) -> None:
    """Deletes a file for download, with the folder that it has for itself."""
    if path is not None:
        shutil.rmtree(Path(path).parent, ignore_errors=True)
