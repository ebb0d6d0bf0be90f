"""A plan: frozen rows of cells, with what is known of them before they run."""

from __future__ import annotations

from dataclasses import dataclass

from gpuplay.kernel import Kernel, Problem
from gpuplay.plan.settings import Settings
from gpuplay.results.cell import Cell


@dataclass(frozen=True)
class PlannedCell:
    """A cell with what is known before it runs: its work, its memory, and why it will not run.

    ``verified_only`` where that is for want of a GPU: the lockstep machine can still verify it.
    """

    cell: Cell
    flops: float | None = None
    bytes: float | None = None
    work_flops: float | None = None
    work_bytes: float | None = None
    array_bytes: int | None = None
    memory_bytes: int | None = None
    skip: str = ""
    verified_only: bool = False


@dataclass(frozen=True)
class Row:
    """All cells of one problem; ``beside`` are cells of other problems that take turns with them, as a yardstick."""

    problem: Problem
    cells: tuple[PlannedCell, ...]
    beside: tuple[PlannedCell, ...] = ()

    @property
    def all_cells(self) -> tuple[PlannedCell, ...]:
        """Everything that is measured in the same rounds."""
        return (*self.cells, *self.beside)


@dataclass(frozen=True)
class Plan:
    """What one command measures. Rows are ordered by params, then size; cells as columns stand."""

    kernel: Kernel
    rows: tuple[Row, ...]
    variants: tuple[str, ...]
    baseline: str | None
    settings: Settings
    notices: tuple[str, ...] = ()
