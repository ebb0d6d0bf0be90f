"""Barriers of blocks and of the grid, with and without a vote, and fences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.execution.program import Meet

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT32 = np.dtype(np.int32)
GRID_SYNC = "grid.sync()"  # stands for the method of what cuda.cg.this_grid() returns


def _syncthreads(emit: Emitter, _made: Call) -> None:
    place = emit.place
    emit.meet(lambda following: Meet("block", following, place))


def _vote(decide: Callable[[Any, Any], Any]) -> Handler:
    """A barrier that also counts: ``decide(threads for it, threads)`` block by block."""

    def handler(emit: Emitter, made: Call) -> None:
        place, out = emit.place, emit.slot(made.target)
        predicate = emit.number(made.arguments[0], INT32)

        def finish(batch: Batch) -> None:
            here = batch.mask.array
            agree = here & np.broadcast_to(batch.v[predicate] != 0, batch.lanes)
            counted = agree.reshape(batch.blocks, -1).sum(axis=1)
            voters = here.reshape(batch.blocks, -1).sum(axis=1)
            batch.set(out, np.repeat(decide(counted, voters).astype(np.int32), batch.width))

        block = emit.current
        emit.meet(lambda following: Meet("block", following, place, (predicate,), finish))
        block.defs.add(out)

    return handler


def _grid_sync(emit: Emitter, made: Call) -> None:
    """All threads of the grid meet: a cooperative launch."""
    place = emit.place
    emit.build.initial[emit.slot(made.target)] = np.int32(0)
    emit.meet(lambda following: Meet("grid", following, place))


def _fence(emit: Emitter, _made: Call) -> None:
    emit.build.fences = True
    emit.count()
    site = emit.place

    def fence(batch: Batch) -> None:
        batch.order.tick(site)
        batch.order.fence(batch.mask.array)

    emit.operation(fence)


def _fence_block(emit: Emitter, _made: Call) -> None:
    emit.count()


HANDLERS: Vocabulary[str] = {
    "syncthreads": _syncthreads,
    "syncthreads_count": _vote(lambda counted, _voters: counted),
    "syncthreads_and": _vote(lambda counted, voters: counted == voters),
    "syncthreads_or": _vote(lambda counted, _voters: counted > 0),
    "threadfence": _fence,
    "threadfence_system": _fence,
    "threadfence_block": _fence_block,
}
GROUPS: Vocabulary[object] = {GRID_SYNC: _grid_sync}
