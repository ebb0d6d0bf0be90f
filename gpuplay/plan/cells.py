"""A plan: frozen rows of cells, with what is known of them before they run."""

from __future__ import annotations

from dataclasses import dataclass

from gpuplay.kernel import Kernel, Problem, Variant
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


def takes_threads(variant: Variant) -> bool:
    """Whether a variant is measured once for each thread count: it uses many threads, and those of the host."""
    return variant.threads == "all" and not variant.kind.on_gpu


def held_bytes(kernel: Kernel, row: Row) -> int:
    """Bytes of arrays while a row is measured: each worker holds its own copy, the SISD worker too."""
    held: dict[tuple[str, bool, Problem], int] = {}
    for planned in row.all_cells:
        if not planned.skip:
            key = planned.cell.target, kernel.variant(planned.cell.variant).flynn == "SISD", planned.cell.problem
            held[key] = max(held.get(key, 0), planned.memory_bytes or 0)
    return sum(held.values())
