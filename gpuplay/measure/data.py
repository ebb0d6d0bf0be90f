"""Arrays on a target between guard zones: filled, poisoned, read back, and checked for stray writes."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from gpuplay.measure.poison import Poison, is_float, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.kernel import Array
    from gpuplay.targets.base import Target

GUARD = 256  # elements on either side; a multiple of 64 bytes in every dtype
BEFORE, BEHIND = "before its start", "behind its end"
READ = ("in", "weight")  # roles of arrays that hold numbers: the zones around them do, too


class Placed:
    """One array on a target between two guard zones, whose bits differ from array to array, and when drawn anew.

    Around what is only read stand numbers: who reads too far computes something else each time, and has no poison
    to copy to another array's zone. Elements to be written, and zones around them, hold `Poison`.
    """

    def __init__(self, target: Target, array: Array, dtype: str) -> None:
        self.array = array
        self.dtype = array.dtype or dtype
        self.count = math.prod(array.shape)
        self._target = target
        self._flat = target.flat(self.count + 2 * GUARD, self.dtype)
        self._random = np.random.default_rng(zlib.crc32(array.name.encode()))
        self._pattern = Poison(self.dtype, kept=target.keeps_bits)
        self._zones: dict[str, NDArray[Any]] = {}
        self.draw_guards()
        self.poison()
        self.view = target.view(self._flat, GUARD, array.shape)

    def draw_guards(self, where: str = "") -> None:
        """Fill both guard zones, or one of them, with other bits than before."""
        for zone in (where,) if where else (BEFORE, BEHIND):
            self._zones[zone] = self._drawn()
            self._target.write(self._flat, self._start(zone), self._zones[zone])

    def write(self, values: Any) -> None:
        """Fill with host values of the declared shape."""
        flat = np.ascontiguousarray(values, dtype=self.dtype).reshape(-1)
        self._target.write(self._flat, GUARD, flat)

    def read(self) -> NDArray[Any]:
        """Copy back to the host."""
        return self._target.read(self._flat, GUARD, self.count).reshape(self.array.shape)

    def poison(self) -> None:
        """Overwrite every element with another pattern than last time, so that one that is not written later shows."""
        self._pattern = replace(self._pattern, number=self._pattern.number + 1)
        self._target.write(self._flat, GUARD, self._pattern.fill(self.count))
        self._target.unset(self._flat, GUARD, self.count)

    @property
    def pattern(self) -> Poison:
        """What the elements were last poisoned with: who finds it there knows that no run wrote them."""
        return self._pattern

    def checksum(self) -> int:
        """A checksum of the elements' bytes, to find out whether a run changed them."""
        return zlib.crc32(self._target.read(self._flat, GUARD, self.count).view(np.uint8).data)

    def stray_write(self) -> str:
        """Where a run wrote outside the array: 'before its start', 'behind its end', or ''."""
        for where, values in self._zones.items():
            found = self._target.read(self._flat, self._start(where), GUARD)
            if (found.view(np.uint8) != values.view(np.uint8)).any():
                return where
        return ""

    def unwritten(self) -> int:
        """How many floating elements still hold the poison; 0 of whole numbers, where it may be a value."""
        return int(self._pattern.untouched(self.read()).sum()) if is_float(self.dtype) else 0

    def _drawn(self) -> NDArray[Any]:
        if self.array.role in READ:
            return numbers(self.dtype, GUARD, self._random)
        return Poison(self.dtype, int(self._random.integers(1 << 30))).fill(GUARD)

    def _start(self, where: str) -> int:
        return 0 if where == BEFORE else GUARD + self.count
