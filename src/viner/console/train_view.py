"""Trainings and model versions as HTML. Pure: no training, no Gradio."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from viner.console.frame import chip, notice, table
from viner.console.messages import Messages
from viner.console.plots import line_plot
from viner.formats.html.marks import visible
from viner.store import Counts
from viner.studio import Run
from viner.studio.course import PREPARING, PROMOTING

_STAGES = {
    None: "stage_starting",
    PREPARING: "stage_reading",
    "Training": "stage_training",
    "Exporting to ONNX": "stage_exporting",
    "Comparing int8 with float32": "stage_quantizing",
    "Evaluating": "stage_evaluating",
    PROMOTING: "stage_promoting",
}
_FEW_DOCUMENTS, _FEW_ENTITIES = 5, 20
"""Below so many in the done dev documents, a better model can hardly be told from a worse one."""


def learning_view(counts: Counts, say: Messages) -> str:
    """How many documents a training learns from and is measured on."""
    train, dev, test = (counts.splits[split] for split in ("train", "dev", "test"))
    figures = (
        (train["done"], "learn_done"),
        (train["started"], "learn_started"),
        (dev["done"], "learn_dev"),
        (test["done"], "learn_test"),
    )
    cells = "".join(f"<div><dd>{say.number(count)}</dd><dt>{escape(say(key))}</dt></div>" for count, key in figures)
    advice = ""
    if not dev["done"]:
        advice = notice(say("few_dev"), kind="neutral") if train["done"] or train["started"] else ""
    elif dev["done"] < _FEW_DOCUMENTS:
        advice = notice(say("few_dev_done", documents=say.number(dev["done"])), kind="neutral")
    return f'<dl class="viner-figures">{cells}</dl>{advice}'


def obstacle(counts: Counts, say: Messages) -> str | None:
    """Why no training can start on these documents; None where one can."""
    train = counts.splits["train"]
    if not train["done"] and not train["started"]:
        return say("cannot_none")
    if not any(states.get("accepted") for states in counts.labels.values()):
        return say("cannot_entities")
    return None


def duration(seconds: float, say: Messages) -> str:
    """A time span for people: seconds below a minute, then minutes, then hours and minutes."""
    whole = max(0, round(seconds))
    if whole < 60:
        return say("duration_seconds", seconds=whole)
    minutes = round(whole / 60)
    if minutes < 60:
        return say("duration_minutes", minutes=minutes)
    return say("duration_hours", hours=minutes // 60, minutes=minutes % 60)


def run_view(run: Run | None, say: Messages, *, now: float | None = None) -> str:
    """How far a training is, what became of it, and its error with what to do about it.

    Args:
        run: The training; None before the first.
        say: The interface's messages.
        now: Seconds since 1970, to say how long it has been at work.
    """
    if run is None:
        return f'<p class="viner-note">{escape(say("run_none"))}</p>'
    parts = [say(f"run_{run.state}")]
    if larger := run.options.get("distill_from"):
        parts.append(say("run_smaller", name=Path(str(larger)).name))
    if texts := run.counts.get("texts"):
        parts.append(say("run_texts", count=say.number(texts)))
    if run.active:
        if run.state != "stopping":
            key = "stage_starting" if run.state == "starting" else _STAGES.get(run.stage)
            parts.append(say(key) if key else str(run.stage))
        if run.stage == "Training" and run.epoch and run.epochs:
            parts.append(say("run_epoch", epoch=run.epoch, epochs=run.epochs))
        if now is not None and run.begun is not None:
            parts.append(say("run_since", time=duration(now - run.begun, say)))
        if run.seconds_left is not None:
            parts.append(say("run_left", time=duration(run.seconds_left, say)))
    percent = 100 if run.state == "finished" else min(100, int(100 * run.progress))
    title = say("run", name=run.name)
    # A progress element would be drawn by each browser in its own way, and cannot be styled.
    bar = (
        f'<div class="viner-progress {run.state}" role="progressbar" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{percent}" aria-label="{visible(title)}"><span style="width:{percent}%"></span></div>'
    )
    told = ""
    if run.error is not None and run.state == "failed":
        where = f" ({run.error['where']})" if run.error.get("where") else ""
        message, hint, detail = say.explain(run.error, otherwise="training_failed")
        told = notice(f"{message}{where}", hint or "", _detail(detail, say), kind="bad")
    told += "".join(notice(say.note(note), kind="neutral") for note in run.notes)
    head = f"<strong>{visible(title)}</strong> {escape(' · '.join(parts))}"
    return f'<p class="viner-run-state {run.state}">{head}</p>{bar}{told}'


def plots_view(events: Sequence[Mapping[str, Any]], say: Messages) -> str:
    """Loss and dev F1 of a training, from the events of its log."""
    losses: list[tuple[float, float]] = []
    steps: dict[int, int] = {}
    scores: list[tuple[float, float]] = []
    for event in events:
        if event.get("event") == "step" and event.get("loss") is not None:
            steps[event["epoch"]] = event["steps"]  # documents are batched anew in each epoch, so their number differs
            earlier = sum(number for epoch, number in steps.items() if epoch < event["epoch"])
            losses.append((earlier + event["step"], event["loss"]))
        elif event.get("event") == "epoch" and event.get("dev"):
            scores.append((event["epoch"], event["dev"]["f1"]))
    if not losses and not scores:
        return ""
    loss = line_plot(losses, say("plot_loss"), say, kind="loss")
    return f'<div class="viner-plots">{loss}{line_plot(scores, say("plot_f1"), say, kind="f1", share=True)}</div>'


def versions_view(versions: Sequence[Mapping[str, Any]], say: Messages) -> str:
    """The models of the project, the newest first.

    Args:
        versions: ``{"name", "active", "created", "metrics", "documents", "fingerprint", "engine", "measured_with"}`` each.
        say: The interface's messages.
    """
    if not versions:
        return f'<div class="viner-empty small"><p>{escape(say("versions_none"))}</p></div>'
    rows = []
    for version in reversed(versions):
        metrics = version.get("metrics") or {}
        active = f'<span class="viner-status done">{escape(say("active"))}</span>' if version.get("active") else ""
        documents = version.get("documents")
        remarks = []
        if version.get("error"):
            message, _, detail = say.explain(version["error"], otherwise="invalid_model")
            remarks += [message, *([_detail(detail, say)] if detail else [])]
        if version.get("measured_with"):
            remarks.append(say("version_measured", engine=version["measured_with"]))
        if version.get("missing"):
            remarks.append(say("version_missing", labels=", ".join(version["missing"])))
        remark = "".join(f"<small>{visible(line)}</small>" for line in remarks)
        rows.append(
            [
                f"{visible(str(version['name']))}{active}{remark}",
                escape(moment(version.get("created"))),
                _score(metrics, "dev", say),
                _score(metrics, "test", say),
                say.number(documents) if isinstance(documents, int) else "",
                f"<code>{visible(str(version.get('fingerprint') or '')[:12])}</code>",
                visible(str(version.get("engine") or "")),
            ]
        )
    keys = ("version", "trained_at", "f1_dev", "f1_test", "learned_from", "fingerprint", "engine")
    return table(say("versions"), [say(key) for key in keys], rows, kind="viner-versions", numbers=(2, 3, 4))


def comparison_view(comparison: Mapping[str, Any], labels: Sequence[str], say: Messages) -> str:
    """Two versions side by side, over all labels and for each.

    Args:
        comparison: ``{"a", "b", "documents", "overall": {"a", "b"}, "labels": {label: {"a", "b", "support"}}}`` where ``a`` and
            ``b`` below ``overall`` and ``labels`` are F1 in [0, 1], None where a model does not know the label.
        labels: The labels of the schema in order, for their colors.
        say: The interface's messages.
    """
    rows = [[f"<strong>{escape(say('all_labels'))}</strong>", *_pair(comparison["overall"], say)]]
    rows += [
        [chip(label, labels.index(label) if label in labels else None), *_pair(figures, say)]
        for label, figures in comparison["labels"].items()
    ]
    columns = [say("label"), str(comparison["a"]), str(comparison["b"]), say("difference"), say("support")]
    note = say("comparing", count=say.number(comparison["documents"]))
    chance = comparison.get("p_value")
    if chance is not None:
        note += " · " + say("by_chance", share=say.decimal(100 * chance, 1))
    few = comparison["documents"] < _FEW_DOCUMENTS or (comparison["overall"].get("support") or 0) < _FEW_ENTITIES
    told = notice(say("few_compared"), kind="neutral") if few else ""
    return f'<p class="viner-note">{escape(note)}</p>{told}' + table(say("compare"), columns, rows, numbers=(1, 2, 3, 4))


def size(count: int, say: Messages) -> str:
    """Bytes for people."""
    return f"{say.decimal(count / 1_000_000, 1)} MB"


def moment(at: Any) -> str:
    """An ISO time as date and minute in the server's time zone; empty where there is none."""
    try:
        return datetime.fromisoformat(str(at)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""


def _detail(detail: str | None, say: Messages) -> str:
    return f"{say('detail')}: {detail}" if detail else ""


def _score(metrics: Mapping[str, Any], split: str, say: Messages) -> str:
    value = metrics.get(split)
    return say.decimal(value, 3) if isinstance(value, int | float) else "–"


def _pair(figures: Mapping[str, Any], say: Messages) -> list[str]:
    a, b = figures.get("a"), figures.get("b")
    cells = ["–" if value is None else say.decimal(value, 3) for value in (a, b)]
    difference = ""
    if a is not None and b is not None:
        kind = "better" if b > a else "worse" if b < a else "same"
        sign = "+" if b > a else "−" if b < a else "±"
        difference = f'<span class="viner-delta {kind}">{sign}{say.decimal(abs(b - a), 3)}</span>'
    support = figures.get("support")
    return [*cells, difference, "" if support is None else say.number(support)]
