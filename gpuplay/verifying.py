"""CUDA variants on the lockstep machine, as the runner needs them: what it found of a cell, asked once."""

from __future__ import annotations

from gpuplay.crew import Crew, environment_of
from gpuplay.measure import verifications
from gpuplay.plan.cells import Plan
from gpuplay.plan.small import small_params
from gpuplay.results.cell import Cell
from gpuplay.results.turns import Stepped


class Verifier:
    """Asks a worker for verdicts of the lockstep machine; those on small problems are kept."""

    def __init__(self, plan: Plan, crew: Crew) -> None:
        self._plan = plan
        self._crew = crew
        self._found: dict[tuple[object, ...], Stepped] = {}

    def step(self, cell: Cell) -> Stepped:
        """The verdict on the cell itself."""
        return self._ask("step", cell)

    def stand_in(self, cell: Cell) -> Stepped:
        """The verdict on small problems in the cell's place: from disk, from an earlier cell, or found now."""
        kernel, source = self._plan.kernel, self._crew.source
        if sizes := verifications.find(source, kernel, cell):
            return Stepped("right", sizes=sizes)
        key = (cell.variant, cell.knobs, small_params(kernel, cell))
        if key not in self._found:
            self._found[key] = self._ask("stand_in", cell)
            if self._found[key].status == "right":
                verifications.keep(source, kernel, cell, self._found[key].sizes)
        return self._found[key]

    def _ask(self, task: str, cell: Cell) -> Stepped:
        member = self._crew.member(environment_of(self._plan.kernel.variant(cell.variant)))
        found: Stepped = member.ask(task, cell, timeout_s=self._plan.settings.cell_timeout_s)
        return found
