"""Whether a new model takes over: only where it is not worse than the one in service, on the dev documents of today."""

from __future__ import annotations

from typing import Any

from viner.errors import VinerError
from viner.project import Project
from viner.store import Store, StoreError
from viner.studio.notes import Note
from viner.studio.versions import Versions


def promote(project: Project, name: str) -> dict[str, Any]:
    """Activates a new model if it is not worse than the active one, and says what was done and why.

    Args:
        project: The project.
        name: The new model.

    Returns:
        ``{"activated", "code", "values", "message", "former", "f1", "former_f1", "documents"}``, the second to fourth as
        in :class:`~viner.studio.notes.Note`; figures are None where nothing could be compared.

    Raises:
        StoreError: If the documents cannot be read; the model before goes on serving.
        BundleError: If the new model cannot be loaded; the one before goes on serving.
    """
    with Store.of_project(project, create=False) as store:
        versions = Versions(project, store)
        former = versions.active()
        outcome: dict[str, Any] = {"former": former, "f1": None, "former_f1": None, "documents": 0}
        if former is None or former == name:
            versions.activate(name)
            return outcome | {"former": None, "activated": True, **Note.of("model_first", name=name).to_dict()}
        try:
            comparison = versions.compare(former, name)
        except StoreError:  # nothing is known of the models then; a training that is resumed compares them again
            raise
        except VinerError as error:
            versions.activate(name)
            told = Note.of("model_uncompared", name=name, former=former, reason=error.message, reason_code=error.code)
            return outcome | {"activated": True, **told.to_dict()}
        old, new = (scores.f1 for scores in comparison.overall)
        outcome |= {"f1": new, "former_f1": old, "documents": comparison.documents}
        better = comparison.delta >= 0
        if better:
            versions.activate(name)
        told = Note.of(
            "model_promoted" if better else "model_worse",
            name=name,
            former=former,
            f1=new,
            former_f1=old,
            documents=comparison.documents,
        )
        return outcome | {"activated": better, **told.to_dict()}
