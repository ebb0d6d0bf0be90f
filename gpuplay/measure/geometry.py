"""What a CUDA variant launches at sizes that nobody runs here: limits that it exceeds, elements that it leaves out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gpuplay.machine.limits import LaunchError
from gpuplay.measure.inspecting import hollow_arrays
from gpuplay.plan.shapes import declared_arrays
from gpuplay.targets.stand_ins.offline import OfflineGpu

if TYPE_CHECKING:
    from gpuplay.catalog.load import Loaded
    from gpuplay.kernel import Value
    from gpuplay.machine.limits import Dims
    from gpuplay.results.cell import Cell

LARGER = (257, 513, 1025, 2049)  # sizes at which a grid that is too small for them may show


class CountingGpu(OfflineGpu):
    """Takes launches and runs nothing: ``most`` is how many threads the largest one has."""

    most = 0

    def _take(self, function: Any, grid: Dims, block: Dims, args: tuple[Any, ...], shared: int) -> None:  # noqa: ARG002
        self.most = max(self.most, math.prod(grid) * math.prod(block))


def threads_of(loaded: Loaded, cell: Cell, size: int, params: tuple[tuple[str, Value], ...]) -> tuple[int, int]:
    """Threads of the largest launch, and elements of the largest output, at a size; LaunchError beyond a limit."""
    variant = loaded.kernel.variant(cell.variant)
    problem = loaded.kernel.problem(size, **dict(params))
    gpu = CountingGpu()
    arrays = hollow_arrays(loaded, variant, problem, cell)
    loaded.call(variant.build, problem, **dict(cell.knobs))(gpu, *arrays)
    written = (array for array in declared_arrays(loaded, problem) if array.role in ("out", "inout"))
    return gpu.most, max((math.prod(array.shape) for array in written), default=0)


def refusal(loaded: Loaded, cell: Cell) -> str:
    """The limit that a launch of the cell exceeds, or ''; '' too where that cannot be told without arrays."""
    try:
        threads_of(loaded, cell, cell.size, cell.params)
    except LaunchError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - the run may read what it is given, and here that is nothing
        return ""
    return ""


def outgrown(loaded: Loaded, cell: Cell, covered: int, params: tuple[tuple[str, Value], ...]) -> int | None:
    """The first size with more outputs than threads, where at the size ``covered`` each output has a thread."""
    try:
        threads, outputs = threads_of(loaded, cell, covered, params)
        if outputs > threads:
            return None  # threads take several each, at any size
        for size in LARGER:
            threads, outputs = threads_of(loaded, cell, size, params)
            if outputs > threads:
                return size
    except Exception:  # noqa: BLE001 - what cannot be launched at a size is for a run at that size to say
        return None
    return None
