"""Arrays on a target between guard zones: filled, poisoned, read back, and checked for stray writes."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpuplay.kernel import Array
    from gpuplay.targets.base import Target

GUARD = 256  # elements on either side; a multiple of 64 bytes in every dtype
PATTERNS = {
    "float16": 0x7EA5,
    "float32": 0x7FC5A5A5,
    "float64": 0x7FF8A5A5A5A5A5A5,
    "int32": 0xA5A5A5A5,
    "uint32": 0xA5A5A5A5,
    "int64": 0xA5A5A5A5A5A5A5A5,
    "uint16": 0xA5A5,
    "uint8": 0xA5,
}


class Placed:
    """One array on a target. Its guards and, when poisoned, its elements hold a bit pattern that no run writes.

    For floating elements the pattern is a NaN with a payload of its own: arithmetic gives other NaNs.
    """

    def __init__(self, target: Target, array: Array, dtype: str) -> None:
        self.array = array
        self.dtype = array.dtype or dtype
        self.count = math.prod(array.shape)
        self._target = target
        self._flat = target.flat(self.count + 2 * GUARD, self.dtype)
        self._bits = np.dtype(f"u{np.dtype(self.dtype).itemsize}")
        self._poison = self._bits.type(PATTERNS[self.dtype])
        self.reset_guards()
        self.poison()
        self.view = target.view(self._flat, GUARD, array.shape)

    def reset_guards(self) -> None:
        """Fill both guard zones anew."""
        for start in (0, GUARD + self.count):
            self._target.write(self._flat, start, self._poisoned(GUARD))

    def write(self, values: Any) -> None:
        """Fill with host values of the declared shape."""
        flat = np.ascontiguousarray(values, dtype=self.dtype).reshape(-1)
        self._target.write(self._flat, GUARD, flat)

    def read(self) -> NDArray[Any]:
        """Copy back to the host."""
        return self._target.read(self._flat, GUARD, self.count).reshape(self.array.shape)

    def poison(self) -> None:
        """Overwrite every element, so that one that is not written later shows."""
        self._target.write(self._flat, GUARD, self._poisoned(self.count))
        self._target.unset(self._flat, GUARD, self.count)

    def checksum(self) -> int:
        """A checksum of the elements' bytes, to find out whether a run changed them."""
        return zlib.crc32(self._target.read(self._flat, GUARD, self.count).view(np.uint8).data)

    def stray_write(self) -> str:
        """Where a run wrote outside the array: 'before its start', 'behind its end', or ''."""
        for start, where in ((0, "before its start"), (GUARD + self.count, "behind its end")):
            guard = self._target.read(self._flat, start, GUARD)
            if (guard.view(self._bits) != self._poison).any():
                return where
        return ""

    def unwritten(self) -> int:
        """How many floating elements still hold the poison; 0 for integers, where it may be a value."""
        if np.dtype(self.dtype).kind != "f":
            return 0
        return int((self.read().reshape(-1).view(self._bits) == self._poison).sum())

    def _poisoned(self, count: int) -> NDArray[Any]:
        return np.full(count, self._poison, dtype=self._bits).view(self.dtype)
