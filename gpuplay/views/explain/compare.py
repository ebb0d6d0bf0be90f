"""Two explained cells side by side: every counter in two columns with the ratio."""

from __future__ import annotations

from rich.text import Text

from gpuplay.analysis.counters.counters import Pair, pairs
from gpuplay.analysis.counters.explanation import Explanation
from gpuplay.units import ratio
from gpuplay.views.explain.figures import figure
from gpuplay.views.explain.page import NO_TIMES, described, faults, remarks, title
from gpuplay.views.text.layout import Column, Entry, column, dim, join, stack, wrap


def render(left: Explanation, right: Explanation, width: int) -> Text:
    """Verdicts and faults of both, the counters in two columns, then each one's findings."""
    lines: list[Text] = []
    for found in (left, right):
        lines += [*title(found, width), *faults(found, width)]
    lines += [Text(), *join(table(left, right), 2)]
    for found in (left, right):
        heading = Text(described(found.explained.cell), style="bold")
        lines += [Text(), heading, *remarks(found, width)]
    lines += [Text(), *map(dim, wrap(NO_TIMES, width))]
    return stack(lines)


def table(left: Explanation, right: Explanation) -> list[Column]:
    """Name, first, second, and the second over the first."""
    found = pairs(left.report.total, right.report.total)
    return [
        column(["counter"], [Entry((pair.name,)) for pair in found], right=False),
        column(heads(left), [Entry((figure(pair.left, pair.unit),)) for pair in found]),
        column(heads(right), [Entry((figure(pair.right, pair.unit),)) for pair in found]),
        column(["second", "over first"], [Entry((over(pair),)) for pair in found], bold=0),
    ]


def heads(found: Explanation) -> list[str]:
    """Variant and knobs over a column."""
    cell = found.explained.cell
    return [cell.variant, " ".join(f"{name}={value}" for name, value in cell.knobs)]


def over(pair: Pair) -> str:
    """The second over the first: '1/16 ×', '1 ×' where they are equal."""
    if pair.ratio is None:
        return "–"
    return "1 ×" if pair.ratio == 1 else ratio(pair.ratio)
