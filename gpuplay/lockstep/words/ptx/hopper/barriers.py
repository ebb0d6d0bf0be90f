"""Barriers of `gpuplay.intrinsics.device.hopper.barriers`, and addresses in shared memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.intrinsics.device import shared_addresses
from gpuplay.intrinsics.device.hopper import barriers
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.bulk import bulk_of
from gpuplay.lockstep.execution.program import Branch, Jump
from gpuplay.lockstep.front.dtypes import element_of
from gpuplay.lockstep.record import Fault

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Handler
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.sites import Site
    from gpuplay.lockstep.memory.values import View

BOOL, INT64, UINT32 = np.dtype(np.bool_), np.dtype(np.int64), np.dtype(np.uint32)


def barriers_at(e: Batch, view: View, index: Any, site: Site) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The active lanes whose barrier is within bounds, and the column of each one's barrier."""
    offset, active = access.locate(e, view, (index,), site)
    lanes = np.flatnonzero(active)
    bulk = bulk_of(e)
    addresses = bulk.address(view.memory, access.spread(e, offset)[lanes])
    columns = np.zeros(len(lanes), np.int64)
    for address in np.unique(addresses):
        columns[addresses == address] = bulk.phases.column(int(address))
    return lanes, columns


def ready(
    e: Batch,
    lanes: NDArray[np.int64],
    columns: NDArray[np.int64],
    site: Site,
    blocks: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    """Which lanes may use the barrier of their block, or another; a fault where it may not be set up yet."""
    bad = bulk_of(e).phases.unready(lanes, lanes // e.width if blocks is None else blocks, columns)
    if bad.any():
        thread = e.thread(int(lanes[bad.argmax()]))
        text = (
            f"{thread} uses a barrier of {site.array} that has not been set up before, as far as this thread can know"
        )
        meet = "cuda.syncthreads()" if e.program.cluster == 1 else "cluster_sync()"
        remedy = f"let one thread call init_barrier and publish_barriers, then all of them {meet}"
        e.fault(Fault("unset", text, site.place, thread, array=site.array, remedy=remedy))
    return ~bad


def _site(t: Emitter, barriers: str) -> Site:
    """Where an instruction on a barrier stands; no access to memory is counted for it."""
    return t.site(barriers, "load", 8)


def _init(t: Emitter, made: Call) -> None:
    base, at, arrivals = made.arguments
    source, index, count, site = t.slot(base), t.number(at, INT64), t.number(arrivals, UINT32), _site(t, base)

    def init(e: Batch) -> None:
        lanes, columns = barriers_at(e, e.v[source], e.v[index], site)
        e.order.tick(site)
        e.changes += 1
        counts = access.spread(e, e.v[count])
        for lane, column in zip(lanes.tolist(), columns.tolist(), strict=True):
            bulk_of(e).phases.begin(lane, column, int(counts[lane]))

    t.emit(init, uses=(source, index, count))


def _arrive(t: Emitter, made: Call) -> None:
    base, at, *announced = made.arguments
    source, index, site = t.slot(base), t.number(at, INT64), _site(t, base)
    counts = tuple(t.number(name, UINT32) for name in announced)

    def arrive(e: Batch) -> None:
        lanes, columns = barriers_at(e, e.v[source], e.v[index], site)
        e.order.tick(site)
        e.changes += 1
        able = ready(e, lanes, columns, site)
        expected = access.spread(e, e.v[counts[0]]) if counts else np.zeros(e.lanes, np.int64)
        for lane, column in zip(lanes[able].tolist(), columns[able].tolist(), strict=True):
            bulk_of(e).phases.arrive(lane, lane // e.width, column, int(expected[lane]))

    t.emit(arrive, uses=(source, index, *counts))


def _asking(t: Emitter, made: Call) -> tuple[Callable[[Batch], Any], tuple[int, ...]]:
    """What tells each lane whether a phase is over, and the slots that it reads."""
    base, at, parity = made.arguments
    source, index, bit, site = t.slot(base), t.number(at, INT64), t.number(parity, UINT32), _site(t, base)

    def ask(e: Batch) -> Any:
        lanes, columns = barriers_at(e, e.v[source], e.v[index], site)
        e.order.tick(site)
        able = ready(e, lanes, columns, site)
        over = np.ones(e.lanes, np.bool_)  # a lane with a fault goes on
        bits = access.spread(e, e.v[bit]).astype(np.int64) & 1
        over[lanes[able]] = bulk_of(e).phases.ask(lanes[able], columns[able], bits[lanes[able]])
        return over

    return ask, (source, index, bit)


def _ask(t: Emitter, made: Call) -> None:
    ask, uses = _asking(t, made)
    t.define(made.target, BOOL, ask, uses)


def _wait(t: Emitter, made: Call) -> None:
    """A loop that asks."""
    again, following = t.build.block(), t.build.block()
    t.current.end = Jump(again)
    t.current = t.build.blocks[again]
    ask, uses = _asking(t, made)
    over = t.build.slot(dtype=BOOL)
    t.emit(lambda e: e.set(over, ask(e)), defs=(over,), uses=uses)
    t.current.end = Branch(over, following, again, t.place)
    t.current = t.build.blocks[following]


def _to_boundary(t: Emitter, made: Call) -> None:
    base, width = made.arguments
    source, boundary = t.slot(base), t.number(width, UINT32)
    itemsize = element_of(t.kind(base)).itemsize
    t.count(integer=3)

    def skipped(e: Batch) -> Any:
        view: View = e.v[source]
        rest = -bulk_of(e).address(view.memory, view.offset) % np.int64(e.v[boundary])
        return (rest // itemsize).astype(np.uint32)

    t.define(made.target, UINT32, skipped, (source, boundary))


def _publish(t: Emitter, _made: Call) -> None:
    t.count()
    t.emit(lambda e: bulk_of(e).phases.publish(np.flatnonzero(e.mask.array)))


_CALLS: dict[Any, Handler] = {
    barriers.init_barrier: _init,
    barriers.publish_barriers: _publish,
    barriers.arrive: _arrive,
    barriers.arrive_expecting: _arrive,
    barriers.phase_is_over: _ask,
    barriers.wait_for_phase: _wait,
    shared_addresses.elements_to_boundary: _to_boundary,
}
HANDLERS: dict[Any, Any] = _CALLS
