"""What the Hub asks of the front matter of a README.md, as far as its documentation says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from viner.workflow import front_matter

NO_FRONT_MATTER = "there is no front matter"


def front_matter_problems(readme: str, kind: str = "model") -> list[str]:
    """What the Hub would not accept in the front matter of a README.md."""
    import yaml

    match = re.match(r"---\n(.*?)\n---\n", readme, re.DOTALL)
    if match is None:
        return [NO_FRONT_MATTER]
    try:
        data = yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        return [f"the front matter is no YAML: {error}"]
    if not isinstance(data, dict):
        return ["the front matter is no mapping"]
    checks = _SPACE if kind == "space" else _MODEL
    problems = [
        f"{key} must be {what}, not {data[key]!r}"
        for key, (what, fits) in checks.items()
        if key in data and not fits(data[key])
    ]
    if kind == "space":
        problems += [f"{key} is missing" for key in ("sdk", "sdk_version", "app_file") if key not in data]
    if data.get("license") == "other" and not data.get("license_name"):
        problems.append("license_name is missing")
    for model in data.get("model-index", ()):
        problems += _index_problems(model)
    return problems


def _index_problems(model: Any) -> list[str]:
    try:
        model["name"], results = str(model["name"]), model["results"]
        for result in results:
            (result["task"]["type"], result["dataset"]["type"], result["dataset"]["name"])
            for metric in result["metrics"]:
                if not isinstance(metric["type"], str) or not isinstance(metric["value"], float | int):
                    return [f"model-index: {metric} is no metric"]
        return [] if results else ["model-index: there are no results"]
    except (KeyError, TypeError) as error:
        return [f"model-index: {error} is missing"]


def _texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(item, str) for item in value))


def _all(pattern: str) -> Callable[[Any], bool]:
    return lambda value: (
        _texts(value) and all(re.fullmatch(pattern, item) for item in ([value] if isinstance(value, str) else value))
    )


_MODEL: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "language": ("ISO 639 codes", _all(r"[a-z]{2,3}|multilingual|code")),
    "license": ("a license of the Hub", lambda value: value in front_matter.LICENSES | {"other"}),
    "base_model": ("ids of models", _all(r"[\w.-]+/[\w.-]+|[\w.-]+")),
    "datasets": ("ids of data sets", _all(r"[\w.-]+/[\w.-]+|[\w.-]+")),
    "pipeline_tag": ("a task", lambda value: value == "token-classification"),
    "library_name": ("a name", lambda value: isinstance(value, str)),
    "tags": ("texts", lambda value: isinstance(value, list) and _texts(value)),
    "metrics": ("texts", lambda value: isinstance(value, list) and _texts(value)),
}
_SPACE: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "title": ("a text", lambda value: isinstance(value, str)),
    "sdk": ("gradio, docker or static", lambda value: value in ("gradio", "docker", "static")),
    "sdk_version": ("a version in quotes", lambda value: isinstance(value, str)),
    "app_file": ("a file", lambda value: isinstance(value, str)),
    "colorFrom": ("a color", lambda value: value in ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")),
    "colorTo": ("a color", lambda value: value in ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")),
    "license": ("a license of the Hub", lambda value: value in front_matter.LICENSES | {"other"}),
}
