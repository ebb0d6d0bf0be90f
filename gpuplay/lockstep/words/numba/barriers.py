"""Barriers of blocks and of the grid, with and without a vote, and fences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.execution.program import Meet

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch

INT32 = np.dtype(np.int32)


def _syncthreads(t: Emitter, _made: Call) -> None:
    place = t.place
    t.meet(lambda following: Meet("block", following, place))


def _vote(decide: Callable[[Any, Any], Any]) -> Handler:
    """A barrier that also counts: ``decide(threads for it, threads)`` block by block."""

    def handler(t: Emitter, made: Call) -> None:
        place, out = t.place, t.slot(made.target)
        predicate = t.number(made.arguments[0], INT32)

        def finish(e: Batch) -> None:
            here = e.mask.array
            agree = here & np.broadcast_to(e.v[predicate] != 0, e.lanes)
            counted = agree.reshape(e.blocks, -1).sum(axis=1)
            voters = here.reshape(e.blocks, -1).sum(axis=1)
            e.set(out, np.repeat(decide(counted, voters).astype(np.int32), e.width))

        block = t.current
        t.meet(lambda following: Meet("block", following, place, (predicate,), finish))
        block.defs.add(out)

    return handler


def grid_sync(t: Emitter, made: Call) -> None:
    """All threads of the grid meet: a cooperative launch."""
    place = t.place
    t.build.initial[t.slot(made.target)] = np.int32(0)
    t.meet(lambda following: Meet("grid", following, place))


def _fence(t: Emitter, _made: Call) -> None:
    t.build.fences = True
    t.count()
    site = t.place

    def fence(e: Batch) -> None:
        e.order.tick(site)
        e.order.fence(e.mask.array)

    t.emit(fence)


def _fence_block(t: Emitter, _made: Call) -> None:
    t.count()


HANDLERS: dict[str, Any] = {
    "syncthreads": _syncthreads,
    "syncthreads_count": _vote(lambda counted, _voters: counted),
    "syncthreads_and": _vote(lambda counted, voters: counted == voters),
    "syncthreads_or": _vote(lambda counted, _voters: counted > 0),
    "threadfence": _fence,
    "threadfence_system": _fence,
    "threadfence_block": _fence_block,
}
