"""What each class of machine gains on the one below it, over a sweep."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.ratios import seconds, timed
from gpuplay.kernel import FlynnClass
from gpuplay.results.result import Result


@dataclass(frozen=True)
class Gain:
    """The smallest and largest ratio of times over the lines where both were timed."""

    low: float
    high: float


@dataclass(frozen=True)
class Steps:
    """The gains between classes; None where two classes were never timed on one line.

    ``simt`` is over ``simt_over``, the highest class below it that was timed.
    ``cores`` has an entry for each thread count.
    """

    compiled: Gain | None = None
    simd: Gain | None = None
    cores: tuple[tuple[int, Gain], ...] = ()
    together: tuple[tuple[int, Gain], ...] = ()
    simt: Gain | None = None
    simt_copies: Gain | None = None
    simt_over: FlynnClass | None = None


def best(line: Line, grid: Grid, flynn: FlynnClass, *, interpreted: bool = False) -> Result | None:
    """The fastest timed result of a class on a line, in the problem's own precision."""
    columns = [c for c in grid.columns if c.variant.flynn == flynn and c.interpreted == interpreted]
    results = [line.result(column.name) for column in columns]
    return min((r for r in results if r is not None and timed(r) and not r.precision), key=seconds, default=None)


def steps(grid: Grid) -> Steps:
    """All gains of a grid."""
    counts = list(dict.fromkeys(line.threads for line in grid.lines))
    over: FlynnClass | None = next((c for c in _BELOW_SIMT if _gain(grid, grid.lines, c, "SIMT")), None)
    return Steps(
        compiled=_range((best(line, grid, "SISD", interpreted=True), best(line, grid, "SISD")) for line in grid.lines),
        simd=_gain(grid, grid.lines, "SISD", "SIMD"),
        cores=_by_threads(grid, counts, "SIMD"),
        together=_by_threads(grid, counts, "SISD"),
        simt=_gain(grid, grid.lines, over, "SIMT") if over else None,
        simt_copies=_gain(grid, grid.lines, over, "SIMT", copies=True) if over else None,
        simt_over=over,
    )


_BELOW_SIMT: tuple[FlynnClass, ...] = ("MIMD", "SIMD", "SISD")


def _by_threads(grid: Grid, counts: Iterable[int], below: FlynnClass) -> tuple[tuple[int, Gain], ...]:
    found = []
    for threads in counts:
        gain = _gain(grid, [line for line in grid.lines if line.threads == threads], below, "MIMD")
        if gain:
            found.append((threads, gain))
    return tuple(found)


def _gain(
    grid: Grid, lines: Iterable[Line], below: FlynnClass, above: FlynnClass, *, copies: bool = False
) -> Gain | None:
    pairs = [(best(line, grid, below), best(line, grid, above)) for line in lines]
    if copies and not any(above and above.transfer for _, above in pairs):
        return None
    return _range(pairs, copies=copies)


def _range(pairs: Iterable[tuple[Result | None, Result | None]], *, copies: bool = False) -> Gain | None:
    ratios = [seconds(below) / seconds(above, copies=copies) for below, above in pairs if below and above]
    return Gain(min(ratios), max(ratios)) if ratios else None
