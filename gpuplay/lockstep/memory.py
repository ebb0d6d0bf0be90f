"""The memories of a launch: arrays of the host as global memory, shared and local arrays, each with its shadow."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.record import Space
from gpuplay.lockstep.shadow import ATOMICS, COLUMNS, READS
from gpuplay.lockstep.values import View

ALIGNMENT = 256


class Allocation:
    """Bytes with a name; their shadow is kept in words of ``2**shift`` bytes, the smallest element.

    ``data`` is (bytes,) uint8; ``skew`` is where it starts from a 256-byte boundary; ``period`` is the
    bytes of one block's part (shared) or one lane's (local), 0 for global memory. Races are looked for
    where ``watched``; ``written`` is empty where reading unset words is no fault.
    """

    def __init__(self, name: str, space: Space, data: NDArray[np.uint8], word: int, skew: int = 0) -> None:
        self.name, self.space, self.data, self.skew = name, space, data, skew
        self.shift = int(word).bit_length() - 1
        self.period = 0
        self.written: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._complete = True
        self.forget()
        self._typed: dict[np.dtype[Any], NDArray[Any]] = {}

    @property
    def watched(self) -> bool:
        """Are races looked for."""
        return self.history.size > 0

    @property
    def words(self) -> int:
        """How many words of shadow the bytes have."""
        return -(-self.data.size >> self.shift)

    def forget(self) -> None:
        """No access is remembered: a launch begins."""
        self.history = np.zeros((0, COLUMNS), np.int32)
        self.last_write = 0
        self.put_by: list[tuple[int, NDArray[Any], NDArray[Any], int]] = []
        self.hits: NDArray[np.int32] = np.zeros(0, np.int32)

    def watch(self, *, loads: bool, stores: bool, atomics: bool) -> None:
        """Keep what a race needs: nothing where no thread writes."""
        self.forget()
        if stores or atomics:
            columns = COLUMNS if atomics else ATOMICS if loads else READS
            self.history = np.zeros((self.words, columns), np.int32)
        if atomics:
            self.hits = np.zeros(self.words, np.int32)

    def track_unset(self, used: int | None = None) -> None:
        """From now on reading a word that nobody wrote is a fault; each part has ``used`` bytes, and padding."""
        self.written, self._complete = np.zeros(self.words, np.uint8), False
        if used is not None and used < self.period:
            self.written.reshape(-1, self.period >> self.shift)[:, used >> self.shift :] = 1

    def may_be_unset(self) -> bool:
        """Whether some word still waits to be written."""
        if not self._complete:
            self._complete = bool(self.written.all())
        return not self._complete

    def changed(self) -> None:
        """The host changes which words are written."""
        self._complete = False

    def typed(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The bytes as elements of a dtype, (bytes / itemsize,)."""
        if dtype not in self._typed:
            whole = self.data.size // dtype.itemsize * dtype.itemsize
            self._typed[dtype] = self.data[:whole].view(dtype)
        return self._typed[dtype]


class GlobalMemory:
    """The arrays of the host that launches were given, by the storage that they are windows of."""

    def __init__(self) -> None:
        self._allocations: dict[tuple[int, int], Allocation] = {}
        self._owners: list[Any] = []

    def view(self, array: NDArray[Any], name: str = "") -> View:
        """The window that an array is; windows of one storage share their allocation."""
        memory, start = self._allocation(array)
        memory.name = name or memory.name
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
