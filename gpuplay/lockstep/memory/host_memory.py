"""Arrays of the host as global memory."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.errors import GpuplayError
from gpuplay.lockstep.memory.allocation import Allocation
from gpuplay.lockstep.memory.values import View

ALIGNMENT = 256


class GlobalMemory:
    """The arrays of the host that launches were given, by the storage that they are windows of."""

    def __init__(self) -> None:
        self._allocations: dict[tuple[int, int], Allocation] = {}
        self._owners: list[Any] = []

    def view(self, array: NDArray[Any], name: str = "") -> View:
        """The window that an array is; windows of one storage share their allocation."""
        memory, start = self._allocation(array)
        memory.name = name or memory.name
        steps = [stride for extent, stride in zip(array.shape, array.strides, strict=True) if extent > 1]
        if array.dtype.fields is None and any(step % array.itemsize for step in (*steps, array.ctypes.data - start)):
            raise GpuplayError(
                f"array {name}: its elements do not lie at multiples of their size; copy it with np.ascontiguousarray"
            )
        offset = np.int64(array.ctypes.data - start)
        return View(memory, array.dtype, offset, tuple(map(np.int64, array.shape)), array.strides)

    def mark_unset(self, array: NDArray[Any]) -> None:
        """Reading an element of this array before it is written is a fault from now on."""
        self._marks(array)[:] = 0

    def mark_copied(self, array: NDArray[Any], source: NDArray[Any] | None = None) -> None:
        """The host filled an array, or copied a source of the same shape and dtype into it, unset elements too."""
        self._marks(array)[:] = 1 if source is None else self._marks(source)

    def _marks(self, array: NDArray[Any]) -> NDArray[np.uint8]:
        """Which words of a window are written, one for each element, kept from now on."""
        memory, start = self._allocation(array)
        if not memory.written.size:
            memory.written = np.ones(memory.words, np.uint8)
        memory.changed()
        word = 1 << memory.shift
        first = (array.ctypes.data - start) // word
        shape = (*array.shape, array.itemsize // word)
        strides = (*(stride // word for stride in array.strides), 1)
        return np.lib.stride_tricks.as_strided(memory.written[first:], shape, strides)

    def _allocation(self, array: NDArray[Any]) -> tuple[Allocation, int]:
        origin = array
        while isinstance(origin.base, np.ndarray):
            origin = origin.base
        start, end = np.lib.array_utils.byte_bounds(origin)
        key = start, max(end, start + 1)
        word = _smallest(array.dtype)
        if key not in self._allocations or 1 << self._allocations[key].shift > word:
            self._allocations[key] = _wrap(origin, array, word)
            self._owners.append(origin)
        return self._allocations[key], start


def _smallest(dtype: np.dtype[Any]) -> int:
    """Bytes of the smallest field."""
    if dtype.fields is None:
        return dtype.itemsize
    return min(_smallest(field[0]) for field in dtype.fields.values())


def _wrap(origin: NDArray[Any], array: NDArray[Any], word: int) -> Allocation:
    """An allocation over a storage: an array that owns its memory starts on a boundary, raw bytes as they lie."""
    start, end = np.lib.array_utils.byte_bounds(origin)
    kept: Any = (ctypes.c_uint8 * max(end - start, 1)).from_address(start)
    raw = origin.dtype == np.uint8 and array.dtype != np.uint8
    return Allocation("", "global", np.frombuffer(kept, np.uint8), word, start % ALIGNMENT if raw else 0)
