"""A launch under way: what all its batches share."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.lockstep.execution.counting import Tally
from gpuplay.lockstep.execution.program import Program
from gpuplay.lockstep.memory.order import Order
from gpuplay.lockstep.record import WARP, Fault, Note, Place
from gpuplay.machine.limits import Dims

if TYPE_CHECKING:
    from gpuplay.lockstep.memory.values import Lanes

MOST_PRINTED = 4  # lines of all threads together that are kept


@dataclass(eq=False)
class LaunchState:
    """A program, its geometry, and what its batches leave behind: the order of accesses, faults, notes, counters.

    ``dynamic_bytes`` are those of a block's dynamic shared memory; ``check_types`` compares every variable's dtype with
    the inferred one. Atomics of a warp's lanes, and of all lanes that come to one together, are served in their order,
    or from the ``last_first``: a GPU promises neither.
    """

    program: Program
    grid: Dims
    block: Dims
    dynamic_bytes: int = 0
    check_types: bool = False
    last_first: bool = False
    order: Order = field(init=False)
    tally: Tally = field(init=False)
    faults: dict[tuple[Any, ...], Fault] = field(default_factory=dict)
    notes: dict[Place, Note] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    lines_printed: int = 0

    def __post_init__(self) -> None:
        warps = -(-math.prod(self.block) // WARP)
        self.order = Order(self.blocks, warps, fences=self.program.fences)
        self.tally = Tally(len(self.program.blocks))

    @property
    def blocks(self) -> int:
        """How many blocks the grid has."""
        return math.prod(self.grid)

    def say(self, line: Callable[[int], str], active: Lanes) -> None:
        """Keep the first lines that threads print, each from ``line(lane)``, and count all."""
        lanes = np.flatnonzero(active)
        self.lines_printed += len(lanes)
        self.printed += [line(int(lane)) for lane in lanes[: max(0, MOST_PRINTED - len(self.printed))]]

    def fault(self, fault: Fault) -> None:
        """Record a fault: once for each kind and place, with a count."""
        key = fault.kind, fault.place, fault.other, fault.array
        known = self.faults.get(key)
        if known is None:
            self.faults[key] = fault
        else:
            self.faults[key] = replace(known, count=known.count + fault.count)
