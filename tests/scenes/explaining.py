"""The pages of ``explain`` and of ``check --watch``, from scripted reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import scripted
from rich.text import Text
from scripted import measure, plan
from scripted_report import RACE, banks, drawn, explained, report

from gpuplay.results.result import Result
from gpuplay.views.check import watch
from gpuplay.views.explain import compare, lanes, page

PADDED = replace(
    report(),
    lines=tuple(
        (place, replace(counts, shared_loads=banks(1)) if counts.shared_loads.requests else counts)
        for place, counts in report().lines
    ),
)


def explained_page(width: int) -> Text:
    return page.render(explained(), width)


def explained_fault(width: int) -> Text:
    found = report(faults=(RACE,))
    return page.render(explained(found, "failed", "race: …"), width)


def explained_pair(width: int) -> Text:
    return compare.render(explained(), explained(PADDED, variant="cuda:padded", knobs=()), width)


def lanes_of_global(width: int) -> Text:
    maps = [
        drawn(16, "A", lambda lane: 256 * lane, 32, 4),
        drawn(16, "B", lambda lane: 4 * lane + 4, 5, 4),
        drawn(16, "C", lambda lane: 8 * lane if lane < 9 else None, 3, 3, width=8),
        drawn(16, "D", lambda lane: 256 * (lane // 8), 4, 1),
    ]
    return lanes.render(explained(), maps, width)


def lanes_of_shared(width: int) -> Text:
    maps = [
        drawn(19, "tile", lambda lane: 4 * lane, 1, 1, space="shared"),
        drawn(19, "tile", lambda lane: 64 * lane, 16, 1, space="shared", ways=16),
        drawn(19, "wide", lambda lane: 8 * lane, 2, 2, space="shared", width=8),
        drawn(19, "one", lambda _lane: 12, 1, 1, space="shared"),
    ]
    return lanes.render(explained(), maps, width)


def watched(width: int) -> Text:
    found = plan(variants=("numpy:blas", "cpu:simd"), sizes=(1, 33))

    def outcome(cell: scripted.Cell) -> Result:
        if cell.variant == "cpu:simd" and cell.size == 33:
            return scripted.wrong(cell, "SIMD")
        return Result(cell, "SIMD", "verified")

    return watch.render(found.kernel, measure(found, outcome), width, 8)


VIEWS: dict[str, Callable[[int], str]] = {
    view.__name__: lambda width, view=view: view(width).plain + "\n"  # type: ignore[misc]
    for view in (explained_page, explained_fault, explained_pair, lanes_of_global, lanes_of_shared, watched)
}
