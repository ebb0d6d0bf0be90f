"""Small problems that stand in for a cell's own, where the lockstep machine verifies it."""

from __future__ import annotations

from gpuplay.kernel import Kernel, Value
from gpuplay.results.cell import Cell

SMALL_SIZES = (1, 33, 129)  # one thread, an edge that no power of two divides, several blocks


def small_params(kernel: Kernel, cell: Cell) -> tuple[tuple[str, Value], ...]:
    """A cell's params for small problems: what is chosen stays, what is counted is small.

    Counts are no larger than in the kernel's ``check_at``, nor than the largest small size; params
    that follow n are left out.
    """
    axes = {axis.name: axis for axis in kernel.axes}
    found: list[tuple[str, Value]] = []
    for name, value in cell.params:
        axis = axes[name]
        if axis.default is None and value == cell.size:
            continue
        most = kernel.check_at.get(name, SMALL_SIZES[-1])
        counted = isinstance(value, int) and isinstance(most, int) and not axis.choices
        found.append((name, max(axis.low, min(value, most)) if counted else value))
    return tuple(found)
