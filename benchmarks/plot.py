"""The bars of the README, as SVG text."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING

from subjects import OURS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from report import Result

WIDTH, NAMES, RIGHT = 860, 232, 84
ROW, GAP, TITLE, TOP = 20, 18, 24, 44
_OURS, _FLOOR, _PEER = "#1f6feb", "#9aa4b2", "#d29922"


def drawn(results: Iterable[Result], shapes: Iterable[str]) -> str:
    """Draw a bar a subject and shape: records a CPU second, on a logarithmic axis."""
    results = list(results)
    groups = [(shape, [each for each in results if each.shape == shape]) for shape in shapes]
    least = 10 ** math.floor(math.log10(min(each.records_per_cpu_s for each in results)))
    most = 10 ** math.ceil(math.log10(max(each.records_per_cpu_s for each in results)))

    def place(value: float) -> float:
        share = math.log10(value / least) / math.log10(most / least)
        return NAMES + share * (WIDTH - NAMES - RIGHT)

    parts: list[str] = []
    y = TOP
    for shape, some in groups:
        parts.append(_text(8, y + 14, shape, "font-weight='bold'"))
        y += TITLE
        for each in some:
            colour = _OURS if each.subject == OURS else _PEER if each.version else _FLOOR
            end = place(each.records_per_cpu_s)
            parts += [
                _text(NAMES - 8, y + 13, each.subject, "text-anchor='end'"),
                f"<rect x='{NAMES}' y='{y + 2}' width='{end - NAMES:.1f}' height='{ROW - 5}' fill='{colour}'/>",
                _text(end + 6, y + 13, f"{each.records_per_cpu_s:,}"),
            ]
            y += ROW
        y += GAP
    grid = []
    mark = least
    while mark <= most:
        x = place(mark)
        grid.append(f"<line x1='{x:.1f}' y1='{TOP - 6}' x2='{x:.1f}' y2='{y - GAP}' stroke='#d0d7de'/>")
        grid.append(_text(x, TOP - 12, f"{mark:,}", "text-anchor='middle' fill='#57606a'"))
        mark *= 10
    size = f"width='{WIDTH}' height='{y}' viewBox='0 0 {WIDTH} {y}'"
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' {size} font-family='sans-serif' font-size='12' fill='#24292f'>",
            f"<rect width='{WIDTH}' height='{y}' fill='#ffffff'/>",
            _text(8, 16, "Records a CPU second of the process itself, logarithmic", "font-size='13'"),
            *grid,
            *parts,
            "</svg>",
            "",
        ]
    )


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' {more}>{escape(words)}</text>"
