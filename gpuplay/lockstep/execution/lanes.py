"""The lanes of a batch: which threads of the launch they are, and which of them are active."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.memory.traffic import warps_and_lanes
from gpuplay.lockstep.memory.values import Lanes
from gpuplay.lockstep.record import Thread
from gpuplay.machine.limits import Dims


class LaneMask:
    """Which lanes are active: ``array`` (lanes,), and how many ``warps`` and ``lanes`` that makes."""

    def __init__(self, array: Lanes) -> None:
        self.array = array
        self.warps, self.lanes = warps_and_lanes(array)

    @property
    def first(self) -> int:
        """The first active lane."""
        return int(self.array.argmax())

    def joined(self, other: LaneMask | None) -> LaneMask:
        """The lanes of both."""
        return self if other is None else LaneMask(self.array | other.array)


@dataclass(frozen=True, eq=False)
class Threads:
    """Which threads the lanes are: ``blocks`` blocks from ``first_block`` on, ``width`` lanes each, in whole warps.

    ``exists`` (lanes,) tells a block's threads from the lanes that fill up its last warp; ``block_of_lane`` (lanes,)
    counts blocks from the first of the batch. ``thread_index`` and ``block_index`` are x, y and z as int32, (lanes,)
    each, or one number where all lanes share it.
    """

    grid: Dims
    block: Dims
    first_block: int
    blocks: int
    width: int
    exists: Lanes
    block_of_lane: NDArray[np.int64]
    thread_index: tuple[Any, ...]
    block_index: tuple[Any, ...]

    @classmethod
    def of(cls, grid: Dims, block: Dims, first_block: int, blocks: int, width: int) -> Threads:
        """Those of some blocks of a launch."""
        count, lane, number = block[0] * block[1] * block[2], np.arange(width), np.arange(blocks)
        within = _indices(np.minimum(lane, count - 1), block)
        return cls(
            grid,
            block,
            first_block,
            blocks,
            width,
            np.tile(lane < count, blocks),
            np.repeat(number, width),
            tuple(axis if isinstance(axis, np.generic) else np.tile(axis, blocks) for axis in within),
            tuple(_by_block(axis, width) for axis in _indices(number + first_block, grid)),
        )

    def thread(self, position: int) -> Thread:
        """Which thread a lane of the batch is."""
        return self.thread_of(position + self.first_block * self.width)

    def thread_of(self, lane: int) -> Thread:
        """Which thread a lane of the grid is."""
        return Thread(_unravel(lane // self.width, self.grid), _unravel(lane % self.width, self.block))


def _by_block(axis: Any, width: int) -> Any:
    """One number for each block as one for each lane, or shared by all lanes of a single block."""
    if isinstance(axis, np.generic):
        return axis
    return axis[0] if len(axis) == 1 else np.repeat(axis, width)


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
