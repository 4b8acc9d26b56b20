"""Two recognizers side by side as HTML."""

from __future__ import annotations

from collections import Counter
from html import escape

from viner.evaluation.page.browse import browser, counted, entry
from viner.evaluation.page.lines import Link, marked_line, place
from viner.evaluation.page.tables import table
from viner.evaluation.versus import OUTCOMES, Case, Versus
from viner.formats.html.marks import visible
from viner.languages import Say


def versus_figures(versus: Versus, say: Say) -> str:
    """Both F1, what was repaired and broken over all and by type, as HTML."""
    comparison = versus.comparison()
    first, second = comparison.overall
    told = [
        say(
            "err_versus_figures",
            before=say.decimal(first.f1, 4),
            after=say.decimal(second.f1, 4),
            repaired=say.number(versus.repaired),
            broken=say.number(versus.broken),
        )
    ]
    if comparison.p_value is not None:
        told.append(say("err_versus_chance", chance=say.decimal(100 * comparison.p_value, 2)))
    rows = [
        [
            visible(label),
            *(say.decimal(scores.f1, 4) if scores.support or scores.predicted else "–" for scores in pair),
            *(say.number(versus.by_label.get(label, Counter())[name]) for name in ("repaired", "broken")),
        ]
        for label, pair in comparison.labels.items()
    ]
    columns = [say("err_type"), f"F1 {say('err_first')}", f"F1 {say('err_second')}", say("err_repaired"), say("err_broken")]
    return f"<p>{escape(' '.join(told))}</p>" + table(columns, rows, numbers=(1, 2, 3, 4))


def browse_cases(versus: Versus, say: Say, link: Link | None = None) -> str:
    """The sentences that differ, with the answers of both under each other and a filter by outcome, as HTML."""
    cases = {outcome: versus.cases(outcome) for outcome in OUTCOMES}
    kinds = {}
    for outcome, items in cases.items():
        kinds[f"o-{outcome}"] = (escape(say(f"err_{outcome}")), counted(len(items), versus.sentences(outcome), say))
    entries = [
        entry(
            [f"ve-o-{outcome}"],
            f'<span class="ve-kind ve-o-{outcome}">{escape(say(f"err_{outcome}"))}</span> {place(case.first, say, link)}',
            *_lines(case, say),
        )
        for outcome, items in cases.items()
        for case in items
    ]
    return browser("ve-v", say("err_outcome"), kinds, (), entries, say)


def _lines(case: Case, say: Say) -> list[str]:
    lines = []
    for name, excerpt in (("first", case.first), ("second", case.second)):
        gold = [entity for entity in excerpt.gold if (entity.start, entity.end) in case.differing]
        predicted = [
            entity
            for entity in excerpt.predicted
            if any(start < entity.end and entity.start < end for start, end in case.differing)
        ]
        lines.append(f'<div class="ve-which"><i>{escape(say(f"err_{name}"))}</i>{marked_line(excerpt, gold, predicted)}</div>')
    return lines
