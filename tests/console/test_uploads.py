from __future__ import annotations

from pathlib import Path

import pytest

from support.pretend_studio import make_project
from viner.console.uploads import Choices, ImportStoppedError, UploadError, add_files, read_upload
from viner.formats import Trail
from viner.store import Filter, Store


@pytest.fixture
def store(tmp_path: Path):
    with Store.of_project(make_project(tmp_path / "project")) as store:
        yield store


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def texts(store: Store) -> dict[str, str]:
    return {document.id or "": document.text for document in store.export()}


def test_a_text_file_is_a_document_a_line_or_one_document(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "báo.txt", "Một\n\nHai\n")
    add_files(store, [path], Choices(), who="lan")
    assert texts(store) == {"báo-000001": "Một", "báo-000002": "Hai"}
    other = write(tmp_path, "whole.txt", "Một\n\nHai\n")
    add_files(store, [other], Choices(whole=True), who="lan")
    assert texts(store)["whole"] == "Một\n\nHai\n"


def test_files_whose_names_differ_have_different_ids(store: Store, tmp_path: Path) -> None:
    for name in ("notes.2023.txt", "notes.2024.txt"):
        ((_, report),) = add_files(store, [write(tmp_path, name, f"Năm {name}\n")], Choices(), who="lan")
        assert (report.added, report.skipped) == (1, 0)
    both = [write(tmp_path, name, text) for name, text in (("a.txt", "Một\n"), ("a.csv", "text\nHai\n"))]
    assert [report.added for _, report in add_files(store, both, Choices(), who="lan")] == [1, 1]
    assert sorted(texts(store)) == ["a.csv:2", "a.txt-000001", "notes.2023-000001", "notes.2024-000001"]


def test_ids_of_the_file_are_kept(tmp_path: Path) -> None:
    path = write(tmp_path, "x.jsonl", '{"id": "a", "text": "Một"}\n{"text": "Hai"}\n')
    assert [document.id for document in read_upload(path, Trail(), whole=False)] == ["a", "x-000002"]


def test_a_broken_file_is_left_out_whole_and_named_with_its_line(store: Store, tmp_path: Path) -> None:
    good = write(tmp_path, "good.txt", "Một\n")
    broken = write(tmp_path, "broken.jsonl", '{"text": "Hai"}\n{"txt": 1}\n')
    with pytest.raises(UploadError) as caught:
        add_files(store, [good, broken], Choices(), who="lan")
    assert caught.value.where == "broken.jsonl:2"
    assert [name for name, _ in caught.value.done] == ["good.txt"]
    assert list(texts(store).values()) == ["Một"]


def test_a_document_that_the_project_refuses_is_named_with_its_line(store: Store, tmp_path: Path) -> None:
    strange = '{"id": "b", "text": "Lan", "entities": [{"start": 0, "end": 3, "label": "NONE"}]}\n'
    path = write(tmp_path, "a.jsonl", '{"id": "a", "text": "Một"}\n\n' + strange)
    with pytest.raises(UploadError) as caught:
        add_files(store, [path], Choices(), who="lan")
    assert caught.value.where == "a.jsonl:3: b: entities[0]"


def test_duplicates_are_refused_skipped_or_updated(store: Store, tmp_path: Path) -> None:
    first = write(tmp_path, "a.jsonl", '{"id": "a", "text": "Lan"}\n')
    again = write(tmp_path, "b.jsonl", '{"id": "a", "text": "Lan", "entities": [{"start": 0, "end": 3, "label": "PERSON"}]}\n')
    add_files(store, [first], Choices(), who="lan")
    with pytest.raises(UploadError):
        add_files(store, [again], Choices(), who="lan")
    [(_, skipped)] = add_files(store, [again], Choices(on_duplicate="skip"), who="lan")
    [(_, updated)] = add_files(store, [again], Choices(on_duplicate="update"), who="lan")
    assert (skipped.skipped, updated.updated) == (1, 1)


def test_new_labels_and_suggestions_come_in_as_chosen(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"id": "a", "text": "46", "entities": [{"start": 0, "end": 2, "label": "AGE"}]}\n')
    with pytest.raises(UploadError):
        add_files(store, [path], Choices(), who="lan")
    [(_, report)] = add_files(store, [path], Choices(new_labels="add", as_suggestions=True, split="test"), who="lan")
    assert report.labels == ("AGE",)
    assert report.suggestions == 1
    assert [row.split for row in store.find(Filter()).rows] == ["test"]


def test_progress_counts_documents(store: Store, tmp_path: Path) -> None:
    path = write(tmp_path, "many.txt", "".join(f"Văn bản {number}\n" for number in range(450)))
    seen: list[int] = []
    add_files(store, [path], Choices(), who="lan", progress=seen.append)
    assert seen == [200, 400]


def test_a_stopped_import_keeps_the_files_before_and_nothing_of_the_one_it_was_reading(store: Store, tmp_path: Path) -> None:
    first = write(tmp_path, "first.txt", "Một\nHai\n")
    many = write(tmp_path, "many.txt", "".join(f"Văn bản {number}\n" for number in range(5_000)))
    never = write(tmp_path, "never.txt", "Ba\n")
    read: list[int] = []
    paths = [first, many, never]
    with pytest.raises(UploadError) as caught:
        add_files(store, paths, Choices(), who="lan", progress=read.append, stopped=lambda: bool(read) and read[-1] >= 3_000)
    assert isinstance(caught.value.error, ImportStoppedError)
    assert caught.value.where == "many.txt"
    assert [(name, report.added) for name, report in caught.value.done] == [("first.txt", 2)]
    assert read[-1] == 3_000
    assert sorted(texts(store).values()) == ["Hai", "Một"]
    assert store.counts().status("todo") == 2
    add_files(store, paths, Choices(on_duplicate="skip"), who="lan")
    assert len(texts(store)) == 5_003
