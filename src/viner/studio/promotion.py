"""Whether a new model takes over: only where it is not worse than the one in service, on the dev documents of today."""

from __future__ import annotations

from typing import Any

from viner.errors import VinerError
from viner.project import Project
from viner.store import Store
from viner.studio.versions import Versions


def promote(project: Project, name: str) -> dict[str, Any]:
    """Activates a new model if it is not worse than the active one, and says what was done and why.

    Args:
        project: The project.
        name: The new model.

    Returns:
        ``{"activated", "message", "former", "f1", "former_f1", "documents"}``; figures are None where nothing
        could be compared.
    """
    with Store.of_project(project, create=False) as store:
        versions = Versions(project, store)
        former = versions.active()
        outcome: dict[str, Any] = {"former": former, "f1": None, "former_f1": None, "documents": 0}
        if former is None or former == name:
            versions.activate(name)
            return outcome | {"former": None, "activated": True, "message": f"Model {name} is the first, and now in service."}
        try:
            comparison = versions.compare(former, name)
        except VinerError as error:
            versions.activate(name)
            message = f"Model {name} is now in service. It could not be compared with {former}: {error.message}."
            return outcome | {"activated": True, "message": message}
        old, new = (scores.f1 for scores in comparison.overall)
        outcome |= {"f1": new, "former_f1": old, "documents": comparison.documents}
        figures = f"F1 {new:.4f} against {old:.4f} on the {comparison.documents} dev documents of today"
        if comparison.delta < 0:
            message = f"Model {former} stays in service, since {name} is worse: {figures}. Activate it if you prefer it."
            return outcome | {"activated": False, "message": message}
        versions.activate(name)
        return outcome | {"activated": True, "message": f"Model {name} is now in service: {figures}."}
