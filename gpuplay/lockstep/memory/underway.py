"""Asynchronous copies that are under way: where their words go, what they bring, who still waits for them.

A copy arrives here when its thread waits for it, the latest moment that the PTX ISA allows; from its
beginning until then its words are claimed, and nobody may touch them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.memory.allocation import Allocation
from gpuplay.lockstep.memory.sites import Site
from gpuplay.lockstep.memory.values import Lanes


@dataclass(frozen=True)
class CopySource:
    """Where a copy reads: ``counts`` (lanes,) elements from byte ``offset`` (lanes,) of global memory on."""

    memory: Allocation
    offset: NDArray[np.int64]
    counts: NDArray[Any]
    site: Site


@dataclass(eq=False)
class Copy:
    """One copy instruction of all lanes: ``values``, one for each element, go to byte ``offset`` of ``memory``.

    ``waiting`` (lanes,) are the lanes whose part has not arrived, ``group`` (lanes,) the number of the group it is in.
    """

    memory: Allocation
    dtype: np.dtype[Any]
    offset: NDArray[np.int64]
    values: tuple[Any, ...]
    waiting: Lanes
    group: NDArray[np.int32]
    site: Site
    source: CopySource


class Copies:
    """The copies of a batch: each lane puts those that it begins into its open group, until it commits it."""

    def __init__(self, lanes: int) -> None:
        self.open = np.zeros(lanes, np.int32)
        self.under_way: list[Copy] = []

    def begin(self, copy: Copy) -> None:
        """Remember a copy that was begun."""
        self.under_way.append(copy)

    def commit(self, active: Lanes) -> None:
        """Active lanes make a group of what they began since their last one."""
        self.open[active] += 1

    def due(self, active: Lanes, groups: int) -> Iterator[tuple[Copy, Lanes]]:
        """Copies, and their active lanes, that are in none of these lanes' ``groups`` youngest groups; they arrive."""
        for copy in self.under_way:
            lanes = copy.waiting & active & (copy.group < self.open - groups)
            if lanes.any():
                copy.waiting = copy.waiting & ~lanes
                yield copy, lanes
        self.under_way = [copy for copy in self.under_way if copy.waiting.any()]

    def holding(self, memory: Allocation, lane: int, byte: int) -> Copy:
        """The copy with which a lane of the batch claims a byte of ``memory``."""
        return next(
            copy
            for copy in self.under_way
            if copy.memory is memory
            and copy.waiting[lane]
            and 0 <= byte - copy.offset[lane] < len(copy.values) * copy.dtype.itemsize
        )
