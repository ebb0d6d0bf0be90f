"""Executes a program for a batch: all lanes at once, diverged ones in turns, barriers as meeting points."""

from __future__ import annotations

import numpy as np

from gpuplay.lockstep.execution.batch import Batch
from gpuplay.lockstep.execution.faults.meetings import deadlock, endless, missed_barrier
from gpuplay.lockstep.execution.lanes import LaneMask
from gpuplay.lockstep.execution.program import Branch, Jump, Leave, Meet
from gpuplay.lockstep.execution.spins import Spins
from gpuplay.lockstep.memory.traffic import splits
from gpuplay.lockstep.memory.values import Lanes


class Stuck(Exception):
    """No lane can go on; the fault is recorded."""


class Engine:
    """Takes the lanes of a batch through its program."""

    def __init__(self, batch: Batch) -> None:
        self.batch, self.schedule = batch, batch.schedule
        self.blocks, self.tally = batch.program.blocks, batch.launch.tally
        self.spins = Spins(batch)

    def run(self) -> None:
        """Execute until all lanes have left; Stuck where they cannot.

        The lowest block that lanes have come to goes first: higher ones may be where they meet again.
        """
        while self.schedule.unfinished:
            self._begin_turns()
            number = self._next()
            self._activate(self.schedule.pending.pop(number))
            self._execute(number)

    def _begin_turns(self) -> None:
        """Let lanes begin the next turn of a loop with two beginnings, once no lane is underway in the last one."""
        turning = self.schedule.turning
        if not turning:
            return
        underway = [number for number in self.schedule.pending if not self.spins.parked(number)]
        for target in list(turning):
            first, last = self.blocks[target].turns_at or (0, 0)
            if not any(first <= number <= last for number in underway):
                self.schedule.put(target, turning.pop(target))

    def _next(self) -> int:
        """The lowest block that lanes have come to and that need not wait for others."""
        pending = self.schedule.pending
        chosen = self.spins.choose([number for number in pending if not self.spins.parked(number)])
        if chosen is not None:
            return chosen
        if looping := self.spins.endless & set(pending):
            endless(self.batch, min(looping))
        elif pending:
            deadlock(self.batch)
        else:
            missed_barrier(self.batch)
        raise Stuck

    def _activate(self, mask: LaneMask) -> None:
        """Let these lanes execute, and no others."""
        self.batch.mask = mask
        self.batch.needed = self.schedule.live(self.blocks)

    def _execute(self, number: int) -> None:
        block, batch = self.blocks[number], self.batch
        self.tally.warps[number] += batch.mask.warps
        self.tally.lanes[number] += batch.mask.lanes
        for op in block.ops:
            op(batch)
        match block.end:
            case Jump(target):
                self._arrive(number, target, batch.mask)
            case Branch():
                self._branch(number, block.end)
            case Leave():
                self._leave(block.end)
            case Meet():
                self._meet(number)

    def _arrive(self, source: int, target: int, mask: LaneMask) -> None:
        if target <= source:
            self.spins.back_edge(target, mask)
            if self.blocks[target].turns_at is not None:
                self.schedule.put_off(target, mask)
                return
        else:
            self.spins.wake(target)
        self.schedule.put(target, mask)

    def _branch(self, number: int, end: Branch) -> None:
        mask, condition = self.batch.mask, self.batch.v[end.condition]
        self.tally.branches[number] += mask.warps
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
            self.tally.divergent[number] += splits(mask.array, condition)
            self._arrive(number, end.then, LaneMask(taken))
            self._arrive(number, end.otherwise, LaneMask(rest))

    def _leave(self, end: Leave) -> None:
        mask, waiting = self.batch.mask, self.schedule.waiting
        self.schedule.leave(mask, returned=end.returned)
        if end.returned:
            for number in list(waiting):
                self._let_go(number, waiting.pop(number))
            return
        block_of_lane = self.batch.threads.block_of_lane
        left = np.unique(block_of_lane[mask.array])
        if any(np.isin(block_of_lane[there], left).any() for there in waiting.values()):
            missed_barrier(self.batch, left_at=end.place, who=mask.array)
            raise Stuck

    def _meet(self, number: int) -> None:
        """Lanes arrive at a barrier; blocks whose threads are all there go on, but for those that returned early.

        A thread that ran to the end of the function has passed the barrier by: the condition around it did
        not evaluate the same for all threads of the block, which the programming guide demands.
        """
        mask = self.batch.mask
        self.tally.met[number] += mask.warps
        self._let_go(number, mask.array | self.schedule.waiting.pop(number, np.zeros_like(mask.array)))

    def _let_go(self, number: int, arrived: Lanes) -> None:
        """Those who have arrived at a barrier go on where none is missing any more; the others wait."""
        end, batch = self.blocks[number].end, self.batch
        assert isinstance(end, Meet)
        if end.scope == "grid":  # no thread may have returned: a cooperative launch counts them all
            complete = arrived if (arrived == batch.threads.exists).all() else np.zeros_like(arrived)
        else:
            together = batch.width * (batch.program.cluster if end.scope == "cluster" else 1)
            expected = self.schedule.alive | self.schedule.ended
            missing = (expected & ~arrived).reshape(-1, together).any(axis=1)
            complete = arrived & ~np.repeat(missing, together)
        rest = arrived & ~complete
        if rest.any():
            self.schedule.waiting[number] = rest
        if complete.any():
            self._go_on(number, end, complete)

    def _go_on(self, number: int, end: Meet, complete: Lanes) -> None:
        batch = self.batch
        self._activate(LaneMask(complete))
        if end.finish is not None:
            end.finish(batch)
        batch.order.tick(None)
        met = np.asarray(complete.reshape(batch.blocks, -1).any(axis=1))
        batch.order.barrier(met)
        if end.scope == "cluster":
            batch.order.cluster_barrier(met)
        if end.scope == "grid":
            batch.order.grid_barrier()
        batch.changes += 1
        self._arrive(number, end.target, batch.mask)
