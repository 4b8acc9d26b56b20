"""Dockerfiles, read as a builder reads them, as far as ours go."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction.

    Args:
        name: Such as "RUN".
        value: What stands behind it and its flags, lines joined.
        flags: Its flags, such as ``{"from": "packages"}``.
    """

    name: str
    value: str
    flags: dict[str, str] = field(default_factory=dict)

    def words(self) -> list[str]:
        """The value in exec form, as it would be executed; a shell form is an error."""
        words = json.loads(self.value)
        assert isinstance(words, list), self.value
        return words


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next.

    Args:
        base: The image that it begins with.
        name: What later stages call it; None for the last one.
        steps: Its instructions in order.
    """

    base: str
    name: str | None
    steps: list[Step]

    def all(self, name: str) -> list[Step]:
        """The instructions of a name."""
        return [step for step in self.steps if step.name == name]

    def last(self, name: str) -> Step:
        """The instruction of a name that counts."""
        return self.all(name)[-1]


_PAIR = re.compile(r'([\w.]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))\s*')


def read_stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile."""
    stages: list[Stage] = []
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, rest = line.strip().partition(" ")
        flags = {}
        while match := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            flags[match[1]] = match[2]
            rest = rest[match.end() :]
        if name == "FROM":
            base, _, alias = rest.partition(" AS ")
            stages.append(Stage(base, alias or None, []))
        else:
            stages[-1].steps.append(Step(name, rest, flags))
    return stages


def pairs(value: str, variables: dict[str, str] | None = None) -> dict[str, str]:
    """The pairs of ENV and LABEL, with quotes resolved and ``$NAME`` replaced."""
    found, end = {}, 0
    while match := _PAIR.match(value, end):
        raw = match[2] if match[3] is None else match[3]
        found[match[1]] = re.sub(
            r"\\(.)|\$(\w+)", lambda part: part[1] if part[1] is not None else (variables or {}).get(part[2], ""), raw
        )
        end = match.end()
    assert end == len(value), value[end:]
    return found
