"""Launches that the model GPU could not take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gpuplay.lockstep.record import Fault
from gpuplay.machine.limits import LaunchError, refuse_launch

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.program import Program
    from gpuplay.machine.limits import Dims
    from gpuplay.machine.model import GpuModel


def refused(model: GpuModel, function: object, program: Program, grid: Dims, block: Dims, shared: int) -> Fault | None:
    """What is wrong with a launch that the model GPU could not take, naming the limit; ``shared`` is dynamic bytes."""
    remedy = "launch smaller blocks, or use less shared memory"
    name = getattr(function, "__name__", "GPU function")
    try:
        refuse_launch(model, function, grid, block, shared, program.static_bytes)
        _refuse_part_of_cluster(name, grid, program.cluster)
        if program.cooperative:
            remedy = "launch no more than fit, each looping over its share: `for i in range(start, n, gridsize)`"
            _refuse_absent(model, name, grid, block)
    except LaunchError as error:
        return Fault("launch", str(error), remedy=remedy)
    return None


def _refuse_part_of_cluster(name: str, grid: Dims, cluster: int) -> None:
    """LaunchError where the grid would end within a cluster."""
    if grid[0] % cluster:
        raise LaunchError(f"{name}: {grid[0]} blocks in x are no multiple of a cluster's {cluster}")


def _refuse_absent(model: GpuModel, name: str, grid: Dims, block: Dims) -> None:
    """LaunchError where blocks that are to meet cannot all be on the GPU at once: the last would never start."""
    warps = -(-math.prod(block) // model.warp_size)
    resident = min(model.resident_blocks, model.resident_warps // warps)
    most, blocks = resident * model.multiprocessors, math.prod(grid)
    if blocks > most:
        raise LaunchError(
            f"{name}: {blocks} blocks of {math.prod(block)} threads meet at a grid sync; the {model.name} "
            f"has room for {most} at once, {resident} on each of {model.multiprocessors} multiprocessors"
        )
