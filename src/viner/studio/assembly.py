"""What a project suggests and recognizes with: its active model and its rules, put together the same way in every process."""

from __future__ import annotations

from viner.annotation.suggest.suggester import Suggester
from viner.project import Dictionary, Pattern, Project, ProjectSettings
from viner.project.rules import NEVER
from viner.rules import RecognitionRules, Rules
from viner.schema import Schema
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
    # A suggestion that is wrong costs a key, one that is missing costs more.
    return Suggester(schema, recognizer.everything(), rules, model=name, evaluation=settings.annotation.suggest_evaluation)


def make_recognition_rules(
    project: Project, schema: Schema, settings: ProjectSettings
) -> tuple[RecognitionRules | None, str | None]:
    """The rules in ``viner.toml`` that recognize beside the model in service.

    A rule whose label today's schema lacks, since it was split or deleted on the page *Labels*, is left out: no answer has a
    label that nobody could accept.

    Returns:
        The rules, None if none recognizes, and what to tell about one that was left out.

    Raises:
        InputError: If a rule cannot be used; ``where`` names it.
    """
    file = project.path / "viner.toml"
    rules: tuple[Dictionary | Pattern, ...] = (*settings.dictionaries, *settings.patterns)
    lost = [rule for rule in rules if rule.recognize != NEVER and rule.label not in schema.entity_labels]
    told = None
    if lost:
        told = f"{file}: {lost[0].place}.label: {lost[0].label!r} is no label of the schema; the rule does not recognize"
    found = RecognitionRules(
        [rule for rule in settings.dictionaries if rule not in lost],
        [rule for rule in settings.patterns if rule not in lost],
        schema=schema,
        file=str(file),
    )
    return found or None, told
