"""The memories of a launch: arrays of the host as global memory, shared and local arrays, each with its shadow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuplay.lockstep.memory.shadow import ATOMICS, COLUMNS, READS
from gpuplay.lockstep.record import Space


class Allocation:
    """Bytes with a name; their shadow is kept in words of ``2**shift`` bytes, the smallest element.

    ``data`` is (bytes,) uint8; ``skew`` is where it starts from a 256-byte boundary; ``period`` is the
    bytes of one block's part (shared) or one lane's (local), 0 for global memory; ``alignment`` is what a
    part begins at a multiple of for certain, 0 where ``skew`` tells. Races are looked for where ``watched``;
    ``written`` is empty where reading unset words is no fault. ``claims`` has for each word the lane of the
    batch, plus 1, whose copy into it is under way, ``claimed`` how many words have one.
    """

    def __init__(self, name: str, space: Space, data: NDArray[np.uint8], word: int, skew: int = 0) -> None:
        self.name, self.space, self.data, self.skew = name, space, data, skew
        self.shift = int(word).bit_length() - 1
        self.period = 0
        self.alignment = 0
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
        self.claims: NDArray[np.int32] = np.zeros(0, np.int32)
        self.claimed = 0

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
