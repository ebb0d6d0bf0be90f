"""Where the lanes of a batch go on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gpuplay.lockstep.execution.lanes import LaneMask
from gpuplay.lockstep.execution.program import Block, Meet, Slot
from gpuplay.lockstep.memory.values import Lanes


@dataclass(eq=False)
class Schedule:
    """Lanes by the number of the program's block that they have come to.

    ``pending`` lanes are to execute it, ``waiting`` ones (lanes,) are at the barrier in its end, ``turning`` ones wait
    for others before the next turn of the loop that begins there. ``alive`` (lanes,) are the threads that have not
    finished, ``ended`` (lanes,) those that finished at the end of the function, not by a return statement.
    """

    pending: dict[int, LaneMask]
    alive: Lanes
    ended: Lanes
    waiting: dict[int, Lanes] = field(default_factory=dict)
    turning: dict[int, LaneMask] = field(default_factory=dict)

    @classmethod
    def of(cls, exists: Lanes) -> Schedule:
        """All threads that exist stand at the first block."""
        return cls({0: LaneMask(exists.copy())}, exists.copy(), np.zeros_like(exists))

    @property
    def unfinished(self) -> bool:
        """Whether some lanes are to go on."""
        return bool(self.pending or self.waiting or self.turning)

    def put(self, target: int, mask: LaneMask) -> None:
        """Lanes are to execute a block, together with those that have come there before."""
        self.pending[target] = mask.joined(self.pending.get(target))

    def put_off(self, target: int, mask: LaneMask) -> None:
        """Lanes are to wait before a loop's next turn."""
        self.turning[target] = mask.joined(self.turning.get(target))

    def leave(self, mask: LaneMask, *, returned: bool) -> None:
        """Threads finish, by a return statement or at the end of the function."""
        self.alive &= ~mask.array
        if not returned:
            self.ended |= mask.array

    def live(self, blocks: list[Block]) -> frozenset[Slot]:
        """The slots that these lanes will still read."""
        slots: frozenset[Slot] = frozenset()
        for number in (*self.pending, *self.turning):
            slots |= blocks[number].live_in
        for number in self.waiting:
            end = blocks[number].end
            assert isinstance(end, Meet)
            slots |= blocks[end.target].live_in | set(end.uses)
        return slots
