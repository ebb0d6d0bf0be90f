"""Barriers of `gpuplay.intrinsics.device.hopper.barriers`: they count arrivals and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.intrinsics.device.hopper import barriers
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.bulk import bulk_of
from gpuplay.lockstep.execution.faults.units import barrier_not_set_up
from gpuplay.lockstep.execution.program import Branch, Jump

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Compute, Slot
    from gpuplay.lockstep.memory.sites import Site
    from gpuplay.lockstep.memory.values import View

BOOL, INT64, UINT32 = np.dtype(np.bool_), np.dtype(np.int64), np.dtype(np.uint32)


def barriers_at(batch: Batch, view: View, index: Any, site: Site) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The active lanes whose barrier is within bounds, and the column of each one's barrier."""
    offset, active = access.locate(batch, view, (index,), site)
    lanes = np.flatnonzero(active)
    bulk = bulk_of(batch)
    addresses = bulk.address(view.memory, access.spread(batch, offset)[lanes])
    columns = np.zeros(len(lanes), np.int64)
    for address in np.unique(addresses):
        columns[addresses == address] = bulk.phases.column(int(address))
    return lanes, columns


def ready(
    batch: Batch,
    lanes: NDArray[np.int64],
    columns: NDArray[np.int64],
    site: Site,
    blocks: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Which lanes may use the barrier of their block, or another; a fault where it may not be set up yet."""
    bad = bulk_of(batch).phases.unready(lanes, lanes // batch.width if blocks is None else blocks, columns)
    if bad.any():
        barrier_not_set_up(batch, site, int(lanes[bad.argmax()]))
    return ~bad


def _site(emit: Emitter, barriers: str) -> Site:
    """Where an instruction on a barrier stands; no access to memory is counted for it."""
    return emit.site(barriers, "load", 8)


def _init(emit: Emitter, made: Call) -> None:
    base, at, arrivals = made.arguments
    source, index, site = emit.slot(base), emit.number(at, INT64), _site(emit, base)
    count = emit.number(arrivals, UINT32)

    def init(batch: Batch) -> None:
        lanes, columns = barriers_at(batch, batch.v[source], batch.v[index], site)
        batch.order.tick(site)
        batch.changes += 1
        counts = access.spread(batch, batch.v[count])
        for lane, column in zip(lanes.tolist(), columns.tolist(), strict=True):
            bulk_of(batch).phases.begin(lane, column, int(counts[lane]))

    emit.operation(init, uses=(source, index, count))


def _arrive(emit: Emitter, made: Call) -> None:
    base, at, *announced = made.arguments
    source, index, site = emit.slot(base), emit.number(at, INT64), _site(emit, base)
    counts = tuple(emit.number(name, UINT32) for name in announced)

    def arrive(batch: Batch) -> None:
        lanes, columns = barriers_at(batch, batch.v[source], batch.v[index], site)
        batch.order.tick(site)
        batch.changes += 1
        able = ready(batch, lanes, columns, site)
        expected = access.spread(batch, batch.v[counts[0]]) if counts else np.zeros(batch.lanes, np.int64)
        for lane, column in zip(lanes[able].tolist(), columns[able].tolist(), strict=True):
            bulk_of(batch).phases.arrive(lane, lane // batch.width, column, int(expected[lane]))

    emit.operation(arrive, uses=(source, index, *counts))


def _asking(emit: Emitter, made: Call) -> tuple[Compute, tuple[Slot, ...]]:
    """What tells each lane whether a phase is over, and the slots that it reads."""
    base, at, parity = made.arguments
    source, index, site = emit.slot(base), emit.number(at, INT64), _site(emit, base)
    bit = emit.number(parity, UINT32)

    def ask(batch: Batch) -> Any:
        lanes, columns = barriers_at(batch, batch.v[source], batch.v[index], site)
        batch.order.tick(site)
        batch.polls += 1
        able = ready(batch, lanes, columns, site)
        over = np.ones(batch.lanes, np.bool_)  # a lane with a fault goes on
        bits = access.spread(batch, batch.v[bit]).astype(np.int64) & 1
        over[lanes[able]] = bulk_of(batch).phases.ask(lanes[able], columns[able], bits[lanes[able]])
        return over

    return ask, (source, index, bit)


def _ask(emit: Emitter, made: Call) -> None:
    ask, uses = _asking(emit, made)
    emit.define(made.target, BOOL, ask, uses)


def _wait(emit: Emitter, made: Call) -> None:
    """A loop that asks."""
    again, following = emit.build.block(), emit.build.block()
    emit.current.end = Jump(again)
    emit.current = emit.build.blocks[again]
    ask, uses = _asking(emit, made)
    over = emit.build.slot(dtype=BOOL)
    emit.operation(lambda batch: batch.set(over, ask(batch)), defs=(over,), uses=uses)
    emit.current.end = Branch(over, following, again, emit.place)
    emit.current = emit.build.blocks[following]


def _publish(emit: Emitter, _made: Call) -> None:
    emit.count()
    emit.operation(lambda batch: bulk_of(batch).phases.publish(np.flatnonzero(batch.mask.array)))


HANDLERS: Vocabulary[object] = {
    barriers.init_barrier: _init,
    barriers.publish_barriers: _publish,
    barriers.arrive: _arrive,
    barriers.arrive_expecting: _arrive,
    barriers.phase_is_over: _ask,
    barriers.wait_for_phase: _wait,
}
