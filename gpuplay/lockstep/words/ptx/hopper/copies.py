"""Copies of boxes by the tensor memory accelerator: `gpuplay.intrinsics.device.hopper.copies`.

A box arrives at once, but counts as unread until somebody has waited for it (`gpuplay.lockstep.execution.bulk`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.intrinsics.device.hopper import copies
from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.execution import access
from gpuplay.lockstep.execution.bulk import PIECE, bulk_of
from gpuplay.lockstep.execution.faults.accesses import misaligned, unset
from gpuplay.lockstep.execution.faults.units import barrier_unpublished, box_too_large
from gpuplay.lockstep.memory.values import BoxView
from gpuplay.lockstep.record import SECTOR_BYTES
from gpuplay.lockstep.words.ptx.hopper.barriers import barriers_at, ready

if TYPE_CHECKING:
    from gpuplay.lockstep.emit.call import Call, Vocabulary
    from gpuplay.lockstep.emit.emitter import Emitter
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.execution.program import Slot
    from gpuplay.lockstep.memory.allocation import Allocation
    from gpuplay.lockstep.memory.sites import Site

INT32, INT64 = np.dtype(np.int32), np.dtype(np.int64)
ROW = 128  # bytes of a row of a box


def swizzled(address: Any) -> Any:
    """Where the byte of an address lies: bits 4 to 6 combined with bits 7 to 9 by exclusive or."""
    return address ^ (address >> 7 & 7) << 4


def copy(emit: Emitter, made: Call, receivers: Callable[[Batch, int], Iterable[int]], *more: Slot) -> None:
    """A copy of a box; ``receivers(batch, lane)`` are the blocks that get it, by what the slots ``more`` hold."""
    shared, at, mapped, row, column, barriers, index = made.arguments[:7]
    target, source, phases = emit.slot(shared), emit.slot(mapped), emit.slot(barriers)
    place, number = emit.number(at, INT64), emit.number(index, INT64)
    down, across = emit.number(row, INT32), emit.number(column, INT32)
    read = emit.site(mapped, "load", ROW)
    written, barrier = emit.site(shared, "store", ROW, issued=False), emit.site(barriers, "load", 8, issued=False)

    def run(batch: Batch) -> None:
        view = batch.v[source]
        if not isinstance(view, BoxView):
            raise Unsupported("a copy by what is no description of gpu.tensor_map", read.place)
        batch.order.tick(written)
        batch.changes += 1
        lanes, columns = barriers_at(batch, batch.v[phases], batch.v[number], barrier)
        able = ready(batch, lanes, columns, barrier) & _published(batch, lanes, columns, barrier)
        offset, active = access.locate(batch, batch.v[target], (batch.v[place],), written)
        begins = access.spread(batch, offset)
        rows, starts = access.spread(batch, batch.v[down]), access.spread(batch, batch.v[across])
        for lane, where in zip(lanes[able].tolist(), columns[able].tolist(), strict=True):
            if active[lane] and _fits(batch, batch.v[target].memory, int(begins[lane]), lane, view, written):
                box = _read(batch, view, int(rows[lane]), int(starts[lane]), lane, read)
                blocks = np.array(list(receivers(batch, lane)), np.int64)
                lane_of, column_of = (np.full(len(blocks), number) for number in (lane, where))
                for block in blocks[ready(batch, lane_of, column_of, barrier, blocks)].tolist():
                    _write(batch, batch.v[target].memory, int(begins[lane]), (lane, block), where, box, written)

    emit.operation(run, uses=(target, source, phases, place, number, down, across, *more))


def _copy(emit: Emitter, made: Call) -> None:
    copy(emit, made, lambda batch, lane: (lane // batch.width,))


def _published(batch: Batch, lanes: NDArray[np.int64], columns: NDArray[np.int64], site: Site) -> NDArray[np.bool_]:
    """Which lanes' barriers were made known to copies; a fault where one was not."""
    known: NDArray[np.bool_] = bulk_of(batch).phases.published[lanes // batch.width, columns] > 0
    if not known.all():
        barrier_unpublished(batch, site, int(lanes[known.argmin()]))
    return known


def _fits(batch: Batch, memory: Allocation, begin: int, lane: int, view: BoxView, site: Site) -> bool:
    """Whether a box fits where it is to lie; a fault where it does not, or begins at no multiple of 128 bytes."""
    if int(bulk_of(batch).address(memory, begin)) % ROW:
        misaligned(batch, site, lane, np.int64(begin % memory.period // view.matrix.dtype.itemsize))
        return False
    taken, there = view.box[0] * ROW, memory.period - begin % memory.period
    if taken > there:
        box_too_large(batch, site, lane, taken, there)
    return taken <= there


def _read(batch: Batch, view: BoxView, row: int, column: int, lane: int, site: Site) -> NDArray[np.uint8]:
    """The bytes of a box (rows, 128), zeros outside of the matrix; counts the sectors of its rows."""
    memory, dtype = view.matrix.memory, view.matrix.dtype
    if memory.watched:
        raise Unsupported("a copy by TMA from an array that the same launch writes", site.place)
    height, width = (int(extent) for extent in view.matrix.shape)
    rows, columns = view.box
    top, bottom = max(row, 0), min(row + rows, height)
    left, right = max(column, 0), min(column + columns, width)
    box = np.zeros((rows, columns), dtype)
    if bottom > top and right > left:
        first = int(view.matrix.offset) // dtype.itemsize
        places = first + np.arange(top, bottom)[:, None] * width + np.arange(left, right)
        box[top - row : bottom - row, left - column : right - column] = memory.typed(dtype)[places]
        _count(batch, memory, places * dtype.itemsize, dtype.itemsize, lane, site)
    return box.view(np.uint8)


def _count(batch: Batch, memory: Allocation, bytes_at: NDArray[Any], itemsize: int, lane: int, site: Site) -> None:
    """Sectors that the rows of a box touch, of byte offsets (rows, columns); a fault where an element is unset."""
    site.space = "global"
    begin, end = bytes_at[:, 0] + memory.skew, bytes_at[:, -1] + itemsize + memory.skew
    site.requests += 1
    site.cost += int(((end - 1) // SECTOR_BYTES - begin // SECTOR_BYTES + 1).sum())
    site.ideal += int((-(-(end - begin) // SECTOR_BYTES)).sum())
    site.bytes_asked += int((end - begin).sum())
    if memory.may_be_unset():
        bare = memory.written[bytes_at >> memory.shift] == 0
        if bare.any():
            unset(batch, site, memory, int(bytes_at[bare][0]), lane)


def _write(
    batch: Batch, memory: Allocation, begin: int, lane_to_block: tuple[int, int], column: int, box: Any, site: Site
) -> None:
    """Put the pieces of a lane's box where swizzling has them in a block, and count its bytes at the barrier there."""
    bulk, (lane, block) = bulk_of(batch), lane_to_block
    addresses = swizzled(int(bulk.address(memory, begin)) + np.arange(0, box.size, PIECE))
    bulk.fill(batch, lane, block, column, bulk.pieces(block, addresses), site.place)
    places = bulk.offset(memory, block, addresses)
    memory.data.reshape(-1, PIECE)[places // PIECE] = box.reshape(-1, PIECE)
    memory.written.reshape(-1, PIECE >> memory.shift)[places // PIECE] = 1
    bulk.phases.copied(block, column, box.size)


def _acquire(emit: Emitter, _made: Call) -> None:
    emit.count()


HANDLERS: Vocabulary[object] = {copies.copy_box_async: _copy, copies.acquire_tensor_map: _acquire}
