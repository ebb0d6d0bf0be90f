"""Shared memory as the units beside the threads use it: addresses of a block, boxes copied, tiles multiplied.

Pieces of 16 bytes are what these units deal in. Of each piece it is remembered which copy filled it, and when each
warp of the block read it last, by itself or by its matrix units. So two mistakes are found: reading what may
not have come yet, and copying over what may still be read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.execution.faults.units import overwritten, read_too_early
from gpuplay.lockstep.memory.allocation import Allocation
from gpuplay.lockstep.memory.phases import Phases
from gpuplay.lockstep.record import Place

if TYPE_CHECKING:
    from gpuplay.lockstep.execution.batch import Batch
    from gpuplay.lockstep.memory.sites import Site

PIECE = 16
WARP = 32
UNDER_WAY = 2**31 - 1  # the time of a read that nobody has waited for
Pieces = NDArray[np.int64]


@dataclass(frozen=True)
class Ticket:
    """A copy: the block and the barrier's column that its bytes counted at, the phase, the line."""

    block: int
    column: int
    phase: int
    place: Place


class Bulk:
    """What the units beside the threads did to the shared memory of a batch.

    ``filled`` (pieces,) is the number of a ticket, from 1; ``read`` (pieces, warps of a block) a time.
    ``groups`` are the pieces that each warpgroup's products read, by the number of its first lane: a list for
    each group under way, the open one last.
    """

    def __init__(self, batch: Batch) -> None:
        self.phases = Phases(batch.order, batch.blocks, batch.program.cluster)
        self._order, self._width, self._shared = batch.order, batch.width, batch.shared
        self._bases: dict[int, int] = {}
        size = 0
        for memory in batch.shared:
            self._bases[id(memory)] = size
            size += memory.period
        self.block_bytes = size
        pieces = batch.blocks * size // PIECE
        self.filled = np.zeros(pieces, np.int32)
        self.read = np.zeros((pieces, batch.order.warps_per_block), np.int32)
        self.tickets: list[Ticket] = []
        self.groups: dict[int, list[list[Pieces]]] = {}
        self._multiplied: dict[int, Place] = {}

    def address(self, memory: Allocation, offset: Any) -> Any:
        """The address within the block of byte offsets into a shared allocation."""
        return self._bases[id(memory)] + offset % memory.period

    def holding(self, address: int) -> Allocation | None:
        """The shared allocation at an address of a block."""
        for memory in self._shared:
            base = self._bases[id(memory)]
            if base <= address < base + memory.period:
                return memory
        return None

    def offset(self, memory: Allocation, blocks: Any, address: Any) -> Any:
        """Byte offsets into an allocation, for addresses of blocks."""
        return blocks * memory.period + address - self._bases[id(memory)]

    def pieces(self, blocks: Any, address: Any) -> Pieces:
        """The numbers of the pieces at addresses of blocks."""
        numbers: Pieces = (blocks * self.block_bytes + address) // PIECE
        return numbers

    def fill(self, batch: Batch, lane: int, block: int, column: int, pieces: Pieces, place: Place) -> None:
        """A lane's copy fills pieces of a block: a race where a warp there may still read what it overwrites."""
        last = np.asarray(self.read[pieces].max(axis=0), np.int64)
        known = self.phases.released[lane, block % self.phases.cluster].copy()
        if block == lane // self._width:
            known = np.maximum(known, self._order.barriers[block])
            known[lane % self._width // WARP] = UNDER_WAY - 1
        if (last > known).any():
            warp = int((last > known).argmax())
            reader = block * self._width + warp * WARP
            overwritten(batch, place, lane, reader, self._read_at(reader, int(last[warp])))
        phase = int(self.phases.over[block, column])
        self.tickets.append(Ticket(block, column, phase, place))
        self.filled[pieces] = len(self.tickets)
        self.read[pieces] = 0

    def _read_at(self, first: int, time: int) -> Place:
        """Where the warp that begins at lane ``first`` read at a time, or began to read what it still reads."""
        if time == UNDER_WAY:
            return self._multiplied[first - first % self._width % (4 * WARP)]
        site = self._order.sites[time]
        found: Place = getattr(site, "place", site)
        return found

    def expect(self, batch: Batch, lanes: NDArray[np.int64], pieces: Pieces, place: Place, array: str) -> None:
        """Some lanes of one block read pieces: a race where they do not know that a copy has come."""
        for number in np.unique(self.filled[pieces]):
            if number:
                ticket = self.tickets[int(number) - 1]
                known = self.phases.know(lanes, ticket.column, ticket.phase)
                if not known.all():
                    read_too_early(batch, place, int(lanes[known.argmin()]), ticket.place, array)

    def touched(self, batch: Batch, memory: Allocation, offset: NDArray[Any], active: NDArray[Any], site: Site) -> None:
        """Threads themselves read or write shared memory, each some bytes of one piece."""
        if not self.tickets:
            return
        lanes = np.flatnonzero(active)
        blocks = lanes // self._width
        pieces = self.pieces(blocks, self.address(memory, offset[lanes]))
        if site.action == "store":
            self.filled[pieces] = 0
            return
        filled = self.filled[pieces] > 0
        for block in np.unique(blocks[filled]):
            here = filled & (blocks == block)
            for number in np.unique(self.filled[pieces[here]]):
                of_copy = here & (self.filled[pieces] == number)
                self.expect(batch, lanes[of_copy], pieces[of_copy], site.place, site.array)
        warps = lanes % self._width // WARP
        self.read[pieces, warps] = np.maximum(self.read[pieces, warps], self._order.now)

    def begin_read(self, first: int, pieces: Pieces, place: Place) -> None:
        """The products of the warpgroup that begins at lane ``first`` read pieces, until somebody waits for them."""
        self._multiplied[first] = place
        self.groups.setdefault(first, [[]])[-1].append(pieces)
        warp = first % self._width // WARP
        self.read[pieces, warp : warp + 4] = UNDER_WAY

    def commit(self, first: int) -> None:
        """The warpgroup closes a group and opens the next one."""
        self.groups.setdefault(first, [[]]).append([])

    def wait(self, first: int, most: int) -> None:
        """All groups of the warpgroup but the ``most`` youngest, and the open one, are done."""
        groups = self.groups.setdefault(first, [[]])
        warp = first % self._width // WARP
        while len(groups) - 1 > most:
            for pieces in groups.pop(0):
                self.read[pieces, warp : warp + 4] = self._order.now
        for group in groups:
            for pieces in group:
                self.read[pieces, warp : warp + 4] = UNDER_WAY


def bulk_of(batch: Batch) -> Bulk:
    """The state of a batch, from the first use on."""
    if batch.bulk is None:
        batch.bulk = Bulk(batch)
    return batch.bulk
