from __future__ import annotations

import re

import pytest

from viner.console.theme import color_rules
from viner.schema import default_color

# What static/console.css mixes: --viner-tint of the type into the card, --viner-label of the type into black or white.
LIGHT = {"card": "#ffffff", "ink": "#0f172a", "shade": "#000000", "tint": 0.16, "label": 0.52}
DARK = {"card": "#131c2e", "ink": "#e2e8f0", "shade": "#ffffff", "tint": 0.26, "label": 0.48}


def channels(color: str) -> list[float]:
    return [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]


def mix(first: list[float], share: float, second: list[float]) -> list[float]:
    return [share * a + (1 - share) * b for a, b in zip(first, second, strict=True)]


def luminance(color: list[float]) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: list[float], second: list[float]) -> float:
    """Contrast ratio (WCAG 2.2), from 1 to 21."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("index", range(24))
def test_text_and_labels_of_every_default_color_can_be_read(theme: dict[str, str | float], index: int) -> None:
    color = channels(default_color(index))
    ground = mix(color, float(theme["tint"]), channels(str(theme["card"])))
    label = mix(color, float(theme["label"]), channels(str(theme["shade"])))
    assert contrast(channels(str(theme["ink"])), ground) >= 7
    assert contrast(label, ground) >= 4.5


def test_each_type_has_its_color_in_text_and_legend() -> None:
    rules = color_rules({"LOC": "#123456", "ORG": "#abcdef"})
    assert ".t0, #viner-legend label:nth-of-type(1) { --type: #123456; }" in rules
    assert ".t1, #viner-legend label:nth-of-type(2) { --type: #abcdef; }" in rules


@pytest.mark.parametrize("color", ["red; background: url(//evil.example)", "#12345", "#1234567", "}</style><script>", ""])
def test_a_color_that_is_none_cannot_write_rules(color: str) -> None:
    assert re.fullmatch(r"\.t0, #viner-legend label:nth-of-type\(1\) \{ --type: #[0-9a-f]{6}; \}", color_rules({"LOC": color}))
