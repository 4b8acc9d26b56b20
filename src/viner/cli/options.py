"""Options that several verbs share, so that they read and behave the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import click

from viner.errors import UsageError
from viner.languages import LANGUAGES

F = TypeVar("F", bound=Callable[..., Any])


class _File(click.Path):
    """A path, if something is given: an empty name would stand for the folder that one is in."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        if value == "":
            self.fail("the name is empty, as it is where a variable of the shell is not set", parameter, context)
        return super().convert(value, parameter, context)


FILE = _File(path_type=Path)
"""A path that the API checks, with its own message; click only turns it into a Path."""


class Duration(click.ParamType):
    """A time such as ``90s``, ``10m``, ``1h30m`` or ``1.5h``; a number alone is minutes. The verb gets minutes."""

    name = "duration"
    _UNITS: ClassVar[dict[str, float]] = {"h": 60.0, "m": 1.0, "s": 1 / 60}

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> float:
        """Minutes, more than 0."""
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        number = r"(\d{1,6}(?:\.\d{1,6})?)\s*"
        if re.fullmatch(number, text):
            minutes = float(text)
        elif (parts := re.fullmatch(rf"(?:{number}h)?(?:{number}m(?:in)?)?(?:{number}s)?", text)) and text:
            minutes = sum(float(part or 0) * unit for part, unit in zip(parts.groups(), self._UNITS.values(), strict=True))
        else:
            self.fail(f"{value!r} is no time, such as 90s, 10m or 1h30m", parameter, context)
        if minutes <= 0:
            self.fail("the time must be more than 0", parameter, context)
        return minutes


def budget_option(told: str, name: str = "--budget") -> Callable[[F], F]:
    """``--budget``, or an option of another name: a time that the verb gets in minutes, as ``budget_minutes`` and the like."""
    field = f"{name.removeprefix('--').replace('-', '_')}_minutes"
    return click.option(name, field, type=Duration(), metavar="TIME", help=f"{told}, such as 10m or 1h30m.")


def base_option(function: F) -> F:
    """``--base``: the encoder that a training begins with. The verb gets ``base``."""
    return click.option("--base", metavar="ID|DIR", help="Encoder from the Hub or a folder; the bundled one if not given.")(
        function
    )


def encoder_options(function: F) -> F:
    """``--allow-bin`` and ``--segmenter``: how a base is read. The verb gets ``allow_bin``, True or None, and ``segmenter``."""
    for option in (
        click.option(
            "--segmenter",
            metavar="NAME",
            help="What joins syllables to the segments that the base reads, or none; as the base learned if not given.",
        ),
        click.option("--allow-bin", is_flag=True, default=None, help="Accept a base with weights in pytorch_model.bin."),
    ):
        function = option(function)
    return function


def choices_option(function: F) -> F:
    """``--choices``: choices of a training from a file. The verb gets its path, which it reads itself."""
    return click.option(
        "--choices", type=FILE, metavar="FILE", help="Choices in a TOML file, such as best.toml of viner search."
    )(function)


def json_option(function: F) -> F:
    """``--json``: one JSON object on stdout instead of text for people."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")(function)


def language_option(function: F) -> F:
    """``--language`` of a page that a verb writes; None where nobody chose one."""
    return click.option("--language", type=click.Choice(LANGUAGES), help=f"Language of the page; {LANGUAGES[0]} if not given.")(
        function
    )


def page_language(language: str | None, *, written: bool, example: str) -> str:
    """The language of a page, by what ``--language`` says.

    Args:
        language: What was given; None takes the default.
        written: Whether a page is written at all.
        example: Options that write one, for the hint.

    Raises:
        UsageError: If a language was given, and no page is written.
    """
    if language is not None and not written:
        raise UsageError("--language is that of the page", hint=f"Write one, such as: {example}")
    return language or LANGUAGES[0]


def format_option(function: F) -> F:
    """``--format`` and ``--option``: how the input is read. The verb gets ``format`` and the dict ``read_options``."""
    for option in (
        click.option(
            "--option",
            "read_options",
            metavar="KEY=VALUE",
            multiple=True,
            callback=_read_options,
            help="Option of the input's format, such as tag_column=3; may be repeated (docs/formats.md).",
        ),
        click.option("--format", "format", metavar="NAME", help="Format of the input; found out if not given."),
    ):
        function = option(function)
    return function


def _read_options(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, Any]:
    """Reads ``KEY=VALUE`` pairs; which keys there are, only the format knows."""
    options = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE, such as tag_column=3")
        options[key] = _value(value)
    return options


def _value(value: str) -> Any:
    """A number, true or false, several of these between commas, or text; ``tab`` and ``space`` stand for these characters."""
    if "," in value and value != ",":
        return tuple(_value(part) for part in value.split(",") if part)
    if re.fullmatch(r"-?[0-9]{1,9}", value):
        return int(value)
    return _NAMED.get(value, value)


_NAMED = {"true": True, "false": False, "tab": "\t", "space": " "}


def option_text(value: Any) -> str:
    """How the value of ``--option`` is written on the command line."""
    if isinstance(value, tuple):
        return ",".join(map(option_text, value)) + ("," if len(value) == 1 else "")
    names = [name for name, named in _NAMED.items() if named is value or (isinstance(value, str) and named == value)]
    return names[0] if names else str(value)


def rules_option(function: F) -> F:
    """``--rules`` and ``--no-rules``. The verb gets ``rules``, to be handed on to :func:`viner.load`."""

    @click.option("--no-rules", is_flag=True, help="Leave out the rules of a project: the model alone answers.")
    @click.option(
        "--rules",
        type=FILE,
        metavar="FILE",
        help="Dictionaries and patterns over or under the model: a viner.toml, or a file with [rules]"
        " alone. Where MODEL is a project, its own count if not given.",
    )
    @wraps(function)
    def merged(*arguments: Any, rules: Path | None, no_rules: bool, **options: Any) -> Any:
        if no_rules and rules is not None:
            raise UsageError("--rules and --no-rules exclude each other")
        return function(*arguments, rules=False if no_rules else rules, **options)

    return cast(F, merged)


def provider_option(function: F) -> F:
    """``--provider``, to be handed on to :func:`viner.load`, which knows which there are."""
    return click.option(
        "--provider",
        metavar="NAME",
        help="What runs the model: onnxruntime, openvino (int8 on processors with VNNI only) or cuda (float32)."
        "  [env: VINER_PROVIDER; default: onnxruntime]",
    )(function)


def least_score_option(told: str, default: float | None = None) -> Callable[[F], F]:
    """``--least-score``, to be handed on to :func:`viner.load`.

    Args:
        told: What happens where it is not given, for the help.
        default: The score then; None leaves it to the model.
    """
    return click.option(
        "--least-score",
        type=click.FloatRange(0, 1),
        default=default,
        metavar="SCORE",
        help="Leave out what the model finds with a lower score, such as 0.9; 0 leaves out nothing, however unsure it is."
        f"  [default: {told}]",
    )


MODEL_DECIDES = "what the model was trained to leave out"
"""What is left out where nobody says what."""


def address_options(function: F) -> F:
    """``--host``, ``--port`` and ``--no-browser``. What is not given, the server takes from the environment."""
    for option in (
        click.option("--no-browser", is_flag=True, help="Do not open a browser.  [env: VINER_NO_BROWSER]"),
        click.option("--port", type=click.IntRange(0, 65535), help="Port, 0 for a free one.  [env: VINER_PORT; default: 7860]"),
        click.option("--host", help="Address to listen on.  [env: VINER_HOST; default: 127.0.0.1]"),
    ):
        function = option(function)
    return function
