"""The colors of entity types as CSS."""

from __future__ import annotations

import re
from collections.abc import Mapping

from viner.schema import default_color

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def color_rules(types: Mapping[str, str]) -> str:
    """CSS that gives the n-th type its color, in the text (class ``tN``) and in the legend (n-th check box).

    A rule sets only ``--type``; the style sheet mixes lighter and darker shades of it, so that every color can be read on light
    and on dark ground. A color that is not ``#rrggbb`` is replaced: a model's folder must not write style sheets.

    Args:
        types: Names and colors in display order.
    """
    rules = []
    for index, color in enumerate(types.values()):
        safe = color if _HEX.fullmatch(color) else default_color(index)
        rules.append(f".t{index}, #viner-legend label:nth-of-type({index + 1}) {{ --type: {safe}; }}")
    return "\n".join(rules)
