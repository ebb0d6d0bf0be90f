"""A finished cell in one line, for consoles that cannot be redrawn."""

from __future__ import annotations

from collections.abc import Mapping

from gpuplay.analysis.sweep.grid import arrange
from gpuplay.analysis.sweep.ratios import seconds, speedup, timed
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.units import ratio
from gpuplay.units import seconds as time_text
from gpuplay.views.sweep.cells import rate, shows_bytes


def finished(result: Result, finals: Mapping[Cell, Result], plan: Plan) -> str:
    """'[3/24] cpu:simd n=512: 2.63 ms, 102 GFLOP/s, 0.51 × numpy:blas', or why there is no time."""
    total = sum(len(row.all_cells) for row in plan.rows)
    place = f"[{len(finals)}/{total}] {result.cell.label}{_axes(plan, result.cell)}"
    if not timed(result):
        return f"{place}: {result.status}{': ' if result.reason else ''}{result.reason}"
    parts = [time_text(seconds(result)), rate(result, by_bytes=shows_bytes((result,))), _ratio(result, finals, plan)]
    return f"{place}: {', '.join(part for part in parts if part)}"


def _ratio(result: Result, finals: Mapping[Cell, Result], plan: Plan) -> str:
    """The × against the baseline, where its result is there already."""
    cell = result.cell
    if plan.baseline in (None, cell.variant):
        return ""
    bases = [r for c, r in finals.items() if (c.variant, c.size, c.params) == (plan.baseline, cell.size, cell.params)]
    base = next((r for r in bases if r.cell.threads == cell.threads), bases[0] if len(bases) == 1 else None)
    found = speedup(result, base) if base else None
    return f"{ratio(found.ratio, tie=found.order == 'tie')} {plan.baseline}" if found else ""


def _axes(plan: Plan, cell: Cell) -> str:
    """The values of the axes that vary beside the size; of a yardstick, what makes it another problem."""
    values = {**dict(cell.params), "threads": cell.threads}
    axes = dict.fromkeys(arrange((), plan).axes)
    for row in plan.rows:
        if any(planned.cell == cell for planned in row.beside):
            axes |= dict.fromkeys(name for name, value in row.problem.params if values[name] != value)
    return "".join(f" {axis}={values[axis]}" for axis in axes)
