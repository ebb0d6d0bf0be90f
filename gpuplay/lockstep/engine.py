"""Executes a program for one batch of blocks: all lanes at once, diverged ones in turns, barriers as meeting points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.limits import Dims
from gpuplay.lockstep.deadlock import Spins, barrier_fault, deadlock_fault
from gpuplay.lockstep.memory import Allocation
from gpuplay.lockstep.order import Order
from gpuplay.lockstep.program import Branch, Jump, Leave, Meet, Program
from gpuplay.lockstep.record import Fault, Note, Place, Thread
from gpuplay.lockstep.shadow import ROW
from gpuplay.lockstep.traffic import splits, warps_and_lanes
from gpuplay.lockstep.values import Merge, merged


class Stuck(Exception):
    """No lane can go on; the fault is recorded."""


class Mask:
    """Which lanes are active, with what is asked of it often."""

    def __init__(self, array: NDArray[np.bool_]) -> None:
        self.array = array
        self.warps, self.lanes = warps_and_lanes(array)

    @property
    def first(self) -> int:
        """The first active lane."""
        return int(self.array.argmax())


class Engine:
    """One batch: its lanes' slots ``v``, the active ``mask``, memory, order, and the faults found."""

    def __init__(self, program: Program, grid: Dims, block: Dims, order: Order, faults: dict[Any, Fault]) -> None:
        self.program, self.grid, self.block, self.order = program, grid, block, order
        self.faults = faults
        self.threads = block[0] * block[1] * block[2]
        self.width = order.width
        self.executed = np.zeros((len(program.blocks), 2), np.int64)
        self.splits = np.zeros((len(program.blocks), 2), np.int64)
        self.met = np.zeros(len(program.blocks), np.int64)
        self.changes = 0
        self.notes: dict[Place, Note] = {}
        self.check_types = False
        self.dynamic_bytes = 0
        self.locals: list[Allocation] = []

    def begin(self, first_block: int, blocks: int, slots: list[Any], shared: list[Allocation]) -> None:
        """Set up a batch: which threads the lanes are, what memory they have."""
        self.order.begin_batch(first_block, blocks)
        self.blocks, self.lanes, self.shared = blocks, blocks * self.width, shared
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

    def _by_block(self, axis: NDArray[Any]) -> Any:
        """One number for each block as one for each lane, or shared by all lanes of a single block."""
        return axis[0] if self.blocks == 1 else np.repeat(axis, self.width)

    def run(self) -> None:
        """Execute until all lanes have left; Stuck where they cannot."""
        self.pending: dict[int, Mask] = {0: Mask(self.exists.copy())}
        self.waiting: dict[int, NDArray[np.bool_]] = {}
        self.spins = Spins(self)
        while self.pending or self.waiting:
            number = self._next()
            self.mask = self.pending.pop(number)
            self._live_elsewhere()
            self._execute(number)

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
        key = fault.kind, fault.place, fault.other
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

    # --- scheduling ---

    def _next(self) -> int:
        """The lowest block that lanes wait for and that need not wait for others."""
        ready = [number for number in self.pending if not self.spins.parked(number)]
        if ready:
            return min(ready)
        if self.pending:
            self.fault(deadlock_fault(self))
        else:
            self.fault(barrier_fault(self))
        raise Stuck

    def _live_elsewhere(self) -> None:
        """Slots that lanes outside the active mask will still read."""
        blocks = self.program.blocks
        self.needed = frozenset()
        for number in self.pending:
            self.needed |= blocks[number].live_in
        for number in self.waiting:
            end = blocks[number].end
            assert isinstance(end, Meet)
            self.needed |= blocks[end.target].live_in | set(end.uses)

    def _execute(self, number: int) -> None:
        block, mask = self.program.blocks[number], self.mask
        self.executed[number, 0] += mask.warps
        self.executed[number, 1] += mask.lanes
        for op in block.ops:
            op(self)
        match block.end:
            case Jump(target):
                self._arrive(number, target, mask)
            case Branch():
                self._branch(number, block.end)
            case Leave():
                self._leave(block.end)
            case Meet():
                self._meet(number, block.end)

    def _arrive(self, source: int, target: int, mask: Mask) -> None:
        if target <= source:
            self.spins.back_edge(target, mask)
        there = self.pending.get(target)
        self.pending[target] = mask if there is None else Mask(there.array | mask.array)

    def _branch(self, number: int, end: Branch) -> None:
        mask, condition = self.mask, self.v[end.condition]
        self.splits[number, 0] += mask.warps
        if isinstance(condition, np.generic):
            self._arrive(number, end.then if condition else end.otherwise, mask)
            return
        taken = mask.array & condition
        rest = mask.array & ~condition
        some, others = taken.any(), rest.any()
        if not others:
            self._arrive(number, end.then, mask)
        elif not some:
            self._arrive(number, end.otherwise, mask)
        else:
            self.splits[number, 1] += splits(mask.array, condition)
            self._arrive(number, end.then, Mask(taken))
            self._arrive(number, end.otherwise, Mask(rest))

    def _leave(self, end: Leave) -> None:
        self.alive &= ~self.mask.array
        if not end.returned:
            self.ended |= self.mask.array
        if not self.waiting:
            return
        left = np.unique(self.block_of_lane[self.mask.array])
        if any(np.isin(self.block_of_lane[there], left).any() for there in self.waiting.values()):
            self.fault(barrier_fault(self, left_at=end.place, who=self.mask.array))
            raise Stuck

    # --- meeting points ---

    def _meet(self, number: int, end: Meet) -> None:
        """Lanes arrive at a barrier; blocks whose threads are all there go on, but for those that returned early.

        A thread that ran to the end of the function has passed the barrier by: the condition around it did
        not evaluate the same for all threads of the block, which the programming guide demands.
        """
        self.met[number] += self.mask.warps
        arrived = self.mask.array | self.waiting.pop(number, np.zeros_like(self.alive))
        if end.scope == "grid":
            complete = arrived if (arrived == self.alive).all() else np.zeros_like(arrived)
        else:
            missing = ((self.alive | self.ended) & ~arrived).reshape(self.blocks, -1).any(axis=1)
            complete = arrived & ~np.repeat(missing, self.width)
        rest = arrived & ~complete
        if rest.any():
            self.waiting[number] = rest
        if complete.any():
            self._go_on(number, end, complete)

    def _go_on(self, number: int, end: Meet, complete: NDArray[np.bool_]) -> None:
        self.mask = Mask(complete)
        self._live_elsewhere()
        if end.finish is not None:
            end.finish(self)
        self.order.tick(None)
        self.order.barrier(np.asarray(complete.reshape(self.blocks, -1).any(axis=1)))
        if end.scope == "grid":
            self.order.grid_barrier()
        self.changes += 1
        self._arrive(number, end.target, self.mask)

    def _check_type(self, slot: int, value: Any) -> None:
        """The dtype that a variable holds is the one that Numba inferred."""
        want = self.program.dtypes[slot]
        have = getattr(value, "dtype", None)
        assert want is None or have == want, f"{self.program.names[slot]}: {have} held, {want} inferred"

    def _unmergeable(self, slot: int) -> None:
        from gpuplay.lockstep.errors import Unsupported

        places = [place for block in self.program.blocks for place in block.work if slot in block.defs]
        name = self.program.names[slot] or "a value"
        raise Unsupported(f"{name} that is another array on some lanes than on others", places[0])


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
