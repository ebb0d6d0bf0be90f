"""How our variants stand against the libraries over a whole sweep, where ``best`` is the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import geometric_mean

from gpuplay.analysis.sweep.grid import Grid, Line
from gpuplay.analysis.sweep.ratios import seconds, speedup, timed


@dataclass(frozen=True)
class Standing:
    """The ratios of our fastest variant to the fastest library, row by row: above 1 where ours is faster."""

    mean: float
    worst: float
    worst_at: Line
    rows: int


def standing(grid: Grid) -> Standing | None:
    """Over all rows where both were timed; None where there are none, or ``best`` is not the baseline.

    A library on the host's cores is no rival of GPU variants, nor one on the GPU of the host's.
    """
    if grid.baseline != "best":
        return None
    found = [(ratio, line) for line in grid.lines if (ratio := _ratio(grid, line)) is not None]
    if not found:
        return None
    worst, where = min(found, key=lambda pair: pair[0])
    return Standing(geometric_mean(ratio for ratio, _ in found), worst, where, len(found))


def _ratio(grid: Grid, line: Line) -> float | None:
    base = grid.base(line)
    on_gpu = base is not None and base.cell.kind.on_gpu
    ours = [c.name for c in grid.columns if c not in grid.libraries and c.variant.kind.on_gpu == on_gpu]
    known = [result for name in ours if (result := line.result(name)) is not None and timed(result)]
    times = [result for result in known if not result.precision]
    if base is None or not times:
        return None
    compared = speedup(min(times, key=seconds), base)
    return compared.ratio if compared else None
