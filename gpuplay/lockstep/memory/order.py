"""Which accesses are ordered: barriers within a block, syncwarp within a warp, fence plus atomic between blocks.

Time counts memory instructions of the launch. Between blocks only a grid sync orders, or a release and an
acquire after the PTX memory consistency model ("Release and Acquire Patterns"): a fence, then an atomic of
the same thread publishes what the thread wrote before the fence, what its block wrote before a barrier
before the fence, and what threads of the block wrote before fences of their own before a barrier; a later
atomic on the same word by a thread of another block makes it visible to that thread, and after a barrier
to its block. (The consumer's fence after its atomic is not asked for: the classic last-block reduction
has none.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.memory.values import Lanes


@dataclass(frozen=True)
class Release:
    """An atomic after a fence: who, when, up to which times it publishes its own and its block's writes.

    Atomics of one instruction have one time; ``turn`` tells which came first.
    """

    block: int
    lane: int
    time: int
    turn: int
    own: int
    others: int


@dataclass(frozen=True)
class Acquire:
    """An atomic that saw releases: its time, and its turn among all atomics."""

    time: int
    turn: int


class Times(NamedTuple):
    """What orders an earlier access of a batch's lanes before one that happens now, fences aside.

    ``first_lane`` is the batch's first in the grid; ``start`` is when the grid was last in step, ``barriers`` (blocks,)
    when a block had its last barrier, ``whole`` (warps,) when all lanes of a warp had their last syncwarp, ``part``
    (lanes,) when a lane had its last one, with the ``members`` (lanes,) of its mask.
    """

    first_lane: int
    warps_per_block: int
    start: int
    barriers: NDArray[np.int32]
    whole: NDArray[np.int32]
    part: NDArray[np.int32]
    members: NDArray[np.int64]


class Order:
    """The clock of a launch, and what has been brought into order. Times are int32, lanes global."""

    def __init__(self, blocks: int, warps_per_block: int, *, fences: bool) -> None:
        self.now = 0
        self.start = 0
        self.warps_per_block = warps_per_block
        self.width = warps_per_block * 32
        self.sites: list[Any] = [None]
        self._fences = fences
        lanes = blocks * self.width if fences else 0
        self._fenced = np.zeros(lanes, np.int32)
        self._barrier_before_fence = np.zeros(lanes, np.int32)
        self._published = np.zeros(lanes, np.int32)
        self._releases: dict[tuple[int, int], list[Release]] = {}
        self._acquired: dict[int, dict[tuple[tuple[int, int], int], tuple[Acquire, Acquire]]] = {}
        self._turn = 0

    def begin_batch(self, first_block: int, blocks: int) -> None:
        """New blocks: nothing is ordered within them yet."""
        self.first_block = first_block
        self.first_lane = first_block * self.width
        warps = blocks * self.warps_per_block
        self.barriers = np.full(blocks, self.now, np.int32)
        self.clusters = np.full(blocks, self.now, np.int32)
        self.whole = np.full(warps, self.now, np.int32)
        self.part = np.full(warps * 32, self.now, np.int32)
        self.members = np.zeros(warps * 32, np.int64)

    def times(self) -> Times:
        """What decides whether an earlier access is ordered before one that happens now."""
        times = self.barriers, self.whole, self.part, self.members
        return Times(self.first_lane, self.warps_per_block, self.start, *times)

    def met(self) -> int:
        """The time up to which every block of the batch has had a barrier since."""
        return int(self.barriers.min())

    def tick(self, site: Any) -> int:
        """The time of the next memory instruction, which stands at ``site``."""
        self.now += 1
        self.sites.append(site)
        return self.now

    def barrier(self, blocks: NDArray[np.bool_]) -> None:
        """The blocks of this batch that are marked have met at a barrier."""
        self.barriers[blocks] = self.now
        if self._fences:
            lanes = np.flatnonzero(np.repeat(blocks, self.width)) + self.first_lane
            self._published[lanes] = self._fenced[lanes]

    def cluster_barrier(self, blocks: NDArray[np.bool_]) -> None:
        """The blocks of this batch that are marked have met those of their clusters, after `barrier`."""
        self.clusters[blocks] = self.now

    def grid_barrier(self) -> None:
        """All threads of the grid have met."""
        self.start = self.now

    def syncwarp(self, active: Lanes, whole: NDArray[np.bool_], members: NDArray[Any]) -> None:
        """Active lanes met the ``members`` (mask bits, for each lane) of their warps; ``whole`` marks whole warps."""
        self.whole[whole] = self.now
        self.part[active] = self.now
        self.members[active] = members[active]

    def fence(self, active: Lanes) -> None:
        """Active lanes executed a fence at the scope of the device."""
        positions = np.flatnonzero(active)
        lanes = positions + self.first_lane
        self._fenced[lanes] = self.now
        self._barrier_before_fence[lanes] = self.barriers[positions // self.width]

    def atomic(self, memory: int, words: NDArray[np.int64], active: Lanes, *, last_first: bool = False) -> None:
        """Active lanes updated words of a global array: acquire what was released there, release what is fenced.

        They did so in their order, or from the last one on.
        """
        if not self._fences:
            return
        served = np.flatnonzero(active)
        for position in served[::-1] if last_first else served:
            lane, key = int(position) + self.first_lane, (memory, int(words[position]))
            block = lane // self.width
            self._turn += 1
            if key in self._releases:
                seen = self._acquired.setdefault(block, {})
                now = Acquire(self.now, self._turn)
                seen[key, lane] = seen.get((key, lane), (now, now))[0], now
            own, others = int(self._fenced[lane]), int(self._barrier_before_fence[lane])
            published = int(self._published[lane - lane % self.width : lane - lane % self.width + self.width].max())
            if own or published:
                self._releases.setdefault(key, []).append(Release(block, lane, self.now, self._turn, own, others))

    def excused(self, earlier: int, time: int, lane: int) -> bool:
        """Whether release and acquire order the access of lane ``earlier`` at ``time`` before ``lane``'s next."""
        block, source = lane // self.width, earlier // self.width
        if not self._fences:
            return False
        for (key, who), (first, last) in self._acquired.get(block, {}).items():
            barrier = int(self.barriers[block - self.first_block])
            reached = last if who == lane or barrier >= last.time else first
            if who != lane and barrier < reached.time:
                continue
            for release in self._releases.get(key, ()):
                if release.block != source or time > release.time or release.turn >= reached.turn:
                    continue
                own = release.lane == earlier and (time <= release.own or time == release.time)
                if own or time <= release.others or time <= int(self._published[earlier]):
                    return True
        return False
