"""Finished cells, a line each, for consoles that cannot be redrawn."""

from __future__ import annotations

from gpuplay.analysis.sweep.grid import arrange
from gpuplay.analysis.sweep.ratios import seconds, speedup, timed
from gpuplay.kernel import Problem
from gpuplay.plan.cells import Plan
from gpuplay.results.cell import Cell
from gpuplay.results.result import Result
from gpuplay.units import ratio
from gpuplay.units import seconds as time_text
from gpuplay.views.sweep.figures import rate, shows_bytes


class Lines:
    """Tells of one finished cell after the other. What it needs of the plan is looked up once."""

    def __init__(self, plan: Plan) -> None:
        self._baseline = plan.baseline
        self._total = sum(len(row.all_cells) for row in plan.rows)
        self._axes = arrange((), plan).axes
        self._apart = _apart(plan)
        self._bases: dict[Problem, list[Result]] = {}
        self._told = 0

    def tell(self, result: Result) -> str:
        """'[3/24] cpu:simd n=512: 2.63 ms, 102 GFLOP/s, 0.51 × numpy:blas', or why there is no time."""
        self._told += 1
        cell = result.cell
        if cell.variant == self._baseline:
            self._bases.setdefault(cell.problem, []).append(result)
        place = f"[{self._told}/{self._total}] {cell.label}{self._values(cell)}"
        if not timed(result):
            return f"{place}: {result.status}{': ' if result.reason else ''}{result.reason}"
        parts = [time_text(seconds(result)), rate(result, by_bytes=shows_bytes((result,))), self._ratio(result)]
        return f"{place}: {', '.join(part for part in parts if part)}"

    def _ratio(self, result: Result) -> str:
        """The × against the baseline, where its result is there already."""
        cell = result.cell
        if self._baseline in (None, cell.variant):
            return ""
        bases = self._bases.get(cell.problem, [])
        base = next((r for r in bases if r.cell.threads == cell.threads), bases[0] if len(bases) == 1 else None)
        found = speedup(result, base) if base else None
        return f"{ratio(found.ratio, tie=found.order == 'tie')} {self._baseline}" if found else ""

    def _values(self, cell: Cell) -> str:
        """The values of the axes that vary beside the size; of a yardstick, what makes it another problem."""
        values = {**dict(cell.params), "threads": cell.threads}
        axes = dict.fromkeys((*self._axes, *self._apart.get(cell, ())))
        return "".join(f" {axis}={values[axis]}" for axis in axes)


def _apart(plan: Plan) -> dict[Cell, tuple[str, ...]]:
    """Of each cell that stands beside a row, the params in which it differs from the row's problem."""
    found: dict[Cell, tuple[str, ...]] = {}
    for row in plan.rows:
        for planned in row.beside:
            own = dict(planned.cell.params)
            differing = (name for name, value in row.problem.params if own[name] != value)
            found[planned.cell] = tuple(dict.fromkeys((*found.get(planned.cell, ()), *differing)))
    return found
