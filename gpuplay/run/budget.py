"""Before a cell runs: would it take too long, or too much memory? The reason in words, or ''."""

from __future__ import annotations

import time
from dataclasses import replace

import psutil

from gpuplay.errors import WorkerLost
from gpuplay.kernel import Problem
from gpuplay.machine import cgroups
from gpuplay.plan.cells import Plan, PlannedCell, Row
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell
from gpuplay.units import nbytes, seconds
from gpuplay.workers.crew import Crew, environment_of
from gpuplay.workers.tasks import TaskError

LEAST_CALLS = 3  # of a slow cell: one to verify, two samples
UNPROBED_WORK_INTERPRETED = 1e5
UNPROBED_WORK = 5e8  # flops and bytes that any compiled loop does in about a second
MEMORY_SHARE = 0.9


class Budget:
    """Time and memory: predicted from smaller sizes of the same sweep, from a small probe where there are none."""

    def __init__(self, plan: Plan, crew: Crew) -> None:
        self._plan = plan
        self._crew = crew
        self._began = time.monotonic()
        self._known: dict[Cell, tuple[float, PlannedCell]] = {}
        self._memory_left = 0.0
        self._placed: set[tuple[str, str, Problem]] = set()
        self._cells_left = sum(_cells_to_run(row) for row in plan.rows)
        self._rows = iter(plan.rows)
        self.settings: Settings = plan.settings

    def begin_row(self) -> None:
        """Start the next row: nothing of it is in memory yet, and its cells share the time that is left."""
        free, limit = psutil.virtual_memory().available, cgroups.memory_free()
        self._memory_left = MEMORY_SHARE * (free if limit is None else min(free, limit))
        self._placed = set()
        if self.settings.time_s is not None:
            share = 0.5 * max(0.0, self._time_left()) / max(1, self._cells_left)
            self.settings = replace(self._plan.settings, cell_time_s=min(self._plan.settings.cell_time_s, share))
        self._cells_left -= _cells_to_run(next(self._rows))

    def objection(self, planned: PlannedCell) -> str:
        """Why a cell is not run: memory, --time, or --cell-limit; '' where it may run."""
        return self._too_big(planned) or self._too_long(planned)

    def learn(self, planned: PlannedCell, call_s: float) -> None:
        """Remember what a call took, for larger sizes."""
        self._known[self._family(planned.cell)] = (call_s, planned)

    def _too_big(self, planned: PlannedCell) -> str:
        """Count arrays once for each worker and target, workspaces for each cell, and copies to verify with."""
        if planned.memory_bytes is None or planned.array_bytes is None:
            return ""
        cell = planned.cell
        place = (environment_of(self._plan.kernel.variant(cell.variant)), cell.target, cell.problem)
        new = planned.memory_bytes - (planned.array_bytes if place in self._placed else 0)
        if new + 2 * planned.array_bytes > self._memory_left:
            needed, free = nbytes(new + 2 * planned.array_bytes), nbytes(self._memory_left)
            return f"needs {needed} with copies to verify, {free} are free"
        self._placed.add(place)
        self._memory_left -= new
        return ""

    def _too_long(self, planned: PlannedCell) -> str:
        if self.settings.time_s is not None and self._time_left() <= 0:
            return f"--time {seconds(self.settings.time_s)} was spent"
        call_s = self._call_seconds(planned)
        if call_s is None:
            return ""
        whole = LEAST_CALLS * call_s
        if self.settings.time_s is not None and whole > self._time_left():
            return f"would take about {seconds(whole)}, more than is left of --time"
        if not self._is_baseline(planned.cell.variant) and whole > self.settings.cell_limit_s:
            return f"would take about {seconds(whole)} (--cell-limit {seconds(self.settings.cell_limit_s)})"
        return ""

    def _is_baseline(self, variant: str) -> bool:
        """Whether a variant is, or with ``best`` may be, what every × refers to."""
        if self._plan.baseline == "best":
            return self._plan.kernel.variant(variant).flynn == "library"
        return variant == self._plan.baseline

    def _call_seconds(self, planned: PlannedCell) -> float | None:
        """Seconds of one call as predicted; None where there is nothing to predict from or no need."""
        work = (planned.work_flops or 0.0) + (planned.work_bytes or 0.0)
        if work <= (UNPROBED_WORK_INTERPRETED if planned.cell.kind.interpreted else UNPROBED_WORK):
            return None
        if self._family(planned.cell) in self._known:
            call_s, smaller = self._known[self._family(planned.cell)]
            return call_s * _growth(smaller, planned)
        variant = self._plan.kernel.variant(planned.cell.variant)
        try:
            tasks = self._crew.tasks(environment_of(variant), self.settings.cell_timeout_s)
            return tasks.forecast(planned.cell, self.settings.cell_limit_s)
        except (TaskError, WorkerLost):
            return None

    def _family(self, cell: Cell) -> Cell:
        """The cell without its size: what a forecast carries over from one size to the next."""
        follows = {axis.name for axis in self._plan.kernel.axes if axis.default is None}
        fixed = tuple((name, v) for name, v in cell.params if not (name in follows and v == cell.size))
        return replace(cell, size=0, params=fixed)

    def _time_left(self) -> float:
        return (self.settings.time_s or 0.0) - (time.monotonic() - self._began)


def _cells_to_run(row: Row) -> int:
    return sum(not planned.skip for planned in row.all_cells)


def _growth(smaller: PlannedCell, larger: PlannedCell) -> float:
    ratios = [
        after / before
        for before, after in ((smaller.work_flops, larger.work_flops), (smaller.work_bytes, larger.work_bytes))
        if before and after
    ]
    return max(ratios, default=1.0)
