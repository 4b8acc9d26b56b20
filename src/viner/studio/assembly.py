"""What a project suggests with: its active model and its rules, put together the same way in every process."""

from __future__ import annotations

from viner.annotation.suggest.suggester import Suggester
from viner.project import Project, ProjectSettings
from viner.rules import Rules
from viner.store import Store
from viner.studio.serving import ServingRecognizer


def make_suggester(project: Project, store: Store, settings: ProjectSettings, serving: ServingRecognizer) -> Suggester:
    """The suggester of the model in service and the rules in ``viner.toml``.

    Raises:
        InputError: If a rule cannot be used; ``where`` names it.
    """
    rules = Rules(settings.dictionaries, settings.patterns, file=str(project.path / "viner.toml"))
    schema, _ = store.schema()
    serves = serving.served()
    if serves is None:
        return Suggester(schema, None, rules)
    name, recognizer = serves
    return Suggester(schema, recognizer, rules, model=name, evaluation=settings.annotation.suggest_evaluation)
