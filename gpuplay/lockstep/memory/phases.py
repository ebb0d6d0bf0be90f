"""Barriers that count arrivals and bytes (``mbarrier``): which phases are over, who knows of it, what that orders.

PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier". A thread that has waited for a phase
sees what came before every arrival of that phase, and the bytes that were copied in it; so do threads that meet it at
a barrier of the block, or of the warp, afterwards. Times are those of `gpuplay.lockstep.memory.order`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.memory.order import Order

WARP = 32
GROWING = (
    "over",
    "pending",
    "expected",
    "missing",
    "begun",
    "beginner",
    "published",
)  # (blocks, barriers): a column a barrier


class Phases:
    """The barriers of a batch of ``blocks``, by their address in a block's shared memory: a column each.

    Of each block and barrier: ``over`` phases, ``pending`` arrivals of those ``expected``, ``missing`` bytes, the time
    it was ``begun`` at, 0 if it never was, by which lane, and whether it was ``published``.

    ``known`` (lanes, barriers) are the phases that a lane knows to be over, ``released`` (lanes, blocks of a cluster,
    warps) the time up to which it knows a warp of its cluster to be done.
    """

    def __init__(self, order: Order, blocks: int, cluster: int) -> None:
        self._order, self._blocks, self.cluster = order, blocks, cluster
        self._columns: dict[int, int] = {}
        lanes = blocks * order.width
        self.over, self.pending, self.expected, self.missing, self.begun, self.beginner, self.published = (
            np.zeros((blocks, 0), np.int64) for _ in GROWING
        )
        self.known = np.zeros((lanes, 0), np.int64)
        self.released = np.zeros((lanes, cluster, order.warps_per_block), np.int64)
        self._arrived: dict[tuple[int, int, int], NDArray[np.int64]] = {}
        self._told: dict[tuple[int, int], list[tuple[int, int, int]]] = {}

    def column(self, address: int) -> int:
        """The column of a barrier, a new one where there is none yet."""
        if address not in self._columns:
            self._columns[address] = len(self._columns)
            for name in (*GROWING, "known"):
                old = getattr(self, name)
                setattr(self, name, np.concatenate([old, np.zeros((len(old), 1), np.int64)], axis=1))
        return self._columns[address]

    def begin(self, lane: int, column: int, arrivals: int) -> None:
        """A lane sets a barrier up."""
        block = lane // self._order.width
        self.over[block, column] = self.missing[block, column] = self.published[block, column] = 0
        self.pending[block, column] = self.expected[block, column] = arrivals
        self.begun[block, column], self.beginner[block, column] = self._order.now, lane
        self.known[block * self._order.width : (block + 1) * self._order.width, column] = 0

    def publish(self, lanes: NDArray[np.int64]) -> None:
        """Some lanes make the barriers that they have set up known to copies."""
        self.published[np.isin(self.beginner, lanes) & (self.begun > 0)] = 1

    def unready(
        self, lanes: NDArray[np.int64], blocks: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """For which of these lanes the barrier of a block is not set up, or nothing orders that before now."""
        begun = self.begun[blocks, columns]
        own = self.beginner[blocks, columns] == lanes
        here = blocks == lanes // self._order.width
        met = np.where(here, self._order.barriers[blocks], self._order.clusters[blocks])
        return np.asarray((begun == 0) | ~(own | (begun <= met)))

    def arrive(self, lane: int, block: int, column: int, announced: int = 0) -> None:
        """A lane arrives at a barrier of a block of its cluster, after announcing so many bytes."""
        own, warp = lane // self._order.width, lane % self._order.width // WARP
        key = block, column, int(self.over[block, column])
        times = self._arrived.setdefault(key, np.zeros(self.released.shape[1:], np.int64))
        times[own % self.cluster, warp] = self._order.now
        self.pending[block, column] -= 1
        self.missing[block, column] += announced
        self._complete(block, column)

    def copied(self, block: int, column: int, count: int) -> None:
        """So many bytes have come."""
        self.missing[block, column] -= count
        self._complete(block, column)

    def _complete(self, block: int, column: int) -> None:
        """The phase is over where nothing is missing."""
        if self.pending[block, column] == 0 and self.missing[block, column] == 0:
            self.over[block, column] += 1
            self.pending[block, column] = self.expected[block, column]

    def ask(self, lanes: NDArray[np.int64], columns: NDArray[np.int64], parity: NDArray[Any]) -> NDArray[np.bool_]:
        """For each lane whether the latest phase of a parity is over; those that hear yes know it from now on."""
        over = self.over[lanes // self._order.width, columns]
        yes = np.asarray((over & 1) != parity)
        news = yes & (over > self.known[lanes, columns])
        blocks = lanes // self._order.width
        for block, column in np.unique(np.stack([blocks, columns])[:, news], axis=1).T.tolist():
            self._learn(block, column, lanes[news & (columns == column) & (blocks == block)])
        return yes

    def _learn(self, block: int, column: int, who: NDArray[np.int64]) -> None:
        """Some lanes of a block hear that its phases are over."""
        over = int(self.over[block, column])
        for phase in range(int(self.known[who, column].min()), over):
            times = self._arrived.get((block, column, phase))
            if times is not None:
                self.released[who] = np.maximum(self.released[who], times)
        self.known[who, column] = over
        self._told.setdefault((block, column), []).append((over, self._order.now, int(who[0])))

    def know(self, lanes: NDArray[np.int64], column: int, phase: int) -> NDArray[np.bool_]:
        """Which lanes of one block know that a phase is over, by themselves or by a barrier after one that knew."""
        known: NDArray[np.bool_] = self.known[lanes, column] > phase
        if known.all():
            return known
        block = int(lanes[0]) // self._order.width
        for over, time, teller in self._told.get((block, column), ()):
            if over > phase:
                together = lanes // WARP == teller // WARP
                known = (
                    known
                    | (time <= self._order.barriers[block])
                    | (together & (time <= self._order.whole[lanes // WARP]))
                )
        return known
