"""A measurement as text for people."""

from __future__ import annotations

from collections.abc import Sequence

from viner.bundle.info import CASCADE
from viner.measure.ceilings import SHAPE
from viner.measure.measurement import REMAINDER, Measurement, Part


def to_text(found: Measurement) -> str:
    """Ceilings, speed, and where the time goes, as three tables."""
    return "\n".join((*_head(found), "", *_ceilings(found), "", *_time(found), "", *_foot(found))) + "\n"


def _head(found: Measurement) -> list[str]:
    cost = found.profile.operations_per_piece / 1e6
    how = found.engine if found.engine in (found.arithmetic, CASCADE) else f"{found.engine} computed in {found.arithmetic}"
    return [
        f"model      {found.model}, {how} with {found.provider}, {cost:.1f} million operations a piece",
        f"processor  {found.processor}, {found.cores} cores",
        f"texts      {found.documents:,} documents, {found.words:,} words, {found.pieces:,} pieces",
    ]


def _ceilings(found: Measurement) -> list[str]:
    rows = []
    for name, ceiling in found.ceilings.items():
        rate = ceiling.operations_per_s
        pieces = rate / found.profile.operations_per_piece
        rows.append((name, f"{rate / 1e9:,.0f}", f"{pieces:,.0f}", f"{found.share_of(name):.1%}", ceiling.how))
    head = (f"ceiling of {SHAPE}", "GOP/s", "pieces/s", "reached", "measured with")
    return _table(head, rows, left=(0, 4))


def _time(found: Measurement) -> list[str]:
    total = found.cores / found.pieces_per_s
    graph = [part for part in found.parts if part.of_graph]
    before = found.parts[: found.parts.index(graph[0])]
    after = found.parts[found.parts.index(graph[-1]) + 1 :]
    whole = Part("graph", sum(part.seconds for part in graph))
    rows = []
    for part in (*before, whole, *graph, *after):
        name = f"  {part.name}" if part.of_graph else part.name
        alone = f"{1 / part.seconds:,.0f}" if part.seconds > 0 and not part.of_graph and part.name != REMAINDER else ""
        rows.append((name, f"{1e6 * part.seconds:.2f}", f"{part.seconds / total:.1%}", alone))
    rows.append(("together", f"{1e6 * total:.2f}", "100.0%", f"{1 / total:,.0f}"))
    return _table(("where the time of a piece goes", "µs of a core", "share", "pieces/s a core"), rows)


def _foot(found: Measurement) -> list[str]:
    words = found.pieces_per_s * found.words / found.pieces
    padding = f"; {found.padding:.1%} of the graph's work is padding" if found.padding else ""
    if found.engine == CASCADE:
        padding += f" (int8 alone); {found.recomputed:.1%} of the pieces were computed in float32 as well"
    lines = [
        f"recognition: {found.pieces_per_s:,.0f} pieces/s, {words:,.0f} words/s on {found.cores} cores,"
        f" {found.share_of('int8'):.1%} of the int8 ceiling{padding}",
        f"one sentence of {found.latency.pieces:.0f} pieces, warm: p50 {found.latency.p50:.1f} ms,"
        f" p99 {found.latency.p99:.1f} ms",
    ]
    if "bf16" not in found.ceilings:
        lines.append("bf16 is measured with torch, which is not installed: pip install 'viner[train]'")
    return lines


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: Sequence[int] = (0,)) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = []
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines
