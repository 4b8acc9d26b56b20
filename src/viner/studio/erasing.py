"""Erasing documents from all that a project keeps of them: store, unfinished trainings, comparisons of models, doubts."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass

from viner.project import Project
from viner.store import Store
from viner.studio.doubts import forgetting
from viner.studio.runs import Runs


@dataclass(frozen=True, slots=True)
class Erased:
    """What went.

    Args:
        documents: How many documents.
        runs: Names of the trainings that had learned from them and have lost what they learned; those at work start anew.
    """

    documents: int
    runs: tuple[str, ...]


def erase(project: Project, store: Store, runs: Runs, ids: Iterable[str], *, who: str) -> Erased:
    """Erases documents for good. Finished models, exports and backups stay; they are files of their own.

    The store is last: whoever is killed on the way finds the documents there, not erased, and erases them again.

    Args:
        project: The project.
        store: Its store.
        runs: Its trainings.
        ids: Ids of the documents.
        who: Who does it.

    Raises:
        UnknownDocumentError: If there is no document of one of the ids; nothing was erased then.
        StoreError: If the database cannot be written; the trainings have lost the documents then.
        RunError: If annotations are being doubted, which takes copies of the documents; nothing was erased then.
        VinerError: If the snapshot of a training cannot be written, or trainings are being started all the time; the
            documents are in the store then.
    """
    ids = list(dict.fromkeys(ids))
    store.check_known(ids)
    with forgetting(project, ids), runs.without(ids) as changed:
        # Counts by document, named after a hash of its text; they are made again when somebody compares.
        shutil.rmtree(project.path / "runs" / "comparisons", ignore_errors=True)
        documents = store.erase(ids, who=who)
    return Erased(documents, tuple(changed))
