from __future__ import annotations

import pytest

from viner.console.documents_view import chosen_view, distribution_view, imported_lines, list_view, lost_view, progress_view
from viner.console.messages import Messages
from viner.languages import LANGUAGES
from viner.store import SPLITS, STATUSES, AddReport, Counts, Row

EN, VI = Messages("en"), Messages("vi")
EVIL = '<img src=x onerror="alert(1)">'


def counts(labels: dict[str, dict[str, int]] | None = None, **train: int) -> Counts:
    splits = {split: dict.fromkeys(STATUSES, 0) for split in SPLITS}
    splits["train"].update(train)
    return Counts(splits, labels or {})


def row(name: str = "a", **fields: object) -> Row:
    values = {"number": 1, "status": "todo", "split": "train", "flagged": False, "comments": 0, "accepted": 0, "suggested": 0}
    return Row(id=name, excerpt="Lan ở Hà Nội", **{**values, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_project_without_documents_says_what_to_do_first(language: str) -> None:
    say = Messages(language)
    view = progress_view(counts(), say)
    assert say("start_title") in view
    assert view.count("<li>") == 3
    assert say("distribution_none") in distribution_view(counts(), ["PERSON"], say)


def test_progress_is_told_by_split_and_status_and_drawn_to_scale() -> None:
    view = progress_view(counts(done=1_500, todo=500), EN)
    assert "1,500 of 2,000 documents done (75 %)" in view
    assert 'class="done" style="width:75.000%"' in view
    assert "1.500 trong 2.000" in progress_view(counts(done=1_500, todo=500), VI)
    assert [view.count(f'<th scope="row">{EN(f"split_{split}")}</th>') for split in SPLITS] == [1, 1, 1]


def test_labels_are_drawn_on_one_scale_with_unknown_ones_behind_those_of_the_schema() -> None:
    labels = {"OLD": {"accepted": 1, "suggested": 0}, "PERSON": {"accepted": 6, "suggested": 4}}
    view = distribution_view(counts(labels), ["PERSON", "PLACE"], EN)
    assert 'class="accepted t0" style="width:60.000%"' in view
    assert 'class="suggested t0" style="width:40.000%"' in view
    assert 'class="accepted t-other" style="width:10.000%"' in view
    assert view.index("PERSON") < view.index("PLACE") < view.index("OLD")


def test_rows_lead_to_the_annotation_page_whatever_the_id() -> None:
    view = list_view([row("a/b?c=đ&e#f")], EN)
    assert 'href="../annotate/?document=a%2Fb%3Fc%3D%C4%91%26e%23f"' in view
    assert 'value="a/b?c=đ&amp;e#f"' in view


def test_hostile_ids_excerpts_labels_and_files_are_escaped() -> None:
    hostile = Row(EVIL, 1, "done", "dev", True, 2, 3, 4, EVIL)
    views = [list_view([hostile], EN), distribution_view(counts({EVIL: {"accepted": 1}}), [EVIL], EN), chosen_view([EVIL], EN)]
    assert "<img" not in "".join(views)


def test_flags_comments_and_suggestions_stand_in_the_row() -> None:
    view = list_view([row(flagged=True, comments=2, suggested=7)], EN)
    for text in (EN("flag"), "2 comments", "7 suggested"):
        assert text in view


def test_an_empty_list_tells_whether_the_filter_is_why() -> None:
    assert EN("no_match") in list_view([], EN)
    assert EN("list_empty") in list_view([], EN, filtered=False)


def test_reports_of_imports_and_exports_name_what_happened() -> None:
    assert imported_lines(AddReport(added=1200, skipped=3), EN) == ["1,200 added, 0 updated, 3 skipped"]
    lines = imported_lines(AddReport(added=1, entities=2, labels=("AGE",)), EN)
    assert lines[1:] == ["2 entities, 0 suggestions", "New labels: AGE"]
    assert lost_view({}, EN) == [EN("nothing_lost")]
    assert lost_view({"nested": 2, "comments": 5}, EN) == [EN("lost"), "5 × comments", "2 × nested"]
