"""A batch of blocks: what operations read and set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.errors import Unsupported
from gpuplay.lockstep.execution.lanes import Threads
from gpuplay.lockstep.execution.schedule import Schedule
from gpuplay.lockstep.memory.shadow import ROW
from gpuplay.lockstep.memory.underway import Copies
from gpuplay.lockstep.memory.values import Merge, merged
from gpuplay.lockstep.record import Fault, Place, Thread

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.bulk import Bulk
    from gpuplay.lockstep.execution.launch import LaunchState
    from gpuplay.lockstep.execution.program import Slot
    from gpuplay.lockstep.memory.allocation import Allocation


class Batch:
    """Some blocks of a launch, in step: who their lanes are (``threads``), and where each goes on (``schedule``).

    ``v`` has the value of every slot, of all lanes; ``mask`` are the lanes that execute now, ``needed`` the slots that
    others will still read. ``shared`` are the arrays that a block has, ``locals`` those of a lane. ``changes`` counts
    what may have changed memory, ``polls`` reads of what other threads may change, ``strays`` accesses out of bounds;
    where ``comparing``, a store of what stands there already is no change.
    """

    def __init__(
        self,
        launch: LaunchState,
        first_block: int,
        blocks: int,
        slots: list[Any],
        shared: list[Allocation],
        own: list[Allocation],
    ) -> None:
        self.launch, self.program, self.order = launch, launch.program, launch.order
        self.order.begin_batch(first_block, blocks)
        self.threads = Threads.of(launch.grid, launch.block, first_block, blocks, self.order.width)
        self.blocks, self.width, self.lanes = blocks, self.order.width, blocks * self.order.width
        self.schedule = Schedule.of(self.threads.exists)
        self.mask = self.schedule.pending[0]
        self.needed: frozenset[Slot] = frozenset()
        self.v, self.shared, self.locals = slots, shared, own
        self.copies = Copies(self.lanes)
        self.bulk: Bulk | None = None  # from its first use on: `gpuplay.lockstep.execution.bulk.bulk_of`
        self.conflicts = np.zeros((self.lanes, ROW), np.int64)
        self.changes = self.polls = self.strays = 0
        self.comparing = False

    def set(self, slot: Slot, value: Any) -> None:
        """Give a slot its value on the active lanes; other lanes keep theirs where one is still to read it."""
        if slot in self.needed:
            try:
                value = merged(self.mask.array, value, self.v[slot])
            except Merge:
                self._unmergeable(slot)
        if self.launch.check_types:
            self._check_type(slot, value)
        self.v[slot] = value

    def fault(self, fault: Fault) -> None:
        """Record a fault of the launch."""
        self.launch.fault(fault)

    def thread(self, position: int) -> Thread:
        """Which thread a lane of this batch is."""
        return self.threads.thread(position)

    def _check_type(self, slot: Slot, value: Any) -> None:
        """The dtype that a variable holds is the one that Numba inferred."""
        want = self.program.dtypes[slot]
        have = getattr(value, "dtype", None)
        assert want is None or have == want, f"{self.program.names[slot]}: {have} held, {want} inferred"

    def _unmergeable(self, slot: Slot) -> None:
        places = [place for block in self.program.blocks for place in block.work if slot in block.defs]
        name = self.program.names[slot] or "a value"
        place = places[0] if places else Place(self.program.sources[0].file, self.program.sources[0].first)
        raise Unsupported(f"{name} that is another array for some threads than for others", place)
