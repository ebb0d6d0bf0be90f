"""Executes a program for a batch: all lanes at once, diverged ones in turns, barriers as meeting points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.execution.batch import Batch, Mask
from gpuplay.lockstep.execution.deadlock import Spins, barrier_fault, deadlock_fault
from gpuplay.lockstep.execution.program import Branch, Jump, Leave, Meet
from gpuplay.lockstep.memory.traffic import splits


class Stuck(Exception):
    """No lane can go on; the fault is recorded."""


class Engine(Batch):
    """A batch with its scheduling."""

    def run(self) -> None:
        """Execute until all lanes have left; Stuck where they cannot."""
        self.spins = Spins(self)
        while self.pending or self.waiting or self.turning:
            self._turn()
            number = self._next()
            self.mask = self.pending.pop(number)
            self._live_elsewhere()
            self._execute(number)

    def _turn(self) -> None:
        """Let lanes begin the next turn of a loop with two beginnings, once no lane is underway in the last one."""
        if not self.turning:
            return
        underway = [number for number in self.pending if not self.spins.parked(number)]
        for target in list(self.turning):
            first, last = self.program.blocks[target].turns_at or (0, 0)
            if not any(first <= number <= last for number in underway):
                self._put(target, self.turning.pop(target))

    def _next(self) -> int:
        """The lowest block that lanes wait for and that need not wait for others."""
        ready = [number for number in self.pending if not self.spins.parked(number)]
        chosen = self.spins.choose(ready)
        if chosen is not None:
            return chosen
        if self.pending:
            self.fault(deadlock_fault(self))
        else:
            self.fault(barrier_fault(self))
        raise Stuck

    def _live_elsewhere(self) -> None:
        """Slots that lanes outside the active mask will still read."""
        blocks = self.program.blocks
        self.needed = frozenset()
        for number in (*self.pending, *self.turning):
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
                self._meet(number)

    def _arrive(self, source: int, target: int, mask: Mask) -> None:
        if target <= source:
            self.spins.back_edge(target, mask)
            if self.program.blocks[target].turns_at is not None:
                there = self.turning.get(target)
                self.turning[target] = mask if there is None else Mask(there.array | mask.array)
                return
        else:
            self.spins.wake(target)
        self._put(target, mask)

    def _put(self, target: int, mask: Mask) -> None:
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
        if end.returned:
            for number in list(self.waiting):
                self._let_go(number, self.waiting.pop(number))
            return
        left = np.unique(self.block_of_lane[self.mask.array])
        if any(np.isin(self.block_of_lane[there], left).any() for there in self.waiting.values()):
            self.fault(barrier_fault(self, left_at=end.place, who=self.mask.array))
            raise Stuck

    def _meet(self, number: int) -> None:
        """Lanes arrive at a barrier; blocks whose threads are all there go on, but for those that returned early.

        A thread that ran to the end of the function has passed the barrier by: the condition around it did
        not evaluate the same for all threads of the block, which the programming guide demands.
        """
        self.met[number] += self.mask.warps
        self._let_go(number, self.mask.array | self.waiting.pop(number, np.zeros_like(self.alive)))

    def _let_go(self, number: int, arrived: NDArray[np.bool_]) -> None:
        """Those who have arrived at a barrier go on where none is missing any more; the others wait."""
        end = self.program.blocks[number].end
        assert isinstance(end, Meet)
        if end.scope == "grid":  # no thread may have returned: a cooperative launch counts them all
            complete = arrived if (arrived == self.exists).all() else np.zeros_like(arrived)
        else:
            together = self.width * (self.program.cluster if end.scope == "cluster" else 1)
            missing = ((self.alive | self.ended) & ~arrived).reshape(-1, together).any(axis=1)
            complete = arrived & ~np.repeat(missing, together)
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
        met = np.asarray(complete.reshape(self.blocks, -1).any(axis=1))
        self.order.barrier(met)
        if end.scope == "cluster":
            self.order.cluster_barrier(met)
        if end.scope == "grid":
            self.order.grid_barrier()
        self.changes += 1
        self._arrive(number, end.target, self.mask)
