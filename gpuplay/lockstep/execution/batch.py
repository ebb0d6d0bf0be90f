"""A batch of blocks: what operations read and set."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.execution.program import Program
from gpuplay.lockstep.memory.allocation import Allocation
from gpuplay.lockstep.memory.order import Order
from gpuplay.lockstep.memory.shadow import ROW
from gpuplay.lockstep.memory.traffic import warps_and_lanes
from gpuplay.lockstep.memory.underway import Copies
from gpuplay.lockstep.memory.values import Merge, merged
from gpuplay.lockstep.record import Fault, Note, Place, Thread
from gpuplay.machine.limits import Dims


class Mask:
    """Which lanes are active, with what is asked of it often."""

    def __init__(self, array: NDArray[np.bool_]) -> None:
        self.array = array
        self.warps, self.lanes = warps_and_lanes(array)

    @property
    def first(self) -> int:
        """The first active lane."""
        return int(self.array.argmax())


class Batch:
    """Some blocks of a launch, in step: their lanes' slots ``v``, the active ``mask``, memory, order, faults.

    ``pending`` has the masks of lanes by the block of the program that they are to execute next, ``waiting`` those
    of lanes at a barrier, ``turning`` those of lanes that wait for others before the next turn of a loop.
    ``changes`` counts what may have changed memory, ``polls`` reads of what other threads may change, ``strays``
    accesses out of bounds.
    """

    def __init__(
        self,
        program: Program,
        grid: Dims,
        block: Dims,
        order: Order,
        faults: dict[Any, Fault],
        *,
        dynamic_bytes: int = 0,
        check_types: bool = False,
    ) -> None:
        self.program, self.grid, self.block, self.order = program, grid, block, order
        self.faults = faults
        self.threads = block[0] * block[1] * block[2]
        self.width = order.width
        self.executed = np.zeros((len(program.blocks), 2), np.int64)
        self.splits = np.zeros((len(program.blocks), 2), np.int64)
        self.met = np.zeros(len(program.blocks), np.int64)
        self.changes = 0
        self.polls = 0
        self.strays = 0
        self.notes: dict[Place, Note] = {}
        self.dynamic_bytes, self.check_types = dynamic_bytes, check_types

    def begin(
        self, first_block: int, blocks: int, slots: list[Any], shared: list[Allocation], own: list[Allocation]
    ) -> None:
        """Set up a batch: which threads the lanes are, the arrays that their blocks share, those of their own."""
        self.order.begin_batch(first_block, blocks)
        self.blocks, self.lanes, self.shared = blocks, blocks * self.width, shared
        self.locals = own
        self.copies = Copies(self.lanes)
        self.bulk: Any = None  # a `gpuplay.lockstep.execution.bulk.Bulk` from its first use on
        self.v = slots
        thread = np.arange(self.width)
        self.exists = np.tile(thread < self.threads, blocks)
        self.alive = self.exists.copy()
        self.ended = np.zeros_like(self.alive)
        self.conflicts = np.zeros((self.lanes, ROW), np.int64)
        number = np.arange(blocks)
        self.block_of_lane = np.repeat(number, self.width)
        threads = _indices(np.minimum(thread, self.threads - 1), self.block)
        self.thread_index = tuple(axis if isinstance(axis, np.generic) else np.tile(axis, blocks) for axis in threads)
        indices = _indices(number + first_block, self.grid)
        self.block_index = tuple(axis if isinstance(axis, np.generic) else self._by_block(axis) for axis in indices)
        self.needed: frozenset[int] = frozenset()
        self.mask = Mask(self.exists.copy())
        self.pending: dict[int, Mask] = {0: self.mask}
        self.waiting: dict[int, NDArray[np.bool_]] = {}
        self.turning: dict[int, Mask] = {}

    def _by_block(self, axis: NDArray[Any]) -> Any:
        """One number for each block as one for each lane, or shared by all lanes of a single block."""
        return axis[0] if self.blocks == 1 else np.repeat(axis, self.width)

    def set(self, slot: int, value: Any) -> None:
        """Give a slot its value on the active lanes; other lanes keep theirs where one is still to read it."""
        if slot in self.needed:
            try:
                value = merged(self.mask.array, value, self.v[slot])
            except Merge:
                self._unmergeable(slot)
        if self.check_types:
            self._check_type(slot, value)
        self.v[slot] = value

    def fault(self, fault: Fault) -> None:
        """Record a fault: once for each kind and place, with a count."""
        key = fault.kind, fault.place, fault.other, fault.array
        known = self.faults.get(key)
        if known is None:
            self.faults[key] = fault
        else:
            self.faults[key] = Fault(**{**vars(known), "count": known.count + fault.count})

    def thread(self, position: int) -> Thread:
        """Which thread a lane of this batch is."""
        return self.thread_of(position + self.order.first_lane)

    def thread_of(self, lane: int) -> Thread:
        """Which thread a lane of the grid is."""
        return Thread(_unravel(lane // self.width, self.grid), _unravel(lane % self.width, self.block))

    def _check_type(self, slot: int, value: Any) -> None:
        """The dtype that a variable holds is the one that Numba inferred."""
        want = self.program.dtypes[slot]
        have = getattr(value, "dtype", None)
        assert want is None or have == want, f"{self.program.names[slot]}: {have} held, {want} inferred"

    def _unmergeable(self, slot: int) -> None:
        places = [place for block in self.program.blocks for place in block.work if slot in block.defs]
        name = self.program.names[slot] or "a value"
        place = places[0] if places else Place(self.program.sources[0].file, self.program.sources[0].first)
        raise Unsupported(f"{name} that is another array for some threads than for others", place)


def _unravel(number: int, extents: Dims) -> Dims:
    x, y, _ = extents
    return number % x, number // x % y, number // (x * y)


def _indices(number: NDArray[np.int64], extents: Dims) -> tuple[Any, ...]:
    """x, y and z of each lane as int32; a number shared by all where the extent is 1."""
    x, y, z = extents
    parts = (number % x, number // x % y, number // (x * y))
    return tuple(
        np.int32(0) if extent == 1 else np.ascontiguousarray(part, np.int32)
        for part, extent in zip(parts, (x, y, z), strict=True)
    )
