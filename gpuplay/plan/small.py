"""Small problems: that the lockstep machine verifies in a cell's place, or explains in a moment."""

from __future__ import annotations

from gpuplay.kernel import Kernel, Value
from gpuplay.plan.sizes import parse_sizes
from gpuplay.results.cell import Cell

SMALL_SIZES = (1, 33, 129)  # one thread, an edge that no power of two divides, several blocks

VECTOR, LONG_VECTOR = 1024, 2**16
LADDER_FLOPS = 2.2e9  # 2·1024³: some seconds for the slowest compiled loop


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


def explained_size(kernel: Kernel) -> int:
    """A problem small enough to be explained in a moment: the first size of the sweep, of large ones a matrix's 64.

    A sweep that begins in the thousands counts the elements of a vector, of which as many are soon done.
    """
    first = min(parse_sizes(kernel.size))
    return min(first, LONG_VECTOR) if first >= VECTOR else min(first, 64)
