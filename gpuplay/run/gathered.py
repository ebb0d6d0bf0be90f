"""Results as they come, in the order of the plan whenever they are looked at."""

from __future__ import annotations

from dataclasses import replace

from gpuplay.plan.cells import Plan
from gpuplay.results.record import Record
from gpuplay.results.result import Result


class Gathered:
    """A record that grows by one result at a time, each in constant time."""

    def __init__(self, begun: Record, plan: Plan) -> None:
        self._begun = begun
        cells = (planned.cell for row in plan.rows for planned in row.all_cells)
        self._places = {cell: place for place, cell in enumerate(cells)}
        self._results: list[Result] = []

    def add(self, result: Result) -> None:
        """Take in a result of one of the plan's cells."""
        self._results.append(result)

    @property
    def record(self) -> Record:
        """Everything so far, cells in the plan's order."""
        return replace(self._begun, results=tuple(sorted(self._results, key=lambda r: self._places[r.cell])))
