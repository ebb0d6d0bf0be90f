"""Host variants of a user's file in workers that look closely, before they run as they are.

One compiles every index with a check (`measure.bounds_check`), one takes parallel loops turn by turn
(`measure.turn_taking`). Of bundled kernels the tests ask the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gpuplay.errors import KernelFileError
from gpuplay.plan.cells import Plan
from gpuplay.plan.small import SMALL_SIZES, small_params
from gpuplay.results.cell import Cell
from gpuplay.workers.crew import BOUNDS, TURNS, Crew
from gpuplay.workers.tasks import TaskError, Tasks


class HostVerdicts:
    """Asks these workers; whatever else goes wrong in them is left to the run as it is."""

    def __init__(self, plan: Plan, crew: Crew) -> None:
        self._plan = plan
        self._crew = crew
        self._met: dict[tuple[object, ...], str] = {}

    def fault(self, cell: Cell) -> str:
        """An access outside of an array, or two turns of a loop that meet, in the cell itself; '' where none was seen.

        WorkerLost as for any run of it.
        """
        if not self._asked(cell):
            return ""
        return self._told(BOUNDS, lambda tasks: tasks.out_of_bounds(cell)) or self._met_in(cell)

    def small_fault(self, cell: Cell) -> str:
        """Two turns of a loop that meet in small problems in the cell's place; '' where none do."""
        if not self._asked(cell):
            return ""
        params = small_params(self._plan.kernel, cell)
        key = (cell.variant, cell.knobs, params)
        if key not in self._met:
            small = (replace(cell, size=size, params=params) for size in SMALL_SIZES)
            self._met[key] = next((met for one in small if (met := self._met_in(one))), "")
        return self._met[key]

    def _asked(self, cell: Cell) -> bool:
        return cell.kind.compiler == "numba" and self._crew.origin.kind != "bundled"

    def _met_in(self, cell: Cell) -> str:
        if self._plan.kernel.variant(cell.variant).flynn != "MIMD":
            return ""
        return self._told(TURNS, lambda tasks: tasks.meeting(cell))

    def _told(self, environment: str, ask: Callable[[Tasks], str]) -> str:
        try:
            return ask(self._crew.tasks(environment, self._plan.settings.cell_timeout_s))
        except (TaskError, KernelFileError):
            return ""
