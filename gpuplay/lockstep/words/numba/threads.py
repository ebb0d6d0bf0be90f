"""Who a thread is: its place in the block, the block's in the grid, and how large these are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import cuda

from gpuplay.lockstep.emit.call import nothing

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Compute

INT64 = np.dtype(np.int64)


def thread_attribute(emit: Emitter, base: str, attribute: str) -> Compute | None:
    """What gives threadIdx.x and the like for all lanes; None where the attribute is another one."""
    owner = emit.statics.get(base)
    if owner is cuda and attribute == "laneid":
        return lambda batch: (np.arange(batch.lanes) % 32).astype(np.int32)
    if owner is cuda and attribute == "warpsize":
        return lambda _batch: np.int32(32)
    if attribute not in ("x", "y", "z") or not isinstance(owner, type):
        return None
    axis = "xyz".index(attribute)
    indices: dict[object, Compute] = {
        cuda.threadIdx: lambda batch: batch.threads.thread_index[axis],
        cuda.blockIdx: lambda batch: batch.threads.block_index[axis],
        cuda.blockDim: lambda batch: np.int32(batch.threads.block[axis]),
        cuda.gridDim: lambda batch: np.int32(batch.threads.grid[axis]),
    }
    return indices.get(owner)


def _grid(emit: Emitter, made: Call) -> None:
    """``cuda.grid``: the thread's absolute position, in as many axes as asked for."""
    axes = int(emit.constants[made.arguments[0]])
    emit.count(integer=axes)
    _axes(emit, made, axes, _position)


def _position(batch: Batch, axis: int) -> Any:
    block: Any = batch.threads.block_index[axis]
    return block * np.int64(batch.threads.block[axis]) + batch.threads.thread_index[axis]


def _gridsize(emit: Emitter, made: Call) -> None:
    """``cuda.gridsize``: threads of the grid."""
    axes = int(emit.constants[made.arguments[0]])
    _axes(emit, made, axes, lambda batch, axis: np.int64(batch.threads.grid[axis] * batch.threads.block[axis]))


def _axes(emit: Emitter, made: Call, axes: int, position: Callable[[Batch, int], Any]) -> None:
    if axes == 1:
        emit.define(made.target, INT64, lambda batch: position(batch, 0), ())
        return
    emit.define(made.target, None, lambda batch: tuple(position(batch, a) for a in range(axes)), ())


HANDLERS: Vocabulary[str] = {
    "grid": _grid,
    "gridsize": _gridsize,
    "cg.this_grid": nothing,
    "nanosleep": nothing,
}
